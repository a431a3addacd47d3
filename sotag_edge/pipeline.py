"""Documents -> results on several cores, in order, with few of either in memory at a time.

Each process loads the model once and is handed small batches of texts, because handing over a single one costs more than
tagging it. So a text waits for its batch: a stream that is answered text by text needs a single process.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from sotag_edge.classifier import Classifier, Prediction
from sotag_edge.errors import SotagEdgeError
from sotag_edge.formats import Document

_BATCH = 64  # texts
_AHEAD = 4  # batches a process

_classifier: Classifier | None = None


def classify_in_parallel(
    documents: Iterable[Document], load: Callable[[], Classifier], jobs: int
) -> Iterator[tuple[Document, Prediction | None]]:
    """Each document with its prediction, in order; ``None`` for one with an error. ``load`` makes a process's classifier."""
    waiting: deque[tuple[list[Document], Future[list[Prediction]]]] = deque()
    remaining = iter(documents)
    pool = ProcessPoolExecutor(jobs, initializer=_begin, initargs=(load,))
    try:
        while True:
            batch = list(islice(remaining, _BATCH))
            if batch:
                texts = [document.text for document in batch if document.error is None]
                waiting.append((batch, pool.submit(_classify, texts)))
            while waiting and (not batch or len(waiting) > _AHEAD * jobs):
                done, answers = waiting.popleft()
                predictions = iter(answers.result())
                for document in done:
                    yield document, next(predictions) if document.error is None else None
            if not batch:
                pool.shutdown()
                return
    except BaseException as error:
        # Not waited for: a signal while they are started can leave the pool waiting for ever.
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
        if isinstance(error, BrokenProcessPool):
            raise SotagEdgeError("a process of --jobs ended early, perhaps for want of memory: use fewer") from error
        raise


def _begin(load: Callable[[], Classifier]) -> None:
    global _classifier  # noqa: PLW0603  # a process of the pool has one classifier
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _classifier = load()


def _classify(texts: list[str]) -> list[Prediction]:
    if _classifier is None:
        raise RuntimeError("the process has not loaded its model")
    return list(_classifier.classify_many(texts))
