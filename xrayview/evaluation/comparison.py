"""Tests of whether two models differ on the same films."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt

from xrayview.errors import UsageError


@dataclass(frozen=True)
class McNemar:
    """The numbers of films on which only one of two models is right, with a p-value."""

    only_first: int
    only_second: int
    p_value: float
    n: int


def mcnemar(truth_N: npt.ArrayLike, first_N: npt.ArrayLike, second_N: npt.ArrayLike) -> McNemar:
    """The exact two-sided test (McNemar 1947, binomial) of equal accuracy.

    Args:
        truth_N: the truth for each film: booleans, or indices of findings.
        first_N: the first model's prediction for each film, in the same form.
        second_N: that of the second model.

    Films are taken as independent. If no film tells the models apart, the p-value is 1.

    Raises:
        UsageError: lengths differ.
    """
    truth, first, second = (np.asarray(values).ravel() for values in (truth_N, first_N, second_N))
    if not truth.size == first.size == second.size:
        raise UsageError(
            f"{truth.size} labels, but {first.size} and {second.size} predictions",
            hint="Both models must have classified the same films.",
        )
    right_first, right_second = first == truth, second == truth
    only_first = int(np.sum(right_first & ~right_second))
    only_second = int(np.sum(right_second & ~right_first))
    return McNemar(only_first, only_second, _two_sided(only_first, only_second), int(truth.size))


def _two_sided(a: int, b: int) -> float:
    """Twice the smaller tail of Binomial(a + b, 1/2), at most 1."""
    n, fewer = a + b, min(a, b)
    tail = sum(comb(n, k) for k in range(fewer + 1))
    return min(1.0, float(tail / 2 ** (n - 1))) if n else 1.0
