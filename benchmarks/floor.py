"""The floor of a cold start: imports numpy, the runtime and typer, loads the model, invokes it once. Nothing of ours."""

import sys

import numpy
import typer  # noqa: F401  # what any command line of this kind imports

try:
    from tflite_runtime.interpreter import Interpreter, OpResolverType
except ImportError:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

LENGTH = 192  # tokens, about as many as a question has; a multiple of every stride and step

with open(sys.argv[1], "rb") as file:
    interpreter = Interpreter(
        model_content=file.read(),
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
inputs = interpreter.get_input_details()
ids = next(tensor["index"] for tensor in inputs if tensor["dtype"] is numpy.int32)
# A network that reads in steps has a second input, of floats, and one id more: that before the text. See model-format.md.
maxima = [tensor for tensor in inputs if tensor["dtype"] is numpy.float32]
values = numpy.ones((1, LENGTH + len(maxima)), numpy.int32)
interpreter.resize_tensor_input(ids, values.shape)
interpreter.allocate_tensors()
interpreter.set_tensor(ids, values)
for tensor in maxima:
    interpreter.set_tensor(tensor["index"], numpy.full(tensor["shape"], -1, numpy.float32))
interpreter.invoke()
print(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0])
