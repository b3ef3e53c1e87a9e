"""Recipes: named, full training configs. Each is a function in the table RECIPES."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from training.config import TrainingConfig
from training.recipes.adults import abnormal_resnet50, backbone_grid, multilabel_densenet121
from training.recipes.children import (
    best_pneumonia,
    normal_bacterial_viral,
    normal_pneumonia_small,
)
from training.recipes.file import is_recipe_file, load_recipe
from training.recipes.tuberculosis import normal_pneumonia_tb_efficientnet
from xrayview.errors import UsageError

RECIPES: dict[str, Callable[[], TrainingConfig]] = {
    "normal-pneumonia-small": normal_pneumonia_small,
    "best-pneumonia": best_pneumonia,
    "normal-bacterial-viral": normal_bacterial_viral,
    "normal-pneumonia-tb-efficientnet": normal_pneumonia_tb_efficientnet,
    "abnormal-resnet50": abnormal_resnet50,
    "backbone-grid": backbone_grid,
    "multilabel-densenet121": multilabel_densenet121,
}


def recipe(name: str) -> TrainingConfig:
    """Return the config of a recipe of this package, or of a recipe file.

    Raises:
        UsageError: no recipe has this name, or the file cannot be used.
    """
    if is_recipe_file(name):
        return load_recipe(Path(name), recipe)
    if name not in RECIPES:
        raise UsageError(
            f"There is no recipe {name}",
            hint=f"Known: {', '.join(RECIPES)}; or name a file: recipe.toml.",
        )
    return RECIPES[name]()
