"""Finished models: a bundle, its card, and the config that selects its films and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from training.config import TrainingConfig
from training.recipes import RECIPES, recipe
from training.runs import RunFolder
from xrayview.domain.model import ModelCard
from xrayview.errors import ModelError, UsageError
from xrayview.io.model.bundle import read_card


@dataclass(frozen=True)
class EvaluatedModel:
    """A bundle, its card, and the config that selects its films and labels."""

    bundle: Path
    card: ModelCard
    config: TrainingConfig


def find_model(path: Path, recipe_name: str | None) -> EvaluatedModel:
    """Return a run folder's bundle with the run's config, or a bundle with its recipe's config.

    Raises:
        ModelError: the bundle is missing, or its findings are not the recipe's.
        UsageError: its recipe is not known.
    """
    if path.is_dir():
        config = RunFolder(path).read_config()
        bundle = RunFolder(path).bundle(config)
        card = read_card(bundle)
    else:
        bundle, card = path, read_card(path)
        config = recipe(recipe_name or _recipe_of(card))
    names = {finding.name for finding in card.findings}
    missing = [rule.name for rule in config.target.findings if rule.name not in names]
    if missing:
        raise ModelError(
            f"The model does not score {', '.join(missing)}",
            path=bundle,
            why=f"it scores {', '.join(sorted(names))}",
            hint="Name the model's recipe with --recipe.",
        )
    return EvaluatedModel(bundle, card, config)


def _recipe_of(card: ModelCard) -> str:
    name = str(card.training.get("recipe", ""))
    if name not in RECIPES:
        raise UsageError(
            f"The card's recipe is not known ({name or 'none'})",
            hint="Name one with --recipe: it selects the films and labels.",
        )
    return name


def with_prevalences(model: EvaluatedModel, prevalences: Sequence[float]) -> EvaluatedModel:
    """Return the model with these prevalences for PPV and NPV instead of the config's, if any.

    Raises:
        UsageError: one is not between 0 and 1.
    """
    if not prevalences:
        return model
    evaluation = replace(model.config.evaluation, prevalences=tuple(prevalences))
    return replace(model, config=replace(model.config, evaluation=evaluation))
