"""``--only``: labels by name, one or more per option, with commas and quotes too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import FIXTURE, Run


@pytest.fixture(scope="module")
def comma_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture model with commas and quotes in its labels."""
    folder = tmp_path_factory.mktemp("comma") / "model"
    folder.mkdir()
    for file in FIXTURE.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((folder / "model.json").read_text())
    manifest["labels"] = ["a,b", 'c"d', "e"]
    (folder / "model.json").write_text(json.dumps(manifest))
    return folder


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (["a,b"], ["a,b"]),
        (['"a,b",e'], ["a,b", "e"]),
        (["a,b", "e"], ["a,b", "e"]),
        (['c"d'], ['c"d']),
        (['c"d,e'], ['c"d', "e"]),
        (['"c""d"'], ['c"d']),
        (["e"], ["e"]),
    ],
)
def test_labels_with_commas(run: Run, comma_model: Path, only: list[str], expected: list[str]) -> None:
    """--only can be repeated; a value is a label as a whole, or a list in CSV."""
    options = [option for value in only for option in ("--only", value)]
    done = run("classify", "-m", comma_model, "--to", "jsonl", *options, input="sow the seeds\n")
    assert list(json.loads(done.stdout)["scores"]) == expected


@pytest.mark.parametrize(
    ("only", "words"),
    [
        (["x,e"], "the model has no label 'x'"),
        (['"e'], "invalid value '\"e' for --only"),
        (["", "a,b"], "the model has no label ''"),
        (["e,"], "the model has no label ''"),
    ],
)
def test_labels_that_the_model_lacks(run: Run, comma_model: Path, only: list[str], words: str) -> None:
    """Refused, also beside others."""
    options = [option for value in only for option in ("--only", value)]
    refused = run("classify", "-m", comma_model, *options, input="sow the seeds\n")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert words in refused.stderr
