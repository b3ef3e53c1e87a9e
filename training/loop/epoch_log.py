"""What is said of each epoch: a row of log.csv and, where the package is there, TensorBoard."""

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
    """The log of a run; TensorBoard's events are begun with the first epoch that is added.

    Events of that epoch and later ones, from before a kill, are dropped: they come again.
    """

    def __init__(self, run: RunFolder, say: Say) -> None:
        self._run, self._say = run, say
        self._board: TensorBoardLogger | None = None
        self._begun = False

    def __enter__(self) -> EpochLog:
        return self

    def __exit__(self, *_: object) -> None:
        if self._board is not None:
            self._board.finalize("success")

    def add(self, row: Mapping[str, object]) -> None:
        """One more epoch; `row` has its number, counted from 1, under `epoch`."""
        append_log(self._run.log, row)
        epoch = int(str(row["epoch"]))
        if not self._begun:
            self._board, self._begun = self._begin(epoch), True
        if self._board is not None:
            numbers = {name: float(str(value)) for name, value in row.items() if name != "epoch"}
            known = {name: value for name, value in numbers.items() if math.isfinite(value)}
            self._board.log_metrics(known, step=epoch)
            self._board.save()

    def _begin(self, epoch: int) -> TensorBoardLogger | None:
        if find_spec("tensorboard") is None:
            _say_missing(self._say)
            return None
        return TensorBoardLogger(
            self._run.path, name=_FOLDER, version="", default_hp_metric=False, purge_step=epoch
        )


@functools.cache
def _say_missing(say: Say) -> None:
    """Once for each listener."""
    say("TensorBoard is not installed, log.csv alone is written: pip install xrayview[tensorboard]")
