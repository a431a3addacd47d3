"""The look at a data set before it is trained on, what is removed from it, and `check-data`."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sotag_convert.data.checks import cleaned, inspect
from sotag_convert.data.dataset import Dataset, Examples
from sotag_edge.errors import InputError
from tests.conftest import Run

DIRTY = Dataset(
    "dirty",
    ("a", "b", "c"),
    Examples.single(
        ["one", "two words", " one\n", "", "one", "caf\ufffd", "in test", "in both", "\t", "of c", "one"],
        [0, 0, 0, 0, 1, 1, 1, 0, 1, 2, 1],
    ),
    Examples.single(["in test ", "in both", "", "only here"], [1, 0, 0, 0]),
    off_topic=("zebra", "zebra ", " ", "one"),
    validation=Examples.single(["in both", "in validation", "two words"], [0, 1, 0]),
)


def test_a_dirty_data_set_is_described() -> None:
    """Each training text is counted once, off-topic ones too: as empty, shared, duplicate or usable."""
    report = inspect(DIRTY)
    assert (report.texts, report.off_topic, report.validation, report.test) == (15, 4, 3, 4)
    assert [(tag.label, tag.texts, tag.usable, tag.test) for tag in report.tags] == [
        ("a", 5, 1, 3),
        ("c", 1, 1, 0),
        ("b", 5, 2, 1),
    ]
    assert (report.empty, report.in_test, report.in_validation, report.duplicates) == (3, 2, 1, 3)
    assert (report.conflicting, report.conflict) == (1, "one")
    assert report.imbalance == 5
    assert report.replaced == pytest.approx(1 / 15)
    assert (report.tokens.median, report.tokens.longest) == (1, 2)
    assert report.labels_per_text == 1
    assert report.faults() == []
    assert report.to_json()["warnings"] == report.warnings()


def test_a_clean_data_set_has_what_is_usable() -> None:
    """Conflicting texts are kept; held-out texts lose empty ones, and validation texts those that are test texts."""
    clean = cleaned(DIRTY)
    assert clean.train == Examples.single(["one", "one", "caf\ufffd", "of c"], [0, 1, 1, 2])
    assert clean.off_topic == ("zebra", "one")
    assert clean.test is not None
    assert clean.test.texts == ("in test ", "in both", "only here")
    assert clean.validation is not None
    assert clean.validation.texts == ("in validation", "two words")
    assert cleaned(clean) == clean
    report = inspect(clean)
    assert (report.empty, report.in_test, report.in_validation, report.duplicates, report.conflicting) == (
        0,
        0,
        0,
        0,
        1,
    )


def test_a_clean_data_set_stays_as_it_is() -> None:
    """Equal, with the same hash."""
    clean = Dataset("clean", ("a", "b"), Examples.single(["one", "two"], [0, 1]), None)
    assert cleaned(clean) == clean
    assert cleaned(clean).sha256() == clean.sha256()
    assert inspect(clean).test is None


def test_texts_with_several_labels_are_compared_by_all_of_them() -> None:
    """The same text with the same set is a copy, with another set a conflict."""
    train = Examples(("one", "one", "one", "two", "one"), ((0, 1), (0, 1), (0,), (1,), (0,)))
    data = Dataset("several", ("a", "b"), train, None, multi_label=True)
    report = inspect(data)
    assert (report.duplicates, report.conflicting, report.labels_per_text) == (2, 1, 7 / 5)
    assert cleaned(data).train.label_sets == ((0, 1), (0,), (1,))


@pytest.mark.parametrize(
    ("texts", "test"), [(("", " \n"), None), (("one", "one "), Examples.single(["one"], [0]))], ids=["empty", "in test"]
)
def test_a_tag_without_usable_texts_is_an_error(texts: tuple[str, ...], test: Examples | None) -> None:
    """It is named, by the report and by the cleaning."""
    data = Dataset("bad", ("full", "hollow"), Examples.single(["x", *texts], [0, 1, 1]), test)
    (fault,) = inspect(data).faults()
    assert "the tag 'hollow' has no text to train on (2 texts" in fault
    with pytest.raises(InputError, match="the tag 'hollow' has no text to train on"):
        cleaned(data)


def test_held_out_parts_that_become_empty_are_none() -> None:
    """So that nothing is measured on no texts."""
    data = replace(DIRTY, test=Examples.single([" "], [0]), validation=Examples.single([""], [1]))
    assert (cleaned(data).test, cleaned(data).validation) == (None, None)


def test_warnings_are_sentences() -> None:
    """On tags with one text, conflicts and shared texts, each once."""
    said = "\n".join(inspect(DIRTY).warnings())
    assert "a, c: only one text each" in said
    assert "1 text has different tags in different places; all are kept, the first is 'one'" in said
    assert "2 texts are in the test texts too, and left out of training" in said
    assert "1 text is in the validation texts too" in said
    many = Dataset("many", tuple("abcdef"), Examples.single("abcdef", range(6)), None)
    assert inspect(many).warnings() == [
        "a, b, c and 3 more tags: only one text each; they are trained on, but nothing can be said about their accuracy"
    ]


def test_check_data_prints_a_table(run: Run, data: Path) -> None:
    """On stdout, without training; notes are on stderr."""
    (data / "train" / "kitchen" / "8.txt").write_text("today boil an egg now")
    (data / "train" / "kitchen" / "9.txt").write_bytes(b"cr\xe8me")
    done = run("check-data", data)
    assert done.returncode == 0, done.stderr
    assert "data: 12 training texts, 10 test texts; 2 tags" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["kitchen", "7", "6", "5"] in rows
    assert "1 text is in the test texts too" in done.stdout
    assert "1 text was not UTF-8" in done.stderr


def test_check_data_prints_json(run: Run, tmp_path: Path) -> None:
    """The figures of the report, from standard input too."""
    done = run("check-data", "-", "--from", "fasttext", "--to", "json", input="__label__a x\n__label__a __label__b y\n")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert (figures["multi_label"], figures["texts"], figures["faults"]) == (True, 2, [])
    assert figures["tags"][0] == {"label": "b", "texts": 1, "usable": 1, "test": 0}


def test_check_data_fails_where_training_would(run: Run, tmp_path: Path) -> None:
    """With the table where there is one, one sentence per fault, and no traceback."""
    (tmp_path / "hollow.csv").write_text("text,label\none,full\n ,hollow\n")
    done = run("check-data", "hollow.csv")
    assert (done.returncode, "the tag 'hollow' has no text" in done.stderr) == (1, True), done.stderr
    assert "full" in done.stdout
    (tmp_path / "single.csv").write_text("text,label\none,a\n")
    done = run("check-data", "single.csv")
    assert (done.returncode, done.stdout) == (1, "")
    assert "single.csv has 1 labels, and two or more are needed" in done.stderr


def test_a_long_table_is_cut_on_a_terminal(tmp_path: Path) -> None:
    """To 20 rows, the tags with the fewest texts first; in a pipe it is whole."""
    code = """
