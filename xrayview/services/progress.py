"""The progress of a batch as one line of text."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from xrayview.domain.events import FilmFinished, FilmResult
from xrayview.errors import Status


class BatchProgress:
    """Counts events; `text` is `412 / 624  66 %  38 films/s  5 s left   ok 409  warn 2  error 1`.

    Films are counted by status, or by what `title` says of them.

    The rate is measured from the first film of this run, because neither the start of the workers
    nor rows of earlier runs tell how long the rest will take.
    """

    def __init__(
        self,
        total: int,
        resumed: int = 0,
        title: Callable[[FilmResult], str] = lambda result: result.status.value,
    ) -> None:
        self.total = total
        self.done = resumed
        self._title = title
        self._titles: Counter[tuple[Status, str]] = Counter()
        self._first_s: float | None = None

    def add(self, event: FilmFinished) -> None:
        """Count one more row."""
        self._first_s = self._first_s or time.monotonic()
        self.done, self.total = event.done, event.total
        result = event.result
        self._titles[result.status, self._title(result)] += 1

    @property
    def text(self) -> str:
        """The line of text."""
        parts = [f"{self.done} / {self.total}  {100 * self.done // max(1, self.total)} %"]
        if rate := self._films_per_s():
            left = _duration((self.total - self.done) / rate)
            parts.append(f"  {rate:.3g} films/s  {left} left")
        return "".join(parts) + (f"   {self.counts_text}" if self._titles else "")

    @property
    def counts_text(self) -> str:
        """The counts, in the order of the statuses: `ok 409  warn 2`."""
        order = list(Status)
        counted = sorted(self._titles.items(), key=lambda item: order.index(item[0][0]))
        return "  ".join(f"{title} {count:,}" for (_, title), count in counted)

    def _films_per_s(self) -> float:
        """Films per second; 0 until it can be estimated."""
        seconds = time.monotonic() - self._first_s if self._first_s else 0.0
        since_first = self._titles.total() - 1
        return since_first / seconds if seconds > 0.5 and since_first > 0 else 0.0


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"
