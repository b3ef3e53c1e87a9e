"""How far a batch is, in one line of text."""

from __future__ import annotations

import time
from collections import Counter

from xrayview.domain.events import FilmFinished
from xrayview.errors import Status


class BatchProgress:
    """Counts events; `text` is `412 / 624  66 %  38 films/s  5 s left   ok 409  warn 2  error 1`.

    The rate is over this run: films that an earlier run has tried cost no time.
    """

    def __init__(self, total: int, resumed: int = 0) -> None:
        self.total = total
        self.done = resumed
        self.counts: Counter[Status] = Counter()
        self._resumed = resumed
        self._started_s = time.monotonic()

    def add(self, event: FilmFinished) -> None:
        """One more film has its row."""
        self.done = event.done
        self.counts[event.result.status] += 1

    @property
    def text(self) -> str:
        """The line."""
        percent = 100 * self.done // max(1, self.total)
        parts = [f"{self.done} / {self.total}  {percent} %"]
        seconds = time.monotonic() - self._started_s
        tried = self.done - self._resumed
        if tried and seconds > 0:
            rate = tried / seconds
            left = (self.total - self.done) / rate
            parts.append(f"  {rate:.3g} films/s  {_duration(left)} left")
        counts = "  ".join(f"{s.value} {self.counts[s]}" for s in Status if self.counts[s])
        return "".join(parts) + (f"   {counts}" if counts else "")


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"
