"""The metrics of a finding on a split, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
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
    FindingCounts,
    confusion_matrix,
    macro,
    one_against_rest,
)

Truth = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]
ClassIndices = npt.NDArray[np.int64]
Metric = Callable[[Truth, Scores, float], float]

METRICS: dict[str, Metric] = {
    "auc": lambda truth, scores, _threshold: auc(truth, scores),
    "accuracy": lambda truth, scores, threshold: confusion(truth, scores, threshold).accuracy,
    "sensitivity": lambda truth, scores, threshold: confusion(truth, scores, threshold).sensitivity,
    "specificity": lambda truth, scores, threshold: confusion(truth, scores, threshold).specificity,
    "precision": lambda truth, scores, threshold: confusion(truth, scores, threshold).precision,
    "f1": lambda truth, scores, threshold: confusion(truth, scores, threshold).f1,
    "ece": lambda truth, scores, _threshold: expected_calibration_error(truth, scores),
    "brier": lambda truth, scores, _threshold: brier(truth, scores),
}
"""Name in the card -> metric. Intervals are bootstrapped over patients, since the films of a
patient resemble each other."""

_BIASED = {"ece"}
"""A sum of distances, which the noise of a bootstrap draw can only increase."""

_SHARES = {"accuracy", "sensitivity", "specificity", "precision"}


def estimate_metrics(
    truth_N: Truth, scores_N: Scores, patients_N: Sequence[str], threshold: float, draws: int
) -> dict[str, Estimate]:
    """Estimate all metrics at an operating point; `auc_delong` has DeLong's interval."""
    estimates = {"auc_delong": delong(truth_N, scores_N)}
    for name, metric in METRICS.items():

        def of_films(indices: Indices, metric: Metric = metric) -> float:
            return metric(truth_N[indices], scores_N[indices], threshold)

        estimates[name] = clustered_bootstrap(
            of_films, patients_N, draws=draws, centred=name in _BIASED
        )
        if name in _SHARES and estimates[name].value in {0.0, 1.0}:
            # A bootstrap of 0 or 1 has no width; Wilson's interval does.
            n = _denominator(name, truth_N, scores_N, threshold)
            estimates[name] = replace(wilson(round(estimates[name].value * n), n), n=truth_N.size)
    return estimates


def _denominator(name: str, truth_N: Truth, scores_N: Scores, threshold: float) -> int:
    """Return the number of films that a share is a share of."""
    counts = confusion(truth_N, scores_N, threshold)
    called = counts.true_positive + counts.false_positive
    sizes = {"sensitivity": counts.positives, "specificity": counts.negatives, "precision": called}
    return sizes.get(name, counts.total)


def class_accuracy(
    true_N: ClassIndices, predicted_N: ClassIndices, patients_N: Sequence[str], draws: int
) -> Estimate:
    """Estimate a multiclass model's accuracy: the share of films whose class is predicted."""

    def share(indices: Indices) -> float:
        return float(np.mean(true_N[indices] == predicted_N[indices]))

    return clustered_bootstrap(share, patients_N, draws=draws)


def class_table(true_N: ClassIndices, predicted_N: ClassIndices, names: Sequence[str]) -> str:
    """Format the films by true class (rows) and predicted class (columns) as a table."""
    counts_KK = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts_KK, (true_N, predicted_N), 1)
    lines = [f"{'true, predicted':24s}" + "".join(f" {name[:14]:>14s}" for name in names)]
    for name, counts_K in zip(names, counts_KK, strict=True):
        lines.append(f"{name:24s}" + "".join(f" {count:14d}" for count in counts_K))
    return "\n".join(lines)


def class_report(true_N: ClassIndices, predicted_N: ClassIndices, names: Sequence[str]) -> str:
    """Format precision, recall, F1 and number of films of each class, then their means."""
    matrix = confusion_matrix(true_N, predicted_N, len(names))
    found = [FindingCounts(name, one_against_rest(matrix, k)) for k, name in enumerate(names)]
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


def estimate_as_json(estimate: Estimate) -> dict[str, float | int | None]:
    """Convert to plain data for card and JSON, which has no NaN: an undefined value is null."""
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in asdict(estimate).items()
    }


def estimate_from_json(stored: Mapping[str, float | int | None]) -> Estimate:
    """Restore what `estimate_as_json` returned."""
    value, low, high = (
        float("nan") if (number := stored[name]) is None else float(number)
        for name in ("value", "low", "high")
    )
    return Estimate(value, low, high, int(stored["n"] or 0))


def table(estimates: dict[str, Estimate]) -> str:
    """Format the metrics as a table."""
    lines = [f"{'metric':14s} {'value':>7s}   95 % interval     n"]
    for name, e in estimates.items():
        lines.append(f"{name:14s} {e.value:7.4f}   {e.low:.4f} - {e.high:.4f}  {e.n:4d}")
    return "\n".join(lines)


def chance_note(finding: str, area: Estimate) -> str:
    """Say that a model is not above chance on these films; empty if it is."""
    if math.isnan(area.low) or area.low > 0.5:
        return ""
    interval = f"AUC {area.value:.3f}, {area.low:.3f}-{area.high:.3f}"
    if area.high < 0.5:
        return f"{finding}: below chance on these films ({interval}): are the labels swapped?"
    return f"{finding}: not above chance on these films ({interval})"


def confusion_table(truth_N: Truth, scores_N: Scores, threshold: float, finding: str) -> str:
    """Format the four counts as a table."""
    counts = confusion(truth_N, scores_N, threshold)
    return (
        f"{'':24s} score >= {threshold:.3f}     below\n"
        f"{finding:24s} {counts.true_positive:14d} {counts.false_negative:9d}\n"
        f"{'no ' + finding:24s} {counts.false_positive:14d} {counts.true_negative:9d}"
    )


def as_json(estimates: dict[str, Estimate]) -> dict[str, Any]:
    """Convert every estimate to plain data."""
    return {name: estimate_as_json(estimate) for name, estimate in estimates.items()}
