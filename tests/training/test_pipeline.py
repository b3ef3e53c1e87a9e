"""Calibration on validation films: bounds, missing classes and models at chance are reported."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from training.bundle.card import calibration_notes, draft_card
from training.config import TrainingConfig, with_overrides
from training.data.manifest import FilmRow
from training.evaluation.scoring import ScoredFilms
from training.pipeline import fit_card
from training.recipes import recipe
from xrayview.domain.model import ModelCard, Prediction

MULTILABEL = with_overrides(recipe("multilabel-densenet121"), ["evaluation.bootstrap=50"])
FINDINGS = [rule.labels[0] for rule in MULTILABEL.target.findings]


def scored(card: ModelCard, labels: Sequence[str], logits: Sequence[float]) -> ScoredFilms:
    """Films with these labels and the same logit for every finding; `?X` is unknown."""
    names = tuple(finding.name for finding in card.findings)
    rows, predictions = [], []
    for i, (label, logit) in enumerate(zip(labels, logits, strict=True)):
        known, unknown = ((), (label[1:],)) if label.startswith("?") else ((label,), ())
        rows.append(FilmRow(f"{i}.png", "d", f"p{i}", known, "", split="validation",
                            unknown_labels=unknown))  # fmt: skip
        values = (logit,) * len(names)
        predictions.append(
            Prediction(f"{i}", "m", names, values, values, values, (True,) * len(names), names[0],
                       0.5, "cpu", "float32")
        )  # fmt: skip
    return ScoredFilms(tuple(rows), tuple(predictions), ())


@pytest.fixture
def binary(tiny_config: TrainingConfig) -> tuple[TrainingConfig, ModelCard]:
    config = with_overrides(tiny_config, ["evaluation.bootstrap=200", "target.complement="])
    return config, draft_card(config, {}, 8)


def notes_for(
    binary: tuple[TrainingConfig, ModelCard], labels: Sequence[str], logits: Sequence[float]
) -> str:
    config, card = binary
    return "; ".join(
        calibration_notes(fit_card(config, card, {"validation": scored(card, labels, logits)}))
    )


def test_that_separated_films_are_called_so(binary: tuple[TrainingConfig, ModelCard]):
    notes = notes_for(binary, ["normal", "pneumonia"] * 20, [-1.0, 1.0] * 20)
    assert "at its lower bound (0.05)" in notes
    assert "chance" not in notes


def test_that_a_model_at_chance_is_called_so(binary: tuple[TrainingConfig, ModelCard]):
    notes = notes_for(binary, ["normal", "pneumonia"] * 20, [-1.0, -1.0, 1.0, 1.0] * 10)
    assert "at its upper bound (20)" in notes
    assert "not above chance on the validation films" in notes


def test_that_swapped_labels_are_suspected(binary: tuple[TrainingConfig, ModelCard]):
    notes = notes_for(binary, ["normal", "pneumonia"] * 20, [1.0, -1.0] * 20)
    assert "below chance on the validation films" in notes
    assert "are the labels swapped?" in notes


def test_that_a_good_model_has_no_notes(binary: tuple[TrainingConfig, ModelCard]):
    logits = [-1.0, 2.0, -2.0, 1.0, 0.5, -0.5, -1.0, 1.0] * 5
    assert notes_for(binary, ["normal", "pneumonia"] * 20, logits) == ""


def test_that_findings_without_validation_films_are_named_and_not_fitted():
    card = draft_card(MULTILABEL, {}, 8)
    labels = [*FINDINGS[:12]] * 3 + [f"?{FINDINGS[13]}"] * 3
    films = scored(card, labels, np.linspace(-1, 1, len(labels)).tolist())
    only_unknown = [
        row if i >= 36 else FilmRow(**{**vars(row), "unknown_labels": (FINDINGS[13],)})
        for i, row in enumerate(films.rows)
    ]
    films = ScoredFilms(tuple(only_unknown), films.predictions, ())
    fitted = fit_card(MULTILABEL, card, {"validation": films})
    notes = "; ".join(calibration_notes(fitted))
    assert "Pleural Thickening: no validation film has it" in notes
    assert "Hernia: known for no validation film" in notes
    assert fitted.calibration.temperature[12:] == (1.0, 1.0)
    assert {point.finding for point in fitted.operating_points} >= {"Hernia"}
