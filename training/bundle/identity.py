"""Who made a model, of what and for whom: a recipe's texts only for the recipe's own films."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from training.config import BundleConfig, TrainingConfig
from training.recipes import RECIPES, recipe
from training.recipes.sources import MANIFESTS
from xrayview.domain.model import Scope

NOT_STATED = "not stated"


def bundle_identity(config: TrainingConfig, facts: Mapping[str, Any]) -> BundleConfig:
    """Return the card's texts for films with these facts (run.json, or a card's `training`).

    A recipe's name, version, authors, licence, population and texts are kept only for the films
    that they were written for, known by the hash of their manifest. Fields that the config sets to
    something else always stay.
    """
    bundle = config.bundle
    if config.recipe not in RECIPES or facts.get("manifest_sha256") in MANIFESTS[config.recipe]:
        return bundle
    of_recipe, own = recipe(config.recipe).bundle, _own(config, facts)
    changes = {
        field.name: _replaced(*(getattr(each, field.name) for each in (bundle, of_recipe, own)))
        for field in dataclasses.fields(bundle)
    }
    return dataclasses.replace(bundle, **changes)


def _replaced(value: Any, of_recipe: Any, own: Any) -> Any:
    """Return the own value for the recipe's; what was added to the recipe's text stays."""
    if value == of_recipe:
        return own
    if isinstance(value, str) and of_recipe and value.startswith(of_recipe):
        return own + value.removeprefix(of_recipe)
    return value


def _own(config: TrainingConfig, facts: Mapping[str, Any]) -> BundleConfig:
    """Return what is known of a model of one's own films: nothing but the films."""
    sources = list(facts.get("film_sources", ())) or ["films"]
    findings = ", ".join(rule.name for rule in config.target.findings)
    name = re.sub(r"[^\w.-]+", "-", "-".join([*sources[:3], config.recipe])).strip("-.")
    return BundleConfig(
        name=name,
        version=NOT_STATED,
        description=f"Scores {findings} on films from {', '.join(sources)}.",
        intended_use=NOT_STATED,
        limitations=f"Trained on films from {', '.join(sources)}: who they show, what the model "
        "is for and where it fails is not stated (to state it, set bundle.* of the config).",
        sources=(),
        licence=NOT_STATED,
        authors=NOT_STATED,
        scope=Scope(),
    )
