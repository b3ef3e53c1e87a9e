"""Figures of several findings, held against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from xrayview.errors import UsageError
from xrayview.evaluation.multiclass import accuracy, confusion_matrix, macro, per_finding

NAMES = ("Normal", "Pneumonia", "Tuberculosis")


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(10, 60))
def test_that_each_findings_figures_are_those_of_scikit_learn(seed: int, films: int):
    rng = np.random.default_rng(seed)
    truth = np.concatenate([[0, 1, 2], rng.integers(3, size=films)])
    scores = rng.dirichlet(np.ones(3), size=truth.size) + 0.3 * np.eye(3)[truth]
    scores /= scores.sum(axis=1, keepdims=True)
    called = scores.argmax(axis=1)
    found = per_finding(truth, scores, NAMES)
    precision, recall, f1, support = reference.precision_recall_fscore_support(
        truth, called, labels=[0, 1, 2], zero_division=np.nan
    )
    np.testing.assert_allclose([f.counts.precision for f in found], precision)
    np.testing.assert_allclose([f.counts.sensitivity for f in found], recall)
    np.testing.assert_allclose([f.counts.f1 for f in found], f1)
    assert [f.support for f in found] == support.tolist()
    matrix = confusion_matrix(truth, called, 3)
    assert matrix.tolist() == reference.confusion_matrix(truth, called).tolist()
    assert accuracy(matrix) == pytest.approx(reference.accuracy_score(truth, called))
    means = macro(found)
    assert means.auc == pytest.approx(
        reference.roc_auc_score(truth, scores, multi_class="ovr", average="macro")
    )
    expected = reference.precision_recall_fscore_support(
        truth, called, average="macro", zero_division=0
    )
    assert (means.precision, means.recall, means.f1) == pytest.approx(expected[:3])


def test_that_a_finding_that_no_film_carries_is_no_part_of_the_means():
    scores = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1]])
    found = per_finding([0, 1], scores, NAMES)
    assert found[2].support == 0
    assert math.isnan(found[2].auc)
    assert macro(found).findings == 2
    assert macro(found).recall == 1


def test_that_no_films_have_no_accuracy():
    assert math.isnan(accuracy(confusion_matrix([], [], 3)))
    assert math.isnan(macro(()).f1)


@pytest.mark.parametrize(("truth", "called"), [([0, 1], [0]), ([0, 3], [0, 1]), ([0, -1], [0, 1])])
def test_that_calls_that_do_not_fit_are_refused(truth: list[int], called: list[int]):
    with pytest.raises(UsageError):
        confusion_matrix(truth, called, 3)


def test_that_scores_of_another_shape_are_refused():
    with pytest.raises(UsageError, match="shape"):
        per_finding([0, 1], np.zeros((2, 2)), NAMES)
