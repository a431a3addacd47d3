"""Nothing that lies in the current folder or in somebody else's bundle runs, and nothing in it stops a command."""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest

from sotag_convert.cli.progress import RunProgress
from sotag_convert.conversion import convert_bundle
from sotag_convert.export.isolated import run_module
from sotag_convert.export.parity import sample_texts
from sotag_convert.export.stranger import load_network
from sotag_convert.network.architectures import ConvLstmNetwork, NetworkSettings
from sotag_convert.network.keras import tf_keras
from sotag_convert.network.network import Network
from sotag_convert.network.seed import SeedNetwork
from sotag_convert.recipes import Recipe
from sotag_edge.bundle import Bundle
from sotag_edge.errors import ModelError
from sotag_edge.vocabulary import Vocabulary
from tests.conftest import Run

HOSTILE = ("numpy", "random", "types", "json", "tensorflow", "h5py", "sotag_edge", "runpy", "ctypes", "resource")


@pytest.fixture
def hostile_folder(tmp_path: Path) -> Path:
    """A folder of modules that leave a file behind when they are executed."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in HOSTILE:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'a').write({name!r})\n")
    return folder


def test_modules_in_the_current_folder_are_not_executed(
    hostile_folder: Path, fixture_model: Path, tmp_path: Path
) -> None:
    """The command and all its children take their modules from where they are installed."""
    script = tmp_path / "bin" / "sotag-edge"
    script.parent.mkdir()
    script.write_text("from sotag_edge.__main__ import main\nmain()\n")
    command = [sys.executable, str(script), "convert", str(fixture_model), "-r", "float32", "-o", "../mine"]
    done = subprocess.run(command, cwd=hostile_folder, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert Bundle.read(tmp_path / "mine").manifest.recipe == "float32"
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("option", ["-c", "-m"])
def test_a_child_does_not_inherit_the_current_folder(hostile_folder: Path, tmp_path: Path, option: str) -> None:
    """Python itself puts it first for `python -m` and `python -c`; a child of such a process goes without it."""
    code = (  # the modules appear when this process has its own, so that only the child can run them
        "from sotag_convert.export.isolated import run_module\n"
        f"import shutil; shutil.copytree({str(hostile_folder)!r}, '.', dirs_exist_ok=True)\n"
        "print(run_module('sotag_edge', '--version', failure='it failed', seconds=60))\n"
    )
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "program.py").write_text(code)
    command = [sys.executable, option, code if option == "-c" else "program"]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8")
    assert done.stdout.startswith("sotag-edge "), done.stderr
    assert not (tmp_path / "executed").exists()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that does what its argument says, in a folder that this process imports from."""
    (tmp_path / "obedient.py").write_text("import sys\nexec(sys.argv[1])\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "obedient"


def test_a_child_has_limits(module: str) -> None:
    """Memory beyond its limit is refused, and an endless loop is ended, both with a sentence."""
    with pytest.raises(ModelError, match="it failed: MemoryError"):
        run_module(module, "b'x' * 10**9", failure="it failed", seconds=60, memory=500 * 1024**2)
    with pytest.raises(ModelError, match="it failed: it took longer than 1 seconds"):
        run_module(module, "while True: pass", failure="it failed", seconds=1)


def test_a_child_has_the_import_path_of_its_parent(module: str) -> None:
    """Also the folders that were added while the program ran."""
    answer = run_module(module, "print(__file__)", failure="it failed", seconds=60)
    assert os.path.basename(answer.strip()) == "obedient.py"  # noqa: PTH119


# Bundles. Each case changes a copy of a good one; `convert` must refuse it with a sentence and write nothing.


def refused(folder: Path, words: str) -> None:
    """`convert` refuses the bundle in a folder, in these words."""
    with pytest.raises(ModelError, match=words) as caught:
        convert_bundle(folder.absolute(), Recipe.FLOAT32, folder.parent / "mine")
    assert "\n" not in str(caught.value)
    assert not (folder.parent / "mine").exists()


def with_weights(bundle: Path, change: Callable[[h5py.File], None]) -> None:
    """Change the HDF5 file in the model.keras of a bundle."""
    with zipfile.ZipFile(bundle / "model.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    stream = io.BytesIO(members["model.weights.h5"])
    with h5py.File(stream, "r+") as file:
        change(file)
    members["model.weights.h5"] = stream.getvalue()
    write_zip(bundle / "model.keras", members)


def write_zip(path: Path, members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def edit(path: Path, *keys: str, value: object) -> None:
    """Set an entry of a JSON file."""
    content = json.loads(path.read_bytes())
    place = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    path.write_text(json.dumps(content))


ARRAY = "layers/conv1d/vars/1"  # shape [8]


def _external_link(file: h5py.File, secret: Path) -> None:
    del file[ARRAY]
    file[ARRAY] = h5py.ExternalLink(str(secret), "/secret")


def _external_group(file: h5py.File, secret: Path) -> None:
    del file["layers/conv1d"]
    file["layers/conv1d"] = h5py.ExternalLink(str(secret), "/")


def _soft_link(file: h5py.File, _: Path) -> None:
    del file[ARRAY]
    file[ARRAY] = h5py.SoftLink("/layers/dense/vars/1")


def _external_storage(file: h5py.File, secret: Path) -> None:
    del file[ARRAY]
    file.create_dataset(ARRAY, (8,), "<f4", external=[(str(secret), 0, 32)])


def _virtual(file: h5py.File, secret: Path) -> None:
    del file[ARRAY]
    layout = h5py.VirtualLayout((8,), "<f4")
    layout[:] = h5py.VirtualSource(str(secret), "secret", (8,))
    file.create_virtual_dataset(ARRAY, layout)


def _bomb(file: h5py.File, _: Path) -> None:
    del file[ARRAY]
    file.create_dataset(ARRAY, (10**6, 10**6), "<f4", chunks=(1000, 1000), compression="gzip")


def _chunks(file: h5py.File, _: Path) -> None:
    del file[ARRAY]
    file.create_dataset(ARRAY, (8,), "<f4", chunks=(8,), compression="gzip")


def _doubles(file: h5py.File, _: Path) -> None:
    del file[ARRAY]
    file[ARRAY] = np.zeros(8)


def _infinite(file: h5py.File, _: Path) -> None:
    file[ARRAY][0] = np.inf


def _group(file: h5py.File, _: Path) -> None:
    del file[ARRAY]
    file.create_group(ARRAY)


def _missing(file: h5py.File, _: Path) -> None:
    del file["layers/lstm"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_external_link, "a link to another place"),
        (_external_group, "a link to another place"),
        (_soft_link, "a link to another place"),
        (_external_storage, "are in another file"),
        (_virtual, "are in another file"),
        (_bomb, "is not an array of float32 of shape"),
        (_doubles, "is not an array of float32 of shape"),
        (_group, "is not an array of float32 of shape"),
        (_chunks, "stored in chunks"),
        (_infinite, "not finite"),
        (_missing, "is missing"),
    ],
)
def test_weights_from_elsewhere_are_refused(
    model_copy: Path, tmp_path: Path, change: Callable[[h5py.File, Path], None], words: str
) -> None:
    """An HDF5 file can name other files as the place of its numbers, and claim any size."""
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["secret"] = np.ones(8, np.float32)
    with_weights(model_copy, lambda file: change(file, secret))
    refused(model_copy, rf"does not hold the weights of the network .*{words}")


def _not_a_zip(path: Path) -> None:
    path.write_bytes(b"\x80\x04cposix\nsystem\n(S'touch executed'\ntR.")  # a pickle


def _numpy_file(path: Path) -> None:
    np.savez(path.with_suffix(".npz"), np.array([print], dtype=object))
    path.with_suffix(".npz").rename(path)


def _another_member(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../evil.py", "")


def _zip_bomb(path: Path) -> None:
    content = {"config.json": b"{}", "metadata.json": b"{}", "model.weights.h5": bytes(10**8)}
    write_zip(path, content, zipfile.ZIP_DEFLATED)


def _lying_zip_bomb(path: Path) -> None:
    _zip_bomb(path)
    size = (10**8).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (1000).to_bytes(4, "little")))


