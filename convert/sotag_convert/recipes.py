"""The export recipes: how weights are stored in a ``.tflite``. Named data; ``export.py`` carries them out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Recipe(str, Enum):
    """The names of ``convert --recipe``."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    DYNAMIC = "dynamic"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class RecipeSettings:
    """``embedding_bits``: 8 stores embedding tables as int8 with a scale a column, inside the graph, and leaves the
    rest to ``weights``. ``tolerance``: what 99 % of the texts' scores must be within of Keras', or it is not published."""

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
}
