"""Multi-reader multi-case analysis: do conditions differ for readers and films like these?

Obuchowski and Rockette, Communications in Statistics 24 (1995) 285, with the degrees of freedom of
Hillis, Statistics in Medicine 26 (2007) 596, and the covariances of DeLong, Biometrics 44 (1988)
837. Readers and films are both random: results hold for readers and films like those of the study.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np
import numpy.typing as npt

from xrayview.errors import UsageError
from xrayview.evaluation.f_distribution import f_tail, t_quantile
from xrayview.evaluation.intervals import Estimate, placements
from xrayview.evaluation.metrics import Floats, validated


@dataclass(frozen=True)
class Covariances:
    """Obuchowski and Rockette's error variance and covariances of AUCs."""

    variance: float
    same_reader: float
    """Cov1: one reader, two conditions; NaN with one condition."""
    same_condition: float
    """Cov2: one condition, two readers."""
    neither: float
    """Cov3: two readers, two conditions; NaN with one condition."""


@dataclass(frozen=True)
class ConditionDifference:
    """Mean AUC of the first condition minus that of the second, by index."""

    first: int
    second: int
    difference: Estimate
    df: float
    p_value: float


@dataclass(frozen=True)
class MultiReader:
    """The analysis of a fully crossed study: every reader reads every film in every condition."""

    auc_TR: Floats
    """Empirical AUC (ties count half) by condition and reader, 0..1."""
    mean_T: tuple[Estimate, ...]
    """Mean AUC of each condition over the readers; the interval uses that condition only."""
    differences: tuple[ConditionDifference, ...]
    covariances: Covariances
    f: float
    """Of the test that all conditions have one mean AUC; NaN with one condition."""
    numerator_df: float
    denominator_df: float
    p_value: float
    films: int
    positives: int


def multi_reader(
    truth_N: npt.ArrayLike, ratings_TRN: npt.ArrayLike, level: float = 0.95
) -> MultiReader:
    """Analyse ratings of N films by R readers in T conditions.

    Args:
        truth_N: whether each film has the finding.
        ratings_TRN: finite ratings on any ordinal scale, higher for more suspicious.
        level: confidence level of the intervals.

    An interval of a mean is clipped to 0..1.

    Raises:
        UsageError: fewer than two readers, fewer than two films in a class, or a missing rating.
    """
    ratings = np.asarray(ratings_TRN, dtype=np.float64)
    if ratings.ndim != 3 or ratings.shape[1] < 2:
        raise UsageError(
            "The analysis needs at least two readers",
            hint="With one reader, compare the conditions with a paired test.",
        )
    conditions, readers, films = ratings.shape
    truth, _ = validated(truth_N, ratings[0, 0])
    positives = int(truth.sum())
    if min(positives, films - positives) < 2:
        raise UsageError(
            f"{positives} of {films} films have the finding",
            hint="The analysis needs at least two films with and two without it.",
        )
    auc, covariance = _areas(truth, ratings.reshape(conditions * readers, films))
    auc_TR = auc.reshape(conditions, readers)
    covariances = _averages(covariance.reshape(conditions, readers, conditions, readers))
    means = tuple(
        _mean(auc_TR[i], _averages(_block(covariance, i, readers)), films, level)
        for i in range(conditions)
    )
    test = _test(auc_TR, covariances)
    return MultiReader(
        auc_TR, means, _differences(auc_TR, test, films, level), covariances,
        test.f, test.numerator_df, test.denominator_df, test.p_value, films, positives,
    )  # fmt: skip


def _block(covariance: Floats, condition: int, readers: int) -> Floats:
    """The covariances of one condition's AUCs, shape (1, readers, 1, readers)."""
    own = slice(condition * readers, (condition + 1) * readers)
    return covariance[own, own].reshape(1, readers, 1, readers)


