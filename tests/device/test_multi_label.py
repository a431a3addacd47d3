"""Models that give a text several labels: the rule, and every form of output."""

from __future__ import annotations

import copy
import csv
import io
import json
import math
import pickle
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sotag_edge import Classifier, ModelError, Prediction, Reason, UsageError
from sotag_edge.cli.labels import labels_from
from sotag_edge.decision import MultiLabel
from sotag_edge.document import Document, Result
from sotag_edge.explain import explain
from sotag_edge.formats import FORMATS, Layout
from sotag_edge.formats.fields import joined, named
from sotag_edge.golden import check_golden
from sotag_edge.interpreter import Interpreter
from sotag_edge.pipeline import results
from sotag_edge.vocabulary import UNKNOWN_ID
from tests.conftest import FIXTURE, MULTI_LABEL, Run

TEXT = [UNKNOWN_ID + 1] * 10
SCORES = {"a": 0.5, "b": 0.75, "c": 0.3}
BOTH = "knead the dough and reef the sail in the wind"  # sailing has more words, baking has some
ONE_WORD = "how do i reef"  # below the threshold of sailing
TEXTS = [BOTH, ONE_WORD, "sow the seeds and knead the bread dough", "", "when the rest is other words"]


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load(MULTI_LABEL)


@pytest.fixture
def comma_model(tmp_path: Path) -> Path:
    """The multi-label model with labels that need quotes in a list."""
    folder = Path(shutil.copytree(MULTI_LABEL, tmp_path / "comma"))
    manifest = json.loads((folder / "model.json").read_text())
    manifest["labels"] = ["a,b", "c", 'the "d"']
    (folder / "model.json").write_text(json.dumps(manifest))
    return folder


@pytest.mark.parametrize(
    ("thresholds", "labels"),
    [
        ((0.5, 0.75, 0.3), ("b", "a", "c")),
        ((0.5001, 0.75, 0.3001), ("b",)),
        ((0.1, 0.76, 0.3), ("a", "c")),
        ((0.6, 0.8, 0.31), ()),
        ((0, 0, 0), ("b", "a", "c")),
    ],
)
def test_each_label_has_its_own_threshold(thresholds: tuple[float, ...], labels: tuple[str, ...]) -> None:
    """A score equal to it is enough. The best answered label comes first, also when another one has the best score."""
    answer = MultiLabel(1.0, thresholds).decide(SCORES, TEXT)
    assert answer.labels == labels
    assert answer.label == (labels[0] if labels else "unknown")
    assert answer.best_guess == (labels[0] if labels else "b")
    assert answer.score == SCORES[answer.best_guess]
    assert answer.reason == (None if labels else Reason.LOW_SCORE)


def test_equal_scores_keep_the_order_of_the_model() -> None:
    """In the answer and in the best guess."""
    tied = {"a": 0.2, "c": 0.6, "b": 0.6}
    assert MultiLabel(1.0, (0.5,) * 3).decide(tied, TEXT).labels == ("c", "b")
    assert MultiLabel(1.0, (0.9,) * 3).decide(tied, TEXT).best_guess == "c"


def test_a_text_without_words_has_no_label() -> None:
    """However high its scores; without the rule to never answer ``unknown``."""
    decision = MultiLabel(1.0, (0.5, 0.5, 0.5))
    assert decision.decide(SCORES, TEXT, has_words=False).reason == Reason.NOT_TEXT
    assert decision.with_threshold(0.01).decide(SCORES, TEXT, has_words=False).label == "unknown"
    assert decision.with_threshold(0).decide(SCORES, TEXT, has_words=False).labels == ("b", "a")


def test_one_threshold_for_all_labels() -> None:
    """A threshold of the caller's is that of each label; 0 keeps their own, and gives at least the best label."""
    decision = MultiLabel(1.0, (0.9, 0.7, 0.3))
    assert decision.with_threshold(0.4).decide(SCORES, TEXT).labels == ("b", "a")
    assert decision.with_threshold(0.8).decide(SCORES, TEXT).labels == ()
    assert decision.with_threshold(0).decide(SCORES, TEXT).labels == ("b", "c")
    assert MultiLabel(1.0, (0.9,) * 3).with_threshold(0).decide(SCORES, TEXT).labels == ("b",)
    assert decision.with_threshold(0).with_threshold(0.8).decide(SCORES, TEXT).labels == ()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5), st.floats(0.01, 100))
