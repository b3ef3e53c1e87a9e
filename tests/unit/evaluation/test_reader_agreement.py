"""Agreement of readers: published examples, and scikit-learn on random ratings."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from xrayview.errors import UsageError
from xrayview.evaluation.reader_agreement import (
    Weights,
    cohen_kappa,
    fleiss_kappa,
    intraclass_correlation,
)

# Shrout and Fleiss 1979, table 2: six targets, four judges; ICC(2,1) = 0.29 in table 4.
SHROUT_FLEISS = [[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]]


def test_the_published_intraclass_correlation() -> None:
    assert intraclass_correlation(SHROUT_FLEISS).value == pytest.approx(0.29, abs=0.005)


def test_kappa_worked_out_by_hand() -> None:
    # 20 and 15 of 50 films agreed, 5 and 10 not: observed 0.7, chance 0.5 (Cohen 1960's formula).
    first = [1] * 25 + [0] * 25
    second = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert cohen_kappa(first, second).value == pytest.approx(0.4)
    assert cohen_kappa(first, second).low < 0.4 < cohen_kappa(first, second).high


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_that_kappa_is_that_of_scikit_learn(weights: Weights) -> None:
    rng = np.random.default_rng(0)
    first = rng.integers(1, 6, 80)
    second = np.clip(first + rng.integers(-1, 2, 80), 1, 5)
    expected = cohen_kappa_score(first, second, weights=None if weights == "none" else weights)
    assert cohen_kappa(first, second, weights=weights).value == pytest.approx(expected)


def test_that_an_unused_category_scales_all_distances_alike() -> None:
    first, second = [1, 3, 3, 1], [1, 3, 1, 3]
    assert cohen_kappa(first, second, weights="linear").value == pytest.approx(
        cohen_kappa(first, second, weights="linear", categories=[1, 2, 3]).value
    )


def test_that_both_kappas_agree_for_two_readers_with_equal_marginals() -> None:
    # Fleiss pools the marginals of the readers.
    first, second = [0, 0, 1, 1, 0, 1], [0, 1, 1, 0, 0, 1]
    assert fleiss_kappa([first, second]).value == pytest.approx(cohen_kappa(first, second).value)


def test_that_perfect_agreement_is_one_and_no_variation_is_unknown() -> None:
    assert fleiss_kappa([[0, 1, 2], [0, 1, 2], [0, 1, 2]]).value == pytest.approx(1)
    assert intraclass_correlation([[1, 2, 3], [1, 2, 3]]).value == pytest.approx(1)
    assert isnan(fleiss_kappa([[1, 1], [1, 1]]).value)
    assert isnan(cohen_kappa([1, 1], [1, 1]).value)
    assert isnan(intraclass_correlation([[1, 1], [1, 1]]).value)


def test_what_is_refused() -> None:
    with pytest.raises(UsageError, match="2 ratings of one reader, 1"):
        cohen_kappa([1, 2], [1])
    with pytest.raises(UsageError, match="not on the scale"):
        cohen_kappa([1, 2], [1, 4], categories=[1, 2, 3])
    with pytest.raises(UsageError, match="at least two readers"):
        fleiss_kappa([[1, 2]])
    with pytest.raises(UsageError, match="a rating of each"):
        intraclass_correlation([[1, 2], [1, float("nan")]])
