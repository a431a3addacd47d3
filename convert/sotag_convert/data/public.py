"""The public data sets by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sotag_convert.data import folder as folders
from sotag_convert.data import sotitle, tagged_titles
from sotag_convert.data.dataset import Dataset, Examples, LabelledTexts
from sotag_convert.data.downloads import local_copy
from sotag_convert.data.labels import check_labels
from sotag_convert.data.reading import Reader, Say
from sotag_convert.data.settings import DataSettings
from sotag_convert.data.stackoverflow import STACK_OVERFLOW, TOPICS, topics, with_public_texts
from sotag_convert.data.stackoverflow_16k import ARCHIVE, SIXTEEN_K, SOURCE, stack_overflow_16k
from sotag_convert.data.stackoverflow_text import StackOverflow
from sotag_convert.data.texts import Parts, dataset_of
from sotag_edge.errors import InputError, UsageError

COPIES = {
    STACK_OVERFLOW: ((ARCHIVE,), sotitle.COPIES, tagged_titles.COPIES),
    SIXTEEN_K: ((ARCHIVE,),),
    TOPICS: (tagged_titles.COPIES,),
}
"""By data set the files and folders that a folder with local copies may have: the forms of each source."""
PUBLIC = tuple(COPIES)


def public_data(name: str, settings: DataSettings, reader: Reader, say: Say) -> Dataset:
    """The public data set of this name. Raises ``InputError``, and ``UsageError`` for a file where a folder is needed."""
    local = settings.archive
    if local is not None:
        _check_local(name, local)
    copies = local if local is not None and local.is_dir() else None
    if name == TOPICS:
        return topics(copies)
    archive = local_copy(copies, [ARCHIVE]) if copies else local
    parts = Parts()
    folders.read_folder(stack_overflow_16k(archive=archive, say=say), reader, parts)
    dataset = replace(dataset_of(name, parts, multi_label=False, say=say), origin=StackOverflow(sources=(SOURCE,)))
    return with_public_texts(dataset, copies, say) if name == STACK_OVERFLOW else dataset


def _check_local(name: str, local: Path) -> None:
    """Raise an error unless there is a local copy of one of the sources at least."""
    files = ", ".join(" or ".join(names) for names in COPIES[name])
    if not local.exists():
        raise InputError(f"there is no local copy at {local}: name a folder with --archive that has {files}")
    if local.is_dir() and not any(local_copy(local, names) for names in COPIES[name]):
        raise InputError(f"{local} has no local copy of {name!r}: name a folder with --archive that has {files}")
    if not local.is_dir() and name == TOPICS:
        raise UsageError(f"{local} is a file: for {name!r} name a folder with --archive that has {files}")


def public_tests(dataset: Dataset, labels: Sequence[str]) -> LabelledTexts:
    """The test texts of a public data set, for a model with these labels."""
    check_labels(dataset.name, dataset.labels, labels)
    numbers = [labels.index(label) for label in dataset.labels]

    def renumbered(examples: Examples) -> Examples:
        sets = (tuple(sorted(numbers[number] for number in of_text)) for of_text in examples.label_sets)
        return Examples(examples.texts, tuple(sets))

    further = (replace(test, examples=renumbered(test.examples)) for test in dataset.further_tests)
    examples = renumbered(dataset.test or Examples())
    return LabelledTexts("test texts", examples, origin=dataset.origin, further=tuple(further))
