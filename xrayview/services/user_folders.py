"""The user's folders by the platform's convention, created on first use.

XRAYVIEW_HOME names one folder for all of them instead, as on a stick that is carried around.

Where a folder cannot be created (a read-only home, or none), reading from it finds nothing and
writing to it raises OSError, so that the window starts anyway.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import platformdirs

_NAME = "xrayview"
HOME_VARIABLE = "XRAYVIEW_HOME"
_NOWHERE = Path(os.devnull, _NAME)
"""A folder that cannot exist."""


def config_folder() -> Path:
    """The folder of settings, trusted models and the identity key.

    Without a home it cannot exist: a folder that others can write to may not say what is trusted.
    """
    if not (has_home() or os.environ.get("XDG_CONFIG_HOME") or os.environ.get(HOME_VARIABLE)):
        return _NOWHERE
    return _created(lambda: _own("config") or platformdirs.user_config_path(_NAME, appauthor=False))


def models_folder() -> Path:
    """The folder of the user's model bundles."""
    return _created(
        lambda: _own("models") or platformdirs.user_data_path(_NAME, appauthor=False) / "models"
    )


def cache_folder() -> Path:
    """The folder of data that can be made again, such as thumbnails."""
    return _created(lambda: _own("cache") or platformdirs.user_cache_path(_NAME, appauthor=False))


def networks_folder() -> Path:
    """The folder of converted networks, which the first one creates."""
    return cache_folder() / "networks"


def log_folder() -> Path:
    """The folder of log files."""
    return _created(lambda: _own("log") or platformdirs.user_log_path(_NAME, appauthor=False))


def results_folder() -> Path:
    """The folder of batch results, which the first batch creates."""
    return _own("results") or _absolute(platformdirs.user_documents_path) / "XrayView"


def _own(name: str) -> Path | None:
    """A folder below XRAYVIEW_HOME; None where that is not set."""
    home = os.environ.get(HOME_VARIABLE)
    return Path(home).expanduser().absolute() / name if home else None


def has_home() -> bool:
    """False where neither HOME nor the list of users names a home folder, as in containers."""
    try:
        Path.home()
    except RuntimeError:
        return False
    return True


def _created(folder_of: Callable[[], Path]) -> Path:
    folder = _absolute(folder_of)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _absolute(folder_of: Callable[[], Path]) -> Path:
    """An absolute path: without a home, `~/...` would be created in the working folder."""
    try:
        folder = folder_of()
    except RuntimeError:  # no home
        return _NOWHERE
    if folder.is_absolute():
        return folder
    return Path(tempfile.gettempdir(), _NAME, *(part for part in folder.parts if part != "~"))
