"""The log of a run's epochs: log.csv and, where the package is installed, TensorBoard."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from importlib.util import find_spec

from lightning_fabric.loggers.tensorboard import TensorBoardLogger

from training.runs import RunFolder, append_log

Say = Callable[[str], None]

_FOLDER = "tensorboard"


class EpochLog:
    """The log of a run. TensorBoard's event file is created with the first epoch that is added.

    Events of that epoch and later ones are dropped: a killed run wrote them and repeats them.
    """

    def __init__(self, run: RunFolder, say: Say) -> None:
        self._run, self._say = run, say
        self._tensorboard: TensorBoardLogger | None = None
        self._is_open = False

    def __enter__(self) -> EpochLog:
        return self

    def __exit__(self, *_: object) -> None:
        if self._tensorboard is not None:
            self._tensorboard.finalize("success")

    def add(self, row: Mapping[str, object]) -> None:
        """Log one epoch; `row["epoch"]` is its number, counted from 1."""
        append_log(self._run.log, row)
        epoch = int(str(row["epoch"]))
        if not self._is_open:
            self._tensorboard, self._is_open = self._open(epoch), True
        if self._tensorboard is not None:
            values = {name: float(str(value)) for name, value in row.items() if name != "epoch"}
            finite = {name: value for name, value in values.items() if math.isfinite(value)}
            self._tensorboard.log_metrics(finite, step=epoch)
            self._tensorboard.save()

    def _open(self, epoch: int) -> TensorBoardLogger | None:
        if find_spec("tensorboard") is None:
            _say_missing_once(self._say)
            return None
        return TensorBoardLogger(
            self._run.path, name=_FOLDER, version="", default_hp_metric=False, purge_step=epoch
        )


@functools.cache
def _say_missing_once(say: Say) -> None:
    say("TensorBoard is not installed, only log.csv is written: pip install xrayview[tensorboard]")
