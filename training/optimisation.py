"""Loss, optimiser, schedule and the averaged weights."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.config import OptimConfig


class FindingLoss(nn.Module):
    """Binary cross-entropy per finding; presence and absence weigh the same where asked.

    `share_K` is each finding's share of the training films.
    """

    present_K: Tensor
    absent_K: Tensor

    def __init__(self, share_K: Tensor, config: OptimConfig) -> None:
        super().__init__()
        share = share_K.clamp(1e-3, 1 - 1e-3)
        even = torch.full_like(share, 0.5)
        self.register_buffer("present_K", (even / share) if config.balance else 2 * even)
        self.register_buffer("absent_K", (even / (1 - share)) if config.balance else 2 * even)

    def forward(self, logits_BK: Tensor, y_BK: Tensor, smoothing: float = 0.0) -> Tensor:
        """The mean over films and findings, a scalar in nats."""
        weights = torch.where(y_BK > 0.5, self.present_K, self.absent_K)
        goal = y_BK * (1 - smoothing) + 0.5 * smoothing
        return functional.binary_cross_entropy_with_logits(logits_BK, goal, weights)


def optimizer(network: nn.Module, config: OptimConfig) -> torch.optim.AdamW:
    """AdamW; no decay on biases and norms, which scale and shift instead of overfitting."""
    decayed = [p for p in network.parameters() if p.ndim > 1]
    free = [p for p in network.parameters() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.rate)


def one_cycle(step: int, steps: int, config: OptimConfig) -> float:
    """The rate at a step: a cosine up to `rate`, then a cosine down to nearly nothing.

    Source: Smith and Topin 2018; start 1/25 and end 1/10,000 of the highest rate.
    """
    peak = config.warm_up * steps
    if step < peak:
        return _cosine(config.rate / 25, config.rate, step / peak)
    return _cosine(config.rate, config.rate / 1e4, (step - peak) / max(1.0, steps - 1 - peak))


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * min(1.0, share))) / 2


class AveragedWeights:
    """An exponential moving average of a network's weights and running statistics."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.network = copy.deepcopy(network).requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Move towards the network; early on faster, so that the random start is forgotten."""
        keep = min(self.decay, (1 + step) / (10 + step))
        new = network.state_dict()
        for name, average in self.network.state_dict().items():
            if average.is_floating_point():
                average.lerp_(new[name], 1 - keep)
            else:
                average.copy_(new[name])
