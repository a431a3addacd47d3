"""Documents -> results, in order, in one process or several."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
from collections.abc import Iterator

import pytest

from sotag_edge import Classifier
from sotag_edge.document import Document
from sotag_edge.errors import InputError, SotagEdgeError
from sotag_edge.pipeline import results
from tests.conftest import FIXTURE

WORDS = ["bread dough", "garden soil", "main sail"]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load(FIXTURE)


def documents(count: int) -> list[Document]:
    """Documents with everything that a result carries; every seventh has an error."""
    return [
        Document(
            f"in:{n}",
            f"{WORDS[n % 3]} {n}",
            error=InputError(f"fault {n}") if n % 7 == 3 else None,
            id=str(n),
            record={"n": n},
            replaced=n % 5 == 0,
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 700])
def test_several_processes_give_what_one_gives(classifier: Classifier, count: int) -> None:
    """Every result in its place, with its source, id, record and mark, whatever the number of batches."""
    one, two = (list(results(documents(count), classifier, jobs)) for jobs in (1, 2))
    assert two == one
    assert [result.source for result in one] == [f"in:{n}" for n in range(count)]
    for n, result in enumerate(one):
        assert (result.id, result.record, result.replaced) == (str(n), {"n": n}, n % 5 == 0)
        assert (result.error == f"fault {n}") == (result.prediction is None) == (n % 7 == 3)


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_endless_stream_is_answered(classifier: Classifier, jobs: int) -> None:
    """Few documents are read ahead: with one process none."""
    read = itertools.count()

    def endless() -> Iterator[Document]:
        for n in read:
            yield Document(f"in:{n}", "bread dough")

    answers = results(endless(), classifier, jobs)
    for n in range(3):
        assert next(answers).source == f"in:{n}"
    assert next(read) == (3 if jobs == 1 else pytest.approx(640, abs=320))
    answers.close()


def test_the_workers_decide_as_the_classifier() -> None:
    """The threshold and the labels of the caller reach the other processes."""
    strict = Classifier.load(FIXTURE, threshold=1.0, only=["baking", "sailing"])
    (result,) = results([Document("a", "garden soil bread dough")], strict, jobs=2)
    assert result.prediction is not None
    assert result.prediction.label == "unknown"
    assert list(result.prediction.scores) == ["baking", "sailing"]


def test_a_dead_worker_is_a_sentence(classifier: Classifier) -> None:
    """A process that the system ends, perhaps for its memory, does not leave the stream waiting."""

    def killing() -> Iterator[Document]:
        for n in itertools.count():
            if n == 2000:
                for process in multiprocessing.active_children():
                    os.kill(process.pid or 0, signal.SIGKILL)
            yield Document(f"in:{n}", "bread dough")

    with pytest.raises(SotagEdgeError, match=r"a worker process ended early.*use fewer jobs"):
        list(results(killing(), classifier, jobs=2))
