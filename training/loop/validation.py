"""Validation metrics of one set of weights, used only to choose an epoch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from training.config import TargetConfig
from xrayview.evaluation.metrics import auc


@dataclass(frozen=True)
class ValidationMetrics:
    """Loss in nats; the others in 0..1, means over findings, NaN where they are undefined."""

    loss: float
    auc: float
    accuracy: float = float("nan")
    recall: float = float("nan")

    def distance(self, monitor: str) -> float:
        """Return how far the monitored metric is from its best value; lower is better."""
        value: float = getattr(self, monitor)
        return value if monitor == "loss" else 1 - value


def compute_metrics(
    logits_NK: Tensor, y_NK: Tensor, loss: nn.Module, target: TargetConfig
) -> ValidationMetrics:
    """Compute the metrics of uncalibrated logits, ignoring targets of NaN.

    Accuracy and recall are taken at the likeliest class, or at a score of 0.5 per finding. Recall
    is the mean over classes or findings; for a binary target it is the finding's.
    """
    device = next(loss.buffers()).device
    value = float(loss(logits_NK.to(device), y_NK.to(device)))
    scores_NK, called_NK = logits_NK, logits_NK > 0
    if target.activation == "softmax":
        scores_NK = logits_NK.log_softmax(dim=1)
        called_NK = nn.functional.one_hot(logits_NK.argmax(dim=1), logits_NK.shape[1]) > 0
    # The complement of a binary target adds no information.
    count = len(target.findings)
    scores_NK, called_NK, y_NK = scores_NK[:, :count], called_NK[:, :count], y_NK[:, :count]
    known_NK = ~y_NK.isnan()
    areas, recalls = [], []
    for k in range(count):
        known_N = known_NK[:, k]
        present_N = y_NK[known_N, k] > 0.5
        areas.append(auc(present_N.numpy(), scores_NK[known_N, k].numpy()))
        recalls.append(float(called_NK[known_N, k][present_N].float().mean()))
    return ValidationMetrics(
        value, _nan_mean(areas), _accuracy(called_NK, y_NK, target), _nan_mean(recalls)
    )


def _accuracy(called_NK: Tensor, y_NK: Tensor, target: TargetConfig) -> float:
    right_NK = (called_NK == (y_NK > 0.5))[~y_NK.isnan()]
    if target.task == "multiclass":
        right_NK = (called_NK & (y_NK > 0.5)).any(dim=1)
    return float(right_NK.float().mean())


def _nan_mean(values: list[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return sum(known) / len(known) if known else float("nan")
