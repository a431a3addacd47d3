"""A network that reads in steps: the same scores whatever was read before, in pieces or as a whole, and an early exit."""

from __future__ import annotations

import dataclasses
import json
import pickle
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from sotag_edge import Classifier, ModelError, graph, interpreter, trial
from sotag_edge.bundle import Bundle, Manifest
from sotag_edge.decision import EarlyExit, MultiLabel
from sotag_edge.explain import explain
from sotag_edge.golden import check_golden
from sotag_edge.interpreter import Interpreter
from tests.conftest import STEPS

CERTAIN = "knead the bread dough in the oven with"  # eight tokens, the tokens of the early exit
UNCERTAIN = "the a of in to my the why"
SAILING = "how do I reef the sail of a small boat in the wind"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.read(STEPS)


def without_early_exit(bundle: Bundle) -> Bundle:
    return dataclasses.replace(bundle, manifest=dataclasses.replace(bundle.manifest, early_exit=None))


def texts_of(bundle: Bundle) -> list[list[int]]:
    """Ids of every length up to 64, in an order in which neighbours have different lengths."""
    size = len(bundle.vocabulary)
    return [
        [1 + (7 * place + length) % (size - 1) for place in range(length)] for length in sorted(range(1, 65), key=hash)
    ][::-1] + [[2 + place % 5 for place in range(length)] for length in (1, 63, 4, 5, 64, 3)]


def network(bundle: Bundle) -> Interpreter:
    return Interpreter(bundle.model, step=bundle.manifest.input.step)


def test_scores_do_not_depend_on_what_was_read_before(bundle: Bundle) -> None:
    """Bit by bit: forwards, backwards, one text many times, and each in a network of its own."""
    texts = texts_of(bundle)
    one = network(bundle)
    forwards = [one.scores(ids) for ids in texts]
    backwards = [one.scores(ids) for ids in reversed(texts)]
    assert backwards[::-1] == forwards
    assert [network(bundle).scores(ids) for ids in texts[::7]] == forwards[::7]


@pytest.mark.parametrize("first", [4, 8, 32])
def test_a_text_in_pieces_has_the_scores_of_the_whole(bundle: Bundle, first: int) -> None:
    """After the first piece those of a text that ends there, after the last one those of the whole text."""
    made = network(bundle)
    for ids in texts_of(bundle):
        if len(ids) > first:
            with made.reading() as reading:
                assert reading.scores(ids[:first]) == made.scores(ids[:first])
                assert reading.scores(ids[first:]) == pytest.approx(made.scores(ids), abs=2e-6)


def test_readings_do_not_disturb_each_other(bundle: Bundle) -> None:
    """Three texts are read in turns, and one of them is not read to its end."""
    made = network(bundle)
    one, other, left = texts_of(bundle)[:3]
    with made.reading() as first, made.reading() as second:
        beginnings = [first.scores(one[:4]), second.scores(other[:4])]
        with made.reading() as third:
            assert third.scores(left[:4]) == made.scores(left[:4])
        assert first.scores(one[4:]) == pytest.approx(made.scores(one), abs=2e-6)
        assert second.scores(other[4:]) == pytest.approx(made.scores(other), abs=2e-6)
    assert beginnings == [made.scores(one[:4]), made.scores(other[:4])]


def test_the_golden_text_is_reproduced(bundle: Bundle) -> None:
    """It is longer than the beginning after which a text may stop."""
    assert check_golden(bundle).passed
    assert bundle.manifest.golden is not None
    assert len(bundle.input(bundle.manifest.golden.text).ids) > 8


def test_long_texts_share_graphs(bundle: Bundle) -> None:
    """A graph of thousands of steps takes megabytes, and is not kept for each length."""
    made = network(bundle)
    texts = [[2 + place % 7 for place in range(length)] for length in range(250, 5000, 90)]
    scores = [made.scores(ids) for ids in texts]
    assert made._made <= 2
    assert [network(bundle).scores(ids) for ids in texts[::9]] == scores[::9]


