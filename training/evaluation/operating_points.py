"""Operating points, chosen on validation only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from xrayview.domain.model import OperatingPoint
from xrayview.evaluation.metrics import confusion, threshold_for_sensitivity

Truth = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]


def choose_operating_points(
    finding: str,
    truth_N: Truth,
    scores_N: Scores,
    sensitivity: float,
    specificity: float,
    fixed: Sequence[float] = (),
) -> tuple[OperatingPoint, ...]:
    """Return `balanced` at 0.5, the fixed points, then a sensitive and a specific point.

    The last two are left out where they do not differ from 0.5, or if all films are of one class.

    The first point is a convention, not chosen on data: a threshold that is tuned on films of one
    source varies more between sources than the scores do.
    """

    def point(name: str, threshold: float, chosen_by: str) -> OperatingPoint:
        counts = confusion(truth_N, scores_N, threshold)
        return OperatingPoint(
            finding,
            name,
            threshold,
            chosen_by,
            counts.sensitivity if counts.positives else None,
            counts.specificity if counts.negatives else None,
        )

    def points() -> Iterator[OperatingPoint]:
        yield point("balanced", 0.5, "0.5 by convention; sensitivity, specificity on validation")
        for score in fixed:
            yield point(fixed_name(score), score, f"{score:g} by convention; metrics on validation")
        if truth_N.all() or not truth_N.any():
            return
        low = threshold_for_sensitivity(truth_N, scores_N, sensitivity)
        if low < 0.5:
            yield point(
                "high-sensitivity", low, f"sensitivity of at least {sensitivity:g} on validation"
            )
        high = _threshold_for_specificity(truth_N, scores_N, specificity)
        if 0.5 < high <= 1:
            yield point(
                "high-specificity", high, f"specificity of at least {specificity:g} on validation"
            )

    return tuple(points())


def fixed_name(score: float) -> str:
    """Return the name of an operating point at a fixed score."""
    return f"at-{score:g}"


def _threshold_for_specificity(truth_N: Truth, scores_N: Scores, specificity: float) -> float:
    """Return the lowest threshold above enough of the negatives' scores."""
    negatives = np.sort(scores_N[~truth_N])
    below = int(np.ceil(specificity * negatives.size - 1e-9))
    return float(np.nextafter(negatives[below - 1], np.inf)) if below else 0.0
