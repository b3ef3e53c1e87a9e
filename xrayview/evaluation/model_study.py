"""A model's scores for one finding against the truth: metrics, curves, subgroups."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan

import numpy as np

from xrayview.evaluation.curves import average_precision, curve
from xrayview.evaluation.intervals import (
    Estimate,
    Indices,
    clustered_bootstrap,
    delong,
    wilson,
)
from xrayview.evaluation.metrics import (
    Confusion,
    Floats,
    Truth,
    auc,
    brier,
    confusion,
    expected_calibration_error,
    validated,
)
from xrayview.evaluation.subgroups import Subgroup, subgroups

BAND_DRAWS = 500
GRID = 101
"""Points of a band along the horizontal axis."""


@dataclass(frozen=True)
class Band:
    """A curve on a grid over 0..1, with pointwise 95 % bounds from a bootstrap over patients."""

    x: Floats
    y: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class FindingStudy:
    """How one finding's scores agree with the truth."""

    finding: str
    threshold: float
    n: int
    positives: int
    metrics: Mapping[str, Estimate]
    """By name, in the order of a table; NaN where undefined."""
    confusion: Confusion
    roc: Band | None
    """Sensitivity over 1 - specificity; None with only one class."""
    precision_recall: Band | None
    """Precision over recall; None with only one class."""
    subgroups: tuple[Subgroup, ...]


def study_finding(
    finding: str,
    truth_N: Sequence[bool],
    scores_N: Sequence[float],
    threshold: float,
    patients_N: Sequence[Hashable],
    attributes: Mapping[str, Sequence[str]],
    *,
    prevalence: float | None = None,
    draws: int = 2000,
) -> FindingStudy:
    """Compute the metrics of one finding.

    Args:
        finding: its name.
        truth_N: whether each film has it.
        scores_N: calibrated scores, 0..1.
        threshold: the operating point; positive means score >= threshold.
        patients_N: the patient of each film: intervals are of drawing patients.
        attributes: groups of films by attribute, see `subgroups`.
        prevalence: also give PPV and NPV at this share of films with the finding.
        draws: number of bootstrap samples.

    Raises:
        UsageError: lengths differ, or a score is not finite.
    """
    truth, scores = validated(truth_N, scores_N)
    independent = len(set(patients_N)) == len(patients_N)
    flagged = scores >= threshold

    def drawn(metric: Callable[[Truth, Floats], float], *, centred: bool = False) -> Estimate:
        return clustered_bootstrap(
            lambda i: metric(truth[i], scores[i]), patients_N, draws=draws, centred=centred
        )

    def share(hits: Truth, among: Truth) -> Estimate:
        if independent or not (hits & among).any() or (hits | ~among).all():
            return wilson(int((hits & among).sum()), int(among.sum()))

        def value(i: Indices) -> float:
            return float(hits[i][among[i]].mean()) if among[i].any() else nan

        estimate = clustered_bootstrap(value, patients_N, draws=draws)
        return Estimate(estimate.value, estimate.low, estimate.high, int(among.sum()))

    metrics = {
        "AUC": delong(truth, scores) if independent else drawn(auc),
        "Average precision": drawn(average_precision),
        "Sensitivity": share(flagged, truth),
        "Specificity": share(~flagged, ~truth),
        "PPV": share(truth, flagged),
        "NPV": share(~truth, ~flagged),
        "Accuracy": share(flagged == truth, np.ones_like(truth)),
        "Calibration error (ECE)": drawn(expected_calibration_error, centred=True),
        "Brier score": drawn(brier),
    }
    if prevalence is not None:
        at = f"at a prevalence of {prevalence:g}"
        metrics[f"PPV {at}"] = drawn(predictive_value(threshold, prevalence, positive=True))
        metrics[f"NPV {at}"] = drawn(predictive_value(threshold, prevalence, positive=False))
    both = bool(truth.any() and not truth.all())
    return FindingStudy(
        finding,
        threshold,
        truth.size,
        int(truth.sum()),
        metrics,
        confusion(truth, scores, threshold),
        _band(_roc, truth, scores, patients_N) if both else None,
        _band(_precision_recall, truth, scores, patients_N) if both else None,
        subgroups(attributes, truth, scores, threshold, patients_N, draws=draws),
    )


def predictive_value(
    threshold: float, prevalence: float, *, positive: bool
) -> Callable[[Truth, Floats], float]:
    """The metric PPV or NPV at a prevalence, from sensitivity and specificity (Bayes)."""

    def value(truth: Truth, scores: Floats) -> float:
        counts = confusion(truth, scores, threshold)
        right = counts.sensitivity if positive else counts.specificity
        wrong = 1 - (counts.specificity if positive else counts.sensitivity)
        share = prevalence if positive else 1 - prevalence
        called = right * share + wrong * (1 - share)
        return right * share / called if called > 0 else nan

    return value


def _roc(truth: Truth, scores: Floats, x: Floats) -> Floats:
    points = curve(truth, scores)
    false_positive = np.concatenate([[0.0], 1 - points.specificity_T])
    sensitivity = np.concatenate([[0.0], points.sensitivity_T])
    return np.asarray(np.interp(x, false_positive, sensitivity), dtype=np.float64)


def _precision_recall(truth: Truth, scores: Floats, x: Floats) -> Floats:
    """The precision of the strictest threshold with at least that recall."""
    points = curve(truth, scores)
    first = np.searchsorted(points.sensitivity_T, x - 1e-12)
    return np.asarray(points.precision_T[np.minimum(first, points.precision_T.size - 1)])


def _band(
    of: Callable[[Truth, Floats, Floats], Floats],
    truth: Truth,
    scores: Floats,
    patients_N: Sequence[Hashable],
) -> Band:
    x = np.linspace(0, 1, GRID)
    samples: list[Floats] = []

    def collect(i: Indices) -> float:
        if truth[i].any() and not truth[i].all():
            samples.append(of(truth[i], scores[i], x))
        return 0.0

    clustered_bootstrap(collect, patients_N, draws=BAND_DRAWS)
    value, *rest = samples  # the first call is for the films themselves
    if len(rest) * 2 < BAND_DRAWS:
        unknown = np.full(GRID, nan)
        return Band(x, value, unknown, unknown)
    low, high = np.quantile(rest, [0.025, 0.975], axis=0)
    return Band(x, value, low, high)


def is_known(estimate: Estimate) -> bool:
    """True where the estimate has a value."""
    return not isnan(estimate.value)