def test_the_trial_reads_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However certain a beginning is: a damaged model may fail in what comes after it."""
    folder = Path(shutil.copytree(STEPS, tmp_path / "model"))
    content = json.loads((folder / "model.json").read_text())
    content["sequence"]["early_exit"]["score"] = 0.0
    content["scores"] = {"temperature": 0.01, "threshold": 0.0}
    (folder / "model.json").write_text(json.dumps(content))
    continued: list[object] = []
    scores = graph.StepGraph.scores

    def noted(one: Any, ids: Any, state: Any) -> list[float]:
        continued.append(state)
        return scores(one, ids, state)

    monkeypatch.setattr(graph.StepGraph, "scores", noted)
    bundle = Bundle.read(folder)
    trial.run_all(str(folder), *bundle.manifest.hashes.values())
    longer = sum(len(read.ids) > 16 for read in trial._inputs(bundle))
    assert sum(state is not None for state in continued) == longer > 10


def test_few_graphs_give_what_many_do(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more lengths than graphs are kept a graph is resized."""
    texts = texts_of(bundle)
    many = [network(bundle).scores(ids) for ids in texts]
    monkeypatch.setattr(interpreter, "_MOST_GRAPHS", 3)
    few = network(bundle)
    assert [few.scores(ids) for ids in texts] == many
    assert sum(map(len, few._free.values())) == 3


def test_threads_give_what_one_gives(bundle: Bundle) -> None:
    """Texts that are read to their end and texts that are not, in four threads at once."""
    classifier = Classifier(bundle)
    texts = [f"{start} {SAILING}" for start in (CERTAIN, UNCERTAIN)] + [SAILING, CERTAIN, "soil"]
    expected = [classifier.classify(text) for text in texts]
    faults: list[object] = []

    def work(first: int) -> None:
        try:
            numbers = [number % 5 for number in range(first, first + 1000)]
            faults.extend(texts[n] for n in numbers if classifier.classify(texts[n]) != expected[n])
        except BaseException as error:
            faults.append(error)
            raise

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_a_text_with_a_certain_beginning_is_not_read_on(bundle: Bundle) -> None:
    """It has the answer of its first eight tokens, whatever follows; without the early exit it has another score."""
    classifier, whole = Classifier(bundle), Classifier(without_early_exit(bundle))
    text = f"{CERTAIN} {SAILING}"
    assert classifier.classify(text).scores == classifier.classify(CERTAIN).scores
    assert len(classifier.read(text).ids) == 8
    assert whole.classify(text).scores != classifier.classify(text).scores
    assert len(whole.read(text).ids) > 8


@pytest.mark.parametrize(("tokens", "read"), [(8, 8), (9, 9), (16, 16), (17, 8), (40, 8)])
def test_a_text_of_up_to_twice_the_tokens_is_read_as_a_whole(bundle: Bundle, tokens: int, read: int) -> None:
    """To go on after a stop would cost more than a stop saves."""
    text = " ".join([*CERTAIN.split(), *["dough"] * 40][:tokens])
    assert len(Classifier(bundle).read(text).ids) == read


def test_a_text_with_an_uncertain_beginning_is_read_on(bundle: Bundle) -> None:
    """It has the scores of the whole text."""
    text = f"{UNCERTAIN} {SAILING}"
    answer, expected = (Classifier(each).classify(text) for each in (bundle, without_early_exit(bundle)))
    assert answer.label == "sailing"
    assert answer.scores == pytest.approx(expected.scores, abs=2e-6)