def test_calibration_of_any_scores(scores: list[float], temperature: float) -> None:
    """The sigmoid of the logit divided by the temperature: from 0 to 1, in the same order, 0.5 stays where it is."""
    decision = MultiLabel(temperature, (0.5,) * len(scores))
    calibrated = decision.calibrated(scores)
    for score, new in zip(scores, calibrated, strict=True):
        assert 0 <= new <= 1
        assert (new >= 0.5) == (score >= 0.5) or new == pytest.approx(0.5)
        if 1e-12 < score < 1 - 1e-12:
            exponent = min(700.0, -math.log(score / (1 - score)) / temperature)
            assert new == pytest.approx(1 / (1 + math.exp(exponent)), abs=1e-9)
    ranked = sorted(range(len(scores)), key=scores.__getitem__)
    assert [calibrated[place] for place in ranked] == sorted(calibrated)


def test_a_temperature_of_one_changes_nothing() -> None:
    """To the last bit."""
    assert MultiLabel(1.0, (0.5, 0.5)).calibrated([0.1, 0.7]) == [0.1, 0.7]


@pytest.mark.parametrize(
    ("temperature", "thresholds"),
    [(0, (0.5,)), (101, (0.5,)), (1, (0.5, -0.1)), (1, (1.1,)), (1, (float("nan"), 0.5))],
)
def test_settings_out_of_range_are_refused(temperature: float, thresholds: tuple[float, ...]) -> None:
    """NaN is out of every range."""
    with pytest.raises(ValueError, match="must be from"):
        MultiLabel(temperature, thresholds)


def test_an_answer_without_labels_named_has_its_label() -> None:
    """The fields of a prediction do not contradict each other."""
    assert Prediction("a", 0.5, {"a": 0.5}).labels == ("a",)
    assert Prediction("unknown", 0.5, {"a": 0.5}, Reason.LOW_SCORE).labels == ()


def test_a_text_gets_several_labels(classifier: Classifier) -> None:
    """Their scores are independent: they sum to more than 1."""
    answer = classifier.classify(BOTH)
    assert answer.labels == ("sailing", "baking")
    assert sum(answer.scores.values()) > 1.5
    assert classifier.classify("knead the bread dough").labels == ("baking",)


def test_only_some_labels(classifier: Classifier) -> None:
    """The others are left out, and each of the rest keeps its own threshold."""
    some = Classifier(classifier.bundle, only=["sailing", "baking"])
    assert some.answerable == ("baking", "sailing")
    assert some.classify(BOTH).labels == ("sailing", "baking")
    assert some.classify(ONE_WORD).labels == ()  # 0.69, above the thresholds of the two others
    assert Classifier(classifier.bundle, only=["sailing"]).classify(BOTH).labels == ("sailing",)


def test_never_unknown(classifier: Classifier) -> None:
    """A threshold of 0 adds the best label where there is none, and no other."""
    guessing = Classifier(classifier.bundle, threshold=0)
    assert [guessing.classify(text).labels for text in (BOTH, ONE_WORD)] == [("sailing", "baking"), ("sailing",)]
    with pytest.raises(UsageError, match="threshold must be from 0 to 1"):
        Classifier(classifier.bundle, threshold=1.5)


@pytest.mark.parametrize("threshold", [None, 0, 0.65])
def test_copies_and_processes_answer_alike(classifier: Classifier, threshold: float | None) -> None:
    """A pickled classifier, a copied one, and several processes, with labels left out too."""
    mine = Classifier(classifier.bundle, threshold, ["baking", "sailing"])
    answers = list(mine.classify_many(TEXTS))
    for other in (pickle.loads(pickle.dumps(mine)), copy.deepcopy(mine)):  # noqa: S301  # our own
        assert list(other.classify_many(TEXTS)) == answers
    assert [result.prediction for result in results([Document("", text) for text in TEXTS], mine, 2)] == answers
    assert pickle.loads(pickle.dumps(answers)) == answers  # noqa: S301


def test_a_classifier_of_many_labels_is_printed_short(classifier: Classifier) -> None:
    """With the range of its thresholds."""
    assert repr(classifier).endswith("3 labels, MultiLabel(temperature=1.25, thresholds from 0.5 to 0.8)>")


