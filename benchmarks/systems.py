"""The systems that are compared: each learns from the same texts, is kept in a folder, is loaded, and tags a text.

``serve.py`` runs each in a process of its own. A place is a folder, or the name of an installed model of ours.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

OURS = ("default", "tiny")
Tag = Callable[[str], str]
TagAll = Callable[[Sequence[str]], list[str]]
_MARKS = "!\"%&'()*+,-./:;<=>?[\\]^`{|}~"
_SPACED = [(mark, f" {mark} ") for mark in _MARKS]


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


def line_of(text: str) -> str:
    """A text as a line for fastText, which splits it at blanks: the tokens of ``tokenize``, without making them.

    subtle: the newline is read as a token of its own. It was there in training; without it 3 % of the answers differ.

    >>> line_of('Is ""a"" = b?')
    'is  " a "   =  b ? \\n'
    """
    from sotag_edge.entities import decode_entities
    from sotag_edge.tokenizer import tokenize

    if not text.isascii():
        return " ".join(tokenize(text)) + "\n"
    line = decode_entities(decode_entities(text)) if "&" in text else text
    if not line.isascii():
        return " ".join(tokenize(text)) + "\n"
    line = line.replace("\r\n", "\n").strip().lower().replace("\n", ".")
    while '""' in line:
        line = line.replace('""', '"')
    for mark, spaced in _SPACED:
        if mark in line:
            line = line.replace(mark, spaced)
    return line + "\n"


def load_ours(place: str) -> tuple[Tag, TagAll]:
    """An installed model, through the Python API; always a tag."""
    from sotag_edge import Classifier

    classifier = Classifier.load(place, threshold=0)
    return (lambda text: classifier.classify(text).label), (
        lambda texts: [answer.label for answer in classifier.classify_many(texts)]
    )


def load_tfidf(place: str) -> tuple[Tag, TagAll]:
    """The pipeline as scikit-learn keeps it."""
    import joblib

    model = joblib.load(Path(place, "model.joblib"))
    return (lambda text: model.predict([text])[0]), (lambda texts: model.predict(texts).tolist())


def load_nb_svm(place: str) -> tuple[Tag, TagAll]:
    """The weights of all four labels in one table."""
    import joblib

    vectorizer, table, biases, names = joblib.load(Path(place, "model.joblib"))

    def tag_all(texts: Sequence[str]) -> list[str]:
        best = (vectorizer.transform(texts) @ table + biases).argmax(axis=1)
        return [names[number] for number in best]

    return (lambda text: tag_all([text])[0]), tag_all


def load_fasttext(place: str) -> tuple[Tag, TagAll]:
    """fastText fed as well as it can be: text that is not cut by Python, and its C++ object called directly."""
    import fasttext

    model = fasttext.load_model(str(Path(place, "model.ftz"))).f
    predict, predict_all = model.predict, model.multilinePredict

    def tag(text: str) -> str:
        return str(predict(line_of(text), 1, 0.0, "strict")[0][1][9:])  # without "__label__"

    def tag_all(texts: Sequence[str]) -> list[str]:
        labels, _ = predict_all([line_of(text) for text in texts], 1, 0.0, "strict")
        return [str(names[0][9:]) for names in labels]

    return tag, tag_all


def load_fasttext_plain(place: str) -> tuple[Tag, TagAll]:
    """fastText fed in the ordinary way: the tokens joined, and its Python function."""
    import fasttext

    model = fasttext.load_model(str(Path(place, "model.ftz")))

    def tag(text: str) -> str:
        labels, _ = model.predict([" ".join(tokens(text))])  # in a list: a string fails with NumPy 2
        return str(labels[0][0].removeprefix("__label__"))

    return tag, (lambda texts: [tag(text) for text in texts])


LEARN: dict[str, Callable[[Sequence[str], Sequence[str], Path], None]] = {
    "tfidf": learn_tfidf,
    "nb-svm": learn_nb_svm,
    "fasttext": learn_fasttext,
}
LOAD: dict[str, Callable[[str], tuple[Tag, TagAll]]] = {
    **dict.fromkeys(OURS, load_ours),
    "tfidf": load_tfidf,
    "nb-svm": load_nb_svm,
    "fasttext": load_fasttext,
    "fasttext-plain": load_fasttext_plain,
}
