"""``sotag-edge train``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Optional

import typer

from sotag_convert.cli import options
from sotag_convert.cli.report import write_training
from sotag_convert.cli.units import parsed_duration, parsed_size
from sotag_convert.data.settings import DataSettings
from sotag_edge.cli.extra import require_extra
from sotag_edge.errors import INTERRUPTED

if TYPE_CHECKING:
    from sotag_convert.data.dataset import Dataset
    from sotag_convert.progress import Progress

_TRAINING = "Training"
_VALIDATION_HELP = (
    "The share of texts held out to choose the epoch, calibrate the scores and set the threshold; with 0 none of this "
    "happens. [default: the preset's]"
)

PresetName = Annotated[
    Literal["default", "tiny", "fast", "fast-tiny", "fast-large", "seed"],
    typer.Option(
        "--preset",
        help="The network and all training settings. 'fast', 'fast-tiny' and 'fast-large' have no linear branch: for "
        "thousands of texts per tag.",
        rich_help_panel=_TRAINING,
    ),
]
Epochs = Annotated[
    Optional[int],
    typer.Option("--epochs", help="The largest number of epochs. [default: the preset's]", rich_help_panel=_TRAINING),
]
Validation = Annotated[Optional[float], typer.Option("--validation", help=_VALIDATION_HELP, rich_help_panel=_TRAINING)]
Refit = Annotated[
    bool,
    typer.Option(
        "--refit",
        help="Then train again on all texts, for the chosen number of epochs; takes twice as long.",
        rich_help_panel=_TRAINING,
    ),
]
Autotune = Annotated[
    Optional[float],
    typer.Option(
        "--autotune",
        parser=parsed_duration,
        metavar="DURATION",
        help="First search for better settings than the preset's, for about this time, such as 90s, 10m or 1h. Ctrl-C ends "
        "the search and trains with the best ones.",
        rich_help_panel=_TRAINING,
    ),
]
MaxSize = Annotated[
    Optional[int],
    typer.Option(
        "--max-size",
        parser=parsed_size,
        metavar="SIZE",
        help="The largest size of the model on the device, such as 200KB or 1.5MB. The model is as close to it as the texts "
        "allow. [default: the preset's sizes]",
        rich_help_panel=_TRAINING,
    ),
]
Seed = Annotated[
    int,
    typer.Option("--seed", min=0, max=2**32 - 1, help="Makes a run repeatable.", rich_help_panel=_TRAINING),
]


Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Continue the interrupted run into this output, with the same data and options. The model is that of a run "
        "without interruption. After Ctrl-C, which writes the best model so far, it also needs --force.",
        rich_help_panel=_TRAINING,
    ),
]


@options.expanded(options.data_settings)
def train(
    data: options.Data,
    output: options.Output,
    settings: DataSettings,
    preset: PresetName = "default",
    epochs: Epochs = None,
    validation: Validation = None,
    refit: Refit = False,
    max_size: MaxSize = None,
    autotune: Autotune = None,
    seed: Seed = 1,
    report: options.Report = None,
    force: options.Force = False,
    resume: Resume = False,
    log: options.Log = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Train a model on your own tags. Ctrl-C stops early and keeps the best epoch so far; --resume goes on.

    Example: sotag-edge train my-questions --output models/mine

    Example: sotag-edge train mails.csv --field subject --field body --label-field team --output models/mails
    """
    from sotag_convert.cli.progress import run_progress
    from sotag_convert.staging import refuse_existing

    with run_progress(log, quiet, verbose) as progress:
        if resume:
            from sotag_convert.run_state import RunState

            RunState(output).require()
        for extra in ("convert", *([] if report is None else ["report"])):
            require_extra(extra)
        refuse_existing(output, force)  # before anything is downloaded
        with progress.stage("loading TensorFlow"):
            from sotag_convert.cli.summary import detail_parity, print_summary
            from sotag_convert.training import train_dataset

        dataset = _dataset(data, settings, progress)
        trained = train_dataset(
            dataset,
            output,
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
        detail_parity(trained.parity, progress)
        print_summary(trained.summary, progress)
        if report is not None:
            write_training(report, data if settings.test is None else [settings.test], trained, progress)
    if trained.interrupted:
        raise typer.Exit(INTERRUPTED)


def _dataset(data: list[str], settings: DataSettings, progress: Progress) -> Dataset:
    """The data set of a run, without what training cannot use."""
    from sotag_convert.cli.data_tables import say_data_report
    from sotag_convert.data.checks import cleaned, inspect
    from sotag_convert.data.load import load

    with progress.stage("reading the texts") as stage:
        dataset = load(data, settings, progress.say, stage.advance)
    with progress.stage("looking at the texts"):
        say_data_report(inspect(dataset), progress)
        return cleaned(dataset)
