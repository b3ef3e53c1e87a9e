"""A bar for the steps of an epoch where a person watches a terminal; nothing elsewhere."""

from __future__ import annotations

import sys
from typing import Any, TextIO


class Bar:
    """Counts the steps of an epoch, by `with`; false where nothing is shown, as for no steps."""

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

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def step(self, words: str) -> None:
        """One more step is done; `words` stand behind the bar."""
        if self._bar is not None:
            self._bar.set_postfix_str(words, refresh=False)
            self._bar.update()


def _tqdm() -> Any:
    """tqdm's bar; None where it is not installed: lines every few seconds say the same."""
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm
