"""Confidence of a model: its mean where right and where wrong, and accuracy by confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xrayview.errors import UsageError

SHARES = (0.5, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class ConfidentShare:
    """The most confident share of the films (selective classification: El-Yaniv, Wiener 2010)."""

    share: float
    """0..1 of all films."""
    n: int
    accuracy: float
    least_confidence: float
    """The lowest confidence among these films: the threshold that would select them."""


@dataclass(frozen=True)
class Confidence:
    """Mean confidence by whether the model was right; NaN without such a film."""

    n: int
    when_right: float
    when_wrong: float
    shares: tuple[ConfidentShare, ...]


def confidence(right_N: npt.ArrayLike, confidence_N: npt.ArrayLike) -> Confidence:
    """Mean confidence of right and wrong predictions, and accuracy of the most confident films.

    Args:
        right_N: whether each film's prediction is right.
        confidence_N: the score of each film's prediction, 0..1.

    A share is rounded to whole films, at least one. Films with equal confidence keep their order.

    Raises:
        UsageError: there is no film, lengths differ, or a confidence is not within 0..1.
    """
    right = np.asarray(right_N, dtype=np.bool_).ravel()
    confidences = np.asarray(confidence_N, dtype=np.float64).ravel()
    if right.size != confidences.size or not right.size:
        raise UsageError(
            f"{right.size} predictions, but {confidences.size} confidences",
            hint="Give one confidence per prediction, and at least one.",
        )
    if not ((confidences >= 0) & (confidences <= 1)).all():
        raise UsageError("A confidence is not within 0 and 1", hint="Give calibrated scores.")
    order = np.argsort(-confidences, kind="stable")
    return Confidence(
        right.size,
        _mean(confidences[right]),
        _mean(confidences[~right]),
        tuple(_share(share, right[order], confidences[order]) for share in SHARES),
    )


def _share(
    share: float, right_N: npt.NDArray[np.bool_], confidence_N: npt.NDArray[np.float64]
) -> ConfidentShare:
    n = max(1, round(share * right_N.size))
    return ConfidentShare(share, n, float(right_N[:n].mean()), float(confidence_N[n - 1]))


def _mean(values: npt.NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else float("nan")
