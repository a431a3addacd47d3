"""Documents -> results, in order, in this process or in several, with few of either in memory at a time.

Each worker process loads the model once and gets small batches of texts, because to hand over a single text costs more
than to tag it. So a text waits for its batch: a stream that is answered text by text needs ``jobs=1``.
"""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from sotag_edge.classifier import Classifier
from sotag_edge.decision import Prediction
from sotag_edge.document import Document, Result
from sotag_edge.errors import SotagEdgeError

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

_BATCH = 64  # texts
_AHEAD = 4  # batches per worker process

_classifier: Classifier | None = None  # of a worker process


def results(documents: Iterable[Document], classifier: Classifier, jobs: int = 1) -> Iterator[Result]:
    """One result per document, lazily and in order; a document with an error keeps its place.

    ``jobs``: the number of worker processes; 1 works in this process and answers each document before it reads the next.
    Raises ``SotagEdgeError`` if a worker process dies.
    """
    return _one_by_one(documents, classifier) if jobs == 1 else _in_parallel(documents, classifier, jobs)


def _one_by_one(documents: Iterable[Document], classifier: Classifier) -> Iterator[Result]:
    for document in documents:
        yield _result(document, None if document.error else classifier.classify(document.text))


def _result(document: Document, prediction: Prediction | None) -> Result:
    error = None if document.error is None else str(document.error)
    return Result(document.source, prediction, error, document.id, document.record, document.replaced)


def _in_parallel(documents: Iterable[Document], classifier: Classifier, jobs: int) -> Iterator[Result]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    load = partial(Classifier, classifier.bundle, classifier.decision.threshold, classifier.answerable)
    pool = ProcessPoolExecutor(jobs, initializer=_start, initargs=(load,))
    try:
        yield from _batches(documents, pool, jobs)
        pool.shutdown()
    except BaseException as error:
        # Not waited for: a signal while the processes start can make the pool wait for ever.
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
        if isinstance(error, BrokenProcessPool):
            raise SotagEdgeError(
                "a worker process ended early, perhaps because memory ran out: use fewer jobs"
            ) from error
        raise


def _batches(documents: Iterable[Document], pool: ProcessPoolExecutor, jobs: int) -> Iterator[Result]:
    """Keep some batches ahead of the one whose results come next."""
    waiting: deque[tuple[list[Document], Future[list[Prediction]]]] = deque()
    remaining = iter(documents)
    while batch := list(islice(remaining, _BATCH)):
        texts = [document.text for document in batch if document.error is None]
        waiting.append((batch, pool.submit(_classify, texts)))
        if len(waiting) > _AHEAD * jobs:
            yield from _answered(*waiting.popleft())
    while waiting:
        yield from _answered(*waiting.popleft())


def _answered(batch: list[Document], answers: Future[list[Prediction]]) -> Iterator[Result]:
    predictions = iter(answers.result())
    for document in batch:
        yield _result(document, next(predictions) if document.error is None else None)


def _start(load: Callable[[], Classifier]) -> None:
    global _classifier  # noqa: PLW0603  # a worker process has one classifier
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the main process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _classifier = load()


def _classify(texts: list[str]) -> list[Prediction]:
    if _classifier is None:
        raise RuntimeError("the worker process has not loaded its model")
    return list(_classifier.classify_many(texts))
