"""The export recipes: how weights are stored in a ``.tflite``. Named data; export/converter.py carries them out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sotag_edge.errors import UsageError


class Recipe(str, Enum):
    """The names of the recipes."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    DYNAMIC = "dynamic"
    MIXED = "mixed"
    FAST = "fast"


@dataclass(frozen=True, slots=True)
class RecipeSettings:
    """``embedding_bits``: 8 stores embedding tables as int8 with scales, inside the graph, and leaves the other weights to
    ``weights``. ``tolerance``: the largest difference from Keras' scores that 99 % of the texts may have; a model above it
    is not published."""

    weights: Recipe
    embedding_bits: int | None
    tolerance: float


# The tolerances are a few times what was measured on the default and the seed model; a defect (a lost state, a wrong
# padding, weights in another order) moves scores by tenths.
RECIPES: dict[Recipe, RecipeSettings] = {
    Recipe.FLOAT32: RecipeSettings(Recipe.FLOAT32, None, tolerance=0.005),
    Recipe.FLOAT16: RecipeSettings(Recipe.FLOAT16, None, tolerance=0.01),
    Recipe.DYNAMIC: RecipeSettings(Recipe.DYNAMIC, None, tolerance=0.1),
    Recipe.MIXED: RecipeSettings(Recipe.FLOAT16, 8, tolerance=0.1),
    # Weights in float16 are unpacked in each graph. A network that reads in steps has one per length, and with weights that
    # all of them share, small enough for the processor's cache, a text takes 10 % less time (x86-64).
    Recipe.FAST: RecipeSettings(Recipe.FLOAT32, 8, tolerance=0.1),
}


def recipe_named(name: str) -> Recipe:
    """The recipe of this name. Raises ``UsageError``."""
    try:
        return Recipe(name)
    except ValueError as error:
        raise UsageError(f"unknown recipe {name!r} (recipes: {', '.join(Recipe)})") from error
