"""Intervals, compared with scipy and definitions, and checked for coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from xrayview.evaluation.intervals import Estimate, clustered_bootstrap, delong, wilson
from xrayview.evaluation.metrics import auc, expected_calibration_error


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (10, 10), (3, 17), (203, 234)])
def test_that_wilsons_interval_equals_that_of_scipy(hits: int, n: int):
    found = wilson(hits, n)
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert found.n == n


def test_that_a_proportion_of_no_films_has_no_interval():
    assert math.isnan(wilson(0, 0).value)


def placement_variance(truth: np.ndarray, scores: np.ndarray) -> float:
    """DeLong's variance by definition: all pairs, with the kernel 1, one half or 0."""
    kernel = np.sign(scores[truth][:, None] - scores[~truth][None, :]) / 2 + 0.5
    positives, negatives = kernel.shape
    return float(
        kernel.mean(axis=1).var(ddof=1) / positives + kernel.mean(axis=0).var(ddof=1) / negatives
    )


def test_that_delongs_interval_equals_its_definition():
    rng = np.random.default_rng(5)
    truth = rng.random(120) < 0.4
    scores = np.round(0.4 * truth + rng.random(120), 1)  # with ties
    found = delong(truth, scores)
    half = 1.959963984540054 * math.sqrt(placement_variance(truth, scores))
    assert found.value == pytest.approx(auc(truth, scores))
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half))


def test_that_delong_without_both_classes_has_no_value():
    assert math.isnan(delong([1, 1], [0.2, 0.4]).value)
    assert math.isnan(delong([1, 0, 0], [0.2, 0.4, 0.1]).low)


def test_that_delongs_bounds_are_within_0_and_1():
    found = delong([0, 0, 0, 1, 1, 1, 0, 1], [0.1, 0.2, 0.3, 0.7, 0.8, 0.9, 0.75, 0.4])
    assert 0 <= found.low < found.high <= 1


def test_that_films_of_one_patient_count_as_one():
    rng = np.random.default_rng(1)
    right = np.repeat(rng.random(40) < 0.7, 10)  # ten like films of each of 40 patients
    patients = np.repeat(np.arange(40), 10).tolist()

    def share(indices: np.ndarray) -> float:
        return float(right[indices].mean())

    by_patient = clustered_bootstrap(share, patients, draws=400)
    by_film = clustered_bootstrap(share, range(400), draws=400)
    assert by_patient.high - by_patient.low > 2 * (by_film.high - by_film.low)
    assert by_patient.value == by_film.value == right.mean()


def test_that_single_films_as_clusters_give_nearly_delongs_interval():
    rng = np.random.default_rng(2)
    truth = rng.random(300) < 0.5
    scores = truth + rng.normal(size=300)
    drawn = clustered_bootstrap(lambda p: auc(truth[p], scores[p]), range(300), draws=600)
    exact = delong(truth, scores)
    assert (drawn.low, drawn.high) == pytest.approx((exact.low, exact.high), abs=0.01)


def test_that_a_seed_gives_the_same_interval_again():
    values = np.random.default_rng(0).random(30)

    def mean(indices: np.ndarray) -> float:
        return float(values[indices].mean())

    once, again = (clustered_bootstrap(mean, range(30), draws=50, seed=4) for _ in range(2))
    assert once == again
    assert once != clustered_bootstrap(mean, range(30), draws=50, seed=5)


def test_that_a_metric_that_is_mostly_nan_has_no_bounds():
    found = clustered_bootstrap(lambda indices: float("nan"), range(5), draws=20)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def calibration_error(n: int, seed: int, centred: bool, offset: float = 0.0) -> Estimate:
    """The calibration error, with its interval, of scores that are shifted by `offset`."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0, 1 - offset, n)
    truth = rng.random(n) < scores + offset

    def error(indices: np.ndarray) -> float:
        return expected_calibration_error(truth[indices], scores[indices])

    return clustered_bootstrap(error, range(n), draws=100, centred=centred)


def test_that_a_metric_that_draws_inflate_lies_in_its_interval():
    plain = [calibration_error(150, seed, centred=False) for seed in range(10)]
    assert any(not found.low <= found.value <= found.high for found in plain)
    for seed in range(10):
        found = calibration_error(150, seed, centred=True)
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert found.value == plain[seed].value


def test_that_a_centred_interval_contains_the_true_error():
    found = [calibration_error(2000, seed, centred=True, offset=0.2) for seed in range(5)]
    assert sum(each.low <= 0.2 <= each.high for each in found) >= 4
    assert all(each.high - each.low < 0.1 for each in found)
