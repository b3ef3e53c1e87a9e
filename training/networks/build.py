"""The table of architectures: our own small residual network, and torchvision's."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from training.config import NetworkConfig
from training.networks.backbones import BACKBONES, from_torchvision
from training.networks.cut_network import Network
from xrayview.errors import UsageError

__all__ = ["ARCHITECTURES", "Network", "build"]


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al. 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        last_norm = nn.BatchNorm2d(outputs)
        # Each block starts as the identity, so that depth does not slow the first steps.
        nn.init.zeros_(last_norm.weight)
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            last_norm,
        )
        self.shortcut = _shortcut(inputs, outputs, stride)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output, B x outputs x h/stride x w/stride."""
        out: Tensor = self.activation(self.body(x) + self.shortcut(x))
        return out


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    if inputs == outputs and stride == 1:
        return nn.Identity()
    # Averaging before the 1x1 keeps the pixels that a strided 1x1 would drop (He et al. 2019).
    pool = [nn.AvgPool2d(stride, ceil_mode=True)] if stride > 1 else []
    return nn.Sequential(*pool, nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))


def residual(config: NetworkConfig, channels: int, outputs: int) -> Network:
    """Build a small residual network; its last stage keeps its grid, for finer heat maps."""
    layers: list[nn.Module] = [
        nn.Conv2d(channels, config.stem, 3, 2, 1, bias=False),
        nn.BatchNorm2d(config.stem),
        nn.ReLU(inplace=True),
    ]
    width, stride = config.stem, 2
    for next_width, depth, step in zip(config.widths, config.depths, config.strides, strict=True):
        for block in range(depth):
            layers.append(ResidualBlock(width, next_width, step if block == 0 else 1))
            width = next_width
        stride *= step
    head = nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(config.dropout), nn.Linear(width, outputs)
    )
    return Network(nn.Sequential(*layers), head, stride)


ARCHITECTURES: dict[str, Callable[[NetworkConfig, int, int], Network]] = {
    "residual": residual,
    **dict.fromkeys(BACKBONES, from_torchvision),
}


def build(config: NetworkConfig, channels: int, outputs: int, seed: int) -> Network:
    """Build a network with random weights that depend only on the seed.

    Raises:
        UsageError: no architecture has this name.
    """
    if config.architecture not in ARCHITECTURES:
        raise UsageError(
            f"There is no architecture {config.architecture}",
            hint=f"Known: {', '.join(ARCHITECTURES)}.",
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ARCHITECTURES[config.architecture](config, channels, outputs)
