"""Calibration intercept and slope, and net benefit, against their definitions."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from xrayview.evaluation.calibration_line import calibration_intercept, calibration_slope, logits
from xrayview.evaluation.net_benefit import decision_curve, net_benefit


def films(n: int = 20_000, slope: float = 1.0, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose logits are `(true logit - shift) / slope`."""
    rng = np.random.default_rng(3)
    true_logits = rng.normal(0, 1.5, n)
    truth = rng.random(n) < 1 / (1 + np.exp(-true_logits))
    return truth, 1 / (1 + np.exp(-(true_logits - shift) / slope))


@pytest.mark.parametrize("slope", [0.5, 1.0, 2.0])
def test_that_the_slope_is_found(slope: float):
    assert calibration_slope(*films(slope=slope)) == pytest.approx(slope, rel=0.05)


@pytest.mark.parametrize("shift", [-0.7, 0.0, 0.7])
def test_that_the_intercept_is_found(shift: float):
    assert calibration_intercept(*films(shift=shift)) == pytest.approx(shift, abs=0.05)


def test_that_the_slope_is_that_of_a_logistic_regression():
    truth, scores = films(500, slope=1.4)
    fitted = LogisticRegression(C=np.inf).fit(logits(scores)[:, None], truth)
    assert calibration_slope(truth, scores) == pytest.approx(fitted.coef_[0, 0], rel=1e-3)


@pytest.mark.parametrize(
    ("truth", "scores"),
    [([1, 1, 1], [0.2, 0.5, 0.9]), ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]), ([0, 1, 1], [0.5] * 3)],
)
def test_that_what_has_no_line_has_no_slope(truth: list[int], scores: list[float]):
    """One class, separated classes, one score."""
    assert isnan(calibration_slope(np.array(truth, bool), np.array(scores)))


def test_that_scores_of_0_and_1_are_finite():
    truth = np.array([0, 0, 1, 1, 0, 1], bool)
    scores = np.array([0.0, 0.3, 1.0, 0.4, 0.6, 0.0])
    assert np.isfinite(calibration_slope(truth, scores))
    assert np.isfinite(calibration_intercept(truth, scores))


def test_that_net_benefit_weighs_false_positives():
    truth = np.array([1, 1, 0, 0, 0], bool)
    called = np.array([1, 0, 1, 0, 0], bool)
    assert net_benefit(truth, called, 0.5) == 0.0
    assert net_benefit(truth, called, 0.2) == pytest.approx((1 - 0.25) / 5)


def test_that_a_decision_curve_begins_at_the_prevalence():
    truth, scores = films(1000)
    curve = decision_curve(truth, scores, np.array([0.0, 0.3]))
    assert curve.model_T[0] == curve.all_T[0] == pytest.approx(truth.mean())
    assert curve.model_T[1] > max(curve.all_T[1], 0)
