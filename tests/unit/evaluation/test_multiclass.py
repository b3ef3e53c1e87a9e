"""Metrics of several findings, compared with scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from xrayview.errors import UsageError
from xrayview.evaluation.multiclass import (
    FindingCounts,
    accuracy,
    confusion_matrix,
    macro,
    one_against_rest,
)

NAMES = ("Normal", "Pneumonia", "Tuberculosis")


def counts_of(truth: np.ndarray, predicted: np.ndarray) -> list[FindingCounts]:
    matrix = confusion_matrix(truth, predicted, len(NAMES))
    return [FindingCounts(name, one_against_rest(matrix, i)) for i, name in enumerate(NAMES)]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(10, 60))
def test_that_metrics_equal_those_of_scikit_learn(seed: int, films: int):
    rng = np.random.default_rng(seed)
    truth = np.concatenate([[0, 1, 2], rng.integers(3, size=films)])
    predicted = np.where(rng.random(truth.size) < 0.6, truth, rng.integers(3, size=truth.size))
    found = counts_of(truth, predicted)
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        truth, predicted, labels=[0, 1, 2], zero_division=np.nan
    )
    np.testing.assert_allclose([f.counts.precision for f in found], precision)
    np.testing.assert_allclose([f.counts.sensitivity for f in found], recall)
    np.testing.assert_allclose([f.counts.f1 for f in found], f1)
    assert [f.support for f in found] == support.tolist()
    matrix = confusion_matrix(truth, predicted, 3)
    assert matrix.tolist() == reference.confusion_matrix(truth, predicted).tolist()
    assert accuracy(matrix) == pytest.approx(reference.accuracy_score(truth, predicted))
    means = macro(found)
    expected = reference.precision_recall_fscore_support(
        truth, predicted, average="macro", zero_division=0
    )
    assert (means.precision, means.recall, means.f1) == pytest.approx(expected[:3])


def test_that_a_finding_that_does_not_occur_is_left_out_of_the_means():
    found = counts_of(np.array([0, 1]), np.array([0, 1]))
    assert found[2].support == 0
    assert macro(found).findings == 2
    assert macro(found).recall == 1


def test_that_no_films_have_no_accuracy():
    assert math.isnan(accuracy(confusion_matrix([], [], 3)))
    assert math.isnan(macro(()).f1)


@pytest.mark.parametrize(
    ("truth", "predicted"), [([0, 1], [0]), ([0, 3], [0, 1]), ([0, -1], [0, 1])]
)
def test_that_invalid_predictions_are_refused(truth: list[int], predicted: list[int]):
    with pytest.raises(UsageError):
        confusion_matrix(truth, predicted, 3)
