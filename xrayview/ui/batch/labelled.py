"""Results compared with labels from a CSV: two columns, and a line that sums them up."""

from __future__ import annotations

from collections.abc import Collection
from math import isnan

from xrayview.domain.events import FilmResult
from xrayview.domain.model import ModelCard
from xrayview.evaluation.intervals import Estimate
from xrayview.services.labels import Comparison, Labels, agrees
from xrayview.ui.batch.columns import Column

_LISTED = 3
"""Most labels or films that the line names."""
_ANSWERS: dict[bool | None, str] = {True: "yes", False: "no", None: "–"}


def label_columns(labels: Labels, card: ModelCard) -> tuple[Column, ...]:
    """The label of each film, and whether the model agrees with it."""
    return _label_column(labels), _agreement_column(labels, card)


def disagrees(result: FilmResult, labels: Labels, card: ModelCard) -> bool:
    """True where a film was classified and has a label, and the two differ."""
    label = labels.of(result.relative_path, result.frame)
    return result.prediction is not None and agrees(result.prediction, label, card) is False


def _label_column(labels: Labels) -> Column:
    def text(result: FilmResult) -> str:
        found = labels.all_of(result.relative_path, result.frame)
        joined = " or ".join(label.replace("|", ", ") for label in found)
        return f"conflict: {joined}" if len(found) > 1 else joined

    return Column("Label", text, text, 120)


def _agreement_column(labels: Labels, card: ModelCard) -> Column:
    def text(result: FilmResult) -> str:
        label, prediction = labels.of(result.relative_path, result.frame), result.prediction
        return _ANSWERS[agrees(prediction, label, card) if prediction else None]

    def sort(result: FilmResult) -> str:
        answer = text(result)
        return "" if answer == _ANSWERS[None] else answer

    return Column("Agrees", text, sort, 72)


def comparison_text(comparison: Comparison) -> str:
    """Sum up in one line how far model and labels agree on the films that were compared."""
    compared, classified = comparison.compared, comparison.classified
    parts = [f"Labels: {compared:,} of {classified:,} classified films compared"]
    if comparison.agreement is not None:
        parts.append(f"agreement {_with_interval(comparison.agreement, '.1%')}")
    parts += [f"AUC {name} {_with_interval(auc, '.3f')}" for name, auc in comparison.aucs.items()]
    if comparison.unknown:
        listed = ", ".join(
            f"{label} ({n:,})" for label, n in list(comparison.unknown.items())[:_LISTED]
        )
        parts.append(f"not findings of the model: {listed}")
    if comparison.conflicts:
        parts.append(f"different labels, not compared: {_films(comparison.conflicts)}")
    if comparison.copies:
        parts.append(f"copies of a film, counted once: {comparison.copies:,}")
    return "   ".join(parts)


def _films(names: Collection[str]) -> str:
    """Up to three films by name, and the number of further ones."""
    further = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return ", ".join(list(names)[:_LISTED]) + further


def _with_interval(estimate: Estimate, form: str) -> str:
    if isnan(estimate.low):
        return f"{estimate.value:{form}}"
    return f"{estimate.value:{form}} [{estimate.low:{form}}, {estimate.high:{form}}]"
