"""The end of a training run: its figures, what they do not show, the next command; and the baseline beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sotag_convert.cli.progress import RunProgress
from sotag_convert.cli.summary import print_summary
from sotag_convert.data.dataset import Dataset, Examples
from sotag_convert.data.stratify import fold_of_each
from sotag_convert.progress import SilentProgress
from sotag_convert.report import baseline
from sotag_convert.report.baseline import baseline_accuracy, cross_validated_baseline
from sotag_convert.report.evaluation import SingleLabelEvaluation, measure_multi, measure_single
from sotag_convert.report.run_summary import Split, measured_split, run_summary, with_baseline
from sotag_convert.report.summary import Summary, model_argument
from tests.workstation.small import noisy_texts


def evaluation(counts: list[list[int]], labels: tuple[str, ...] = ("a", "b", "c", "d")) -> SingleLabelEvaluation:
    """The evaluation of a confusion matrix: the number of texts by label and best guess."""
    pairs = [(tag, guess) for tag, row in enumerate(counts) for guess, count in enumerate(row) for _ in range(count)]
    scores = np.eye(len(labels))[[guess for _, guess in pairs]] * 0.8 + 0.05
    return measure_single(scores, [True] * len(pairs), [tag for tag, _ in pairs], labels, "test texts")


COUNTS = [[400, 0, 0, 0], [9, 391, 0, 0], [0, 30, 370, 0], [0, 0, 40, 360]]
GOOD = Summary(
    "models/my mails", evaluation(COUNTS), 41971, tuple((tag, 100) for tag in "abcd"), 0.91, 0.89, 0.92, baseline=0.9
)


def said(summary: Summary, capsys: pytest.CaptureFixture[str]) -> str:
    with RunProgress() as progress:
        print_summary(summary, progress)
    return capsys.readouterr().err


def test_the_figures_of_a_good_run(capsys: pytest.CaptureFixture[str]) -> None:
    """All that was measured, no caution, and a command that a shell takes as it is."""
    text = said(GOOD, capsys)
    rows = [" ".join(line.replace("│", " ").split()) for line in text.splitlines()]
    for row in (
        "validation texts: linear model only 0.9100",
        "validation texts: LSTM only 0.8900",
        "validation texts: both 0.9200",
        "1,600 test texts: accuracy (95 % interval) 0.9506 (0.939 - 0.960)",
        "baseline, TF-IDF and a linear model 0.9000",
        "answered, not unknown 100.0%",
        "most frequent confusion d taken for c, 40 texts",
        "bytes on the device 41,971",
    ):
        assert row in rows
    place = next(number for number, row in enumerate(rows) if row.startswith("worst tags"))
    assert [row.removeprefix("worst tags, F1 ")[0] for row in rows[place : place + 3]] == ["c", "d", "b"]
    assert GOOD.cautions() == []
    assert rows[-1] == "next: sotag-edge classify -m 'models/my mails' FILE"
    assert "\x1b" not in text


def test_a_run_without_measurements(capsys: pytest.CaptureFixture[str]) -> None:
    """Its table has the size only, and a sentence says what is missing."""
    text = said(Summary("mine", None, 10, (("a", 100),)), capsys)
    assert "The model was not measured: evaluate it" in text
    assert "accuracy" not in text.split("The model")[0]
    assert "worst" not in text


def test_the_figures_of_several_tags(capsys: pytest.CaptureFixture[str]) -> None:
    """They are named as what they are; there is no confusion."""
    draw = np.random.default_rng(1)
    scores, members = draw.random((900, 4)), draw.random((900, 4)) < 0.4
    members[:, 0] |= ~members.any(axis=1)
    several = measure_multi(scores * 0.1 + members * 0.8, members, members, tuple("abcd"), (0.5,) * 4, "test texts")
    text = said(replace(GOOD, evaluation=several, baseline=0.9), capsys)
    rows = [" ".join(line.replace("│", " ").split()) for line in text.splitlines()]
    for row in (
        "validation texts, micro-F1 at 0.5: both 0.9200",
        "900 test texts: micro-F1 (95 % interval) 1.0000 (1.000 - 1.000)",
        "baseline, TF-IDF and a linear model, at 0.5 0.9000",
        "best tag is one of the text's 100.0%",
    ):
        assert row in rows, text
    assert "confusion" not in text


def test_the_figures_of_a_cross_validation(capsys: pytest.CaptureFixture[str]) -> None:
    """They are said to be of other models than the published one."""
    folded = replace(evaluation(COUNTS), on="texts in 3-fold cross-validation")
    text = said(replace(GOOD, evaluation=folded, is_of_published=False), capsys)
    assert "1,600 texts in 3-fold cross-validation: accuracy (95 % interval)" in text
    assert "The figures are of models that were trained on parts of the texts." in text


def test_of_tags_that_are_as_bad_those_with_more_texts_come_first() -> None:
    """They matter more."""
    summary = replace(GOOD, evaluation=evaluation([[0, 2, 0], [5, 0, 0], [0, 0, 3]], ("a", "b", "c")))
    assert [label.label for label in summary.worst_tags()] == ["b", "a", "c"]


def test_a_model_without_errors_has_no_confusion(capsys: pytest.CaptureFixture[str]) -> None:
    """Nor a tag without texts among the worst."""
    summary = replace(GOOD, evaluation=evaluation([[5, 0, 0], [0, 5, 0], [0, 0, 0]], ("a", "b", "c")))
    assert summary.confusion() is None
    assert [label.label for label in summary.worst_tags()] == ["a", "b"]
    assert "confusion" not in said(summary, capsys)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"evaluation": evaluation([[8, 2, 0, 0], [0, 9, 0, 1]]), "baseline": 0.1},
            "20 test texts are too few to know the accuracy: it is somewhere from 0.64 to 0.95.",
        ),
        (
            {"evaluation": replace(evaluation(COUNTS), on="validation texts")},
            "The validation texts also chose the epoch and the thresholds: figures on test texts may be lower.",
        ),
        (
            {"is_of_published": False},
            "The figures are of models that were trained on parts of the texts. Measure this one on other texts.",
        ),
        (
            {"texts_per_tag": (("a", 100), ("b", 1))},
            "The tag 'b' has 1 training text: with so few the model mostly guesses.",
        ),
        (
            {"texts_per_tag": (("a", 9), ("b", 2), ("c", 10))},
            "The tag 'b' has 2 training texts, and 1 more tag has under 10: with so few the model mostly guesses.",
        ),
        (
            {"baseline": 0.945},
            "The difference from the baseline is within chance: these texts do not show which one is better.",
        ),
        (
            {"baseline": 0.99},
            "The baseline is better than this model by more than chance: more texts per tag should help.",
        ),
    ],
    ids=["interval", "validation", "other models", "one text", "few texts", "chance", "worse"],
)
def test_what_the_figures_do_not_show(changes: dict[str, object], sentence: str) -> None:
    """One sentence about each doubt, and no other."""
    assert replace(GOOD, **changes).cautions() == [sentence]  # type: ignore[arg-type]


def test_tags_of_strangers_are_harmless_and_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters, markup, 300 characters."""
    labels = ("x\x1b[31m", "[red]" + "y" * 300)
    text = said(replace(GOOD, evaluation=evaluation([[5, 1], [2, 5]], labels), texts_per_tag=((labels[0], 3),)), capsys)
    assert "\x1b" not in text
    assert "[red]" + "y" * 35 + "… taken for x\ufffd[31m, 2 texts" in text
    assert "y" * 36 not in text


