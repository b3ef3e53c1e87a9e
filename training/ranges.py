"""Ranges of the config's numbers: a value out of range is refused before a film is read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Range:
    """The allowed values of a number, or of each number of a tuple."""

    low: float
    high: float = math.inf
    above: bool = False
    """Whether `low` itself is not allowed."""
    below: bool = False
    """Whether `high` itself is not allowed."""
    reason: str = ""

    def allows(self, value: float) -> bool:
        """Tell whether a value is in the range; NaN and infinity never are."""
        return (
            math.isfinite(value)
            and (value > self.low if self.above else value >= self.low)
            and (value < self.high if self.below else value <= self.high)
        )

    def __str__(self) -> str:
        if self.above and self.below:
            return f"between {self.low:g} and {self.high:g}"
        if math.isinf(self.low) and math.isinf(self.high):
            return "a finite number"
        low = f"above {self.low:g}" if self.above else f"at least {self.low:g}"
        if math.isinf(self.high):
            return low
        high = f"below {self.high:g}" if self.below else f"at most {self.high:g}"
        return f"{low} and {high}"


_SHARE = Range(0, 1)
_PART = Range(0, 1, above=True, below=True)
_FINITE = Range(-math.inf)
_COUNT = Range(0, 10**9)
_LARGE = 10**6

RANGES: dict[str, Range] = {
    "data.most_left_out": _SHARE,
    "data.fewest_validation": _COUNT,
    "data.validation_fraction": _PART,
    "data.test_fraction": _PART,
    "data.near_duplicate_bits": Range(-1, 256),
    "data.films_per_class": _COUNT,
    "preprocessing.size": Range(8, 4096),
    "preprocessing.channels": Range(1, 3),
    "preprocessing.percentiles": Range(0, 100),
    "preprocessing.mean": _FINITE,
    "preprocessing.std": Range(0, above=True),
    "preprocessing.value_range": _FINITE,
    "preprocessing.version": Range(1, 1),
    "bundle.scope.age_years": Range(0, 150),
    "augment.rotate_deg": Range(0, 180),
    "augment.shift": _SHARE,
    "augment.zoom": Range(0, 2),
    "augment.squeeze": Range(0, 2),
    "augment.flip": _SHARE,
    "augment.gamma": Range(0, 3),
    "augment.noise": _SHARE,
    "augment.blur": _SHARE,
    "augment.collimate": _SHARE,
    "augment.collimate_width": Range(0, 0.5),
    "augment.brightness": _SHARE,
    "augment.mirrored": _SHARE,
    "augment.tone": _SHARE,
    "augment.sharpness": _SHARE,
    "augment.placement": _SHARE,
    "augment.surroundings": _SHARE,
    "network.stem": Range(1, 8192),
    "network.widths": Range(1, 8192),
    "network.depths": Range(1, 100),
    "network.strides": Range(1, 8),
    "network.dropout": Range(0, 1, below=True),
    "network.head": Range(1, 65536),
    "network.trainable_layers": Range(-1, _LARGE),
    "network.unfreeze_every": Range(0, _LARGE),
    "network.unfreeze_layers": Range(0, _LARGE),
    "optim.epochs": Range(1, _LARGE),
    "optim.batch": Range(2, _LARGE, reason="batch normalisation needs at least 2 films"),
    "optim.rate": Range(0, 10, above=True),
    "optim.plateau_factor": _PART,
    "optim.plateau_patience": Range(0, _LARGE),
    "optim.weight_decay": Range(0, 10),
    "optim.head_l2": Range(0, 10),
    "optim.warm_up": _PART,
    "optim.label_smoothing": Range(0, 1, below=True),
    "optim.clip_norm": Range(0, _LARGE, above=True),
    "optim.ema_decay": Range(0, 1, below=True),
    "stopping.patience": Range(1, _LARGE),
    "evaluation.batch": Range(1, _LARGE),
    "evaluation.high_sensitivity": Range(0, 1, above=True),
    "evaluation.high_specificity": Range(0, 1, above=True),
    "evaluation.fixed_points": _PART,
    "evaluation.prevalences": _PART,
    "evaluation.bootstrap": Range(0, _LARGE),
    "run.seed": Range(0, 2**63 - 1),
    "run.devices": Range(1, 1024),
}
"""Field -> its range; every field of the config that is a number has one."""


def out_of_range(config: Any) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a number of the config, and the range as a sentence."""
    for name, allowed in RANGES.items():
        value = config
        for part in name.split("."):
            value = getattr(value, part)
        for number in value if isinstance(value, tuple) else (value,):
            if not allowed.allows(number):
                reason = f": {allowed.reason}" if allowed.reason else ""
                yield f"{name} is {number!r}", f"It must be {allowed}{reason}."
