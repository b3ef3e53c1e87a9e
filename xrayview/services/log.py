"""The log file, for bug reports; it never contains text from a film.

Only XrayView's own records are written, because records of libraries may quote headers.
"""

from __future__ import annotations

import faulthandler
import logging
import traceback
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

from xrayview import __version__
from xrayview.services.user_folders import log_folder

_log = logging.getLogger(__name__)

MAX_BYTES = 1_000_000
BACKUP_FILES = 3


def start_log() -> Path:
    """Write XrayView's records to a rotating file in the user's log folder, and return its path.

    Where the file cannot be written, the program runs without a log.
    """
    path = log_folder() / "xrayview.log"
    # A log on a full disk is no reason to print a traceback.
    logging.raiseExceptions = False
    logger = logging.getLogger("xrayview")
    if not logger.handlers:
        handler = _handler(path)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.info("XrayView %s", __version__)
    return path


def _handler(path: Path) -> logging.Handler:
    try:
        path.touch()
    except OSError:
        return logging.NullHandler()
    return RotatingFileHandler(
        path, maxBytes=MAX_BYTES, backupCount=BACKUP_FILES, encoding="utf-8", delay=True
    )


def crash_log() -> Path:
    """The path of the file for the stack traces of crashing workers."""
    return log_folder() / "workers.log"


def log_crashes() -> None:
    """Write the stack trace of a crash of this process to a file in the log folder.

    Where the file cannot be written, a crash leaves no trace.
    """
    with suppress(OSError):
        # Open as long as the process lives: faulthandler writes to its descriptor.
        stream = (log_folder() / "window.log").open("a", encoding="utf-8")
        faulthandler.enable(stream, all_threads=False)


def log_unforeseen(error: BaseException) -> None:
    """Log the type and the traceback of an error, without its text, which may quote a film."""
    trace = "".join(traceback.format_tb(error.__traceback__))
    _log.error("unforeseen %s\n%s", type(error).__name__, trace)
