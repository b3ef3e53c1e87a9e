"""The figures of one finding on one split, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from xrayview.evaluation.intervals import Estimate, Indices, clustered_bootstrap, delong, wilson
from xrayview.evaluation.metrics import (
    auc,
    brier,
    confusion,
    expected_calibration_error,
)
from xrayview.evaluation.multiclass import (
    FindingFigures,
    confusion_matrix,
    macro,
    one_against_rest,
)

Truth = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Figure = Callable[[Truth, Scores, float], float]

FIGURES: dict[str, Figure] = {
    "auc": lambda truth, scores, _threshold: auc(truth, scores),
    "accuracy": lambda truth, scores, threshold: confusion(truth, scores, threshold).accuracy,
    "sensitivity": lambda truth, scores, threshold: confusion(truth, scores, threshold).sensitivity,
    "specificity": lambda truth, scores, threshold: confusion(truth, scores, threshold).specificity,
    "precision": lambda truth, scores, threshold: confusion(truth, scores, threshold).precision,
    "f1": lambda truth, scores, threshold: confusion(truth, scores, threshold).f1,
    "ece": lambda truth, scores, _threshold: expected_calibration_error(truth, scores),
    "brier": lambda truth, scores, _threshold: brier(truth, scores),
}
"""Name in the card -> figure; intervals are a bootstrap over patients, as films of one patient
resemble each other."""

_INFLATED = {"ece"}
"""A sum of distances: every draw of films adds noise to it, and noise only adds."""

_SHARES = {"accuracy", "sensitivity", "specificity", "precision"}


def figures(
    truth_N: Truth, scores_N: Scores, patients_N: Sequence[str], threshold: float, draws: int
) -> dict[str, Estimate]:
    """All figures at an operating point; `auc_delong` has the interval most papers give."""
    found = {"auc_delong": delong(truth_N, scores_N)}
    for name, figure in FIGURES.items():

        def of_films(places: Indices, figure: Figure = figure) -> float:
            return figure(truth_N[places], scores_N[places], threshold)

        found[name] = clustered_bootstrap(
            of_films, patients_N, draws=draws, centred=name in _INFLATED
        )
        if name in _SHARES and found[name].value in {0.0, 1.0}:
            # No draw can show a miss where there is none; Wilson's interval still has a width.
            n = _base(name, truth_N, scores_N, threshold)
            found[name] = replace(wilson(round(found[name].value * n), n), n=truth_N.size)
    return found


def _base(name: str, truth_N: Truth, scores_N: Scores, threshold: float) -> int:
    """How many films a share is a share of."""
    counts = confusion(truth_N, scores_N, threshold)
    called = counts.true_positive + counts.false_positive
    bases = {"sensitivity": counts.positives, "specificity": counts.negatives, "precision": called}
    return bases.get(name, counts.total)


def agreement(
    true_N: Places, predicted_N: Places, patients_N: Sequence[str], draws: int
) -> Estimate:
    """The share of films whose class is predicted: a multiclass model's accuracy."""

    def share(places: Indices) -> float:
        return float(np.mean(true_N[places] == predicted_N[places]))

    return clustered_bootstrap(share, patients_N, draws=draws)


def class_table(true_N: Places, predicted_N: Places, names: Sequence[str]) -> str:
    """Films by true class (rows) and predicted class (columns) as readable lines."""
    counts_KK = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts_KK, (true_N, predicted_N), 1)
    lines = [f"{'true, predicted':24s}" + "".join(f" {name[:14]:>14s}" for name in names)]
    for name, counts_K in zip(names, counts_KK, strict=True):
        lines.append(f"{name:24s}" + "".join(f" {count:14d}" for count in counts_K))
    return "\n".join(lines)


def class_report(true_N: Places, predicted_N: Places, names: Sequence[str]) -> str:
    """Precision, recall, F1 and films of each class as readable lines, then their means."""
    matrix = confusion_matrix(true_N, predicted_N, len(names))
    found = [FindingFigures(name, one_against_rest(matrix, k)) for k, name in enumerate(names)]
    means = macro(found)
    lines = [f"{'class':24s} precision    recall        F1     films"]
    lines += [
        _class_line(each.finding, each.counts.precision, each.counts.sensitivity, each.counts.f1)
        + f" {each.support:9d}"
        for each in found
    ]
    return "\n".join([*lines, _class_line("mean", means.precision, means.recall, means.f1)])


def _class_line(name: str, precision: float, recall: float, f1: float) -> str:
    return f"{name:24s} {precision:9.3f} {recall:9.3f} {f1:9.3f}"


def plain(estimate: Estimate) -> dict[str, float | int | None]:
    """For the card and for JSON, which has no NaN: a figure that does not exist is null."""
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in asdict(estimate).items()
    }


def table(found: dict[str, Estimate]) -> str:
    """The figures as readable lines."""
    lines = [f"{'figure':14s} {'value':>7s}   95 % interval     n"]
    for name, e in found.items():
        lines.append(f"{name:14s} {e.value:7.4f}   {e.low:.4f} - {e.high:.4f}  {e.n:4d}")
    return "\n".join(lines)


def confusion_table(truth_N: Truth, scores_N: Scores, threshold: float, finding: str) -> str:
    """The four counts as readable lines."""
    counts = confusion(truth_N, scores_N, threshold)
    return (
        f"{'':24s} score >= {threshold:.3f}     below\n"
        f"{finding:24s} {counts.true_positive:14d} {counts.false_negative:9d}\n"
        f"{'no ' + finding:24s} {counts.false_positive:14d} {counts.true_negative:9d}"
    )


def as_json(found: dict[str, Estimate]) -> dict[str, Any]:
    """Every estimate as plain data."""
    return {name: plain(estimate) for name, estimate in found.items()}
