"""Tail probabilities of Fisher's F and quantiles of Student's t; the standard library only."""

from __future__ import annotations

from math import exp, inf, isinf, isnan, lgamma, log, log1p, nan
from statistics import NormalDist

_TINY = 1e-300
_PRECISION = 1e-15
_MOST_TERMS = 10_000
_AS_GOOD_AS_INFINITE = 1e7
"""Degrees of freedom: a tail differs from its limit by less than 1e-6."""


def f_tail(f: float, numerator_df: float, denominator_df: float) -> float:
    """P(F > f) of the F distribution; degrees of freedom are real and positive.

    Infinite `denominator_df` is the limit, a chi-square over its degrees of freedom. NaN where an
    argument is NaN.
    """
    if isnan(f) or isnan(denominator_df):
        return nan
    if f <= 0:
        return 1.0
    denominator_df = min(denominator_df, _AS_GOOD_AS_INFINITE)
    x = denominator_df / (denominator_df + numerator_df * f)
    return incomplete_beta(denominator_df / 2, numerator_df / 2, x)


def t_quantile(level: float, df: float) -> float:
    """The t with P(-t < T < t) = `level`, 0 < level < 1, by bisection on the tail."""
    if isnan(df):
        return nan
    if isinf(df):
        return NormalDist().inv_cdf((1 + level) / 2)
    low, high = 0.0, 1.0
    while f_tail(high * high, 1, df) > 1 - level:
        low, high = high, high * 2
        if isinf(high):
            return inf
    for _ in range(200):
        middle = (low + high) / 2
        if f_tail(middle * middle, 1, df) > 1 - level:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), 0 <= x <= 1, a and b positive.

    Source: Abramowitz and Stegun, 26.5.8 (continued fraction), evaluated by Lentz's method.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the fraction converges quickly below this point
        return 1 - incomplete_beta(b, a, 1 - x)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    return front / _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction's denominator, term by term until it stands still."""
    value, above, below = 1.0, 1.0, 0.0
    for term in range(1, _MOST_TERMS):
        m = term // 2
        if term % 2:
            step = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            step = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        below = 1 / ((1 + step * below) or _TINY)
        above = (1 + step / above) or _TINY
        value *= above * below
        if abs(above * below - 1) < _PRECISION:
            break
    return value