def _areas(truth_N: npt.NDArray[np.bool_], scores_KN: Floats) -> tuple[Floats, Floats]:
    """AUCs, shape (K,), and DeLong's covariance matrix of them, (K, K)."""
    pairs = [placements(*validated(truth_N, scores)) for scores in scores_KN]
    above = np.array([above for above, _ in pairs])
    below = np.array([below for _, below in pairs])
    covariance = np.cov(above) / above.shape[1] + np.cov(below) / below.shape[1]
    return above.mean(axis=1), np.atleast_2d(covariance)


def _averages(covariance_TRTR: Floats) -> Covariances:
    """Average the covariances by whether condition and reader agree."""
    conditions, readers = covariance_TRTR.shape[:2]
    same_T = np.eye(conditions, dtype=bool)[:, None, :, None]
    same_R = np.eye(readers, dtype=bool)[None, :, None, :]

    def average(chosen: npt.NDArray[np.bool_]) -> float:
        chosen = np.broadcast_to(chosen, covariance_TRTR.shape)
        return float(covariance_TRTR[chosen].mean()) if chosen.any() else nan

    return Covariances(
        average(same_T & same_R),
        average(~same_T & same_R),
        average(same_T & ~same_R),
        average(~same_T & ~same_R),
    )


@dataclass(frozen=True)
class _Test:
    f: float
    numerator_df: float
    denominator_df: float
    p_value: float
    error: float
    """The mean square that the conditions' mean square is compared with."""


def _test(auc_TR: Floats, covariances: Covariances) -> _Test:
    conditions, readers = auc_TR.shape
    if conditions < 2:
        return _Test(nan, nan, nan, nan, nan)
    by_condition = auc_TR.mean(axis=1, keepdims=True)
    by_reader = auc_TR.mean(axis=0, keepdims=True)
    rest = auc_TR - by_condition - by_reader + auc_TR.mean()
    between = readers * float(np.var(by_condition, ddof=1))
    interaction_df = (conditions - 1) * (readers - 1)
    interaction = float(np.sum(rest**2)) / interaction_df
    error, df = _error(
        interaction, readers * (covariances.same_condition - covariances.neither), interaction_df
    )
    if not error:
        return _Test(inf if between else nan, conditions - 1, df, 0.0 if between else 1.0, error)
    f = between / error
    return _Test(f, conditions - 1, df, f_tail(f, conditions - 1, df), error)


def _error(mean_square: float, covariance: float, df: int) -> tuple[float, float]:
    """The error mean square, and Hillis' degrees of freedom; a negative covariance counts as 0."""
    error = mean_square + max(covariance, 0.0)
    return error, (error * error * df / mean_square**2 if mean_square else inf)


def _differences(
    auc_TR: Floats, test: _Test, films: int, level: float
) -> tuple[ConditionDifference, ...]:
    conditions, readers = auc_TR.shape
    means = auc_TR.mean(axis=1)
    deviation = sqrt(2 * test.error / readers) if conditions > 1 else nan
    half = t_quantile(level, test.denominator_df) * deviation
    found = []
    for first in range(conditions):
        for second in range(first + 1, conditions):
            gap = float(means[first] - means[second])
            squared = (gap / deviation) ** 2 if deviation else (inf if gap else 0.0)
            found.append(
                ConditionDifference(
                    first,
                    second,
                    Estimate(gap, gap - half, gap + half, films),
                    test.denominator_df,
                    f_tail(squared, 1, test.denominator_df) if squared != inf else 0.0,
                )
            )
    return tuple(found)


def _mean(auc_R: Floats, covariances: Covariances, films: int, level: float) -> Estimate:
    """Mean AUC of one condition with its interval (Hillis 2014, from that condition's data)."""
    readers = auc_R.size
    error, df = _error(
        float(np.var(auc_R, ddof=1)), readers * covariances.same_condition, readers - 1
    )
    mean, half = float(auc_R.mean()), t_quantile(level, df) * sqrt(error / readers)
    return Estimate(mean, max(0.0, mean - half), min(1.0, mean + half), films)
