"""What a value must be besides of its row's kind: a file that is there, a folder that is one."""

from __future__ import annotations

from pathlib import Path

from xrayview.errors import XrayViewError
from xrayview.services.catalogue import find_model
from xrayview.services.settings import Settings
from xrayview.ui.settings_dialog.page import Check


def _model(name: str, settings: Settings) -> str:
    try:
        find_model(name, map(Path, settings["model_folders"]))
    except XrayViewError as error:
        return str(error)
    return ""


def _folders(names: list[str], settings: Settings) -> str:
    """A listed folder may be on a drive that is away: only what is added must be there."""
    added = [name for name in names if name not in settings["model_folders"]]
    missing = [name for name in added if not Path(name).is_dir()]
    return f"There is no folder {missing[0]}. Add one that exists." if missing else ""


CHECKS: dict[str, Check] = {"model": _model, "model_folders": _folders}
