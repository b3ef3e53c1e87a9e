"""How far a run has come, and the best epochs so far; all of it is in the checkpoint."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass
class Watch:
    """The best epoch so far by one figure of validation."""

    best: float = math.inf
    """Distance from perfect: lower is better, whatever is monitored."""
    epoch: int = -1
    weights: str = ""
    """`raw` or `averaged`."""
    waited: int = 0
    """Epochs since the best."""


@dataclass
class Progress:
    """How far a run has come."""

    watches: dict[str, Watch]
    """Figure -> its best epoch; the first is the one that names the run's result."""
    epoch: int = 0
    step: int = 0
    """Steps done of this epoch."""
    loss_sum: float = 0.0
    seconds: float = 0.0
    lowest_loss: float = math.inf
    """Of validation, for the plateau schedule."""
    stale: int = 0
    """Epochs since the lowest loss or the last fall of the rate."""
    rate_scale: float = 1.0
    """What plateaus have made of the rate."""

    @classmethod
    def fresh(cls, figures: Sequence[str]) -> Progress:
        """Before the first step; these figures of validation are watched."""
        return cls({figure: Watch() for figure in figures})

    @property
    def main(self) -> Watch:
        """Of the figure that names the run's result."""
        return next(iter(self.watches.values()))

    @property
    def best_epoch(self) -> int:
        """Counted from 1; -1 before the first."""
        return self.main.epoch

    @property
    def best_weights(self) -> str:
        """`raw` or `averaged`."""
        return self.main.weights

    def waiting(self, patience: int) -> Iterator[tuple[str, Watch]]:
        """The figures that may still find a better epoch.

        One whose patience has ended is out for good: what it kept is what a run of its own would
        have ended with.
        """
        return ((name, watch) for name, watch in self.watches.items() if watch.waited < patience)

    def as_state(self) -> dict[str, Any]:
        """Plain data for the checkpoint."""
        return dataclasses.asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any], figures: Sequence[str]) -> Progress:
        """What `as_state` gave; an older checkpoint has its one watch among its fields."""
        if "watches" in state:
            watches = {name: Watch(**watch) for name, watch in state["watches"].items()}
            return cls(**{**state, "watches": watches})
        old = {"best": "best", "epoch": "best_epoch", "weights": "best_weights", "waited": "waited"}
        watch = Watch(**{new: state[name] for new, name in old.items()})
        kept = {name: value for name, value in state.items() if name not in old.values()}
        return cls(watches={figures[0]: watch}, **kept)
