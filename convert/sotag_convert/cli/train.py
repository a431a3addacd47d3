"""``sotag-edge train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from sotag_convert.cli.extra import require_convert_extra
from sotag_edge.errors import INTERRUPTED


def train(
    data: Annotated[
        str,
        typer.Argument(
            help="A folder with train/<tag>/*.txt, one text a file, and perhaps test/<tag>/*.txt, and train/unknown/*.txt "
            "for texts of none of the tags; or 'stackoverflow', which downloads the public data set."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write the model to.")],
    preset: Annotated[
        Literal["default", "tiny", "seed"], typer.Option("--preset", help="The network and how it is trained.")
    ] = "default",
    epochs: Annotated[Optional[int], typer.Option("--epochs", help="At most so many. [default: the preset's]")] = None,
    validation: Annotated[
        Optional[float],
        typer.Option(
            "--validation",
            help="The share of texts kept apart to choose the epoch, calibrate the scores and set the threshold by; "
            "0 does none of it. [default: the preset's]",
        ),
    ] = None,
    refit: Annotated[
        bool, typer.Option("--refit", help="Then learn again from all texts, as long as proved best; twice the time.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Makes a run repeatable.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Replace the model in --output.")] = False,
) -> None:
    """Train a model on your own tags. Ctrl-C stops early and keeps the best epoch so far.

    Example: sotag-edge train my-questions --output models/mine
    """
    require_convert_extra()
    from sotag_convert.cli.progress import TrainingProgress, print_verification
    from sotag_convert.data.load import load
    from sotag_convert.staging import refuse_existing
    from sotag_convert.training import train as train_model

    refuse_existing(output, force)  # before anything is downloaded
    with TrainingProgress() as progress:
        report = train_model(
            load(data),
            output,
            preset=preset,
            epochs=epochs,
            seed=seed,
            validation=validation,
            refit=refit,
            force=force,
            progress=progress,
        )
    print_verification(output, report.verification.to_json())
    if report.interrupted:
        raise typer.Exit(INTERRUPTED)
