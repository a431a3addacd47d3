"""Files, folders, texts in memory, or the name of a public data set -> a ``Dataset`` or ``LabelledTexts``.

The label ``unknown`` is for off-topic texts, which have none of the labels.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sotag_convert.data import folder as folders
from sotag_convert.data.dataset import Dataset, LabelledTexts
from sotag_convert.data.labels import check_labels, clean, label_set, listed
from sotag_convert.data.public import PUBLIC, public_data, public_tests
from sotag_convert.data.reading import Reader, Say, Tick, say_nothing
from sotag_convert.data.records import POSTS, format_of, read_file
from sotag_convert.data.settings import DEFAULT, DataSettings
from sotag_convert.data.texts import Parts, Texts, dataset_of
from sotag_edge.errors import InputError, UsageError
from sotag_edge.sources import STDIN

Labels = Sequence[str] | Sequence[Collection[str]]
"""The label of each text; or all labels of each text, none for an off-topic one."""
_ENOUGH_POSTS = 50  # with a tag, where none is chosen: a dump has thousands of rare ones


def load(
    data: str | Sequence[str],
    settings: DataSettings = DEFAULT,
    say: Say = say_nothing,
    tick: Tick | None = None,
) -> Dataset:
    """The data set in files or folders, or a public one by its name. Raises ``InputError``.

    A folder holds ``<label>/*.txt``, or these folders in ``train/``, and perhaps in ``validation/`` and ``test/``. A file is
    one of records, fastText's lines, or a Stack Exchange dump's ``Posts.xml``; ``-`` is standard input. Several are read as
    one data set. ``tick``: see ``Reader``.
    """
    sources = _sources(data, settings)
    with _reading(say, tick) as reader:
        if sources[0] in PUBLIC:
            return public_data(sources[0], settings, reader, say)
        parts = Parts()
        for source in sources:
            _read(source, settings, reader, parts)
        if settings.test is not None:
            parts.test = _test_texts(parts, settings, reader)
    _choose(parts, sources, settings, say)
    return dataset_of(_name(sources), parts, multi_label=settings.multi_label, say=say)


def load_labelled(
    data: str | Sequence[str],
    labels: Sequence[str],
    settings: DataSettings = DEFAULT,
    say: Say = say_nothing,
    tick: Tick | None = None,
) -> LabelledTexts:
    """The texts to measure a model with these labels on. Raises ``InputError``.

    They are the test texts of a data set, or its validation texts if it has no test texts, or all its texts. Of the tags of
    posts, those that the model does not have are left out.
    """
    sources = _sources(data, settings)
    with _reading(say, tick) as reader:
        if sources[0] in PUBLIC:
            return public_tests(public_data(sources[0], settings, reader, say), labels)
        name, texts = "", Texts()
        for source in sources:
            if Path(source).is_dir():
                kind, more = _labelled_folder(_existing(source), labels, reader)
            else:
                parts = Parts()
                _read(source, settings, reader, parts)
                kind, more = parts.to_measure_on()
                if _is_posts(source, settings):
                    _say_left_out(more.keep(labels), say)
            name = kind if name in ("", kind) else "texts"
            texts.extend(more)
    check_labels(_name(sources), texts.counts(), labels)
    return LabelledTexts(name, *texts.numbered(labels))


def from_texts(
    texts: Sequence[str],
    labels: Labels,
    test_texts: Sequence[str] = (),
    test_labels: Labels = (),
    name: str = "texts",
) -> Dataset:
    """The data set of these texts; ``labels``: the label of each, or a list of labels. Raises ``InputError``."""
    parts = Parts(train=_labelled(texts, labels))
    dataset = dataset_of(name, parts, multi_label=False, say=say_nothing)
    if not len(test_texts) and not len(test_labels):  # they may be arrays, which are neither true nor false
        return dataset
    test = label_texts(test_texts, test_labels, dataset.labels).examples
    several = any(len(numbers) > 1 for numbers in set(test.label_sets))
    return replace(dataset, test=test, multi_label=dataset.multi_label or several)


def label_texts(texts: Sequence[str], text_labels: Labels, labels: Sequence[str]) -> LabelledTexts:
    """Texts to measure a model with these ``labels`` on; ``text_labels``: the label of each text, or a list of labels.

    Raises ``InputError``.
    """
    labelled = _labelled(texts, text_labels)
    check_labels("this list", labelled.counts(), labels)
    return LabelledTexts("texts", *labelled.numbered(labels))


@contextmanager
def _reading(say: Say, tick: Tick | None) -> Iterator[Reader]:
    reader = Reader(tick)
    try:
        yield reader
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read: {error.strerror}") from error
    finally:
        for note in reader.notes():
            say(note)


def _sources(data: str | Sequence[str], settings: DataSettings) -> list[str]:
    sources = [data] if isinstance(data, str) else list(data)
    public = next((source for source in sources if source in PUBLIC), None)
    own_settings = settings.tags or settings.min_texts or settings.test or settings.multi_label
    if public and (len(sources) > 1 or own_settings):
        raise UsageError(f"{public!r} has its own tags and test texts: it cannot be combined with other data or tags")
    if settings.archive is not None and not public:
        raise UsageError(f"--archive is for the public data sets only: {listed(PUBLIC)}")
    if sources.count(STDIN) > 1:
        raise UsageError("standard input ('-') can be named once")
    return sources


def _name(sources: Sequence[str]) -> str:
    first = "stdin" if sources[0] == STDIN else Path(sources[0]).resolve().name
    return first if len(sources) == 1 else f"{first} and {len(sources) - 1} more"


def _existing(data: str) -> Path:
    path = Path(data)
    if not path.exists():
        raise InputError(
            f"no data at {path}: use a folder that holds <label>/*.txt, a file of records, such as texts.csv, "
            f"or a public data set: {listed(PUBLIC)}"
        )
    return path


def _read(source: str, settings: DataSettings, reader: Reader, parts: Parts) -> None:
    if source != STDIN and _existing(source).is_dir():
        folders.read_folder(Path(source), reader, parts)
    else:
        read_file(source, settings, reader, parts)


def _is_posts(source: str, settings: DataSettings) -> bool:
    return not Path(source).is_dir() and format_of(source, settings.input_format) == POSTS


def _test_texts(parts: Parts, settings: DataSettings, reader: Reader) -> Texts:
    """The texts of ``settings.test``."""
    if len(parts.test):
        raise UsageError(f"the data has test texts already: leave out --test {settings.test}")
    source = str(settings.test)
    if source != STDIN and _existing(source).is_dir():
        _, texts = _labelled_folder(Path(source), None, reader)
        return texts
    tests = Parts()
    read_file(source, settings, reader, tests)
    return tests.to_measure_on()[1]


def _labelled_folder(folder: Path, labels: Sequence[str] | None, reader: Reader) -> tuple[str, Texts]:
    """The kind of the texts in a folder to measure a model with these ``labels`` on, and the texts."""
    parts = folders.part_folders(folder)
    part = next(part for part in ("test", "validation", "train") if part in parts)
    kind = "texts" if parts[part] == folder else f"{'training' if part == 'train' else part} texts"
    present = folders.label_folders(parts[part])
    if labels is not None:
        check_labels(str(folder), map(clean, present), labels)  # before anything is read: it may be any folder
    texts = Texts()
    folders.read_labels(parts[part], present, reader, texts)
    return kind, texts


def _labelled(texts: Sequence[str], labels: Labels) -> Texts:
    if len(texts) != len(labels):
        raise InputError(f"{len(texts)} texts and {len(labels)} labels: each text needs one label, or a list of labels")
    labelled = Texts()
    for number, (text, value) in enumerate(zip(texts, labels, strict=True), start=1):
        if not isinstance(text, str):
            raise InputError(f"text {number} is {text!r}, not a string")
        try:
            labelled.add(text, label_set(value))
        except ValueError as error:
            raise InputError(f"the label of text {number} {error}") from error
        labelled.is_multi_label = labelled.is_multi_label or not isinstance(value, str)
    return labelled


def _choose(parts: Parts, sources: Sequence[str], settings: DataSettings, say: Say) -> None:
    """Keep the labels that the settings choose."""
    fewest = settings.min_texts
    if fewest is None and not settings.tags and any(_is_posts(source, settings) for source in sources):
        fewest = _ENOUGH_POSTS
    if fewest is None and not settings.tags:
        return
    counts = parts.train.counts()
    missing = [tag for tag in settings.tags if not counts[tag]]
    if missing:
        raise InputError(f"no text has the tag {missing[0]!r}, which --tags names")
    chosen = {tag for tag in settings.tags or counts if counts[tag] >= (fewest or 1)}
    if len(chosen) < 2:
        raise InputError(
            f"{len(chosen)} tags have {fewest or 1} texts or more, and two or more tags are needed: choose them with "
            "--tags, or lower --min-texts"
        )
    _say_left_out(sum(texts.keep(chosen) for texts in parts.all()), say)


def _say_left_out(count: int, say: Say) -> None:
    if count:
        say(f"{count:,} {'text was' if count == 1 else 'texts were'} left out: without any of the chosen tags")
