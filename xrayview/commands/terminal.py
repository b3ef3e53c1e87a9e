"""What commands share: settings and engine at the start, text out, Ctrl+C."""

from __future__ import annotations

import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from xrayview.errors import UsageError

if TYPE_CHECKING:
    from xrayview.engine.client import Engine
    from xrayview.services.settings import Settings

QUIET_LINE_S = 10.0
"""How often progress is told where it cannot overwrite its own line."""


def start() -> Settings:
    """Start the log and read the settings."""
    from xrayview.services.log import start_log
    from xrayview.services.settings import Settings

    start_log()
    settings = Settings()
    for note in settings.notes:
        tell(note)
    return settings


def start_engine(settings: Settings, workers: int | None = None) -> Engine:
    """The engine as the settings say, without a worker kept free for a window."""
    from xrayview.engine.client import Engine
    from xrayview.services.log import crash_log

    return Engine(
        workers or settings["decode_workers"] or None,
        settings.limits(),
        spare_workers=0,
        crash_log=crash_log(),
    )


def existing(path: Path) -> Path:
    """The path itself. Raises: UsageError where nothing is there."""
    if not path.exists():
        raise UsageError("There is no such file or folder", path=path, hint="Check the name.")
    return path


def positive(text: str) -> int:
    """An argument that counts from 1."""
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def cancel_on_interrupt() -> threading.Event:
    """The first Ctrl+C ends the work with what is done kept; the second one does not wait."""
    cancel = threading.Event()

    def interrupted(_signal: int, _frame: FrameType | None) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, interrupted)
    return cancel


class ProgressLine:
    """Progress on stderr: one line that is overwritten on a terminal, some lines elsewhere."""

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()
        self._told_s = time.monotonic()

    def show(self, text: str) -> None:
        """Replace the line."""
        now = time.monotonic()
        if self._on_terminal:
            sys.stderr.write(f"\r{printable(text)}\x1b[K")
            sys.stderr.flush()
        elif now - self._told_s > QUIET_LINE_S:
            self._told_s = now
            tell(text)

    def clear(self) -> None:
        """Make room for a line that stays."""
        if self._on_terminal:
            sys.stderr.write("\r\x1b[K")


def printable(text: str) -> str:
    """File names and headers may carry control codes for the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def say(text: str) -> None:
    """One line of the answer, on stdout."""
    sys.stdout.write(f"{printable(text)}\n")


def tell(text: str) -> None:
    """One line beside the answer, on stderr."""
    sys.stderr.write(f"{printable(text)}\n")