def test_quiet_prints_nothing_and_the_log_has_it_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that succeeds is silent then."""
    from sotag_convert.cli.run_log import RunLog

    with RunProgress(RunLog(tmp_path / "run.log"), quiet=True) as progress:
        print_summary(GOOD, progress)
    assert capsys.readouterr().err == ""
    assert "next: sotag-edge classify" in (tmp_path / "run.log").read_text()


def test_a_folder_as_an_argument() -> None:
    """A name would be looked up elsewhere, and a leading hyphen would be an option."""
    assert model_argument(Path("mine")) == "./mine"
    assert model_argument(Path("-a/mine")) == "./-a/mine"
    assert model_argument(Path("/mine")) == "/mine"
    assert model_argument(Path("models/mine")) == "models/mine"


def test_macro_f1_is_the_mean_of_the_labels_that_have_texts() -> None:
    """Each counts the same."""
    figures = evaluation([[98, 2, 0], [1, 1, 0], [0, 0, 0]], ("a", "b", "c"))
    first, second, _ = figures.labels
    assert figures.macro_f1 == pytest.approx((first.f1 + second.f1) / 2)


# The baseline.


def examples(count: int, seed: int) -> Examples:
    """Texts of two labels, one in six of which has the words of the other."""
    texts, labels = noisy_texts(count, seed)
    return Examples.single(texts, (int(label == "kitchen") for label in labels))


@pytest.mark.parametrize("many", [10**6, 100], ids=["exact", "hashed"])
def test_the_baseline_learns_what_can_be_learnt(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five words in six tell the label, and the numbers in the texts a little more, however many texts there are."""
    monkeypatch.setattr(baseline, "_MANY_TEXTS", many)
    assert baseline_accuracy(examples(300, 1), examples(300, 2)) > 0.78


def test_the_baseline_of_one_label_or_no_words() -> None:
    """scikit-learn refuses both; the figure is that of the one guess."""
    words, nothing = Examples.single(["a b", "b c"], [0, 0]), Examples.single(["", " "], [1, 0])
    assert baseline_accuracy(words, Examples.single(["a", "b"], [0, 1])) == 0.5
    assert baseline_accuracy(nothing, nothing) == 0.5


