"""Checks beyond the settings table: that a model or a folder exists."""

from __future__ import annotations

from pathlib import Path

from xrayview.domain.sentences import without_options
from xrayview.errors import XrayViewError
from xrayview.services.catalogue import find_model
from xrayview.services.settings import Settings
from xrayview.ui.settings_dialog.page import Check


def _model(name: str, settings: Settings) -> str:
    try:
        find_model(name, map(Path, settings["model_folders"]))
    except XrayViewError as error:
        return without_options(str(error))
    return ""


def _folders(names: list[str], settings: Settings) -> str:
    """Only added folders must exist; those listed already may be on a drive not connected now."""
    added = [name for name in names if name not in settings["model_folders"]]
    missing = [name for name in added if not Path(name).is_dir()]
    return f"The folder {missing[0]} does not exist." if missing else ""


CHECKS: dict[str, Check] = {"model": _model, "model_folders": _folders}
