"""Calibration intercept and slope: the line between the logit of a score and that of the truth.

A model whose scores are the shares of films with the finding has the intercept 0 and the slope 1. A
slope below 1 means that scores are too extreme, an intercept above 0 that they are too low. Cox,
Biometrika 1958; Van Calster et al., BMC Medicine 2019.
"""

from __future__ import annotations

from collections.abc import Callable
from math import nan

import numpy as np

from xrayview.evaluation.metrics import Floats, Truth

_MOST_STEPS, _TOLERANCE = 50, 1e-8
_MOST_EXTREME = 30.0
"""Logit beyond which a slope is taken for infinite: the classes are separated."""
_NEAREST = 1e-6
"""Scores of 0 and 1 have no logit, and are taken for this far from them."""


def calibration_slope(truth_N: Truth, scores_N: Floats) -> float:
    """The slope b of logit P(finding) = a + b logit(score), by maximum likelihood.

    NaN with one class, one score, or scores that separate the classes.
    """
    fitted = _fit(truth_N, np.stack([np.ones(len(scores_N)), logits(scores_N)], axis=1))
    return nan if fitted is None else float(fitted[1])


def calibration_intercept(truth_N: Truth, scores_N: Floats) -> float:
    """The intercept a of logit P(finding) = a + logit(score): calibration in the large.

    NaN with one class.
    """
    fitted = _fit(truth_N, np.ones((len(scores_N), 1)), logits(scores_N))
    return nan if fitted is None else float(fitted[0])


CALIBRATION: dict[str, Callable[[Truth, Floats], float]] = {
    "calibration intercept": calibration_intercept,
    "calibration slope": calibration_slope,
}
"""Name in tables -> metric."""


def logits(scores_N: Floats) -> Floats:
    """The logits of scores in 0..1."""
    clipped = np.clip(scores_N, _NEAREST, 1 - _NEAREST)
    return np.asarray(np.log(clipped / (1 - clipped)), dtype=np.float64)


def _fit(truth_N: Truth, x_NK: Floats, offset_N: Floats | None = None) -> Floats | None:
    """Fit a logistic regression by Newton's method; None where it has no finite maximum."""
    if truth_N.all() or not truth_N.any():
        return None
    offset = np.zeros(len(truth_N)) if offset_N is None else offset_N
    weights_K = np.zeros(x_NK.shape[1])
    for _ in range(_MOST_STEPS):
        share_N = 1 / (1 + np.exp(-np.clip(offset + x_NK @ weights_K, -40, 40)))
        gradient_K = x_NK.T @ (truth_N - share_N)
        hessian_KK = (x_NK * (share_N * (1 - share_N))[:, None]).T @ x_NK
        try:
            step_K = np.linalg.solve(hessian_KK, gradient_K)
        except np.linalg.LinAlgError:
            return None
        largest = float(np.abs(step_K).max())
        weights_K = weights_K + step_K * min(1.0, 2 / largest if largest else 1.0)
        if not np.isfinite(weights_K).all() or np.abs(weights_K).max() > _MOST_EXTREME:
            return None
        if largest < _TOLERANCE:
            return weights_K
    return None
