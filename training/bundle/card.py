"""The model card of a run: its purpose, its training, its metrics."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from training.bundle.identity import bundle_identity
from training.config import BundleConfig, TrainingConfig
from training.recipes import RECIPES, recipe
from training.runs import now_utc
from xrayview.domain.model import Calibration, Finding, ModelCard, OperatingPoint

HISTOGRAM_BINS = 20
_POLICIES = ("blank", "uncertain", "uncertain_of", "votes", "conflicts", "lateral")
"""Fields of `data` that decide which labels a film has, and which films are used."""
TEST_FILMS = {True: "evaluated", False: "not evaluated (--no-test)"}
"""Text in run.json and the card, by whether the run was evaluated on the test films."""


def draft_card(config: TrainingConfig, facts: dict[str, Any], stride: int) -> ModelCard:
    """Write the card before calibration: scores are the plain activation of the logits.

    `facts` is the run's `run.json`.
    """
    bundle, target = bundle_identity(config, facts), config.target
    findings = [Finding(rule.name, rule.description, rule.abnormal) for rule in target.findings]
    if target.complement:
        findings.append(Finding(target.complement, "The complement of the other score.", False))
    return ModelCard(
        schema=1,
        name=bundle.name,
        version=bundle.version,
        task=target.task,
        activation=target.activation,
        findings=tuple(findings),
        preprocessing=config.preprocessing,
        description=bundle.description,
        authors=bundle.authors,
        licence=bundle.licence,
        created_utc=now_utc(),
        intended_use=bundle.intended_use,
        limitations=bundle.limitations,
        flip_average=config.evaluation.flip_average,
        explain={"method": "grad-cam", "stride": stride},
        scope=bundle.scope,
        training=_training(config, facts, bundle),
    )


def _training(
    config: TrainingConfig, facts: dict[str, Any], bundle: BundleConfig
) -> dict[str, object]:
    copied = (
        "command", "manifest_sha256", "film_sources", "counts", "omitted", "leaks", "notes",
        "epochs", "best_epoch", "best_weights", "training_seconds", "machine", "versions",
        "commit", "resumed", "test_films",
    )  # fmt: skip
    return {
        "recipe": config.recipe,
        "architecture": config.network.architecture,
        **_initial_weights(config, facts),
        "sources": list(bundle.sources),
        "seed": config.run.seed,
        "label_policies": {name: getattr(config.data, name) for name in _POLICIES},
        **{name: facts[name] for name in copied if name in facts},
    }


def _initial_weights(config: TrainingConfig, facts: dict[str, Any]) -> dict[str, object]:
    """Return the weights that the run started from, and the recipe's if they differ."""
    requested = config.network.initial_weights
    used = facts.get("initial_weights", {}).get("used", requested)
    weights: dict[str, object] = {"initial_weights": used}
    if config.recipe in RECIPES:
        of_recipe = recipe(config.recipe).network.initial_weights
        if of_recipe != requested:
            weights["initial_weights_of_the_recipe"] = (
                f"{of_recipe}, which this run did not start from"
            )
    return weights


def with_calibration(card: ModelCard, temperatures: tuple[float, ...], fitted_on: str) -> ModelCard:
    """Return the card with temperature scaling."""
    return replace(card, calibration=Calibration("temperature", temperatures, fitted_on))


def with_results(
    card: ModelCard,
    points: tuple[OperatingPoint, ...],
    metrics: dict[str, dict[str, dict[str, float | int | None]]],
    reference_scores: dict[str, npt.NDArray[np.float64]],
) -> ModelCard:
    """Return the final card; `reference_scores` are the validation films' scores by finding."""
    return replace(
        card,
        operating_points=points,
        metrics=metrics,
        reference={
            "split": "validation",
            "score_histogram": {
                name: np.histogram(scores, bins=HISTOGRAM_BINS, range=(0, 1))[0].tolist()
                for name, scores in reference_scores.items()
            },
        },
    )


def calibration_notes(card: ModelCard) -> tuple[str, ...]:
    """Return the card's remarks on its temperature, and on findings that it does not recognise."""
    notes = card.training.get("calibration_notes", ())
    return tuple(map(str, notes)) if isinstance(notes, list) else ()