def test_scores_need_no_sum(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers from 0 to 1 are scores, others are damage; the scores of a single-label model have a sum of 1."""
    independent = Interpreter(classifier.bundle.model, independent=True)
    softmax = Interpreter(classifier.bundle.model)
    computed = [0.0, 1.0, 1.0]
    for interpreter in (independent, softmax):
        monkeypatch.setattr(interpreter._free[0][0], "scores", lambda *_: computed)
    assert independent.scores([2]) == computed
    with pytest.raises(ModelError, match="from 0 to 1 with a sum of 1"):
        softmax.scores([2])
    for wrong in ([0.5, float("nan"), 0.5], [float("nan")] * 3, [0.5, 0.5, 1.001], [0.5, -0.001, 0.5], [0.5, 0.5]):
        computed[:] = wrong
        with pytest.raises(ModelError, match="from 0 to 1: it is damaged"):
            independent.scores([2])


def test_the_kind_of_a_model_is_checked(tmp_path: Path) -> None:
    """Independent scores do not pass for a softmax, also on a machine that has run the same files as what they are."""
    folder = Path(shutil.copytree(MULTI_LABEL, tmp_path / "model"))
    Classifier.load(folder)
    manifest = json.loads((folder / "model.json").read_text())
    manifest["outputs"]["kind"] = "single-label"
    manifest["scores"] = {"temperature": 1, "threshold": 0.5}
    (folder / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="with a sum of 1"):
        Classifier.load(folder)


def test_the_golden_text(classifier: Classifier) -> None:
    """Its scores are reproduced."""
    assert check_golden(classifier.bundle).passed


def test_an_effect_is_that_on_the_best_guess(classifier: Classifier) -> None:
    """For each token: the score of the best label, less its score without the token."""
    explanation = explain(classifier, BOTH)
    for number, effect in enumerate(explanation.effects):
        words = BOTH.split()
        words[number] = "qqq"
        without = classifier.classify(" ".join(words)).scores["sailing"]
        assert effect.effect == pytest.approx(explanation.prediction.scores["sailing"] - without, abs=1e-6)
    assert {effect.token for effect in explanation.effects if effect.effect} == {"reef", "sail", "wind"}


def test_explain_prints_all_labels(run: Run) -> None:
    """And says which one the effects are for."""
    shown = run("explain", "-m", MULTI_LABEL, "--text", BOTH).stdout
    assert shown.startswith("sailing,baking 0.98 (below: the effects on sailing)\n")
    assert json.loads(run("explain", "-m", MULTI_LABEL, "--to", "json", "--text", BOTH).stdout)["labels"] == [
        "sailing",
        "baking",
    ]


def test_info_and_verify(run: Run) -> None:
    """The kind of the model and its thresholds by label; its golden text."""
    facts = json.loads(run("info", MULTI_LABEL, "--to", "json").stdout)
    assert (facts["kind"], facts["off_topic"]) == ("multi-label", False)
    assert facts["thresholds"] == {"baking": 0.5, "gardening": 0.6, "sailing": 0.8}
    assert "baking 0.5, gardening 0.6, sailing 0.8" in run("info", MULTI_LABEL).stdout
    assert json.loads(run("info", FIXTURE, "--to", "json").stdout)["threshold"] == 0.5
    assert run("verify", MULTI_LABEL).returncode == 0


def test_json_has_all_labels(run: Run) -> None:
    """Best first, none for ``unknown``, beside the best one; merged into a record too."""
    lines = "".join(json.dumps({"text": text, "labels": 7}) + "\n" for text in (BOTH, ONE_WORD))
    done = run("classify", "-m", MULTI_LABEL, "--from", "jsonl", "--to", "jsonl", input=lines)
    one, two = map(json.loads, done.stdout.splitlines())
    assert list(one) == ["source", "label", "labels", "score", "scores"]
    assert (one["label"], one["labels"], one["score"]) == ("sailing", ["sailing", "baking"], one["scores"]["sailing"])
    assert (two["label"], two["labels"], two["reason"]) == ("unknown", [], "low score")
    merged = run("classify", "-m", MULTI_LABEL, "--from", "jsonl", "--merge", input=lines).stdout.splitlines()
    assert json.loads(merged[0])["labels"] == 7
    assert json.loads(merged[0])["predicted_labels"] == ["sailing", "baking"]


def test_the_json_of_a_single_label_model_has_no_labels(run: Run) -> None:
    """It stays as it was."""
    record = json.loads(run("classify", "-m", FIXTURE, "--to", "jsonl", input="knead the bread dough\n").stdout)
    assert list(record) == ["source", "label", "score", "scores"]


@pytest.mark.parametrize("form", ["tsv", "csv", "table"])
def test_a_cell_has_all_labels(run: Run, form: str) -> None:
    """Separated by commas, with the score of the first."""
    done = run("classify", "-m", MULTI_LABEL, "--to", form, input=f"{BOTH}\n{ONE_WORD}\n")
    rows = done.stdout.splitlines()
    two, one = rows[-2:]
    if form == "csv":
        two, one = ("\t".join(row) for row in csv.reader(rows[-2:]))
    assert two.split()[:2] == ["stdin:1", "sailing,baking"]
    assert "0.98" in two
    assert one.split()[:2] == ["stdin:2", "unknown"]


def test_more_columns_beside_all_labels(run: Run) -> None:
    """The best scores and all scores are those of the labels, whatever is answered."""
    options = ["--top-k", "2", "--scores", "--to", "csv"]
    done = run("classify", "-m", MULTI_LABEL, *options, input=BOTH)
    row = next(csv.DictReader(io.StringIO(done.stdout)))
    assert (row["label"], row["label_1"], row["label_2"]) == ("sailing,baking", "sailing", "baking")
    assert (row["score_gardening"], row["score_sailing"]) == ("0.3100", row["score"])


def test_merging_all_labels_into_a_table(run: Run) -> None:
    """One cell, which a CSV reader reads back."""
    done = run("classify", "-m", MULTI_LABEL, "--from", "csv", "--merge", input=f"text,label\n{BOTH},mine\n")
    row = next(csv.DictReader(io.StringIO(done.stdout)))
    assert (row["label"], row["predicted_label"]) == ("mine", "sailing,baking")


def test_a_template_with_all_labels(run: Run) -> None:
    """``{labels}`` is empty for ``unknown``, which ``{label}`` says; with a single-label model it is the label."""
    options = ["--format", "{label}|{labels}|{score:.2f}"]
    done = run("classify", "-m", MULTI_LABEL, *options, input=f"{BOTH}\n{ONE_WORD}\n")
    assert done.stdout == "sailing|sailing,baking|0.98\nunknown||0.69\n"
    assert run("classify", "-m", FIXTURE, *options, input="knead the dough").stdout.startswith("baking|baking|")


def test_options_of_the_decision(run: Run) -> None:
    """``--best-guess``, ``--threshold`` and ``--only`` as from Python."""

    def labels(*options: str) -> list[str]:
        done = run("classify", "-m", MULTI_LABEL, *options, input=f"{BOTH}\n{ONE_WORD}\n")
        return [row.split("\t")[1] for row in done.stdout.splitlines()]

    assert labels("--best-guess") == ["sailing,baking", "sailing"]
    assert labels("--threshold", "0.3") == ["sailing,baking,gardening", "sailing,baking,gardening"]
    assert labels("--only", "baking,gardening") == ["baking", "unknown"]
    assert labels("--jobs", "2") == ["sailing,baking", "unknown"]


def test_the_one_label_of_a_text_is_not_quoted() -> None:
    """A cell of a single-label model has the label as it is."""
    answer = Prediction('a,"b"', 0.5, {'a,"b"': 0.5})
    assert named(answer, Layout(('a,"b"',))) == 'a,"b"'
    assert named(answer, Layout(('a,"b"',), multi_label=True)) == '"a,""b"""'


def test_a_table_never_cuts_labels() -> None:
    """Also on a terminal, where several labels may be wider than their column; a single label never is."""
    terminal = Terminal()
    layout = Layout(("baking", "sailing"), multi_label=True, sources=["a.txt"])
    writer = FORMATS["table"].writer(terminal, layout)
    writer.write(Result("a.txt", Prediction("baking", 0.9, SCORES, labels=("baking", "sailing", "gardening"))))
    assert "baking,sailing,gardening" in terminal.getvalue()


def test_labels_with_commas_are_quoted(run: Run, comma_model: Path) -> None:
    """A cell is a row of CSV in itself; in a CSV file it is quoted once more."""
    rows = run("classify", "-m", comma_model, input=BOTH).stdout
    assert rows.split("\t")[1] == '"the ""d""","a,b"'
    table = run("classify", "-m", comma_model, "--to", "csv", input=BOTH).stdout
    cell = next(csv.DictReader(io.StringIO(table)))["label"]
    assert next(csv.reader([cell])) == ['the "d"', "a,b"]
    again = run("classify", "-m", comma_model, "--only", cell, "--to", "jsonl", input=BOTH)
    assert json.loads(again.stdout)["labels"] == ['the "d"', "a,b"]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=2, unique=True))
def test_any_labels_can_be_read_back(labels: list[str]) -> None:
    """``--only`` reads what a cell has."""
    assert labels_from([joined(labels)], str(MULTI_LABEL)) == labels


def test_thousands_of_labels() -> None:
    """A decision takes time in proportion to them: 10,000 take milliseconds."""
    scores = {f"label {number}": number / 10_000 for number in range(10_000)}
    decision = MultiLabel(1.5, (0.5,) * 10_000)
    start = time.perf_counter()
    decision.calibrated(list(scores.values()))
    answer = decision.decide(scores, TEXT)
    assert time.perf_counter() - start < 0.5
    assert (len(answer.labels), answer.label) == (5000, "label 9999")


def test_the_number_of_outputs_is_checked(tmp_path: Path) -> None:
    """It must be that of the labels."""
    folder = Path(shutil.copytree(MULTI_LABEL, tmp_path / "model"))
    manifest = json.loads((folder / "model.json").read_text())
    manifest["labels"].pop()
    manifest["scores"]["thresholds"].pop()
    (folder / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match=r"3 outputs, but model\.json names 2 labels$"):
        Classifier.load(folder)
