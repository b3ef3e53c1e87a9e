"""Who made a model, of what and for whom: a recipe's texts only for the recipe's own films.

So are a shipped model's: a copy that was fitted on other films is a different model.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from training.config import BundleConfig, TrainingConfig
from training.recipes import RECIPES, recipe
from training.recipes.sources import MANIFESTS
from xrayview.domain.model import ModelCard, Scope

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
        name: _replaced(getattr(bundle, name), getattr(of_recipe, name), getattr(own, name))
        for name in _names(bundle)
        if name not in bundle.stated
    }
    scope = {
        name: getattr(bundle.scope, name)
        for name in _names(bundle.scope)
        if f"scope.{name}" in bundle.stated
        or getattr(bundle.scope, name) != getattr(of_recipe.scope, name)
    }
    return dataclasses.replace(bundle, **{**changes, "scope": Scope(**scope)})


def every_field() -> tuple[str, ...]:
    """Return the names of all texts, as in `BundleConfig.stated`."""
    texts = (field.name for field in dataclasses.fields(BundleConfig))
    scope = (f"scope.{field.name}" for field in dataclasses.fields(Scope))
    return (*(name for name in texts if name not in {"scope", "stated"}), *scope)


def _names(record: BundleConfig | Scope) -> list[str]:
    """Return the names of the fields that are compared one by one."""
    names = (field.name for field in dataclasses.fields(record))
    return [name for name in names if name not in {"scope", "stated"}]


def identity_of_copy(
    card: ModelCard, config: TrainingConfig, change: str, sources: Mapping[str, int]
) -> ModelCard:
    """Return the card of a copy that was fitted on other films than the model's own.

    A shipped model's name, version, authors, licence and population are not kept; the network's
    origin stays in `training.network`, and its limitations are called the network's. Other models
    keep theirs. `change` names what was fitted, such as `calibrated`; `sources` counts the films.
    """
    shipped = {recipe(name).bundle.name: name for name in RECIPES}
    if card.name not in shipped:
        return card
    own = _own(config, {"film_sources": sources})
    origin = {name: getattr(card, name) for name in ("name", "version", "authors", "licence")} | {
        "scope": dataclasses.asdict(card.scope),
        "recipe": shipped[card.name],
    }
    network = f"{card.name} {card.version}"
    return dataclasses.replace(
        card,
        name=f"{own.name}-{change}",
        version=own.version,
        description=f"{own.description} The network is that of {network}, {change} on these films.",
        intended_use=own.intended_use,
        limitations=f"{own.limitations} Of the network ({network}): {card.limitations}",
        licence=own.licence,
        authors=own.authors,
        scope=own.scope,
        training={**card.training, "network": origin},
    )


def state_identity(card: ModelCard, bundle: BundleConfig, names: Iterable[str]) -> ModelCard:
    """Return the card with these fields of `bundle`, such as `licence` and `scope.age_years`."""
    stated: dict[str, Any] = {}
    for name in names:
        outer, _, inner = name.partition(".")
        if inner:
            scope = stated.get(outer, card.scope)
            stated[outer] = dataclasses.replace(scope, **{inner: getattr(bundle.scope, inner)})
        else:
            stated[outer] = getattr(bundle, outer)
    sources = stated.pop("sources", None)
    training = card.training if sources is None else {**card.training, "sources": list(sources)}
    return dataclasses.replace(card, training=training, **stated)


def identity_notes(bundle: BundleConfig | ModelCard) -> Iterator[str]:
    """Yield a note on what a card does not state, and how to state it."""
    names = ("version", "authors", "licence", "intended_use")
    missing = [name.replace("_", " ") for name in names if getattr(bundle, name) == NOT_STATED]
    if bundle.scope == Scope():
        missing.append("population")
    if missing:
        yield (
            f"the card of {bundle.name} does not state {', '.join(missing)} (--set "
            "bundle.version=1.0.0, bundle.authors=..., bundle.scope.age_years=[18,90], "
            'bundle.scope.view_positions=["PA"])'
        )


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