import io, sys
from sotag_convert.cli.data_tables import print_data_report
from sotag_convert.data.checks import inspect
from sotag_convert.data.dataset import Dataset, Examples
class Terminal(io.StringIO):
    isatty = lambda self: sys.argv[1] == "terminal"
numbers = [n for n in range(30) for _ in range(30 - n)]
data = Dataset("x", tuple(f"tag{n:02}" for n in range(30)), Examples.single([str(n) for n in range(465)], numbers), None)
sys.stdout, stdout = Terminal(), sys.stdout
print_data_report(inspect(data))
print(sys.stdout.getvalue(), file=stdout)
"""
    shown = {}
    for kind in ("terminal", "pipe"):
        environment = {"TERM": "xterm", "COLUMNS": "100", "PYTHONPATH": ":".join(sys.path)}
        done = subprocess.run(
            [sys.executable, "-c", code, kind], capture_output=True, encoding="utf-8", check=True, env=environment
        )
        shown[kind] = done.stdout
    assert shown["terminal"].count("tag") - shown["pipe"].count("tag") == -11 + 1
    assert "and 11 more tags, with more texts" in shown["terminal"]
    assert "tag29" in shown["terminal"]
    assert "tag00" not in shown["terminal"]
    assert "tag00" in shown["pipe"]
