"""The other systems of ``own_tags.py``: each is trained on ``train.csv`` and measured on ``test.csv``.

``python benchmarks/own_tags_rivals.py SYSTEM FOLDER`` prints the figures as JSON; one process per system, so that memory and
time are its own. All systems share the tokenizer of sotag-edge, with each Chinese or Japanese character as a token, which
is best for all of them. Settings that are not named here are the libraries' defaults.
"""

from __future__ import annotations

import json
import random
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import own_tags_scores as scores
from own_tags_data import read, tags_of

_IDEOGRAPH = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])")
_FOLDS = 5
_THRESHOLDS = [number / 100 for number in range(5, 80)]
Figures = dict[str, Any]


def tokens(text: str) -> list[str]:
    """The tokens of a text.

    >>> tokens("Sort 日本 in Java")
    ['sort', '日', '本', 'in', 'java']
    """
    from sotag_edge.tokenizer import tokenize

    return tokenize(_IDEOGRAPH.sub(r" \1 ", text))


def words() -> Any:
    """TF-IDF of one and two tokens."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(tokenizer=tokens, lowercase=False, token_pattern=None, ngram_range=(1, 2), sublinear_tf=True)


def words_and_characters() -> Any:
    """TF-IDF of one and two tokens, and of one to five characters within words."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    return make_union(words(), TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 5), sublinear_tf=True))


def size_of(model: Any) -> int:
    """The bytes of a scikit-learn model, saved with joblib."""
    import joblib

    with tempfile.TemporaryDirectory() as folder:
        joblib.dump(model, f"{folder}/model.joblib")
        return Path(folder, "model.joblib").stat().st_size


def svc(vectorizer: Any, folder: Path) -> Figures:
    """A linear SVM."""
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    texts, labels = read(folder / "train.csv")
    test_texts, test_labels = read(folder / "test.csv")
    model = make_pipeline(vectorizer, LinearSVC()).fit(texts, labels)
    return scores.single(test_labels, model.predict(test_texts).tolist()) | {"bytes": size_of(model)}


def fasttext_model(folder: Path, scratch: str, multi_label: bool, **settings: Any) -> tuple[Any, int]:
    """fastText after 25 epochs, with word bigrams, and the bytes of its file."""
    import fasttext

    rows = []
    for text, label in zip(*read(folder / "train.csv"), strict=True):
        names = " ".join("__label__" + tag.replace(" ", "\u00a0") for tag in tags_of(label, multi_label))
        rows.append(f"{names} {' '.join(tokens(text))}\n")
    random.Random(1).shuffle(rows)
    file = Path(scratch, "texts.txt")
    file.write_text("".join(rows), encoding="utf-8")
    model = fasttext.train_supervised(str(file), epoch=25, wordNgrams=2, thread=1, seed=1, verbose=0, **settings)
    model.save_model(str(file.with_suffix(".bin")))
    return model, file.with_suffix(".bin").stat().st_size


def ranked(model: Any, texts: Sequence[str], depth: int) -> list[list[tuple[str, float]]]:
    """The ``depth`` most likely tags of each text, with their probabilities. A text without tokens may have none."""
    answers = []
    # A list of texts: for a single one fastText 0.9.3 fails with NumPy 2.
    for names, values in zip(*model.predict([" ".join(tokens(text)) for text in texts], k=depth), strict=True):
        tags = (name.removeprefix("__label__").replace("\u00a0", " ") for name in names)
        answers.append(list(zip(tags, map(float, values), strict=True)))
    return answers


def fasttext(folder: Path, **settings: Any) -> Figures:
    """fastText for one tag per text."""
    texts, labels = read(folder / "test.csv")
    with tempfile.TemporaryDirectory() as scratch:
        model, size = fasttext_model(folder, scratch, multi_label=False, **settings)
        guesses = [answer[0][0] if answer else "" for answer in ranked(model, texts, 1)]
    return scores.single(labels, guesses) | {"bytes": size}


def fasttext_several(folder: Path) -> Figures:
    """fastText for several tags per text: one-vs-all, the tags with .5 or more."""
    texts, labels = read(folder / "test.csv")
    with tempfile.TemporaryDirectory() as scratch:
        model, size = fasttext_model(folder, scratch, multi_label=True, loss="ova")
        answers = ranked(model, texts, -1)
    guesses = [{tag for tag, value in answer if value >= 0.5} for answer in answers]
    rankings = [[tag for tag, _ in answer] for answer in answers]
    return scores.several([tags_of(label, True) for label in labels], guesses, rankings) | {"bytes": size}


def one_against_the_rest(vectorizer: Any, folder: Path, tuned: bool) -> Figures:
    """A logistic regression per tag. ``tuned``: instead of .5, the threshold with the best out-of-fold micro F1.

    With the default of C, 1, micro F1 on the 100 tags of titles is .45 instead of .64, and .60 instead of .66 with the best
    threshold.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.model_selection import cross_val_predict
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MultiLabelBinarizer

    texts, labels = read(folder / "train.csv")
    test_texts, test_labels = read(folder / "test.csv")
    table = MultiLabelBinarizer()
    targets = table.fit_transform([tags_of(label, True) for label in labels])
    model = make_pipeline(vectorizer, OneVsRestClassifier(LogisticRegression(C=30, solver="liblinear")))
    threshold = 0.5
    if tuned:
        values = cross_val_predict(model, texts, targets, cv=_FOLDS, method="predict_proba")
        threshold = max(_THRESHOLDS, key=lambda least: f1_score(targets, values >= least, average="micro"))
    values = model.fit(texts, targets).predict_proba(test_texts)
    guesses = [set(table.classes_[row >= threshold]) for row in values]
    rankings = [list(table.classes_[order]) for order in np.argsort(-values, axis=1)]
    figures = scores.several([tags_of(label, True) for label in test_labels], guesses, rankings)
    return figures | {"bytes": size_of(model), "threshold": threshold}


SINGLE = {
    "fasttext": fasttext,
    "fasttext-subwords": lambda folder: fasttext(folder, minn=3, maxn=5),
    "svc": lambda folder: svc(words(), folder),
    "char-svc": lambda folder: svc(words_and_characters(), folder),
}
"""For one tag per text."""
SEVERAL = {
    "fasttext-ova": fasttext_several,
    "lr": lambda folder: one_against_the_rest(words(), folder, tuned=False),
    "lr-tuned": lambda folder: one_against_the_rest(words(), folder, tuned=True),
    "char-lr-tuned": lambda folder: one_against_the_rest(words_and_characters(), folder, tuned=True),
}
"""For several tags per text."""

if __name__ == "__main__":
    json.dump((SINGLE | SEVERAL)[sys.argv[1]](Path(sys.argv[2])), sys.stdout)
