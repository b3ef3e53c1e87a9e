"""The user's own folders, by the platform's custom; made when they are first asked for."""

from __future__ import annotations

from pathlib import Path

import platformdirs

_NAME = "xrayview"


def config_folder() -> Path:
    """Settings, trusted models, the identity key."""
    return platformdirs.user_config_path(_NAME, appauthor=False, ensure_exists=True)


def models_folder() -> Path:
    """Model bundles that the user adds."""
    folder = platformdirs.user_data_path(_NAME, appauthor=False) / "models"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def log_folder() -> Path:
    """Log files."""
    return platformdirs.user_log_path(_NAME, appauthor=False, ensure_exists=True)
