"""What a classifier can do at every threshold: ROC, precision and recall, reliability."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xrayview.evaluation.metrics import Floats, Truth, checked

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Curve:
    """Figures at falling thresholds T: the scores that occur, each once; called is score >= T.

    A figure that does not exist (no positives, no negatives) is NaN.
    """

    thresholds_T: Floats
    sensitivity_T: Floats
    """Of the films with the finding, the share called; also named recall."""
    specificity_T: Floats
    precision_T: Floats


@dataclass(frozen=True)
class ReliabilityBin:
    """The films whose score lies in low..high, the upper end left out but for the last bin."""

    low: float
    high: float
    n: int
    positives: int
    mean_score: float
    """NaN without films."""

    @property
    def observed(self) -> float:
        """Share of the bin's films that carry the finding; NaN without films."""
        return self.positives / self.n if self.n else float("nan")


def curve(truth_N: npt.ArrayLike, scores_N: npt.ArrayLike) -> Curve:
    """Every threshold that calls another set of films, the strictest first.

    Raises:
        UsageError: lengths differ, or a score is not finite.
    """
    truth, scores = checked(truth_N, scores_N)
    thresholds, hits, called = _counts(truth, scores)
    positives = int(truth.sum())
    negatives = truth.size - positives
    return Curve(
        thresholds,
        _shares(hits, positives),
        1 - _shares(called - hits, negatives),
        np.asarray(hits / called),
    )


def average_precision(truth_N: npt.ArrayLike, scores_N: npt.ArrayLike) -> float:
    """Precision, averaged over the steps in recall; NaN where no film carries the finding.

    The sum over thresholds, not the trapezoid, which is too kind (Davis and Goadrich, ICML 2006).

    Raises:
        UsageError: lengths differ, or a score is not finite.
    """
    truth, scores = checked(truth_N, scores_N)
    if not truth.any():
        return float("nan")
    found = curve(truth, scores)
    return float(np.sum(np.diff(found.sensitivity_T, prepend=0.0) * found.precision_T))


def reliability(
    truth_N: npt.ArrayLike, scores_N: npt.ArrayLike, bins: int = 10
) -> tuple[ReliabilityBin, ...]:
    """Scores in 0..1 held against what was observed, in bins of equal width, empty ones too.

    Raises:
        UsageError: lengths differ, or a score is not finite.
    """
    truth, scores = checked(truth_N, scores_N)
    place = np.clip((scores * bins).astype(np.int64), 0, bins - 1)
    return tuple(
        ReliabilityBin(
            low=number / bins,
            high=(number + 1) / bins,
            n=int(inside.sum()),
            positives=int(truth[inside].sum()),
            mean_score=float(scores[inside].mean()) if inside.any() else float("nan"),
        )
        for number in range(bins)
        for inside in (place == number,)
    )


def _counts(truth: Truth, scores: Floats) -> tuple[Floats, Counts, Counts]:
    """The thresholds, and at each how many films are called rightly and called at all."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    # Films of one score are called together: only the last of them is a step.
    last = np.append(np.flatnonzero(np.diff(ranked)), np.arange(ranked.size)[-1:])
    hits = np.cumsum(truth[order])[last]
    return ranked[last], hits.astype(np.int64), (last + 1).astype(np.int64)


def _shares(counts: Counts, whole: int) -> Floats:
    return counts / whole if whole else np.full(counts.shape, np.nan)
