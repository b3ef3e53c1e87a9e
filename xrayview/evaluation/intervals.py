"""Intervals of metrics: Wilson, DeLong, and a bootstrap over patients instead of films."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from xrayview.evaluation.metrics import Truth, midranks, validated

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Estimate:
    """A metric, its interval and its number of films; NaN bounds where there is no interval."""

    value: float
    low: float
    high: float
    n: int


def wilson(hits: int, n: int, level: float = 0.95) -> Estimate:
    """Wilson score interval of a proportion of independent films (Wilson 1927); NaN for n = 0."""
    if n == 0:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    z, share = _z(level), hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half), n)


def delong(truth_N: npt.ArrayLike, scores_N: npt.ArrayLike, level: float = 0.95) -> Estimate:
    """AUC with DeLong's interval, films taken as independent.

    Bounds are clipped to 0..1. NaN with only one class; NaN bounds with one film in a class.
    Source: DeLong et al., Biometrics 1988; computed with midranks as in Sun and Xu, 2014.
    """
    truth, scores = validated(truth_N, scores_N)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return Estimate(float("nan"), float("nan"), float("nan"), truth.size)
    above, below = placements(truth, scores)
    area = float(above.mean())
    if min(positives, negatives) < 2:
        return Estimate(area, float("nan"), float("nan"), truth.size)
    deviation = sqrt(above.var(ddof=1) / positives + below.var(ddof=1) / negatives)
    half = _z(level) * deviation
    return Estimate(area, max(0.0, area - half), min(1.0, area + half), truth.size)


def placements(
    truth: Truth, scores: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Of each positive, the share of negatives below it; of each negative, of positives above.

    Ties count half. The mean of either is the AUC; both classes must be there.
    """
    ranks = midranks(scores)
    positives, negatives = scores[truth], scores[~truth]
    above = (ranks[truth] - midranks(positives)) / negatives.size
    below = 1 - (ranks[~truth] - midranks(negatives)) / positives.size
    return above, below


def clustered_bootstrap(
    metric: Callable[[Indices], float],
    clusters_N: Sequence[Hashable],
    *,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    centred: bool = False,
) -> Estimate:
    """Percentile interval from drawing whole clusters (patients) with replacement.

    Args:
        metric: receives the indices of the drawn films, with repeats. Draws for which it is NaN
            (a class is missing) are left out; if these are more than half, the bounds are NaN.
        clusters_N: the patient of each film.
        draws: number of bootstrap samples.
        seed: of the random generator.
        level: confidence level.
        centred: for a metric in 0..1 that resampling inflates, such as the calibration error,
            which is a sum of distances: shift the interval by the mean excess of the draws over
            the metric (Efron and Tibshirani 1993, 10.2); otherwise it may lie above the metric.
    """
    indices: dict[Hashable, list[int]] = {}
    for index, cluster in enumerate(clusters_N):
        indices.setdefault(cluster, []).append(index)
    groups = [np.array(group, dtype=np.int64) for group in indices.values()]
    singles = np.concatenate(groups) if len(groups) == len(clusters_N) > 0 else None
    n = len(clusters_N)
    value = metric(np.arange(n)) if n else float("nan")
    rng = np.random.default_rng(seed)
    samples = []
    for _ in range(draws if n else 0):
        chosen = rng.integers(len(groups), size=len(groups))
        films = [groups[i] for i in chosen] if singles is None else [singles[chosen]]
        samples.append(metric(np.concatenate(films)))
    valid = np.array(samples)[~np.isnan(samples)] if samples else np.empty(0)
    if valid.size * 2 < max(draws, 1):
        return Estimate(value, float("nan"), float("nan"), n)
    low, high = map(float, np.quantile(valid, [(1 - level) / 2, (1 + level) / 2]))
    if centred:
        excess = float(valid.mean()) - value
        low, high = max(0.0, min(low - excess, value)), min(1.0, max(high - excess, value))
    return Estimate(value, low, high, n)


def _z(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)


@dataclass(frozen=True)
class PairedAuc:
    """Two models' AUCs on the same films; `difference` is the first minus the second."""

    first: float
    second: float
    difference: Estimate
    p_value: float
    """Two-sided, for equal AUCs; NaN without an interval, 1 where the scores rank equally."""


def paired_delong(
    truth_N: npt.ArrayLike,
    first_N: npt.ArrayLike,
    second_N: npt.ArrayLike,
    level: float = 0.95,
) -> PairedAuc:
    """DeLong's test of two correlated AUCs, films taken as independent.

    NaN with only one class; NaN interval and p-value with one film in a class.

    Raises:
        UsageError: lengths differ, or a score is not finite.
    """
    truth, first = validated(truth_N, first_N)
    _, second = validated(truth_N, second_N)
    nan, n = float("nan"), truth.size
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return PairedAuc(nan, nan, Estimate(nan, nan, nan, n), nan)
    above_first, below_first = placements(truth, first)
    above_second, below_second = placements(truth, second)
    areas = float(above_first.mean()), float(above_second.mean())
    gap = areas[0] - areas[1]
    if min(positives, negatives) < 2:
        return PairedAuc(*areas, Estimate(gap, nan, nan, n), nan)
    # The variance of the differences per film includes the covariance of the two models.
    above, below = above_first - above_second, below_first - below_second
    deviation = sqrt(above.var(ddof=1) / positives + below.var(ddof=1) / negatives)
    half = _z(level) * deviation
    p_value = 2 * NormalDist().cdf(-abs(gap) / deviation) if deviation else float(gap == 0)
    return PairedAuc(*areas, Estimate(gap, gap - half, gap + half, n), p_value)
