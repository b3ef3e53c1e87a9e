"""A progress bar for the steps of an epoch, shown on a terminal only."""

from __future__ import annotations

import sys
from typing import Any, TextIO


class ProgressBar:
    """Context manager that counts the steps of an epoch.

    It is false where nothing is shown: no terminal, no tqdm, or no steps.
    """

    def __init__(self, title: str, total: int, done: int, stream: TextIO | None = None) -> None:
        self._bar: Any = None
        stream = stream or sys.stderr
        if total and stream.isatty() and (tqdm := _tqdm()) is not None:
            self._bar = tqdm(
                total=total, initial=done, desc=title, unit=" steps", leave=False, file=stream,
                dynamic_ncols=True,
            )  # fmt: skip

    def __bool__(self) -> bool:
        return self._bar is not None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def step(self, text: str) -> None:
        """Count one finished step and show `text` behind the bar."""
        if self._bar is not None:
            self._bar.set_postfix_str(text, refresh=False)
            self._bar.update()


def _tqdm() -> Any:
    """Return tqdm's class, or None where it is not installed; progress is then printed as lines."""
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm
