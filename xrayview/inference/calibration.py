"""From what a network gives to calibrated scores: temperature scaling (Guo et al., ICML 2017)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from xrayview.domain.model import Activation, ModelCard

Array = npt.NDArray[np.float64]
AnyArray = npt.NDArray[np.floating | np.integer]

MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
"""Limits of a fitted temperature; separable data would ask for 0."""
MIN_PROBABILITY = 1e-7
"""Probabilities that become logits are kept so far from 0 and 1: float32 has no next one below 1
that is nearer."""
_GOLDEN = (math.sqrt(5) - 1) / 2
_STEPS = 60


def output_counts(card: ModelCard) -> tuple[int, ...]:
    """How many logits the network of this card may have.

    One for each finding; a binary sigmoid model of two findings may have one, which is that of
    the abnormal finding: the other's is its negative.
    """
    findings = len(card.findings)
    one_for_both = card.task == "binary" and card.activation == "sigmoid" and findings == 2
    return (findings, 1) if one_for_both else (findings,)


def output_to_findings(outputs: int, card: ModelCard) -> Array:
    """The matrix from network outputs to the findings' logits, shape (findings, outputs)."""
    if outputs == len(card.findings):
        return np.eye(outputs)
    return np.array([[1.0 if finding.abnormal else -1.0] for finding in card.findings])


def calibrated_scores(logits_BF: AnyArray, card: ModelCard) -> Array:
    """Calibrated scores of the findings' logits, both (films, findings); scores in 0..1."""
    temperature_F = np.asarray(card.calibration.temperature, np.float64)
    if card.calibration.method == "none":
        temperature_F = np.ones(1)
    return ACTIVATIONS[card.activation](np.asarray(logits_BF, np.float64) / temperature_F)


def softmax(logits_BF: Array) -> Array:
    """Shares along the last axis; no overflow for any finite logits."""
    exponentials = np.exp(logits_BF - logits_BF.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def sigmoid(logits: Array) -> Array:
    """1 / (1 + exp(-logit)) without overflow for any finite logit."""
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
    """The one temperature that makes the labels most likely: score = activation(logit / T).

    Args:
        logits: uncalibrated; (films, findings) for softmax, any shape for sigmoid.
        labels: softmax: the finding's index for each film; sigmoid: 0 or 1, shaped as `logits`.

    Returns:
        A temperature in 0.05..20.

    Raises:
        ValueError: no films, shapes that do not fit, labels out of range, logits not finite.
    """
    x, truth = np.asarray(logits, np.float64), np.asarray(labels, np.int64)
    wanted = x.shape[:1] if activation == "softmax" else x.shape
    highest = x.shape[-1] - 1 if activation == "softmax" else 1
    if not x.size or truth.shape != wanted:
        raise ValueError(f"labels have shape {truth.shape}, logits ask for {wanted}")
    if truth.min() < 0 or truth.max() > highest:
        raise ValueError(f"labels must lie in 0..{highest}")
    if not np.isfinite(x).all():
        raise ValueError("logits must be finite")
    loss = _LOSSES[activation]
    # The loss is convex in 1/T, so it has one valley in log T too.
    log_t = _valley(
        lambda log_t: loss(x / math.exp(log_t), truth),
        math.log(MIN_TEMPERATURE),
        math.log(MAX_TEMPERATURE),
    )
    return math.exp(log_t)


def _valley(function: Callable[[float], float], low: float, high: float) -> float:
    """Golden-section search."""
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
