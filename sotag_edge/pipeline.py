"""Documents -> results, in order, in this process or in several, with few of either in memory at a time.

Each worker process loads the model once and gets small batches of texts, because to hand over a single text costs more
than to tag it. So a text waits for its batch: a stream that is answered text by text needs ``jobs=1``.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from sotag_edge.classifier import Classifier
from sotag_edge.decision import Prediction, Reason
from sotag_edge.document import Document, Result
from sotag_edge.workers import Processes, Work

_Packed = tuple[str, float, tuple[float, ...], "str | None", tuple[str, ...], bool]

_BATCH = 64  # texts
_LARGEST_BATCH = 1 << 20  # characters, so that long texts do not wait by the dozen


def results(documents: Iterable[Document], classifier: Classifier, jobs: int = 1) -> Iterator[Result]:
    """One result per document, lazily and in order; a document with an error keeps its place.

    ``jobs``: the number of worker processes; 1 works in this process and answers each document before it reads the next.
    Raises ``SotagEdgeError`` if a worker process cannot be started, or ends early.
    """
    return _one_by_one(documents, classifier) if jobs == 1 else _in_parallel(documents, classifier, jobs)


def results_in_batches(documents: Iterable[Document], classifier: Classifier) -> Iterator[Result]:
    """The same in this process and by batches, which is faster where nobody waits for a single answer."""
    remaining = iter(documents)
    while batch := _next_batch(remaining):
        yield from _joined(batch, classifier.classify_many(_texts(batch)))


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
    with Processes(partial(_tagging, load), jobs) as processes:
        for answers, batch in processes.answers(_tasks(documents)):
            values = marshal.loads(answers)  # noqa: S302  # of our own process
            yield from _joined(batch, (_unpacked(each, classifier.answerable) for each in values))


def _tasks(documents: Iterable[Document]) -> Iterator[tuple[bytes, list[Document]]]:
    """The texts of each batch, and its documents without them."""
    remaining = iter(documents)
    while batch := _next_batch(remaining):
        yield marshal.dumps(_texts(batch)), [document._replace(text="") for document in batch]


def _texts(batch: list[Document]) -> list[str]:
    return [document.text for document in batch if document.error is None]


def _next_batch(remaining: Iterator[Document]) -> list[Document]:
    """The documents of the next batch; none at the end."""
    batch: list[Document] = []
    size = 0
    while len(batch) < _BATCH and size < _LARGEST_BATCH and (document := next(remaining, None)):
        batch.append(document)
        size += len(document.text)
    return batch


def _joined(batch: list[Document], predictions: Iterator[Prediction]) -> Iterator[Result]:
    for document in batch:
        yield _result(document, next(predictions) if document.error is None else None)


def _tagging(load: Callable[[], Classifier]) -> Work:
    """What a worker process does."""
    classifier = load()

    def work(task: bytes) -> bytes:
        texts = marshal.loads(task)  # noqa: S302  # of our own process
        return marshal.dumps([_packed(prediction) for prediction in classifier.classify_many(texts)])

    return work


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
