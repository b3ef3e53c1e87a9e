"""Net benefit and decision curves: is a model worth more than calling all films, or none?

At a threshold probability t a false positive costs t / (1 - t) of a true positive. Vickers and
Elkin, Medical Decision Making 2006. Scores must be calibrated, since they are compared with t.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xrayview.evaluation.metrics import Floats, Truth


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit by threshold probability, in true positives per film."""

    thresholds_T: Floats
    """Ascending, in 0..1 without 1."""
    model_T: Floats
    all_T: Floats
    """Of calling every film positive. Calling none has a net benefit of 0."""


def decision_curve(truth_N: Truth, scores_N: Floats, thresholds_T: Floats) -> DecisionCurve:
    """The net benefit of calling films with score >= threshold, at each threshold."""
    return DecisionCurve(
        thresholds_T,
        np.array([net_benefit(truth_N, scores_N >= t, t) for t in thresholds_T]),
        np.array([net_benefit(truth_N, np.ones_like(truth_N), t) for t in thresholds_T]),
    )


def net_benefit(truth_N: Truth, called_N: Truth, threshold: float) -> float:
    """True positives less weighted false positives, per film; `threshold` is below 1."""
    true_positives, false_positives = (
        float((called_N & of_class).sum()) for of_class in (truth_N, ~truth_N)
    )
    return (true_positives - false_positives * threshold / (1 - threshold)) / truth_N.size
