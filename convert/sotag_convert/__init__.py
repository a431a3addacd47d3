"""The workstation side of sotag-edge: trains, converts and measures models. Needs the extra ``[convert]``.

>>> import sotag_convert
>>> report = sotag_convert.train(texts, labels, output="models/mine")  # doctest: +SKIP
>>> report.evaluation.figure  # doctest: +SKIP
0.9
>>> sotag_convert.evaluate("models/mine", test_texts, test_labels).accuracy  # doctest: +SKIP
0.91

Importing this package loads neither TensorFlow nor NumPy; its functions do. ``evaluate`` and ``compare`` need only the extra
``[evaluate]``.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sotag_convert.export.parity import Parity
    from sotag_convert.progress import Progress
    from sotag_convert.report.comparison import Comparison
    from sotag_convert.report.evaluation import Evaluation
    from sotag_convert.training import TrainingReport

__all__ = ["compare", "convert", "evaluate", "train"]

# The functions' modules are called training and conversion: a module named "train" would replace the function ``train``.


def train(
    texts: Sequence[str],
    labels: Sequence[str] | Sequence[Collection[str]],
    output: str | os.PathLike[str] = "models/mine",
    *,
    test_texts: Sequence[str] = (),
    test_labels: Sequence[str] | Sequence[Collection[str]] = (),
    preset: str = "default",
    epochs: int | None = None,
    validation: float | None = None,
    seed: int = 1,
    refit: bool = False,
    force: bool = False,
    resume: bool = False,
    max_size: int | None = None,
    autotune: float | None = None,
    progress: Progress | None = None,
) -> TrainingReport:
    """Train a model and write its bundle to the folder ``output``.

    ``labels``: one per text, and ``unknown`` for a text that has none of the labels; or a list of labels per text, which may
    be empty: then the model gives a text several labels. Empty texts, copies, and texts that are test texts too are left
    out. The published model is measured on ``test_texts``, else on the validation texts if it was not trained on them;
    ``evaluation`` of the report has the figures, else those of the cross-validation.

    ``preset``: "default", "fast", "tiny" or "seed"; ``epochs``: the largest number of epochs; ``validation``: the share of
    texts held out to choose the epoch and to calibrate the scores, from 0 to below 1; ``None`` leaves it to the preset, with
    cross-validation if there are few texts. ``refit``: then train again on all texts. ``force``: replace the model in
    ``output``. ``resume``: continue the interrupted run into ``output``, with the same texts and settings. ``max_size``: the
    bytes that the model has at most on a device; it is as close to them as the texts allow. ``autotune``: the seconds in
    which better settings than the preset's are searched for.

    Raises ``InputError`` for unusable texts, ``UsageError`` for settings out of range, a size that is too small or an output
    that exists, ``ModelError`` if the model fails its verification. Then nothing is written, but a trained network is kept
    in the folder ``<output>-checkpoint``, which ``convert`` reads.
    """
    from sotag_convert.data.checks import cleaned
    from sotag_convert.data.load import from_texts
    from sotag_convert.training import train_dataset

    return train_dataset(
        cleaned(from_texts(texts, labels, test_texts, test_labels)),
        Path(output),
        preset=preset,
        epochs=epochs,
        validation=validation,
        seed=seed,
        refit=refit,
        force=force,
        resume=resume,
        max_size=max_size,
        autotune=autotune,
        progress=progress,
    )


def convert(
    model: str | os.PathLike[str],
    output: str | os.PathLike[str],
    recipe: str = "mixed",
    *,
    texts: Sequence[str] = (),
    labels: Sequence[str] | Sequence[Collection[str]] = (),
    force: bool = False,
) -> Parity:
    """Export a trained model again with another recipe, without training, and write its bundle to the folder ``output``.

    ``model``: its folder or name; ``recipe``: "mixed", "fast", "float32", "float16" or "dynamic". The new model is measured
    on ``texts`` and their ``labels``, as for ``train``, if there are any. Raises the errors of ``train``; then nothing is
    written.
    """
    from sotag_convert.conversion import bundle_folder, convert_bundle
    from sotag_convert.data.load import label_texts
    from sotag_convert.recipes import recipe_named
    from sotag_edge.bundle import Manifest

    folder = bundle_folder(os.fspath(model))
    labelled = label_texts(texts, labels, Manifest.read(folder).labels) if texts else None
    return convert_bundle(folder, recipe_named(recipe), Path(output), labelled, force=force)


def evaluate(
    model: str | os.PathLike[str], texts: Sequence[str], labels: Sequence[str] | Sequence[Collection[str]]
) -> Evaluation:
    """Measure a model, by folder or name, on labelled texts, with the TFLite runtime of this machine.

    ``labels``: one per text, or a list of labels per text for a multi-label model. The label ``unknown``, or an empty list,
    marks off-topic texts. The result is a ``SingleLabelEvaluation`` or a ``MultiLabelEvaluation`` (report/evaluation.py);
    both have a ``figure``: the accuracy or the micro-F1. Raises ``InputError`` for labels that the model does not have, or
    several labels of a text where it gives one, and ``ModelError`` if it cannot be loaded.
    """
    from sotag_convert.data.load import label_texts
    from sotag_convert.report.evaluate import evaluate_bundle
    from sotag_edge.bundle import Manifest
    from sotag_edge.models import find

    folder = find(model)
    (evaluation,) = evaluate_bundle(folder, label_texts(texts, labels, Manifest.read(folder).labels)).values()
    return evaluation


def compare(
    model: str | os.PathLike[str],
    other: str | os.PathLike[str],
    texts: Sequence[str],
    labels: Sequence[str] | Sequence[Collection[str]],
) -> Comparison:
    """Compare two models of the same labels, by folder or name, on labelled texts: ``a`` is the first, ``b`` the other one.

    ``labels``: as for ``evaluate``. The result has the ``difference`` of the figures, its ``interval``, whether that
    ``is_within_chance``, and the texts whose answers ``changed`` (report/comparison.py). Raises ``UsageError`` for models
    that cannot be compared, and the errors of ``evaluate``.
    """
    from sotag_convert.data.load import label_texts
    from sotag_convert.report.compare_models import check_comparable, compare_bundles
    from sotag_edge.bundle import Manifest
    from sotag_edge.models import find

    check_comparable(model, other)
    folder = find(model)
    labelled = label_texts(texts, labels, Manifest.read(folder).labels)
    (comparison,) = compare_bundles(folder, find(other), labelled).values()
    return comparison
