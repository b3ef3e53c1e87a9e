"""Metrics, compared with scikit-learn and with sums done by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from xrayview.errors import UsageError
from xrayview.evaluation.metrics import (
    auc,
    brier,
    confusion,
    expected_calibration_error,
    midranks,
    threshold_for_sensitivity,
)

FILMS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.8, 1.0])), min_size=1
)


@settings(deadline=None, max_examples=25)
@given(FILMS)
def test_that_the_auc_equals_that_of_scikit_learn_with_ties(films: list[tuple[bool, float]]):
    truth, scores = map(np.array, zip(*films, strict=True))
    if len(set(truth)) < 2:
        assert np.isnan(auc(truth, scores))
    else:
        assert auc(truth, scores) == pytest.approx(reference.roc_auc_score(truth, scores))


@settings(deadline=None, max_examples=25)
@given(FILMS, st.floats(0, 1))
def test_that_counts_and_metrics_equal_those_of_scikit_learn(
    films: list[tuple[bool, float]], threshold: float
):
    truth, scores = map(np.array, zip(*films, strict=True))
    counts, called = confusion(truth, scores, threshold), scores >= threshold
    table = reference.confusion_matrix(truth, called, labels=[False, True])
    assert [counts.true_negative, counts.false_positive] == table[0].tolist()
    assert [counts.false_negative, counts.true_positive] == table[1].tolist()
    assert counts.accuracy == pytest.approx(reference.accuracy_score(truth, called))
    if counts.positives:
        assert counts.sensitivity == pytest.approx(reference.recall_score(truth, called))
        assert counts.f1 == pytest.approx(reference.f1_score(truth, called))
    if called.any():
        assert counts.precision == pytest.approx(reference.precision_score(truth, called))


@settings(deadline=None, max_examples=25)
@given(FILMS)
def test_that_the_brier_score_equals_that_of_scikit_learn(films: list[tuple[bool, float]]):
    truth, scores = map(np.array, zip(*films, strict=True))
    expected = reference.brier_score_loss(truth, scores, pos_label=True)
    assert brier(truth, scores) == pytest.approx(expected)


def test_that_the_calibration_error_weights_bins_by_their_films():
    truth = [0, 0, 0, 1, 1]
    scores = [0.1, 0.1, 0.1, 0.1, 0.9]
    # First bin: mean score 0.1, a quarter carry the finding; second: 0.9 against all.
    assert expected_calibration_error(truth, scores, bins=2) == pytest.approx(
        4 / 5 * 0.15 + 1 / 5 * 0.1
    )


def test_that_a_metric_without_films_is_nan():
    counts = confusion([True, True], [0.9, 0.2], 0.95)
    assert np.isnan(counts.specificity)
    assert np.isnan(counts.precision)
    assert counts.sensitivity == 0


@pytest.mark.parametrize("target", [0.0, 0.2, 0.5, 0.75, 0.99, 1.0])
def test_that_no_higher_threshold_reaches_the_sensitivity(target: float):
    rng = np.random.default_rng(3)
    truth = rng.random(200) < 0.4
    scores = np.clip(0.3 * truth + 0.7 * rng.random(200), 0, 1)
    threshold = threshold_for_sensitivity(truth, scores, target)
    assert confusion(truth, scores, threshold).sensitivity >= target
    higher = np.nextafter(threshold, 2)
    reached = confusion(truth, scores, higher).sensitivity
    assert reached < max(target, 1 / truth.sum())


def test_that_ties_get_their_mean_rank():
    assert midranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]


@pytest.mark.parametrize(
    ("truth", "scores"), [([1, 0], [0.5]), ([1, 0], [0.5, np.nan]), ([1, 0], [0.5, np.inf])]
)
def test_that_invalid_scores_are_refused(truth: list[int], scores: list[float]):
    with pytest.raises(UsageError):
        auc(truth, scores)


def test_that_a_threshold_needs_a_film_with_the_finding():
    with pytest.raises(UsageError, match="has the finding"):
        threshold_for_sensitivity([0, 0], [0.1, 0.2], 0.9)
