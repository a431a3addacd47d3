"""Fitted network -> ``.tflite`` by a recipe. The converter runs in a child process, because it can crash or use all memory.

Why by this route (measured on TensorFlow 2.21): only legacy Keras, with batch size 1 and no mask in the graph, gives
the fused ``UNIDIRECTIONAL_SEQUENCE_LSTM`` that both edge runtimes have; Keras 3 gives a loop that is 5 to 20 times slower,
masks prevent the fusion, and a free batch size needs operators that no edge runtime has.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from sotag_convert.export.isolated import run_module
from sotag_convert.recipes import RECIPES, Recipe

_SECONDS = 30 * 60  # the default model takes 20 s on two cores


def export(keras_model: Path, network: dict[str, object], recipe: Recipe, output: Path) -> dict[str, object]:
    """Convert the weights in ``keras_model`` to ``output``, a ``.tflite`` file, and return what its graph requires.

    ``network`` is the manifest's entry of that name. The result has the graph's ``operators`` with their versions, and
    ``minimum_runtime``, the first TensorFlow Lite version that has them all. Raises ``ModelError`` when the converter fails
    or crashes, also for operators that no edge runtime has. The scores of the result are checked by parity.py.
    """
    request = {"keras_model": str(keras_model), "network": network, "recipe": recipe.value, "output": str(output)}
    failure = f"the TFLite converter failed on recipe {recipe.value!r}"
    with tempfile.TemporaryDirectory(dir=output.parent) as scratch:
        argument = json.dumps(request | {"scratch": scratch})
        answer = run_module("sotag_convert.export.converter", argument, failure=failure, seconds=_SECONDS)
    graph: dict[str, object] = json.loads(answer.splitlines()[-1])
    return graph


def _convert(keras_model: str, network: dict[str, object], recipe: str, output: str, scratch: str) -> None:
    """The work of the child process. ``scratch``: for the converter's temporary files, which it leaves when it is killed."""
    tempfile.tempdir = scratch
    from sotag_convert.network.keras import tf
    from sotag_convert.network.network import Network

    settings = RECIPES[Recipe(recipe)]
    graph = Network.load(network, Path(keras_model)).export_graph(settings.embedding_bits)
    converter = tf.lite.TFLiteConverter.from_keras_model(graph)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if settings.weights is not Recipe.FLOAT32:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if settings.weights is Recipe.FLOAT16:
        converter.target_spec.supported_types = [tf.float16]
    # Without it a dense layer of over 1,024 weights becomes FULLY_CONNECTED version 12, which tflite-runtime 2.14 does
    # not have.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    model = converter.convert()
    Path(output).write_bytes(model)
    json.dump(_requirements(model), sys.stdout)


def _requirements(model: bytes) -> dict[str, object]:
    """What the graph of a ``.tflite`` requires of a runtime, as the converter wrote it into the file."""
    from sotag_convert.network.keras import tflite_schema as schema

    graph = schema.Model.GetRootAs(model, 0)
    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    codes = [graph.OperatorCodes(number) for number in range(graph.OperatorCodesLength())]
    entries = [graph.Metadata(number) for number in range(graph.MetadataLength())]
    minimum = [
        graph.Buffers(entry.Buffer()).DataAsNumpy() for entry in entries if entry.Name() == b"min_runtime_version"
    ]
    return {
        # Codes above 127 are in a field of their own; the old one then holds 127.
        "operators": {names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]: code.Version() for code in codes},
        "minimum_runtime": minimum[0].tobytes().rstrip(b"\0").decode() if minimum else None,
    }


if __name__ == "__main__":
    try:
        _convert(**json.loads(sys.argv[1]))
    except Exception as error:
        sys.exit(f"{type(error).__name__}: {error}".splitlines()[0])