def _huge(path: Path) -> None:
    with path.open("ab") as stream:
        stream.truncate(10**10)  # takes no place on the disk


def _not_hdf5(path: Path) -> None:
    write_zip(
        path, {"config.json": b"{}", "metadata.json": b"{}", "model.weights.h5": b"\x89HDF\r\n\x1a\n" + bytes(900)}
    )


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_not_a_zip, "not a zip file"),
        (_numpy_file, "it does not consist of config.json, metadata.json, model.weights.h5"),
        (_another_member, "it does not consist of config.json, metadata.json, model.weights.h5"),
        (_zip_bomb, "model.weights.h5 has 100,000,000 bytes, more than the network needs"),
        (_lying_zip_bomb, ""),
        (_huge, "it has 10,000,000,000 bytes"),
        (_not_hdf5, ""),
    ],
)
def test_files_that_are_no_weights_are_refused(
    model_copy: Path, tmp_path: Path, damage: Callable[[Path], None], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is in the place of model.keras, it is neither executed nor read beyond the size of the network."""
    monkeypatch.chdir(tmp_path)
    damage(model_copy / "model.keras")
    refused(model_copy, f"does not hold the weights of the network .*{words}")
    assert not (tmp_path / "executed").exists()


def test_damaged_weights_are_a_sentence(model_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes changed at random are read or refused, also where the parser of HDF5 crashes; nothing else happens."""
    original = (model_copy / "model.keras").read_bytes()
    start = original.index(b"\x89HDF")
    draw = random.Random(1)
    description = json.loads((model_copy / "model.json").read_bytes())["network"]
    for _ in range(20):
        content = bytearray(original)
        for _ in range(30):
            content[start + int(draw.random() ** 2 * 8000)] = draw.randrange(256)
        (model_copy / "model.keras").write_bytes(_with_right_checksum(bytes(content), start))
        with suppress(ModelError):
            load_network(description, model_copy / "model.keras")


def _with_right_checksum(content: bytes, start: int) -> bytes:
    """A stored zip member that was changed, with the checksum of its new bytes."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        member = archive.getinfo("model.weights.h5")
    new = zlib.crc32(content[start : start + member.file_size]).to_bytes(4, "little")
    return content.replace(member.CRC.to_bytes(4, "little"), new)


def test_a_layer_in_the_configuration_is_not_executed(model_copy: Path, tmp_path: Path) -> None:
    """The network is built from model.json; a Lambda layer in the file that Keras would build it from stays dead."""
    ids = tf_keras.Input((4,))
    witness = str(tmp_path / "executed")
    executing = tf_keras.Model(ids, tf_keras.layers.Lambda(lambda x, path=witness: (Path(path).touch(), x)[1])(ids))
    executing.save(tmp_path / "lambda.keras")
    Path(witness).unlink()
    with zipfile.ZipFile(tmp_path / "lambda.keras") as archive:
        config = archive.read("config.json")
    assert b"Lambda" in config
    with zipfile.ZipFile(model_copy / "model.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    write_zip(model_copy / "model.keras", members | {"config.json": config})
    convert_bundle(model_copy, Recipe.FLOAT32, tmp_path / "mine")
    assert not Path(witness).exists()
    with zipfile.ZipFile(tmp_path / "mine" / "model.keras") as archive:
        assert b"Lambda" not in archive.read("config.json")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("kind", "transformer", "'kind' must be one of seed, conv-lstm"),
        ("kind", ["seed"], "'kind' must be one of seed, conv-lstm"),
        ("kernel", 10**6, "'kernel' must be a whole number from 1 to 256, not 1000000"),
        ("units", 10**6, "'units' must be a whole number from 1 to 1,024"),
        ("buckets", 10**9, "'buckets' must be a whole number from 2 to"),
        ("buckets", 10**7, "the network has 30,.* weights, and 20,000,000 are the most"),
        ("stride", 0, "'stride' must be a whole number from 1"),
        ("stride", 13, "'stride' must be at most 'kernel', 12, not 13"),
        ("filters", -1, "'filters' must be a whole number from 1"),
        ("filters", 10**4000, "'filters' must be .* not a number beyond all limits"),
        ("embedding", "8", "'embedding' must be a whole number"),
        ("embedding", 8.0, "'embedding' must be a whole number"),
        ("ratios", True, "'ratios' must be a whole number"),
        ("dropout", float("nan"), "'dropout' must be a number from 0 to below 1, not nan"),
        ("dropout", None, "'dropout' must be a number"),
        ("spatial_dropout", [[[[[[[[1]]]]]]]], "'spatial_dropout' must be a number"),
        ("length", 10**9, "'length' in 'network' must be null"),
        ("labels", 10**9, "'labels' in 'network' must be 3"),
        ("vocabulary", 116, "'vocabulary' in 'network' must be 115"),
        ("layers", 3, "'layers' is not a setting of this network"),
    ],
)
def test_settings_of_a_network_are_bounded(model_copy: Path, name: str, value: object, words: str) -> None:
    """None takes all memory or all time, and each is named."""
    edit(model_copy / "model.json", "network", name, value=value)
    refused(model_copy, words)


def test_a_network_without_a_setting_is_refused(model_copy: Path) -> None:
    """Nothing is guessed."""
    manifest = json.loads((model_copy / "model.json").read_bytes())
    del manifest["network"]["kernel"]
    (model_copy / "model.json").write_text(json.dumps(manifest))
    refused(model_copy, "'kernel' is missing")


def test_the_length_of_a_padded_network_is_bounded() -> None:
    """An LSTM over a window of a million steps would run for hours."""
    with pytest.raises(ValueError, match="'length' must be a whole number from 1 to 2,000"):
        SeedNetwork(labels=3, vocabulary=60, length=10**6)


@pytest.mark.parametrize("settings", [SeedNetwork(3, 60), ConvLstmNetwork(3, 60, buckets=70)])
def test_the_number_of_weights_is_known_before_they_are_made(settings: NetworkSettings) -> None:
    """The bound is of the very number that Keras counts."""
    assert settings.weights() == Network(settings).model.count_params()


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "null",
        "{}",
        '{"training": []}',
        '{"training": {"validation_texts": 3}}',
        '{"training": {"validation_accuracy": "0.9", "validation_texts": 3}}',
        '{"training": {"validation_accuracy": NaN, "validation_texts": 3}}',
        '{"training": {"validation_accuracy": 1e999, "validation_texts": 3}}',
        '{"training": {"validation_accuracy": {"a": 1}, "validation_texts": 3}}',
        '{"training": {"validation_accuracy": true, "validation_texts": 3}}',
        '{"training": {"validation_accuracy": null, "validation_texts": null}}',
        '{"training": {"validation_accuracy": null, "validation_texts": -1}}',
        '{"training": {"validation_accuracy": null, "validation_texts": ' + "9" * 4000 + "}}",
        '{"training": {"validation_accuracy": null, "validation_texts": ' + "9" * 5000 + "}}",
        '{"training": {"validation_accuracy": null, "validation_texts": 3, "epochs": 4}}',
        '{"training": {"validation_accuracy": null, "validation_texts": 3, "epochs": [[]]}}',
        '{"training": {"validation_accuracy": null, "validation_texts": 3, "epochs": [{"loss": "low"}]}}',
        "[" * 100_000,
        "\ud83d not UTF-8",
        "",
    ],
)
def test_metrics_of_another_shape_are_refused(model_copy: Path, content: str) -> None:
    """Each is a sentence that names the file."""
    (model_copy / "metrics.json").write_text(content, encoding="utf-8", errors="surrogatepass")
    refused(model_copy, r"metrics\.json does not have the metrics of the training: ")


def test_huge_files_are_refused_by_their_size(model_copy: Path) -> None:
    """They are not read into memory first."""
    for name in ("metrics.json", "vocab.txt"):
        before = (model_copy / name).read_bytes()
        with (model_copy / name).open("ab") as stream:
            stream.truncate(10**10)  # takes no place on the disk
        refused(model_copy, rf"{name}.* the largest that is read")
        (model_copy / name).write_bytes(before)


@pytest.mark.parametrize(
    ("name", "value"),
    [("texts", None), ("texts", "many"), ("extra_texts", [1]), ("name", 3), ("sha256", None), ("licence", {})],
)
def test_training_data_of_another_shape_is_refused(model_copy: Path, name: str, value: object) -> None:
    """The card is written from it."""
    edit(model_copy / "model.json", "training_data", name, value=value)
    refused(model_copy, "'training_data' does not have ")


def test_control_characters_do_not_reach_the_card(model_copy: Path, tmp_path: Path) -> None:
    """A terminal may take them for commands, and a line end would begin a text of the stranger's own."""
    evil = "x\x1b[31m\n\n# Owned | \u202e"
    edit(model_copy / "model.json", "training_data", "name", value=evil)
    edit(model_copy / "model.json", "training_data", "licence", value=evil)
    edit(model_copy / "model.json", "preset", value=evil)
    edit(model_copy / "model.json", "labels", value=[evil, "gardening", "sailing"])
    convert_bundle(model_copy, Recipe.FLOAT32, tmp_path / "mine")
    card = (tmp_path / "mine" / "README.md").read_text(encoding="utf-8")
    assert not any(character in card for character in "\x1b\u202e")
    assert "\n# Owned" not in card
    assert "Owned \\|" in card


def test_the_texts_to_compare_on_are_bounded() -> None:
    """A stranger's model may read a million tokens of a text, and have tokens of a megabyte."""
    vocabulary = Vocabulary(["[PAD]", "[UNK]", "a", "b" * 10**6])
    texts = sample_texts(vocabulary, 10**6)
    assert max(len(text.split()) for text in texts) <= 2000
    assert max(map(len, texts)) < 5000


def test_control_characters_do_not_reach_the_tables(
    model_copy: Path, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither those of a stranger's labels in `evaluate`, nor those of a file's name in the progress of `train`."""
    edit(model_copy / "model.json", "labels", value=["x\x1b[31m", "gardening", "sailing"])
    (tmp_path / "texts.csv").write_text("text,label\nsow the seeds,gardening\nreef the sail,sailing\n")
    done = run("evaluate", model_copy, "texts.csv")
    assert done.returncode == 0, done.stderr
    assert "x\ufffd[31m" in done.stdout
    assert "\x1b" not in done.stdout
    with RunProgress() as progress:
        progress.say("1 text was skipped: \x1b[31m.txt")
    assert capsys.readouterr().err == "1 text was skipped: \ufffd[31m.txt\n"


def test_a_closed_stderr_does_not_end_a_training_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lines of the progress have no reader any more; the network is worth more."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", closed)
        with RunProgress() as progress:
            progress.say("epoch 1/5")
            progress.say("epoch 2/5")
        sys.stderr.close()
        with suppress(OSError):
            closed.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)
