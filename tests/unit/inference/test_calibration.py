"""Scores are stable for any logits, and a known temperature is fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.bundles import tiny_card
from xrayview.domain.model import Calibration, Finding
from xrayview.inference.calibration import (
    MAX_TEMPERATURE,
    MIN_TEMPERATURE,
    calibrated_scores,
    fit_temperature,
    output_counts,
    output_to_findings,
    sigmoid,
    softmax,
)

PAIR = (Finding("Normal", abnormal=False), Finding("Pneumonia"))
logits = hnp.arrays(np.float64, (3, 4), elements=st.floats(-1e30, 1e30))


@settings(deadline=None)
@given(logits)
def test_that_softmax_returns_probabilities_for_any_logits(x: np.ndarray) -> None:
    probabilities = softmax(x)
    assert np.all((probabilities >= 0) & (probabilities <= 1))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


@settings(deadline=None)
@given(logits)
def test_that_sigmoid_is_symmetric_and_bounded_for_any_logits(x: np.ndarray) -> None:
    np.testing.assert_allclose(sigmoid(x) + sigmoid(-x), 1)
    assert np.all((sigmoid(x) >= 0) & (sigmoid(x) <= 1))


def test_that_known_logits_have_known_scores() -> None:
    np.testing.assert_allclose(sigmoid(np.log([1.0, 3.0])), [0.5, 0.75])
    np.testing.assert_allclose(softmax(np.log([[1.0, 3.0]])), [[0.25, 0.75]])


def test_that_each_finding_is_divided_by_its_own_temperature() -> None:
    card = tiny_card(
        task="multilabel",
        findings=(Finding("A"), Finding("B")),
        calibration=Calibration("temperature", (2.0, 0.5)),
    )
    np.testing.assert_allclose(
        calibrated_scores(np.array([[2.0, 1.0]]), card), [sigmoid(np.array([1, 2]))]
    )


def test_that_method_none_ignores_the_temperature() -> None:
    card = tiny_card(calibration=Calibration("none", (9.0,)))
    np.testing.assert_allclose(
        calibrated_scores(np.array([[2.0]]), card), sigmoid(np.array([[2.0]]))
    )


def test_that_a_single_logit_may_score_a_binary_pair() -> None:
    card = tiny_card(findings=PAIR)
    assert output_counts(card) == (2, 1)
    np.testing.assert_array_equal(output_to_findings(1, card), [[-1], [1]])
    np.testing.assert_array_equal(output_to_findings(2, card), np.eye(2))


@pytest.mark.parametrize("change", [{"activation": "softmax"}, {"task": "multilabel"}])
def test_that_no_other_pair_may_share_a_logit(change: dict[str, Any]) -> None:
    assert output_counts(tiny_card(findings=PAIR, **change)) == (2,)


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 3.0])
def test_that_the_temperature_of_sampled_labels_is_recovered(true_temperature: float) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(0, 3, 20_000)
    labels = rng.random(x.size) < sigmoid(x / true_temperature)
    assert fit_temperature(x, labels, "sigmoid") == pytest.approx(true_temperature, rel=0.05)
    x = rng.normal(0, 3, (20_000, 3))
    cumulative = softmax(x / true_temperature).cumsum(axis=1)
    classes = (rng.random((len(x), 1)) > cumulative).sum(axis=1).clip(0, 2)
    assert fit_temperature(x, classes, "softmax") == pytest.approx(true_temperature, rel=0.05)


def test_that_two_logits_and_their_difference_have_the_same_temperature() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(0, 2, (500, 2))
    labels = (rng.random(500) < sigmoid((x[:, 1] - x[:, 0]) / 2)).astype(int)
    one = fit_temperature(x[:, 1] - x[:, 0], labels, "sigmoid")
    assert fit_temperature(x, labels, "softmax") == pytest.approx(one, rel=1e-4)


def test_that_separable_and_reversed_labels_reach_the_limits() -> None:
    x = np.array([-2.0, -1.0, 1.0, 2.0])
    assert fit_temperature(x, np.array([0, 0, 1, 1]), "sigmoid") == pytest.approx(
        MIN_TEMPERATURE, rel=0.01
    )
    assert fit_temperature(x, np.array([1, 1, 0, 0]), "sigmoid") == pytest.approx(
        MAX_TEMPERATURE, rel=0.01
    )


@pytest.mark.parametrize(
    ("x", "labels", "activation", "text"),
    [
        ([], [], "sigmoid", "shape"),
        ([1.0, 2.0], [1], "sigmoid", "shape"),
        ([[1.0, 2.0]], [[0, 1]], "softmax", "shape"),
        ([1.0], [2], "sigmoid", r"0\.\.1"),
        ([[1.0, 2.0]], [2], "softmax", r"0\.\.1"),
        ([[1.0, 2.0]], [-1], "softmax", r"0\.\.1"),
        ([np.nan], [1], "sigmoid", "finite"),
    ],
)
def test_that_data_that_cannot_be_fitted_is_refused(
    x: Any, labels: Any, activation: Any, text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        fit_temperature(np.array(x), np.array(labels), activation)
