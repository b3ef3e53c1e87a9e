"""How far a run has come, and its best epochs so far; stored in the checkpoint."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass
class BestEpoch:
    """The best epoch so far by one validation metric."""

    best: float = math.inf
    """Distance from a perfect value; lower is better for every metric."""
    epoch: int = -1
    """Counted from 1; -1 before the first."""
    weights: str = ""
    """`raw` or `averaged`."""
    waited: int = 0
    """Epochs since the best one."""


@dataclass
class Progress:
    """How far a run has come."""

    monitored: dict[str, BestEpoch]
    """Metric -> its best epoch. The first metric chooses the run's weights."""
    epoch: int = 0
    step: int = 0
    """Finished steps of this epoch."""
    loss_sum: float = 0.0
    seconds: float = 0.0
    lowest_loss: float = math.inf
    """Lowest validation loss, for the plateau schedule."""
    stale: int = 0
    """Epochs since the lowest loss or the last reduction of the learning rate."""
    rate_scale: float = 1.0
    """Factor that plateaus have applied to the learning rate."""

    @classmethod
    def start(cls, metrics: Sequence[str]) -> Progress:
        """Return the state before the first step, monitoring these validation metrics."""
        return cls({metric: BestEpoch() for metric in metrics})

    @property
    def primary(self) -> BestEpoch:
        """The best epoch by the metric that chooses the run's weights."""
        return next(iter(self.monitored.values()))

    @property
    def best_epoch(self) -> int:
        """Counted from 1; -1 before the first."""
        return self.primary.epoch

    @property
    def best_weights(self) -> str:
        """`raw` or `averaged`."""
        return self.primary.weights

    def improvable(self, patience: int) -> Iterator[tuple[str, BestEpoch]]:
        """Yield the metrics that may still find a better epoch.

        A metric whose patience has run out is never resumed, so its epoch is the one that a run
        monitoring that metric only would have ended with.
        """
        return ((name, best) for name, best in self.monitored.items() if best.waited < patience)

    def as_state(self) -> dict[str, Any]:
        """Return plain data for the checkpoint, where `monitored` is called `watches`."""
        state = dataclasses.asdict(self)
        return {"watches": state.pop("monitored"), **state}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], metrics: Sequence[str]) -> Progress:
        """Restore what `as_state` returned.

        Older checkpoints keep a single best epoch among the fields of the progress itself.
        """
        if "watches" in state:
            fields = dict(state)
            stored = fields.pop("watches")
            return cls({name: BestEpoch(**best) for name, best in stored.items()}, **fields)
        old = {"best": "best", "epoch": "best_epoch", "weights": "best_weights", "waited": "waited"}
        best = BestEpoch(**{new: state[name] for new, name in old.items()})
        fields = {name: value for name, value in state.items() if name not in old.values()}
        return cls({metrics[0]: best}, **fields)
