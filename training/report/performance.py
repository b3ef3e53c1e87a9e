"""Parts of a report that follow from its results: classes, confusion matrices, external metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.data.splits import ALL, TEST, VALIDATION
from training.evaluation.metrics import class_accuracy, estimate_from_json
from training.report.data import ReportData
from xrayview.evaluation.intervals import Estimate, Indices, clustered_bootstrap
from xrayview.evaluation.metrics import Confusion
from xrayview.evaluation.multiclass import confusion_matrix, one_against_rest

_BESIDE = ("auc", "accuracy", "sensitivity", "specificity", "ece", "brier")
"""Metrics that a card has."""


@dataclass(frozen=True)
class ClassRow:
    """A class of a multiclass model against the rest."""

    finding: str
    precision: Estimate
    recall: Estimate
    f1: Estimate
    films: int
    """Films of this class."""


@dataclass(frozen=True)
class ClassTable:
    """The classes of a multiclass model."""

    rows: tuple[ClassRow, ...]
    accuracy: Estimate


def class_table(report: ReportData) -> ClassTable | None:
    """Evaluate the classes of a multiclass model; None for other models."""
    if report.classes is None:
        return None
    true_N, predicted_N = report.classes
    names = [result.finding for result in report.results]

    def estimate(index: int, metric: Callable[[Confusion], float]) -> Estimate:
        def of_films(drawn: Indices) -> float:
            matrix = confusion_matrix(true_N[drawn], predicted_N[drawn], len(names))
            return metric(one_against_rest(matrix, index))

        return clustered_bootstrap(of_films, report.patients_N, draws=report.draws)

    rows = (
        ClassRow(
            name,
            estimate(i, lambda counts: counts.precision),
            estimate(i, lambda counts: counts.sensitivity),
            estimate(i, lambda counts: counts.f1),
            int(np.sum(true_N == i)),
        )
        for i, name in enumerate(names)
    )
    accuracy = class_accuracy(true_N, predicted_N, report.patients_N, report.draws)
    return ClassTable(tuple(rows), accuracy)


@dataclass(frozen=True)
class Matrix:
    """Films by truth (rows) and decision (columns)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, list[int]], ...]


def confusion_matrices(report: ReportData) -> list[Matrix]:
    """Return one matrix of all classes, or one for each finding at its operating point."""
    if report.classes is not None:
        names = tuple(result.finding for result in report.results)
        counts = confusion_matrix(*report.classes, len(names)).tolist()
        return [Matrix(names, tuple(zip(names, counts, strict=True)))]
    return [
        Matrix(
            ("called so", "not called so"),
            (
                (result.finding, [c.true_positive, c.false_negative]),
                (f"no {result.finding}", [c.false_positive, c.true_negative]),
            ),
        )
        for result in report.results
        for c in (result.confusion(result.point.threshold),)
    ]


@dataclass(frozen=True)
class Beside:
    """Metrics of the model's own films beside those of other data."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Estimate | None, ...]], ...]


def beside_own_films(report: ReportData) -> Beside | None:
    """Return the card's metrics beside those of other data; None for the model's own films."""
    splits = [split for split in (VALIDATION, TEST) if split in report.card.metrics]
    if report.split != ALL or not splits:
        return None
    rows = []
    for result in report.results:
        prefix = f"{result.finding} " if len(report.results) > 1 else ""
        for name in _BESIDE:
            stored = (report.card.metrics[split].get(prefix + name) for split in splits)
            own = tuple(estimate_from_json(each) if each else None for each in stored)
            rows.append((prefix + name, (*own, result.metrics[name])))
    return Beside((*(f"{split} films" for split in splits), "these films"), tuple(rows))
