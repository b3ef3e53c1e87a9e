"""The log file: what went wrong inside, for a report; never a text out of a film.

Only XrayView's own records are written: libraries quote headers in theirs.
"""

from __future__ import annotations

import logging
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path

from xrayview import __version__
from xrayview.services.user_folders import log_folder

_log = logging.getLogger(__name__)

MAX_BYTES = 1_000_000
KEPT_FILES = 3


def start_log() -> Path:
    """Write XrayView's records to a rotating file in the user's log folder; its path.

    Where it cannot be written there is no log: that is no reason not to start.
    """
    path = log_folder() / "xrayview.log"
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
        path, maxBytes=MAX_BYTES, backupCount=KEPT_FILES, encoding="utf-8", delay=True
    )


def crash_log() -> Path:
    """Where a dying worker writes the stack it died on, if it can."""
    return log_folder() / "workers.log"


def log_unforeseen(error: BaseException) -> None:
    """Its kind and where it happened, without its text: that may quote a film."""
    places = "".join(traceback.format_tb(error.__traceback__))
    _log.error("unforeseen %s\n%s", type(error).__name__, places)
