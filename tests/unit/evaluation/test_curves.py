"""Curves and reliability, compared with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve

from xrayview.evaluation.curves import average_precision, curve, reliability
from xrayview.evaluation.metrics import expected_calibration_error

FILMS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.8, 1.0])), min_size=2
).filter(lambda films: len({truth for truth, _ in films}) == 2)


@settings(deadline=None, max_examples=25)
@given(FILMS)
def test_that_the_curve_equals_that_of_scikit_learn(
    films: list[tuple[bool, float]],
):
    truth, scores = map(np.array, zip(*films, strict=True))
    found = curve(truth, scores)
    fall_out, recall, thresholds = reference.roc_curve(truth, scores, drop_intermediate=False)
    np.testing.assert_allclose(found.thresholds_T, thresholds[1:])  # the first is infinity
    np.testing.assert_allclose(found.sensitivity_T, recall[1:])
    np.testing.assert_allclose(1 - found.specificity_T, fall_out[1:], atol=1e-12)
    precision, _, _ = reference.precision_recall_curve(truth, scores)
    np.testing.assert_allclose(found.precision_T, precision[:-1][::-1])


@settings(deadline=None, max_examples=25)
@given(FILMS)
def test_that_average_precision_equals_that_of_scikit_learn(films: list[tuple[bool, float]]):
    truth, scores = map(np.array, zip(*films, strict=True))
    expected = reference.average_precision_score(truth, scores)
    assert average_precision(truth, scores) == pytest.approx(expected)


def test_that_average_precision_without_the_finding_is_nan():
    assert np.isnan(average_precision([0, 0], [0.1, 0.9]))
    assert np.isnan(curve([0, 0], [0.1, 0.9]).sensitivity_T).all()


def test_that_no_films_give_an_empty_curve():
    assert curve([], []).thresholds_T.size == 0


def test_that_reliability_equals_that_of_scikit_learn_and_sums_to_the_calibration_error():
    rng = np.random.default_rng(4)
    scores = rng.random(300)
    truth = rng.random(300) < scores**2
    bins = reliability(truth, scores, bins=10)
    observed, mean_score = calibration_curve(truth, scores, n_bins=10)
    np.testing.assert_allclose([b.observed for b in bins], observed)
    np.testing.assert_allclose([b.mean_score for b in bins], mean_score)
    weighted = sum(b.n * abs(b.observed - b.mean_score) for b in bins) / 300
    assert weighted == pytest.approx(expected_calibration_error(truth, scores, bins=10))


def test_that_an_empty_bin_is_nan_and_a_score_of_1_has_a_bin():
    bins = reliability([1, 0], [1.0, 0.0], bins=4)
    assert [b.n for b in bins] == [1, 0, 0, 1]
    assert np.isnan(bins[1].observed)
    assert np.isnan(bins[1].mean_score)
