"""The user's own folders, by the platform's custom; made when they are first asked for.

A folder that cannot be made (a read-only home, none at all) is not there. Readers find nothing in
it, and whoever writes to it gets the OSError: the window starts all the same.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import platformdirs

_NAME = "xrayview"


def config_folder() -> Path:
    """Settings, trusted models, the identity key."""
    return _made(platformdirs.user_config_path(_NAME, appauthor=False))


def models_folder() -> Path:
    """Model bundles that the user adds."""
    return _made(platformdirs.user_data_path(_NAME, appauthor=False) / "models")


def cache_folder() -> Path:
    """What can be made again: thumbnails."""
    return _made(platformdirs.user_cache_path(_NAME, appauthor=False))


def log_folder() -> Path:
    """Log files."""
    return _made(platformdirs.user_log_path(_NAME, appauthor=False))


def results_folder() -> Path:
    """Where the results of batches lie; made by the first of them."""
    return _absolute(platformdirs.user_documents_path()) / "XrayView"


def _made(folder: Path) -> Path:
    folder = _absolute(folder)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def _absolute(folder: Path) -> Path:
    """A user without a home has `~/…` as it is written, which would be made where one stands."""
    if folder.is_absolute():
        return folder
    return Path(tempfile.gettempdir(), _NAME, *(part for part in folder.parts if part != "~"))
