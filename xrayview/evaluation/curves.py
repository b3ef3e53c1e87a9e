"""Metrics at all thresholds: ROC, precision and recall, reliability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xrayview.evaluation.metrics import Floats, Truth, validated

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Curve:
    """Metrics at descending thresholds T, one per distinct score; positive means score >= T.

    An undefined metric (without positives, or without negatives) is NaN.
    """

    thresholds_T: Floats
    sensitivity_T: Floats
    """Share of the films with the finding that are predicted positive; also called recall."""
    specificity_T: Floats
    precision_T: Floats


@dataclass(frozen=True)
class ReliabilityBin:
    """The films with a score in low..high, where only the last bin includes its upper end."""

    low: float
    high: float
    n: int
    positives: int
    mean_score: float
    """NaN without films."""

    @property
    def observed(self) -> float:
        """Share of the bin's films with the finding; NaN without films."""
        return self.positives / self.n if self.n else float("nan")


def curve(truth_N: npt.ArrayLike, scores_N: npt.ArrayLike) -> Curve:
    """The curve over all thresholds that give different predictions, the strictest first.

    Raises:
        UsageError: lengths differ, or a score is not finite.
    """
    truth, scores = validated(truth_N, scores_N)
    thresholds, hits, predicted = _counts(truth, scores)
    positives = int(truth.sum())
    negatives = truth.size - positives
    return Curve(
        thresholds,
        _shares(hits, positives),
        1 - _shares(predicted - hits, negatives),
        np.asarray(hits / predicted),
    )


def average_precision(truth_N: npt.ArrayLike, scores_N: npt.ArrayLike) -> float:
    """Precision averaged over the steps in recall; NaN if no film has the finding.

    The sum over thresholds; trapezoids would overestimate it (Davis and Goadrich, ICML 2006).

    Raises:
        UsageError: lengths differ, or a score is not finite.
    """
    truth, scores = validated(truth_N, scores_N)
    if not truth.any():
        return float("nan")
    points = curve(truth, scores)
    return float(np.sum(np.diff(points.sensitivity_T, prepend=0.0) * points.precision_T))


def reliability(
    truth_N: npt.ArrayLike, scores_N: npt.ArrayLike, bins: int = 10
) -> tuple[ReliabilityBin, ...]:
    """Scores in 0..1 against observed shares, in bins of equal width, including empty ones.

    Raises:
        UsageError: lengths differ, or a score is not finite.
    """
    truth, scores = validated(truth_N, scores_N)
    bin_N = np.clip((scores * bins).astype(np.int64), 0, bins - 1)
    return tuple(
        ReliabilityBin(
            low=index / bins,
            high=(index + 1) / bins,
            n=int(inside.sum()),
            positives=int(truth[inside].sum()),
            mean_score=float(scores[inside].mean()) if inside.any() else float("nan"),
        )
        for index in range(bins)
        for inside in (bin_N == index,)
    )


def _counts(truth: Truth, scores: Floats) -> tuple[Floats, Counts, Counts]:
    """The thresholds, and at each the numbers of true positives and of predicted positives."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    # Films with equal scores change together, so only the last of them is a step.
    last = np.append(np.flatnonzero(np.diff(ranked)), np.arange(ranked.size)[-1:])
    hits = np.cumsum(truth[order])[last]
    return ranked[last], hits.astype(np.int64), (last + 1).astype(np.int64)


def _shares(counts: Counts, total: int) -> Floats:
    return counts / total if total else np.full(counts.shape, np.nan)
