"""``sotag-edge convert``."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from sotag_convert.cli import options
from sotag_convert.data.settings import DataSettings
from sotag_convert.recipes import Recipe
from sotag_edge.cli.extra import require_extra
from sotag_edge.cli.options import model_names


@options.expanded(options.labelled_settings)
def convert(
    model: Annotated[
        str,
        typer.Argument(autocompletion=model_names, help="The folder or name of a model, or the model.keras in it."),
    ],
    output: options.Output,
    settings: DataSettings,
    recipe: Annotated[
        Recipe, typer.Option("--recipe", "-r", help="How weights are stored.", rich_help_panel=options.OUTPUT)
    ] = Recipe.MIXED,
    force: options.Force = False,
    data: Annotated[
        Optional[str],
        typer.Option(
            "--data",
            help="Labelled texts to measure the new model on: a folder or file as for train, or a public data set.",
            rich_help_panel=options.DATA,
        ),
    ] = None,
    log: options.Log = None,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Export a trained model again with another recipe, without training.

    Example: sotag-edge convert models/default --recipe float16 --output models/mine
    """
    from sotag_convert.cli.progress import run_progress
    from sotag_convert.staging import refuse_existing

    with run_progress(log, quiet, verbose) as progress:
        require_extra("convert")
        refuse_existing(output, force)  # before anything is downloaded
        with progress.stage("loading TensorFlow"):
            from sotag_convert.cli.summary import print_parity
            from sotag_convert.conversion import bundle_folder, convert_bundle
            from sotag_convert.data.load import load_labelled
            from sotag_edge.bundle import Manifest

        folder = bundle_folder(model)
        labelled = None
        if data is not None:
            with progress.stage("reading the texts"):
                labelled = load_labelled(data, Manifest.read(folder).labels, settings, progress.say)
        with progress.stage("exporting and verifying"):
            parity = convert_bundle(folder, recipe, output, labelled, force=force)
        print_parity(output, parity, progress)
