"""Training speed, and how long the rest of the run will take."""

from __future__ import annotations

import time

_SHOW_EVERY_S = 15.0


class Throughput:
    """Measures the films per second of one epoch, from its construction on."""

    def __init__(self, steps_left: int, films_per_step: int) -> None:
        self._films_per_step, self._steps_left = films_per_step, steps_left
        self._started = self._shown = time.monotonic()
        self._steps = 0

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    @property
    def films_per_s(self) -> float:
        """Films per second so far, including reading and augmentation."""
        return self._steps * self._films_per_step / max(1e-9, self.seconds)

    def step(self) -> bool:
        """Count one finished step; return True when a progress line is due."""
        self._steps += 1
        due = time.monotonic() - self._shown > _SHOW_EVERY_S and self._steps < self._steps_left
        if due:
            self._shown = time.monotonic()
        return due

    def minutes_left(self, further_steps: int) -> float:
        """Estimate the minutes for the rest of this epoch and `further_steps` after it."""
        steps = self._steps_left - self._steps + further_steps
        return steps * self.seconds / max(1, self._steps) / 60