@pytest.mark.parametrize("many", [10**6, 10], ids=["exact", "hashed"])
def test_the_baseline_of_several_labels_is_a_micro_f1(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is that of scikit-learn. A label that no training text has is never guessed."""
    monkeypatch.setattr(baseline, "_MANY_TEXTS", many)
    words = {0: "oven", 1: "sail", 2: "seed"}
    sets = [(0,), (1,), (2,), (0, 1), (1, 2), ()] * 20
    train = Examples(tuple(" ".join(words[n] for n in labels) + f" {i}" for i, labels in enumerate(sets)), tuple(sets))
    test = Examples(("oven", "oven sail", "seed", "oven"), ((0,), (0, 1), (1,), (0, 3)))
    # Right: 0; 0 and 1; nothing; 0. Guessed besides: 2. Missed: 1 and 3.
    assert baseline_accuracy(train, test, multi_label=True) == pytest.approx(2 * 4 / (6 + 5))


def test_the_baseline_of_folds_is_that_of_all_their_texts() -> None:
    """Each fold counts by its texts, not as one."""
    texts = examples(300, 1)
    fold_of = [0] * 180 + [1] * 80 + [2] * 40
    expected = 0.0
    for fold in range(3):
        seen = [number for number in range(300) if fold_of[number] != fold]
        unseen = [number for number in range(300) if fold_of[number] == fold]
        expected += baseline_accuracy(texts.take(seen), texts.take(unseen)) * len(unseen) / 300
    assert cross_validated_baseline(texts, fold_of) == pytest.approx(expected)
    words = Examples.single(["oven", "oven", "sail", "sail", "oven", "sail"], [0, 0, 1, 1, 0, 1])
    assert cross_validated_baseline(words, [0, 0, 1, 1, 2, 2]) == 1  # each fold alone has seen too little


# The summary of a run.

DATA = Dataset("letters", ("a", "b"), examples(60, 1), None)


@pytest.mark.parametrize("where", ["models", "elsewhere"])
def test_the_model_is_called_by_its_name_if_it_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """A folder among the user's models has one."""
    monkeypatch.setenv("SOTAG_EDGE_MODELS", str(tmp_path / "models"))
    summary = run_summary(tmp_path / where / "mine", DATA, 10, {}, None, is_of_published=False)
    assert summary.model == ("mine" if where == "models" else str(tmp_path / where / "mine"))
    assert summary.texts_per_tag == (("a", 30), ("b", 30))


def test_the_figures_of_the_run_are_in_their_places() -> None:
    """Of each branch and of both, on validation texts."""
    figures = {"linear_accuracy": 0.7, "network_accuracy": 0.6, "both_accuracy": 0.8}
    summary = run_summary(Path("models/mine"), DATA, 10, figures, evaluation(COUNTS), is_of_published=True)
    assert (summary.evaluation, summary.is_of_published) == (evaluation(COUNTS), True)
    assert (summary.linear, summary.lstm, summary.both, summary.bytes) == (0.7, 0.6, 0.8, 10)


def test_the_baseline_has_the_texts_of_the_figures() -> None:
    """Test texts if there are any, else the same folds, else the same held-out texts."""
    train, held_out = examples(60, 1), examples(30, 2)
    with_test = replace(DATA, test=held_out)
    assert measured_split(with_test, train, None, 3, 1) == Split(DATA.train, held_out)
    assert measured_split(DATA, train, held_out, 0, 1) == Split(train, held_out)
    folds = measured_split(DATA, train, None, 3, 1).fold_of
    assert folds == fold_of_each(train.label_sets, 3, 1)
    start = replace(GOOD, baseline=None)
    split = Split(train, None, folds)
    assert with_baseline(start, split, DATA, SilentProgress()).baseline == cross_validated_baseline(train, folds or ())
    split = Split(train, held_out)
    assert with_baseline(start, split, DATA, SilentProgress()).baseline == baseline_accuracy(train, held_out)


class Lines(SilentProgress):
    """A progress that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    warn = say


def test_ctrl_c_leaves_out_the_baseline_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is there; the figures too."""

    def interrupted(*_: object, **__: object) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr("sotag_convert.report.run_summary.baseline_accuracy", interrupted)
    progress, start = Lines(), replace(GOOD, baseline=None)
    assert with_baseline(start, Split(DATA.train, DATA.train), DATA, progress) == start
    assert progress.lines == ["stopped: the model is complete, and the baseline is left out"]


def test_a_baseline_that_takes_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is said."""
    monkeypatch.setattr(baseline, "_MANY_TEXTS", 59)
    progress, start = Lines(), replace(GOOD, baseline=None)
    assert with_baseline(start, Split(DATA.train, DATA.train), DATA, progress) == start
    assert progress.lines == ["the baseline is left out: with so many texts and tags it would take long"]
