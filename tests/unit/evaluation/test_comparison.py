"""Tests of two models on the same films, compared with scipy and with definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from xrayview.errors import UsageError
from xrayview.evaluation.comparison import mcnemar
from xrayview.evaluation.intervals import delong, paired_delong
from xrayview.evaluation.metrics import auc


def scored(seed: int, films: int = 150) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, and the correlated scores of two models."""
    rng = np.random.default_rng(seed)
    truth = rng.random(films) < 0.4
    seen = 0.5 * truth + rng.random(films)
    return truth, np.round(seen, 1), np.round(seen + 0.4 * rng.random(films), 1)


@pytest.mark.parametrize("seed", range(4))
def test_that_mcnemars_p_value_equals_that_of_scipy(seed: int):
    rng = np.random.default_rng(seed)
    truth = rng.integers(3, size=80)
    first = np.where(rng.random(80) < 0.8, truth, 0)
    second = np.where(rng.random(80) < 0.6, truth, 1)
    found = mcnemar(truth, first, second)
    n = found.only_first + found.only_second
    assert found.only_first == int(np.sum((first == truth) & (second != truth)))
    assert found.p_value == pytest.approx(binomtest(found.only_first, n, 0.5).pvalue)


def test_that_models_with_the_same_errors_do_not_differ():
    found = mcnemar([1, 0, 1], [1, 1, 1], [1, 1, 1])
    assert (found.only_first, found.only_second, found.p_value) == (0, 0, 1.0)


def test_that_predictions_of_different_films_are_refused():
    with pytest.raises(UsageError, match="same films"):
        mcnemar([1, 0], [1, 0], [1])


@pytest.mark.parametrize("seed", range(4))
def test_that_paired_delong_equals_its_definition(seed: int):
    truth, first, second = scored(seed)
    kernels = [
        np.sign(scores[truth][:, None] - scores[~truth][None, :]) / 2 + 0.5
        for scores in (first, second)
    ]
    rows = np.cov([kernel.mean(axis=1) for kernel in kernels])
    columns = np.cov([kernel.mean(axis=0) for kernel in kernels])
    covariance = rows / truth.sum() + columns / (~truth).sum()
    deviation = math.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    gap = auc(truth, first) - auc(truth, second)
    found = paired_delong(truth, first, second)
    assert (found.first, found.second) == pytest.approx((auc(truth, first), auc(truth, second)))
    assert found.difference.value == pytest.approx(gap)
    assert found.difference.low == pytest.approx(gap - norm.ppf(0.975) * deviation)
    assert found.p_value == pytest.approx(2 * norm.sf(abs(gap) / deviation))


def test_that_a_paired_interval_is_narrower_than_two_separate_ones():
    truth, first, second = scored(9)
    found = paired_delong(truth, first, second).difference
    apart = [delong(truth, scores) for scores in (first, second)]
    assert found.high - found.low < sum(e.high - e.low for e in apart) / 2


def test_that_a_model_does_not_differ_from_itself():
    truth, first, _ = scored(1)
    found = paired_delong(truth, first, first)
    assert found.difference.value == 0
    assert found.p_value == 1


def test_that_paired_delong_without_enough_films_has_no_interval():
    assert math.isnan(paired_delong([1, 1], [0.2, 0.9], [0.1, 0.3]).first)
    single = paired_delong([1, 0, 0], [0.9, 0.2, 0.3], [0.1, 0.2, 0.3])
    assert single.difference.value == 1
    assert math.isnan(single.p_value)