def test_a_beginning_without_words_is_not_enough(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores say nothing about it."""
    classifier = Classifier(bundle)
    monkeypatch.setattr(type(bundle.vocabulary), "has_words", lambda _, ids: len(ids) != 8)
    assert len(classifier.read(f"{CERTAIN} {SAILING}").ids) > 8


def test_a_higher_threshold_reads_on(bundle: Bundle) -> None:
    """Who asks for more certainty than the early exit gets the whole text read."""
    text = f"{CERTAIN} {SAILING}"
    score = Classifier(bundle).classify(text).score
    assert len(Classifier(bundle, threshold=score).read(text).ids) == 8
    assert len(Classifier(bundle, threshold=score + 1e-6).read(text).ids) > 8


def test_a_text_that_is_not_read_on_is_not_truncated(bundle: Bundle) -> None:
    """Its rest is not missing; one that is read to the limit is."""
    rest = " soil" * 100
    assert not Classifier(bundle).classify(CERTAIN + rest).truncated
    assert Classifier(without_early_exit(bundle)).classify(CERTAIN + rest).truncated


def test_the_explanation_is_of_what_was_read(bundle: Bundle) -> None:
    """The effects are on the score of the answer; tokens after an early exit have none."""
    classifier = Classifier(bundle)
    text = f"{CERTAIN} {SAILING}"
    explanation = explain(classifier, text)
    assert [effect.token for effect in explanation.effects] == CERTAIN.split()
    without = "qqq" + CERTAIN.removeprefix("knead")
    dropped = classifier.scores(classifier.bundle.input(without))[0]
    assert explanation.effects[0].effect == pytest.approx(explanation.prediction.score - dropped, abs=1e-6)


def test_a_copy_has_the_early_exit(bundle: Bundle, tmp_path: Path) -> None:
    """A pickled classifier whose model has lost it is refused."""
    folder = Path(shutil.copytree(STEPS, tmp_path / "model"))
    kept = pickle.dumps(Classifier(Bundle.read(folder)))
    text = f"{CERTAIN} {SAILING}"
    assert pickle.loads(kept).classify(text) == Classifier(bundle).classify(text)  # noqa: S301  # our own
    without_early_exit(Bundle.read(folder)).manifest.write(folder)
    with pytest.raises(ModelError, match="is not the model that was pickled"):
        pickle.loads(kept)  # noqa: S301  # our own


@pytest.mark.parametrize(
    ("sequence", "fault"),
    [
        ({"early_exit": {"tokens": 6, "score": 0.9}}, "an early exit after 6 tokens is not after whole steps"),
        ({"early_exit": {"tokens": 0, "score": 0.9}}, "an early exit must be after 1 token or more, not 0"),
        ({"early_exit": {"tokens": 8, "score": 1.5}}, "the score of an early exit must be from 0 to 1, not 1.5"),
        ({"early_exit": {"tokens": 8}}, "'score' is missing"),
        ({"early_exit": True}, "'early_exit' is missing or not of type dict"),
        ({"early_exit": {"tokens": 64, "score": 0.9}}, "an early exit after 64 tokens is not before max_tokens, 64"),
        ({"step": None}, "an early exit after 8 tokens is not after whole steps"),
        ({"step": 0}, "step must be from 1 to 256, not 0"),
        ({"step": 10**9}, "step must be from 1 to 256"),
        ({"step": "4"}, "'step' is missing or not of type int"),
        ({"pad_to": 64}, "so pad_to must be null"),
    ],
)
def test_a_wrong_manifest_is_refused(sequence: dict[str, Any], fault: str, tmp_path: Path) -> None:
    """With the file and the fault."""
    folder = Path(shutil.copytree(STEPS, tmp_path / "model"))
    content = json.loads((folder / "model.json").read_text())
    content["sequence"].update(sequence)
    (folder / "model.json").write_text(json.dumps(content))
    with pytest.raises(ModelError, match=f"model.json is not a valid manifest: .*{fault}"):
        Manifest.read(folder)


def test_several_labels_and_an_early_exit_exclude_each_other(bundle: Bundle) -> None:
    """Each label has a threshold of its own."""
    with pytest.raises(ValueError, match="a multi-label model has no early exit"):
        dataclasses.replace(bundle.manifest, decision=MultiLabel(1.0, (0.5, 0.5, 0.5)), early_exit=EarlyExit(8, 0.9))


@pytest.mark.parametrize("step", [None, 3])
def test_a_model_of_another_step_is_a_model_error(step: int | None, tmp_path: Path) -> None:
    """The graph and the manifest contradict each other: nothing crashes."""
    folder = Path(shutil.copytree(STEPS, tmp_path / "model"))
    content = json.loads((folder / "model.json").read_text())
    content["sequence"] |= {"step": step, "early_exit": None}
    (folder / "model.json").write_text(json.dumps(content))
    with pytest.raises(ModelError):
        Classifier.load(folder).classify(SAILING)


def test_features_beside_steps_are_refused(tmp_path: Path) -> None:
    """Such a network has no linear branch, so they would be read for nothing."""
    folder = Path(shutil.copytree(STEPS, tmp_path / "model"))
    (folder / "features.bin").write_bytes(b"\1\0\0\0")
    Manifest.read(folder).write(folder)
    with pytest.raises(ModelError, match=r"a network that reads in steps has no features\.bin"):
        Bundle.read(folder)
