"""Figures of a model that names one finding of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xrayview.errors import UsageError
from xrayview.evaluation.metrics import Confusion, auc

Matrix = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FindingFigures:
    """One finding against the rest; NaN where a figure does not exist."""

    finding: str
    counts: Confusion
    auc: float = float("nan")

    @property
    def support(self) -> int:
        """Films that carry the finding."""
        return self.counts.positives


@dataclass(frozen=True)
class Macro:
    """Means over the findings that films carry, each counting alike; NaN without any."""

    precision: float
    recall: float
    f1: float
    auc: float
    findings: int
    """How many the means are of."""


def confusion_matrix(truth_N: npt.ArrayLike, predicted_N: npt.ArrayLike, findings: int) -> Matrix:
    """Films by the finding they carry (rows) and the one that was named (columns).

    Raises:
        UsageError: lengths differ, or an index is not one of a finding.
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
    place = truth.astype(np.int64) * findings + predicted.astype(np.int64)
    return np.bincount(place, minlength=findings * findings).reshape(findings, findings)


def accuracy(matrix_FF: Matrix) -> float:
    """Share of films whose finding was named; NaN without films."""
    total = int(matrix_FF.sum())
    return float(np.trace(matrix_FF)) / total if total else float("nan")


def one_against_rest(matrix_FF: Matrix, place: int) -> Confusion:
    """The four counts of one finding."""
    hits = int(matrix_FF[place, place])
    missed = int(matrix_FF[place].sum()) - hits
    wrong = int(matrix_FF[:, place].sum()) - hits
    return Confusion(hits, wrong, missed, int(matrix_FF.sum()) - hits - missed - wrong)


def per_finding(
    truth_N: npt.ArrayLike, scores_NF: npt.ArrayLike, names: Sequence[str]
) -> tuple[FindingFigures, ...]:
    """Each finding against the rest: counts where the highest score is named, AUC of its score.

    Args:
        truth_N: index of the finding that each film carries.
        scores_NF: scores, films x findings.
        names: the findings' names, in order.

    Raises:
        UsageError: shapes do not fit, an index is not one of a finding, or a score is not finite.
    """
    truth, scores = np.asarray(truth_N).ravel(), np.asarray(scores_NF, dtype=np.float64)
    if scores.shape != (truth.size, len(names)):
        raise UsageError(
            f"Scores of shape {scores.shape} for {truth.size} films and {len(names)} findings",
            hint="Pass one row for each film and one column for each finding.",
        )
    matrix = confusion_matrix(truth, scores.argmax(axis=1), len(names))
    return tuple(
        FindingFigures(name, one_against_rest(matrix, place), auc(truth == place, scores[:, place]))
        for place, name in enumerate(names)
    )


def macro(figures: Sequence[FindingFigures]) -> Macro:
    """Means over the findings with films; a finding that is never named has precision 0."""
    carried = [figure for figure in figures if figure.support]
    precision = [np.nan_to_num(figure.counts.precision) for figure in carried]
    return Macro(
        _mean(precision),
        _mean([figure.counts.sensitivity for figure in carried]),
        _mean([figure.counts.f1 for figure in carried]),
        _mean([figure.auc for figure in carried]),
        len(carried),
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
