"""What commands share: settings and engine at the start, text output, Ctrl+C."""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from xrayview.errors import UsageError

if TYPE_CHECKING:
    from xrayview.engine.client import Engine
    from xrayview.services.settings import Settings

QUIET_LINE_S = 10.0
"""Time between progress lines where a line cannot be overwritten."""


def load_settings() -> Settings:
    """Start the log and read the settings; problems in the settings go to stderr."""
    from xrayview.services.log import start_log
    from xrayview.services.settings import Settings

    start_log()
    settings = Settings()
    for note in settings.notes:
        print_err(note)
    return settings


def start_engine(settings: Settings, workers: int | None = None) -> Engine:
    """Start the engine with the settings' limits, without a spare worker for a window.

    As many workers as cores: those that wait for the model leave the cores to it.
    """
    from xrayview.engine.client import Engine
    from xrayview.inference.cores import available_cores
    from xrayview.services.log import crash_log
    from xrayview.services.user_folders import networks_folder

    return Engine(
        workers or settings["decode_workers"] or available_cores(),
        settings.limits(),
        spare_workers=0,
        crash_log=crash_log(),
        cache=networks_folder(),
    )


def existing_path(path: Path) -> Path:
    """Return `path`. Raises: UsageError where nothing exists there."""
    if not path.exists():
        raise UsageError("No such file or folder", path=path, hint="Check the name.")
    return path


def positive_int(text: str) -> int:
    """Convert an argument that counts from 1. Raises: ArgumentTypeError."""
    if text.isdecimal() and (number := int(text)) >= 1:
        return number
    raise argparse.ArgumentTypeError("expected a whole number from 1")


def finite_number(text: str) -> float:
    """Convert an argument that is a number. Raises: ArgumentTypeError."""
    with suppress(ValueError):
        if math.isfinite(number := float(text)):
            return number
    raise argparse.ArgumentTypeError("expected a number")


def cancel_on_interrupt() -> threading.Event:
    """Return an event that the first Ctrl+C, SIGTERM or SIGHUP sets.

    A second one raises KeyboardInterrupt. SIGHUP stays ignored where it was (`nohup`).
    """
    cancel = threading.Event()

    def on_interrupt(_signal: int, _frame: FrameType | None) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()

    if threading.current_thread() is threading.main_thread():
        for kind in interrupting_signals():
            if kind is signal.SIGINT or signal.getsignal(kind) is not signal.SIG_IGN:
                signal.signal(kind, on_interrupt)
    return cancel


def interrupting_signals() -> tuple[signal.Signals, ...]:
    """Signals that ask a command to end; Windows has no SIGHUP."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))


def open_standard_streams() -> None:
    """Give closed standard streams (`2>&-`) the null device.

    Otherwise the next file that is opened, such as a journal, gets their descriptor, and with it
    what libraries print.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    # Python has none for a descriptor that was closed, nor a windowed program for any.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123


class ProgressLine:
    """Progress on stderr: an overwritten line on a terminal, occasional lines elsewhere."""

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()
        self._printed_s = time.monotonic()

    def show(self, text: str) -> None:
        """Replace the line."""
        now = time.monotonic()
        if self._on_terminal:
            _write_err(f"\r{printable(text)}\x1b[K")
        elif now - self._printed_s > QUIET_LINE_S:
            self._printed_s = now
            print_err(text)

    def clear(self) -> None:
        """Make room for a permanent line."""
        if self._on_terminal:
            _write_err("\r\x1b[K")


def printable(text: str) -> str:
    """Escape control codes, which file names and headers may contain, for the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def print_out(text: str) -> None:
    """Print one line of the result to stdout."""
    sys.stdout.write(f"{printable(text)}\n")


def print_rows(rows: Iterable[tuple[str, str]]) -> None:
    """Print names and texts in two columns to stdout; an empty text has no row."""
    for name, text in rows:
        for index, line in enumerate(text.splitlines()):
            print_out(f"{'' if index else name:13} {line}")


def print_err(text: str) -> None:
    """Print one line of comment to stderr."""
    _write_err(f"{printable(text)}\n")


def _write_err(text: str) -> None:
    """Write to stderr; work goes on where nobody can read it: a closed terminal, a full disk."""
    with suppress(OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()
