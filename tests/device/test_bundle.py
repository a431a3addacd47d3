"""Finding a bundle, and refusing one that is not whole."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sotag_edge import Classifier, ModelError, models
from sotag_edge.bundle import Bundle, Golden, Manifest
from sotag_edge.decision import SingleLabel
from sotag_edge.golden import check_golden
from sotag_edge.inputs import InputSettings
from sotag_edge.tokenizer import TokenizerMode
from sotag_edge.vocabulary import Vocabulary


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source tree with a model of each kind, and nothing in the environment."""
    monkeypatch.delenv(models.MODEL_VARIABLE, raising=False)
    monkeypatch.setenv(models.FOLDER_VARIABLE, str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(models, "__file__", str(tmp_path / "tree" / "sotag_edge" / "models.py"))
    for folder in ("tree/sotag_edge/models/default", "tree/models/default", "tree/models/mine", "here/mine"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "model.json").write_text("{}")
    (tmp_path / "tree" / "pyproject.toml").touch()
    return tmp_path / "tree"


def test_the_installed_default_is_found(tree: Path) -> None:
    """Without a word the package's own default model is taken, before the checkout's."""
    assert models.find() == tree / "sotag_edge" / "models" / "default"


def test_a_name_is_found_in_the_checkout(tree: Path) -> None:
    """A name that the package does not have is looked up in the checkout's models."""
    assert models.find("mine") == tree / "models" / "mine"


def test_a_folder_beside_an_installed_package_is_not_a_checkout(tree: Path) -> None:
    """Without a pyproject.toml beside it, a models/ folder next to the package is none of ours."""
    (tree / "pyproject.toml").unlink()
    with pytest.raises(ModelError, match="no model 'mine'"):
        models.find("mine")


def test_a_name_is_never_a_folder_here(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current directory does not decide which model is used, unless its path is given."""
    monkeypatch.chdir(tree.parent / "here")
    assert models.find("mine") == tree / "models" / "mine"
    assert models.find("./mine") == models.find(Path("mine")) == Path("mine")
    (tree.parent / "here" / "default").mkdir()
    (tree.parent / "here" / "default" / "model.json").write_text("{}")
    assert models.find() == tree / "sotag_edge" / "models" / "default"
    (tree.parent / "here" / "own").mkdir()
    (tree.parent / "here" / "own" / "model.json").write_text("{}")
    with pytest.raises(ModelError, match=r"the one in the current directory is called \./own"):
        models.find("own")


def test_the_variable_names_the_model(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """$SOTAG_EDGE_MODEL is used where no model is named, and only there."""
    monkeypatch.setenv(models.MODEL_VARIABLE, "mine")
    assert models.find() == tree / "models" / "mine"
    assert models.find("default") == tree / "sotag_edge" / "models" / "default"


def test_a_missing_model_names_the_places(tree: Path) -> None:
    """The message says where was looked."""
    with pytest.raises(ModelError) as caught:
        models.find("other")
    for place in (tree / "sotag_edge" / "models" / "other", tree / "models" / "other"):
        assert str(place) in str(caught.value)


def test_a_file_is_no_model(tree: Path) -> None:
    """The path of a file, such as a .tflite, is answered with what a model is."""
    with pytest.raises(ModelError, match="a model is the directory"):
        models.find(tree / "pyproject.toml")


def manifest(**changes: Any) -> Callable[[Path], None]:
    """A damage to fields of the manifest; ``None`` takes the field away."""

    def damage(model: Path) -> None:
        content = json.loads((model / "model.json").read_bytes()) | changes
        content = {name: value for name, value in content.items() if value is not None}
        (model / "model.json").write_text(json.dumps(content))

    return damage


def file(name: str, content: bytes, *, hashed: bool = False) -> Callable[[Path], None]:
    """A damage to a file, with the hash in the manifest set right or not."""

    def damage(model: Path) -> None:
        (model / name).write_bytes(content)
        if hashed:
            files = json.loads((model / "model.json").read_bytes())["files"]
            files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            manifest(files=files)(model)

    return damage


def missing(name: str) -> Callable[[Path], None]:
    return lambda model: (model / name).unlink()


@pytest.mark.parametrize(
    ("damage", "name", "words"),
    [
        (file("model.json", b"{"), "model.json", "not valid JSON"),
        (file("model.json", b"\xff"), "model.json", "not valid JSON"),
        (file("model.json", b"[]"), "model.json", "schema version None"),
        (manifest(schema_version=4), "model.json", "schema version 4, but this sotag-edge reads versions 1 to 3"),
        (manifest(labels=None), "model.json", "'labels' is missing"),
        (manifest(labels=["a", "a", "b"]), "model.json", "not a list of different names"),
        (manifest(labels=[]), "model.json", "not a list of different names"),
        (manifest(labels=["a", "b"]), "model.tflite", "3 outputs"),
        (manifest(tokenizer={"mode": "words"}), "model.json", "words"),
        (manifest(tokenizer=None), "model.json", "'tokenizer' is missing"),
        (manifest(sequence={"max_tokens": 0}), "model.json", "max_tokens must be from 1 to 100000, not 0"),
        (manifest(sequence={"max_tokens": True}), "model.json", "'max_tokens' is missing"),
        (
            manifest(sequence={"max_tokens": 9, "pad_to": 3}),
            "model.json",
            "pad_to must be from max_tokens (9) to 100000, not 3",
        ),
        (manifest(scores=None), "model.json", "'scores' is missing"),
        (manifest(scores={"temperature": 1}), "model.json", "'threshold' is missing"),
        (
            manifest(scores={"temperature": 0, "threshold": 0}),
            "model.json",
            "temperature must be from 0.01 to 100, not 0",
        ),
        (manifest(scores={"temperature": 1, "threshold": 1.5}), "model.json", "threshold must be from 0 to 1, not 1.5"),
        (manifest(files={}), "model.json", "'model.tflite' is missing"),
        (missing("vocab.txt"), "vocab.txt", "cannot be read"),
        (missing("model.tflite"), "model.tflite", "cannot be read"),
        (file("vocab.txt", b"[PAD]\n[UNK]\nother\n"), "vocab.txt", "SHA-256 differs"),
        (file("vocab.txt", b"other\n", hashed=True), "vocab.txt", "begins with"),
        (file("model.tflite", b""), "model.tflite", "SHA-256 differs"),
        (file("model.tflite", b"garbage" * 99, hashed=True), "model.tflite", "not a valid TFLite file"),
    ],
)
def test_a_damaged_bundle_is_refused(model_copy: Path, damage: Callable[[Path], None], name: str, words: str) -> None:
    """Each damage is refused before a text is tagged, with the file's path and what is wrong with it."""
    damage(model_copy)
    with pytest.raises(ModelError) as caught:
        Classifier.load(model_copy)
    assert str(model_copy / name) in str(caught.value)
    assert words in str(caught.value)


def test_ids_are_cut_and_padded() -> None:
    """Only the first tokens are read; a window is filled behind the text; no text is without an id."""
    vocabulary = Vocabulary(["[PAD]", "[UNK]", "a", "b"])
    assert InputSettings(TokenizerMode.CODE, max_tokens=2).ids("a b a", vocabulary) == [2, 3]
    assert InputSettings(TokenizerMode.CODE, max_tokens=2, pad_to=4).ids("b", vocabulary) == [3, 0, 0, 0]
    assert InputSettings(TokenizerMode.CODE, max_tokens=2).ids("", vocabulary) == [1]
    assert InputSettings(TokenizerMode.CODE, max_tokens=2, pad_to=3).ids_of(["a", "b", "a"], vocabulary) == [2, 3, 0]


def test_a_manifest_reads_back_what_it_wrote(model_copy: Path) -> None:
    """Every field, and the hashes of the files that are there."""
    written = Manifest(
        labels=("ä", "b"),
        input=InputSettings(TokenizerMode.WHITESPACE, max_tokens=7, pad_to=9),
        decision=SingleLabel(temperature=1.5, threshold=0.25),
        recipe="float16",
        preset="tiny",
        seed=3,
        training_data={"name": "d", "texts": 12},
        network={"kind": "seed"},
        graph={"operators": {"CONV_2D": 1}, "minimum_runtime": "2.14"},
        made_with={"sotag-edge": "0.1.0"},
        golden=Golden("a text", {"ä": 0.25, "b": 0.75}),
    )
    written.write(model_copy)
    hashes = {
        name: hashlib.sha256((model_copy / name).read_bytes()).hexdigest() for name in ("model.tflite", "vocab.txt")
    }
    assert Manifest.read(model_copy) == dataclasses.replace(written, hashes=hashes)
    content = json.loads((model_copy / "model.json").read_bytes())
    assert (content["schema_version"], content["files"]["vocab.txt"]["bytes"]) == (
        3,
        (model_copy / "vocab.txt").stat().st_size,
    )


@pytest.mark.parametrize(
    "golden", [None, 7, {}, {"text": "a"}, {"text": "a", "scores": {}}, {"text": "a", "scores": {"baking": "high"}}]
)
def test_a_description_that_is_wrong_stops_no_text(model_copy: Path, golden: Any) -> None:
    """No answer depends on it: texts are tagged all the same, and only verify needs the golden text."""
    manifest(golden=golden, training_data=[1], network="none", graph=3, recipe=5)(model_copy)
    bundle = Bundle.read(model_copy)
    assert (bundle.manifest.training_data, bundle.manifest.recipe) == ({}, None)
    assert Classifier(bundle).classify("knead the dough").label == "baking"
    with pytest.raises(ModelError, match="no golden text with a score for each label"):
        check_golden(bundle)


@pytest.mark.parametrize(
    ("recipe", "difference", "passed"),
    [
        ("float16", 0.0, True),
        ("float16", 0.00001, True),
        ("float16", 0.0001, False),
        ("mixed", -0.0001, False),
        ("dynamic", 0.01, True),
        ("dynamic", 0.03, False),
    ],
)
def test_the_golden_scores_have_a_tolerance(model_copy: Path, recipe: str, difference: float, passed: bool) -> None:
    """That of the processor's arithmetic in float, a wider one for the recipe whose LSTM is int8."""
    bundle = Bundle.read(model_copy)
    golden = bundle.manifest.golden
    assert golden is not None
    scores = dict(Classifier(bundle).classify(golden.text).scores)
    scores["sailing"] += difference
    moved = dataclasses.replace(bundle.manifest, recipe=recipe, golden=Golden(golden.text, scores))
    check = check_golden(dataclasses.replace(bundle, manifest=moved))
    assert check.difference == pytest.approx(abs(difference))
    assert check.passed == passed
