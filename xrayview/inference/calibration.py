"""From logits to calibrated scores: temperature scaling (Guo et al., ICML 2017)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from xrayview.domain.model import Activation, ModelCard

Array = npt.NDArray[np.float64]
AnyArray = npt.NDArray[np.floating | np.integer]

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
"""Limits of a fitted temperature, which would be 0 for separable data."""
MIN_PROBABILITY = 1e-7
"""Distance from 0 and 1 to which probabilities are clamped before they become logits: about the
spacing of float32 below 1."""
_GOLDEN = (math.sqrt(5) - 1) / 2
_STEPS = 60


def output_counts(card: ModelCard) -> tuple[int, ...]:
    """The numbers of logits that the network of this card may return.

    There is one per finding. A binary sigmoid model of two findings may return only that of the
    abnormal finding; the other's is its negative.
    """
    findings = len(card.findings)
    single_logit = card.task == "binary" and card.activation == "sigmoid" and findings == 2
    return (findings, 1) if single_logit else (findings,)


def output_to_findings(outputs: int, card: ModelCard) -> Array:
    """The matrix that maps network outputs to the findings' logits, shape (findings, outputs)."""
    if outputs == len(card.findings):
        return np.eye(outputs)
    return np.array([[1.0 if finding.abnormal else -1.0] for finding in card.findings])


def calibrated_scores(logits_BF: AnyArray, card: ModelCard) -> Array:
    """Calibrated scores in 0..1 of the findings' logits; both (films, findings)."""
    temperature_F = np.asarray(card.calibration.temperature, np.float64)
    if card.calibration.method == "none":
        temperature_F = np.ones(1)
    return ACTIVATIONS[card.activation](np.asarray(logits_BF, np.float64) / temperature_F)


def softmax(logits_BF: Array) -> Array:
    """Softmax along the last axis, without overflow for finite logits."""
    exponentials = np.exp(logits_BF - logits_BF.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def sigmoid(logits: Array) -> Array:
    """1 / (1 + exp(-logit)), without overflow for finite logits."""
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1.0, small) / (1.0 + small)


ACTIVATIONS: dict[Activation, Callable[[Array], Array]] = {"softmax": softmax, "sigmoid": sigmoid}


def _softmax_loss(logits_BF: Array, labels_B: npt.NDArray[np.int64]) -> float:
    top = logits_BF.max(axis=1)
    total = np.log(np.exp(logits_BF - top[:, None]).sum(axis=1)) + top
    return float(np.mean(total - logits_BF[np.arange(len(labels_B)), labels_B]))


def _sigmoid_loss(logits: Array, labels: npt.NDArray[np.int64]) -> float:
    return float(np.mean(np.logaddexp(0.0, logits) - labels * logits))


_LOSSES: dict[Activation, Callable[[Array, npt.NDArray[np.int64]], float]] = {
    "softmax": _softmax_loss,
    "sigmoid": _sigmoid_loss,
}


def fit_temperature(logits: AnyArray, labels: AnyArray, activation: Activation) -> float:
    """Fit the temperature T of maximum likelihood: score = activation(logit / T).

    Args:
        logits: uncalibrated; (films, findings) for softmax, any shape for sigmoid.
        labels: softmax: index of each film's finding; sigmoid: 0 or 1, in the shape of `logits`.

    Returns:
        A temperature in 0.05..20.

    Raises:
        ValueError: there are no films, shapes do not match, labels are out of range, or a logit is
            not finite.
    """
    x, truth = np.asarray(logits, np.float64), np.asarray(labels, np.int64)
    expected = x.shape[:1] if activation == "softmax" else x.shape
    highest = x.shape[-1] - 1 if activation == "softmax" else 1
    if not x.size or truth.shape != expected:
        raise ValueError(f"labels have shape {truth.shape}, expected {expected}")
    if truth.min() < 0 or truth.max() > highest:
        raise ValueError(f"labels must lie in 0..{highest}")
    if not np.isfinite(x).all():
        raise ValueError("logits must be finite")
    loss = _LOSSES[activation]
    # The loss is convex in 1/T, so it has a single minimum in log T too.
    log_t = _minimum(
        lambda log_t: loss(x / math.exp(log_t), truth),
        math.log(MIN_TEMPERATURE),
        math.log(MAX_TEMPERATURE),
    )
    return math.exp(log_t)


def _minimum(function: Callable[[float], float], low: float, high: float) -> float:
    """The position of the minimum, by golden-section search."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    for _ in range(_STEPS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = function(right)
    return (low + high) / 2
