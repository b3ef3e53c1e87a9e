"""Loss functions, optimisers, learning-rate schedules and averaged weights."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.config import OptimConfig
from xrayview.domain.model import Activation


class FindingLoss(nn.Module):
    """Binary cross-entropy per finding; with `optim.balance` both classes weigh the same.

    `share_K` is the share of training films with each finding. Targets of NaN (unknown) do not
    count.
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
        """Return the mean over the known targets, a scalar in nats; 0 if none is known."""
        known = ~y_BK.isnan()
        y_BK = torch.where(known, y_BK, 0.5)
        weights = torch.where(y_BK > 0.5, self.present_K, self.absent_K) * known
        goal = y_BK * (1 - smoothing) + 0.5 * smoothing
        total = functional.binary_cross_entropy_with_logits(
            logits_BK, goal, weights, reduction="sum"
        )
        return total / known.sum().clamp(min=1)


class ClassLoss(nn.Module):
    """Cross-entropy over exclusive classes; with `optim.balance` all classes weigh the same.

    `share_K` is each class's share of the training films.
    """

    weight_K: Tensor

    def __init__(self, share_K: Tensor, config: OptimConfig) -> None:
        super().__init__()
        even = torch.full_like(share_K, 1 / len(share_K))
        self.register_buffer(
            "weight_K", even / share_K.clamp(min=1e-3) if config.balance else torch.ones_like(even)
        )

    def forward(self, logits_BK: Tensor, y_BK: Tensor, smoothing: float = 0.0) -> Tensor:
        """Return the mean over films, a scalar in nats; `y_BK` is one-hot."""
        weights_B = y_BK @ self.weight_K
        goal = y_BK * (1 - smoothing) + smoothing / y_BK.shape[1]
        loss_B = -(goal * functional.log_softmax(logits_BK, dim=1)).sum(dim=1)
        return (weights_B * loss_B).mean()


LOSSES: dict[Activation, type[FindingLoss] | type[ClassLoss]] = {
    "sigmoid": FindingLoss,
    "softmax": ClassLoss,
}

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "adamax": torch.optim.Adamax,
}


def optimizer(network: nn.Module, config: OptimConfig) -> torch.optim.Optimizer:
    """Build the optimiser, without weight decay on biases and norms, which do not overfit.

    With `head_l2` the weights of the head's hidden layers form a parameter group of their own.
    """
    named = dict(network.named_parameters())
    hidden = _hidden_weights(network) if config.head_l2 else set()
    decayed = [p for name, p in named.items() if p.ndim > 1 and name not in hidden]
    not_decayed = [p for p in named.values() if p.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": not_decayed, "weight_decay": 0.0},
    ]
    if hidden:
        # An L2 term l adds 2 l w to the gradient, weight_decay d adds d w.
        weights = [named[name] for name in sorted(hidden)]
        groups.append({"params": weights, "weight_decay": 2 * config.head_l2})
    return OPTIMIZERS[config.optimizer](groups, lr=config.rate)  # type: ignore[call-arg]


def _hidden_weights(network: nn.Module) -> set[str]:
    """Return the names of the weights of the head's linear layers, except the last."""
    linear = [
        f"{name}.weight"
        for name, module in network.named_modules()
        if name.startswith("head.") and isinstance(module, nn.Linear)
    ]
    return set(linear[:-1])


def rate_at(step: int, steps: int, config: OptimConfig, scale: float) -> float:
    """Return the learning rate at a step; `scale` is the factor applied by plateaus."""
    if config.schedule == "one-cycle":
        return one_cycle(step, steps, config)
    return config.rate * scale


def one_cycle(step: int, steps: int, config: OptimConfig) -> float:
    """Return the learning rate at a step: a cosine up to `rate`, then a cosine down to almost 0.

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
        """Move towards the network; faster in early steps, to forget the random start."""
        keep = min(self.decay, (1 + step) / (10 + step))
        new = network.state_dict()
        for name, average in self.network.state_dict().items():
            if average.is_floating_point():
                average.lerp_(new[name], 1 - keep)
            else:
                average.copy_(new[name])
