"""The systems that are compared: each learns from the same texts, is kept in a folder, is loaded, and tags a text.

A module of its own process: ``python benchmarks/systems.py learn|measure|once NAME FOLDER``, so that memory and start-up are
one system's alone. It prints JSON.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
OURS = ("default", "tiny")
Tag = Callable[[str], str]
TagAll = Callable[[Sequence[str]], list[str]]


def tokens(text: str) -> list[str]:
    """The tokenizer that all systems share."""
    from sotag_edge.tokenizer import tokenize

    return tokenize(text)


def ngrams(text: str) -> list[str]:
    """The 1- to 3-grams of a text's tokens."""
    found = tokens(text)
    return [" ".join(found[start : start + n]) for n in (1, 2, 3) for start in range(len(found) - n + 1)]


def learn_tfidf(texts: Sequence[str], labels: Sequence[str], folder: Path) -> None:
    """TF-IDF of 1- and 2-grams and a linear SVM."""
    import joblib
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    vectorizer = TfidfVectorizer(
        tokenizer=tokens, lowercase=False, token_pattern=None, ngram_range=(1, 2), min_df=2, sublinear_tf=True
    )
    joblib.dump(make_pipeline(vectorizer, LinearSVC(C=0.5)).fit(texts, labels), folder / "model.joblib")


def learn_nb_svm(texts: Sequence[str], labels: Sequence[str], folder: Path) -> None:
    """NB-SVM with a logistic loss: binary 1- to 3-grams weighted by their log-count ratios, one against the rest."""
    import joblib
    import numpy
    from scipy import sparse
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    from sotag_convert.learn.ratios import log_count_ratios

    vectorizer = CountVectorizer(analyzer=ngrams, binary=True, min_df=2, dtype=numpy.float32)
    counts = vectorizer.fit_transform(texts)
    names = sorted(set(labels))
    targets = numpy.array([names.index(label) for label in labels])
    ratios = log_count_ratios(counts, targets[:, None] == numpy.arange(len(names)), smoothing=1.0)
    weights, biases = [], []
    for number in range(len(names)):
        model = LogisticRegression(C=0.2, solver="liblinear")
        model.fit(counts @ sparse.diags(ratios[:, number]), targets == number)
        weights.append(ratios[:, number] * model.coef_[0])
        biases.append(model.intercept_[0])
    table = numpy.stack(weights, axis=1).astype(numpy.float32)
    joblib.dump((vectorizer, table, numpy.array(biases), names), folder / "model.joblib")


def learn_fasttext(texts: Sequence[str], labels: Sequence[str], folder: Path) -> None:
    """fastText on tokens and pairs of them, then quantized to a vocabulary of 20,000 and trained on.

    In random order: of texts sorted by label it learns little (0.62 in place of 0.87). In 16 dimensions, not its usual 100:
    as good, and a third of the size.
    """
    import fasttext

    file = folder / "texts.txt"
    rows = [f"__label__{label} {' '.join(tokens(text))}\n" for text, label in zip(texts, labels, strict=True)]
    random.Random(1).shuffle(rows)
    file.write_text("".join(rows), encoding="utf-8")
    model = fasttext.train_supervised(str(file), epoch=25, dim=16, wordNgrams=2, thread=1, seed=1, verbose=0)
    model.quantize(input=str(file), cutoff=20000, retrain=True, qnorm=True, thread=1, verbose=0)
    model.save_model(str(folder / "model.ftz"))
    file.unlink()


def load_ours(folder: Path) -> tuple[Tag, TagAll]:
    """A bundle, through the Python API; always a tag."""
    from sotag_edge import Classifier

    classifier = Classifier.load(folder, threshold=0)
    return (lambda text: classifier.classify(text).label), (
        lambda texts: [p.label for p in classifier.classify_many(texts)]
    )


def load_tfidf(folder: Path) -> tuple[Tag, TagAll]:
    """The pipeline as scikit-learn keeps it."""
    import joblib

    model = joblib.load(folder / "model.joblib")
    return (lambda text: model.predict([text])[0]), (lambda texts: model.predict(texts).tolist())


def load_nb_svm(folder: Path) -> tuple[Tag, TagAll]:
    """The weights of all four labels in one table."""
    import joblib

    vectorizer, table, biases, names = joblib.load(folder / "model.joblib")

    def tag_all(texts: Sequence[str]) -> list[str]:
        best = (vectorizer.transform(texts) @ table + biases).argmax(axis=1)
        return [names[number] for number in best]

    return (lambda text: tag_all([text])[0]), tag_all


def load_fasttext(folder: Path) -> tuple[Tag, TagAll]:
    """fastText fed raw text through the shared tokenizer."""
    import fasttext

    model = fasttext.load_model(str(folder / "model.ftz"))

    def tag(text: str) -> str:
        labels, _ = model.predict([" ".join(tokens(text))])  # in a list: a string fails with NumPy 2
        return str(labels[0][0].removeprefix("__label__"))

    return tag, (lambda texts: [tag(text) for text in texts])


LEARN = {"tfidf": learn_tfidf, "nb-svm": learn_nb_svm, "fasttext": learn_fasttext}
LOAD = {"tfidf": load_tfidf, "nb-svm": load_nb_svm, "fasttext": load_fasttext} | dict.fromkeys(OURS, load_ours)


def measure(name: str, folder: Path, texts: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
    """Accuracy, the times of single texts in microseconds, and texts a second: one by one, and by the system's own way for
    many at once."""
    tag, tag_all = LOAD[name](folder)
    for text in texts[:50]:
        tag(text)
    times, guesses = [], []
    for text in texts:
        start = time.perf_counter_ns()
        guesses.append(tag(text))
        times.append((time.perf_counter_ns() - start) / 1000)
    start = time.perf_counter_ns()
    tag_all(texts)
    seconds = (time.perf_counter_ns() - start) / 1e9
    percentiles = statistics.quantiles(times, n=100)
    return {
        "accuracy": sum(guess == label for guess, label in zip(guesses, labels, strict=True)) / len(labels),
        "p50": percentiles[49],
        "p99": percentiles[98],
        "one_by_one": 1e6 * len(times) / sum(times),
        "at_once": len(texts) / seconds,
    }


def once(name: str, folder: Path, text: str) -> dict[str, Any]:
    """The tag of one text."""
    return {"label": LOAD[name](folder)[0](text)}


if __name__ == "__main__":
    action, system, place = sys.argv[1:4]
    given = json.load(sys.stdin)
    if action == "learn":
        LEARN[system](given["texts"], given["labels"], Path(place))
    elif action == "measure":
        json.dump(measure(system, Path(place), given["texts"], given["labels"]), sys.stdout)
    else:
        json.dump(once(system, Path(place), given["texts"][0]), sys.stdout)
        sys.stdout.flush()
        os._exit(0)  # what a process does to end is not what is compared
