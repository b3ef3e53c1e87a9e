"""Is a model surer where it is right? Mean confidence, and accuracy among its surest films."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xrayview.errors import UsageError

SHARES = (0.5, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class Surest:
    """A share of the films, the surest first (selective classification: El-Yaniv, Wiener 2010)."""

    share: float
    """0..1 of all films."""
    n: int
    accuracy: float
    least_confidence: float
    """Of these films: the threshold that would choose them."""


@dataclass(frozen=True)
class Confidence:
    """How sure a model was, by whether it was right; NaN where there is no such film."""

    n: int
    when_right: float
    when_wrong: float
    surest: tuple[Surest, ...]


def confidence(right_N: npt.ArrayLike, confidence_N: npt.ArrayLike) -> Confidence:
    """Mean confidence of right and of wrong calls, and accuracy among the surest films.

    Args:
        right_N: which films were called right.
        confidence_N: the score of what each film was called, 0..1.

    A share counts films to the nearest whole number, at least one. Films as sure as each other
    keep their order.

    Raises:
        UsageError: there is no film, lengths differ, or a confidence is not within 0..1.
    """
    right = np.asarray(right_N, dtype=np.bool_).ravel()
    sure = np.asarray(confidence_N, dtype=np.float64).ravel()
    if right.size != sure.size or not right.size:
        raise UsageError(
            f"{right.size} films are classified, but {sure.size} have a confidence",
            hint="Pass one confidence for each film.",
        )
    if not ((sure >= 0) & (sure <= 1)).all():
        raise UsageError("A confidence is not between 0 and 1", hint="Pass calibrated scores.")
    order = np.argsort(-sure, kind="stable")
    return Confidence(
        right.size,
        _mean(sure[right]),
        _mean(sure[~right]),
        tuple(_surest(share, right[order], sure[order]) for share in SHARES),
    )


def _surest(
    share: float, right_N: npt.NDArray[np.bool_], sure_N: npt.NDArray[np.float64]
) -> Surest:
    n = max(1, round(share * right_N.size))
    return Surest(share, n, float(right_N[:n].mean()), float(sure_N[n - 1]))


def _mean(values: npt.NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else float("nan")
