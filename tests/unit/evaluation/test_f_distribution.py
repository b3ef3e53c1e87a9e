"""Tails of F and quantiles of t, against SciPy and published tables."""

from __future__ import annotations

from math import inf, isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from xrayview.evaluation.f_distribution import f_tail, incomplete_beta, t_quantile

DEGREES = st.floats(0.5, 1000)


@given(DEGREES, DEGREES, st.floats(0, 1))
def test_that_the_incomplete_beta_function_is_that_of_scipy(a: float, b: float, x: float) -> None:
    assert incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), abs=1e-11)


@given(st.floats(0, 50), DEGREES, DEGREES)
def test_that_the_tail_is_that_of_scipy(f: float, numerator: float, denominator: float) -> None:
    expected = stats.f.sf(f, numerator, denominator)
    assert f_tail(f, numerator, denominator) == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("degrees", [1, 2, 5])
def test_that_an_infinite_denominator_gives_the_chi_square_tail(degrees: int) -> None:
    assert f_tail(2.5, degrees, inf) == pytest.approx(stats.chi2.sf(2.5 * degrees, degrees), 1e-5)


def test_that_quantiles_of_t_are_those_of_the_tables() -> None:
    assert t_quantile(0.95, 10) == pytest.approx(2.228, abs=5e-4)
    assert t_quantile(0.99, 4) == pytest.approx(4.604, abs=5e-4)
    assert t_quantile(0.95, inf) == pytest.approx(1.959964, abs=1e-6)


def test_that_an_unknown_argument_stays_unknown() -> None:
    assert isnan(f_tail(nan, 1, 5))
    assert isnan(f_tail(2, 1, nan))
    assert isnan(t_quantile(0.95, nan))
