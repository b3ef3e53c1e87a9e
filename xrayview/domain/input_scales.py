"""The grey scales that published networks take as input, one row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class InputScale:
    """How greys in 0..1 are scaled before a network sees them."""

    title: str
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    value_range: tuple[float, float] = (0.0, 1.0)
    standardize: Literal["fixed", "film"] = "fixed"
    channels: Literal[1, 3] | None = None
    """The channels that networks of this scale take; None: either."""


INPUT_SCALES: dict[str, InputScale] = {
    "plain": InputScale("0 to 1"),
    "imagenet": InputScale(
        "ImageNet mean and standard deviation",
        (0.485, 0.456, 0.406),
        (0.229, 0.224, 0.225),
        channels=3,
    ),
    "torchxrayvision": InputScale(
        "TorchXRayVision: -1024 to 1024", value_range=(-1024.0, 1024.0), channels=1
    ),
    "film": InputScale("Each film by its own mean and deviation", standardize="film"),
}
"""By the name on the command line."""
