"""Metrics of scores against the truth; numpy and the standard library only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xrayview.errors import UsageError

Floats = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Confusion:
    """Counts at one operating point; positive means score >= threshold."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int

    @property
    def total(self) -> int:
        """All films."""
        return self.positives + self.negatives

    @property
    def positives(self) -> int:
        """Films with the finding."""
        return self.true_positive + self.false_negative

    @property
    def negatives(self) -> int:
        """Films without the finding."""
        return self.true_negative + self.false_positive

    @property
    def accuracy(self) -> float:
        """Share of right predictions; NaN without films."""
        return _share(self.true_positive + self.true_negative, self.total)

    @property
    def sensitivity(self) -> float:
        """Share of positives that are predicted positive (recall); NaN without positives."""
        return _share(self.true_positive, self.positives)

    @property
    def specificity(self) -> float:
        """Share of negatives that are predicted negative; NaN without negatives."""
        return _share(self.true_negative, self.negatives)

    @property
    def precision(self) -> float:
        """Share of positive predictions that are right; NaN without positive predictions."""
        return _share(self.true_positive, self.true_positive + self.false_positive)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and sensitivity."""
        wrong = self.false_positive + self.false_negative
        return _share(2 * self.true_positive, 2 * self.true_positive + wrong)


def _share(part: int, total: int) -> float:
    return part / total if total else float("nan")


def confusion(truth_N: npt.ArrayLike, scores_N: npt.ArrayLike, threshold: float) -> Confusion:
    """Counts at `score >= threshold`, the rule by which films are flagged.

    Raises:
        UsageError: lengths differ, or a score is not finite.
    """
    truth, scores = validated(truth_N, scores_N)
    positive = scores >= threshold
    return Confusion(
        int(np.sum(positive & truth)),
        int(np.sum(positive & ~truth)),
        int(np.sum(~positive & truth)),
        int(np.sum(~positive & ~truth)),
    )


def auc(truth_N: npt.ArrayLike, scores_N: npt.ArrayLike) -> float:
    """Area under the ROC curve (Mann-Whitney, ties count half); NaN with only one class.

    Raises:
        UsageError: lengths differ, or a score is not finite.
    """
    truth, scores = validated(truth_N, scores_N)
    positives = int(truth.sum())
    negatives = truth.size - positives
    if not positives or not negatives:
        return float("nan")
    rank_sum = midranks(scores)[truth].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def brier(truth_N: npt.ArrayLike, scores_N: npt.ArrayLike) -> float:
    """Mean squared difference of score and truth, 0 (best) .. 1."""
    truth, scores = validated(truth_N, scores_N)
    return float(np.mean((scores - truth) ** 2)) if truth.size else float("nan")


def expected_calibration_error(
    truth_N: npt.ArrayLike, scores_N: npt.ArrayLike, bins: int = 15
) -> float:
    """Mean difference of score and observed share over equal-width bins, weighted by films.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, for the score of the
    positive class.
    """
    truth, scores = validated(truth_N, scores_N)
    if not truth.size:
        return float("nan")
    bin_N = np.clip((scores * bins).astype(np.int64), 0, bins - 1)
    gap = np.bincount(bin_N, weights=scores - truth, minlength=bins)
    return float(np.abs(gap).sum() / truth.size)


def threshold_for_sensitivity(
    truth_N: npt.ArrayLike, scores_N: npt.ArrayLike, sensitivity: float
) -> float:
    """The highest threshold with at least the given sensitivity.

    Raises:
        UsageError: no film has the finding, or `sensitivity` is outside 0..1.
    """
    truth, scores = validated(truth_N, scores_N)
    positives = np.sort(scores[truth])[::-1]
    if not positives.size:
        raise UsageError("No film has the finding", hint="A threshold needs positive films.")
    if not 0 <= sensitivity <= 1:
        raise UsageError(
            f"A sensitivity of {sensitivity} is not possible", hint="Choose one from 0 to 1."
        )
    needed = max(1, int(np.ceil(sensitivity * positives.size - 1e-9)))
    return float(positives[needed - 1])


def midranks(values_N: Floats) -> Floats:
    """Ranks from 1; ties get their mean rank."""
    _, group_N, counts = np.unique(values_N, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[group_N], dtype=np.float64)


def validated(truth_N: npt.ArrayLike, scores_N: npt.ArrayLike) -> tuple[Truth, Floats]:
    """Convert truth to bool and scores to float64, both flat and of equal length.

    Raises:
        UsageError: lengths differ, or a score is not finite.
    """
    truth = np.asarray(truth_N).astype(np.bool_).ravel()
    scores = np.asarray(scores_N, dtype=np.float64).ravel()
    if truth.size != scores.size:
        raise UsageError(
            f"{truth.size} labels for {scores.size} scores", hint="Pass one of each for every film."
        )
    if not np.isfinite(scores).all():
        raise UsageError("A score is not finite", hint="Leave out films without a score.")
    return truth, scores
