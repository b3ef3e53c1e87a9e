"""Agreement of readers beyond chance: kappa of two, of several, and intraclass correlation."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from math import nan
from typing import Literal

import numpy as np
import numpy.typing as npt

from xrayview.errors import UsageError
from xrayview.evaluation.intervals import Estimate, Indices, clustered_bootstrap
from xrayview.evaluation.metrics import Floats

Weights = Literal["none", "linear", "quadratic"]
Cells = npt.NDArray[np.int64]


def cohen_kappa(
    first_N: npt.ArrayLike,
    second_N: npt.ArrayLike,
    *,
    categories: Sequence[float] | None = None,
    weights: Weights = "none",
    clusters_N: Sequence[Hashable] | None = None,
) -> Estimate:
    """Cohen's kappa of two readers, or weighted kappa of an ordinal scale.

    Args:
        first_N: the first reader's category of each film, as numbers.
        second_N: that of the second.
        categories: the scale in its order; without it, the values that occur.
        weights: how a disagreement grows with the distance in the scale.
        clusters_N: the patient of each film, for the interval (a 95 % bootstrap over patients).

    NaN where chance alone explains everything (both readers use one category only).

    Raises:
        UsageError: lengths differ, or a value is not on the scale.
    """
    pair = _pair(first_N, second_N)
    scale = np.array(sorted(set(pair.ravel())) if categories is None else categories, dtype=float)
    cells = _indices(pair, scale)
    distance = np.abs(np.subtract.outer(np.arange(scale.size), np.arange(scale.size)))
    penalty = {"none": distance > 0, "linear": distance, "quadratic": distance**2}[weights]

    def kappa(chosen: Indices) -> float:
        table = np.zeros((scale.size, scale.size))
        np.add.at(table, (cells[0, chosen], cells[1, chosen]), 1)
        observed = float((penalty * table).sum())
        expected = float((penalty * np.outer(table.sum(axis=1), table.sum(axis=0))).sum())
        return 1 - observed * chosen.size / expected if expected else nan

    return _interval(kappa, cells.shape[1], clusters_N)


def fleiss_kappa(
    ratings_RN: npt.ArrayLike, *, clusters_N: Sequence[Hashable] | None = None
) -> Estimate:
    """Fleiss' kappa of R readers who each gave every film one category (Fleiss 1971).

    NaN where only one category occurs. The interval is a 95 % bootstrap over patients.

    Raises:
        UsageError: fewer than two readers, or a missing rating.
    """
    ratings = _ratings(ratings_RN)
    scale = np.unique(ratings)
    counts = (ratings[:, :, None] == scale).sum(axis=0)  # films x categories
    readers = ratings.shape[0]

    def kappa(chosen: Indices) -> float:
        table = counts[chosen]
        agreed = float((table * (table - 1)).sum()) / (len(table) * readers * (readers - 1))
        chance = float(((table.sum(axis=0) / table.sum()) ** 2).sum())
        return (agreed - chance) / (1 - chance) if chance < 1 else nan

    return _interval(kappa, ratings.shape[1], clusters_N)


def intraclass_correlation(
    ratings_RN: npt.ArrayLike, *, clusters_N: Sequence[Hashable] | None = None
) -> Estimate:
    """ICC(2,1): absolute agreement of single ratings, readers and films random.

    Shrout and Fleiss, Psychological Bulletin 86 (1979) 420. NaN where nothing varies. The interval
    is a 95 % bootstrap over patients.

    Raises:
        UsageError: fewer than two readers, or a missing rating.
    """
    ratings = _ratings(ratings_RN)
    readers = ratings.shape[0]

    def correlation(chosen: Indices) -> float:
        table = ratings[:, chosen]
        n = table.shape[1]
        if n < 2:
            return nan
        films = readers * float(table.mean(axis=0).var(ddof=1))
        raters = n * float(table.mean(axis=1).var(ddof=1))
        rest = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
        error = float((rest**2).sum()) / ((n - 1) * (readers - 1))
        total = films + (readers - 1) * error + readers * (raters - error) / n
        return (films - error) / total if total > 0 else nan

    return _interval(correlation, ratings.shape[1], clusters_N)


def _pair(first_N: npt.ArrayLike, second_N: npt.ArrayLike) -> Floats:
    first, second = (np.asarray(v, dtype=np.float64).ravel() for v in (first_N, second_N))
    if first.size != second.size:
        raise UsageError(
            f"{first.size} ratings of one reader, {second.size} of the other",
            hint="Compare the films that both have read.",
        )
    return np.stack([first, second])


def _ratings(ratings_RN: npt.ArrayLike) -> Floats:
    ratings = np.asarray(ratings_RN, dtype=np.float64)
    if ratings.ndim != 2 or ratings.shape[0] < 2 or not np.isfinite(ratings).all():
        raise UsageError(
            "Agreement needs at least two readers, and a rating of each for every film",
            hint="Leave out films that a reader has not read.",
        )
    return ratings


def _indices(values: Floats, scale: Floats) -> Cells:
    found = values[..., None] == scale
    if not found.any(axis=-1).all():
        raise UsageError("A rating is not on the scale", hint="Name all categories.")
    return np.asarray(found.argmax(axis=-1), dtype=np.int64)


def _interval(
    metric: Callable[[Indices], float], n: int, clusters_N: Sequence[Hashable] | None
) -> Estimate:
    return clustered_bootstrap(metric, range(n) if clusters_N is None else clusters_N)
