"""Documents -> results, in order, in this process or in several, with few of either in memory at a time.

Each worker process loads the model once and gets small batches of texts, because to hand over a single text costs more
than to tag it. So a text waits for its batch: a stream that is answered text by text needs ``jobs=1``.
"""

from __future__ import annotations

import marshal
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING

from sotag_edge.child_process import start_process
from sotag_edge.classifier import Classifier
from sotag_edge.decision import Prediction, Reason
from sotag_edge.document import Document, Result
from sotag_edge.errors import SotagEdgeError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from queue import SimpleQueue

    _Packed = tuple[str, float, tuple[float, ...], str | None, tuple[str, ...], bool]

_BATCH = 64  # texts
_LARGEST_BATCH = 1 << 20  # characters, so that long texts do not wait by the dozen
_AHEAD = 4  # batches per worker process
_ERROR = b"!"  # before the bytes of an error; no list begins so in marshal's format


def results(documents: Iterable[Document], classifier: Classifier, jobs: int = 1) -> Iterator[Result]:
    """One result per document, lazily and in order; a document with an error keeps its place.

    ``jobs``: the number of worker processes; 1 works in this process and answers each document before it reads the next.
    Raises ``SotagEdgeError`` if a worker process cannot be started, or ends early.
    """
    return _one_by_one(documents, classifier) if jobs == 1 else _in_parallel(documents, classifier, jobs)


def _one_by_one(documents: Iterable[Document], classifier: Classifier) -> Iterator[Result]:
    classify = classifier.classify
    for document in documents:
        if document.error is None:
            source, text, _, identifier, _, record, replaced = document
            yield Result(source, classify(text), None, identifier, record, replaced)
        else:
            yield _result(document, None)


def _result(document: Document, prediction: Prediction | None) -> Result:
    error = None if document.error is None else str(document.error)
    return Result(document.source, prediction, error, document.id, document.record, document.replaced)


def _in_parallel(documents: Iterable[Document], classifier: Classifier, jobs: int) -> Iterator[Result]:
    """The results of worker processes that take turns."""
    load = partial(Classifier, classifier.bundle, classifier.threshold, classifier.answerable)
    workers: list[_Worker] = []
    try:
        workers.extend(_Worker(load, classifier.answerable) for _ in range(jobs))
        yield from _batches(documents, workers)
    finally:
        for worker in workers:
            worker.end()


def _batches(documents: Iterable[Document], workers: list[_Worker]) -> Iterator[Result]:
    """Keep some batches ahead of the one whose results come next."""
    waiting: deque[tuple[list[Document], _Worker]] = deque()
    remaining = iter(documents)
    turns = cycle(workers)
    while batch := _next_batch(remaining):
        worker = next(turns)
        worker.send([document.text for document in batch if document.error is None])
        waiting.append(([document._replace(text="") for document in batch], worker))
        if len(waiting) > _AHEAD * len(workers):
            yield from _answered(*waiting.popleft())
    while waiting:
        yield from _answered(*waiting.popleft())


def _next_batch(remaining: Iterator[Document]) -> list[Document]:
    """The documents of the next batch; none at the end."""
    batch: list[Document] = []
    size = 0
    while len(batch) < _BATCH and size < _LARGEST_BATCH and (document := next(remaining, None)):
        batch.append(document)
        size += len(document.text)
    return batch


def _answered(batch: list[Document], worker: _Worker) -> Iterator[Result]:
    predictions = iter(worker.receive())
    for document in batch:
        yield _result(document, next(predictions) if document.error is None else None)


class _Worker:
    """A process that tags batches of texts, first in, first out.

    subtle: not a ``ProcessPoolExecutor``. That one needs semaphores, which Android and some containers do not have, and it
    forks while its own thread may hold locks: a SIGTERM at that moment was handled in the middle of them, and one run in
    eight then waited for ever or left workers behind. Here are pipes only, no thread in this process, and no signal is
    handled during a fork.
    """

    def __init__(self, load: Callable[[], Classifier], labels: Sequence[str]) -> None:
        """``labels``: those that ``load``'s classifier may answer. Raises ``SotagEdgeError`` if the system starts no further
        process."""
        import multiprocessing

        self._labels = labels
        self._connection, theirs = multiprocessing.Pipe()
        try:
            self._process = start_process(_work, (theirs, self._connection, load))
        finally:
            theirs.close()

    def send(self, texts: list[str]) -> None:
        """Hand over a batch. Raises ``SotagEdgeError`` if the process has ended."""
        try:
            self._connection.send_bytes(marshal.dumps(texts))
        except OSError as error:
            raise self._ended_early() from error

    def receive(self) -> list[Prediction]:
        """The predictions for the next batch. Raises the error of the process, or ``SotagEdgeError`` if it has ended."""
        try:
            answer = self._connection.recv_bytes()
        except (EOFError, OSError) as error:
            raise self._ended_early() from error
        if answer.startswith(_ERROR):
            import pickle

            raise pickle.loads(answer.removeprefix(_ERROR))  # noqa: S301  # of our own process
        return [_unpacked(values, self._labels) for values in marshal.loads(answer)]  # noqa: S302  # as above

    def end(self) -> None:
        """End the process, whatever it does."""
        self._connection.close()
        self._process.terminate()
        self._process.join(1)
        self._process.kill()  # it was stopped, or has lost its way
        self._process.join()

    def _ended_early(self) -> SotagEdgeError:
        # A signal to the whole process group may reach the worker first: then this process ends by its own.
        time.sleep(0.1)
        return SotagEdgeError("a worker process ended early, perhaps because memory ran out: use fewer jobs")


def _work(connection: Connection, parents: Connection, load: Callable[[], Classifier]) -> None:
    """The work of a worker process. It ends when the other end of its connection is closed, also by a SIGKILL."""
    from queue import SimpleQueue
    from threading import Thread

    parents.close()  # a fork copies it, and while a copy is open it is not closed
    # Read by a thread, so that the main process never waits to hand over a batch while this one waits to answer.
    batches: SimpleQueue[list[str]] = SimpleQueue()
    Thread(target=_read_batches, args=(connection, batches), daemon=True).start()
    with suppress(OSError):  # nobody reads the answer any more
        try:
            classifier = load()
            while True:
                answers = [_packed(prediction) for prediction in classifier.classify_many(batches.get())]
                connection.send_bytes(marshal.dumps(answers))
        except Exception as error:  # it is raised in the main process
            import pickle

            connection.send_bytes(_ERROR + pickle.dumps(error))
            batches.get()


def _packed(prediction: Prediction) -> _Packed:
    """A prediction as plain values: to pickle predictions takes four times as long."""
    scores = tuple(prediction.scores.values())
    reason = prediction.reason and prediction.reason.value
    return prediction.label, prediction.score, scores, reason, prediction.labels, prediction.truncated


def _unpacked(values: _Packed, labels: Sequence[str]) -> Prediction:
    label, score, scores, reason, own, truncated = values
    return Prediction(
        label, score, dict(zip(labels, scores, strict=True)), Reason(reason) if reason else None, own, truncated
    )


def _read_batches(connection: Connection, batches: SimpleQueue[list[str]]) -> None:
    try:
        while True:
            batches.put(marshal.loads(connection.recv_bytes()))  # noqa: S302  # of our own process
    except (EOFError, OSError):
        os._exit(0)
