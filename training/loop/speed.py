"""How fast a run goes and when it will be done."""

from __future__ import annotations

import time

_SHOW_EVERY_S = 15.0


class Pace:
    """Counts the films of one epoch from the moment it is made."""

    def __init__(self, steps_left: int, films_per_step: int) -> None:
        self._films_per_step, self._steps_left = films_per_step, steps_left
        self._started = self._shown = time.monotonic()
        self._steps = 0

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started

    @property
    def films_per_s(self) -> float:
        """Of the steps so far, reading and augmentation included."""
        return self._steps * self._films_per_step / max(1e-9, self.seconds)

    def step(self) -> bool:
        """One more step is done; True when it is time to say so."""
        self._steps += 1
        due = time.monotonic() - self._shown > _SHOW_EVERY_S and self._steps < self._steps_left
        if due:
            self._shown = time.monotonic()
        return due

    def minutes_left(self, further_steps: int) -> float:
        """Until this epoch and as many steps after it are done, at this speed."""
        steps = self._steps_left - self._steps + further_steps
        return steps * self.seconds / max(1, self._steps) / 60
