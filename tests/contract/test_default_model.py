"""The shipped model, through the device runtime: its size, and what it answers."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from sotag_edge import Classifier
from sotag_edge import bundle as bundles
from tests.conftest import ROOT, Run

DEFAULT = ROOT / "models" / "default"
SEED = ROOT.parent / "shared" / "seed"


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load(DEFAULT)


def test_it_is_small() -> None:
    """What a device needs of the default model is no more than 500 KB."""
    assert sum((DEFAULT / name).stat().st_size for name in bundles.FILES) <= 500_000


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("How do I merge two pandas data frames on an index?", "python"),
        ("Why does my list comprehension give a NameError in Python 3?\n\n[x for x in range(n) if y]", "python"),
        ("NullPointerException in my Spring controller although the bean is @Autowired", "java"),
        ("public static void main(String[] args) { Scanner in = new Scanner(System.in); }", "java"),
        ("$('#menu li').on('click', function () { alert(this.id); }) does not fire in JavaScript", "javascript"),
        ("document.getElementById('total').innerHTML shows NaN", "javascript"),
        ("LINQ: group by two columns and sum a third one in C#", "csharp"),
        ('foreach (var row in table.Rows) Console.WriteLine(row["name"]); throws in .NET', "csharp"),
    ],
)
def test_questions_as_people_type_them(classifier: Classifier, text: str, label: str) -> None:
    """Mixed case, code, the language named or not: plain questions get their tag."""
    assert classifier.classify(text).label == label


def test_the_seed_questions(run: Run, tmp_path: Path) -> None:
    """The four samples of the blog post, which its own code got wrong by an argmax over the wrong axis, are all right."""
    if not SEED.is_dir():
        pytest.skip(f"the blog post is not at {SEED}")
    post = next(iter(SEED.iterdir())).read_text(encoding="utf-8")
    samples = ast.literal_eval(re.search(r"^sample=(\[.*?^\])$", post, re.MULTILINE | re.DOTALL)[1])
    for number, text in enumerate(samples):
        (tmp_path / f"{number}.txt").write_text(text, encoding="utf-8")
    done = run("classify", "-m", DEFAULT, *(f"{number}.txt" for number in range(4)))
    assert [row.split("\t")[1] for row in done.stdout.splitlines()] == ["python", "javascript", "java", "python"]


def test_accuracy_on_the_test_texts(classifier: Classifier, stack_overflow: Path) -> None:
    """On the test texts at hand it has the accuracy that its metrics claim, 0.90 or more."""
    files = [(file, label) for label in classifier.labels for file in (stack_overflow / "test" / label).glob("*.txt")]
    right = sum(classifier.classify(file.read_text(encoding="utf-8")).label == label for file, label in files)
    claimed = json.loads((DEFAULT / "metrics.json").read_bytes())["verification"]
    assert right / len(files) >= 0.90
    assert right / len(files) == pytest.approx(claimed["accuracy"], abs=0.002)
    assert claimed["agreement"] >= 0.995
