"""Metrics of a multiclass model, which predicts one of several findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xrayview.errors import UsageError
from xrayview.evaluation.metrics import Confusion

Matrix = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FindingCounts:
    """The counts of one finding against the rest."""

    finding: str
    counts: Confusion

    @property
    def support(self) -> int:
        """Number of films with the finding."""
        return self.counts.positives


@dataclass(frozen=True)
class Macro:
    """Unweighted means over the findings that occur; NaN without any."""

    precision: float
    recall: float
    f1: float
    findings: int
    """Number of findings that occur."""


def confusion_matrix(truth_N: npt.ArrayLike, predicted_N: npt.ArrayLike, findings: int) -> Matrix:
    """Numbers of films by true finding (rows) and predicted finding (columns).

    Raises:
        UsageError: lengths differ, or an index is out of range.
    """
    truth, predicted = np.asarray(truth_N).ravel(), np.asarray(predicted_N).ravel()
    if truth.size != predicted.size:
        raise UsageError(
            f"{truth.size} labels for {predicted.size} predictions",
            hint="Pass one of each for every film.",
        )
    both = np.concatenate([truth, predicted]).astype(np.int64)
    if both.size and not (both.min() >= 0 and both.max() < findings):
        raise UsageError(
            "An index is not that of a finding", hint=f"Indices run from 0 to {findings - 1}."
        )
    cell_N = truth.astype(np.int64) * findings + predicted.astype(np.int64)
    return np.bincount(cell_N, minlength=findings * findings).reshape(findings, findings)


def accuracy(matrix_FF: Matrix) -> float:
    """Share of films with the right prediction; NaN without films."""
    total = int(matrix_FF.sum())
    return float(np.trace(matrix_FF)) / total if total else float("nan")


def one_against_rest(matrix_FF: Matrix, index: int) -> Confusion:
    """The counts of one finding against the rest."""
    hits = int(matrix_FF[index, index])
    missed = int(matrix_FF[index].sum()) - hits
    wrong = int(matrix_FF[:, index].sum()) - hits
    return Confusion(hits, wrong, missed, int(matrix_FF.sum()) - hits - missed - wrong)


def macro(findings: Sequence[FindingCounts]) -> Macro:
    """Means over the findings that occur; one that is never predicted has a precision of 0."""
    counts = [finding.counts for finding in findings if finding.support]
    return Macro(
        _mean([np.nan_to_num(count.precision) for count in counts]),
        _mean([count.sensitivity for count in counts]),
        _mean([count.f1 for count in counts]),
        len(counts),
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
