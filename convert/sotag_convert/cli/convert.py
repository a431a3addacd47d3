"""``sotag-edge convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from sotag_convert.cli.extra import require_convert_extra


def convert(
    model: Annotated[str, typer.Argument(help="A model's folder or name, or the model.keras in it.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write the new model to.")],
    recipe: Annotated[
        Literal["float32", "float16", "dynamic", "mixed"],
        typer.Option("--recipe", "-r", help="How weights are stored."),
    ] = "mixed",
    data: Annotated[
        Optional[str],
        typer.Option("--data", help="Labelled texts to verify with: a folder as for train, or 'stackoverflow'."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the model in --output.")] = False,
) -> None:
    """Export a trained model again, by another recipe, without training.

    Example: sotag-edge convert models/default --recipe float16 --output models/mine
    """
    require_convert_extra()
    from sotag_convert.cli.progress import print_verification
    from sotag_convert.conversion import convert as convert_model
    from sotag_convert.recipes import Recipe

    result = convert_model(model, Recipe(recipe), output, data=data, force=force)
    print_verification(output, result.to_json())
