"""Documents -> results, in order, in one process or several."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sotag_edge import Classifier
from sotag_edge.document import Document
from sotag_edge.errors import InputError, ModelError, SotagEdgeError
from sotag_edge.pipeline import results
from tests.conftest import FIXTURE, Run

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


def test_an_error_in_a_worker_is_raised_here(classifier: Classifier) -> None:
    """With its own class and sentence, as with one process."""
    broken = Classifier.load(FIXTURE)
    broken.bundle = replace(broken.bundle, model=b"no model")
    with pytest.raises(ModelError, match="cannot load the model"):
        list(results(documents(1), broken, jobs=2))


def test_large_texts_fill_no_pipe(classifier: Classifier) -> None:
    """Batches and answers that are larger than the buffer of a pipe go both ways at once."""
    many = [Document(f"in:{n}", f"bread dough {n} " * 2000) for n in range(1500)]
    assert [result.source for result in results(many, classifier, jobs=2)] == [document.source for document in many]


def is_running(number: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not."""
    try:
        status = Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_their_parent(tmp_path: Path, number: signal.Signals) -> None:
    """However it is ended; and it ends at once."""
    command = [sys.executable, "-m", "sotag_edge", "classify", "-m", str(FIXTURE), "--jobs", "3"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path) as process:
        process.stdin.write(b"bread dough\n" * 64 * 20)  # enough for the first answer
        process.stdin.flush()
        process.stdout.readline()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(children) == 3
        process.send_signal(number)
        assert process.wait(timeout=30) == {signal.SIGTERM: 143, signal.SIGINT: 130}.get(number, -number)
    end = time.monotonic() + 30
    while any(is_running(int(child)) for child in children):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_system_without_semaphores(run: Run, tmp_path: Path) -> None:
    """Android and some containers have none; several processes work all the same."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("import _multiprocessing\ndel _multiprocessing.SemLock\n")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    done = run("classify", "-m", FIXTURE, "--jobs", "2", input="bread dough\n", env=environment)
    assert (done.returncode, done.stdout.split("\t")[1], done.stderr) == (0, "baking", "")


def test_a_process_that_cannot_be_started_is_a_sentence(classifier: Classifier) -> None:
    """As where the system allows no further one."""
    code = f"""
from sotag_edge import Classifier
from sotag_edge.document import Document
from sotag_edge.errors import SotagEdgeError
from sotag_edge.pipeline import results
import os
def refuse():
    raise BlockingIOError(11, "Resource temporarily unavailable")
os.fork = refuse
try:
    list(results([Document("a", "bread")], Classifier.load({str(FIXTURE)!r}), 2))
except SotagEdgeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert "cannot be started (Resource temporarily unavailable): use fewer jobs" in done.stdout


def test_batches_are_bounded_by_size(classifier: Classifier) -> None:
    """Long texts do not wait by the dozen in memory."""
    read = itertools.count()

    def documents() -> Iterator[Document]:
        for n in read:
            yield Document(f"in:{n}", "bread dough " * 100_000)

    answers = results(documents(), classifier, jobs=2)
    next(answers)
    assert next(read) < 20
    answers.close()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux")
def test_a_stopped_worker_is_ended_too(classifier: Classifier) -> None:
    """It does not handle SIGTERM."""
    answers = results(documents(5000), classifier, jobs=2)
    next(answers)
    workers = multiprocessing.active_children()
    for worker in workers:
        os.kill(worker.pid or 0, signal.SIGSTOP)
    answers.close()
    assert not any(worker.is_alive() for worker in workers)
