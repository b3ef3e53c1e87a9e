"""The settings as one table; each row defines a default, a check and a text of the dialog."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from xrayview.domain.devices import AUTO, DEVICE_CHOICES
from xrayview.domain.heat_map_methods import DEFAULT_METHOD, HEAT_MAP_METHODS, METHOD_TITLES
from xrayview.errors import UsageError
from xrayview.io.atomic import replacing
from xrayview.io.dated_copy import save_dated_copy
from xrayview.io.file_lock import locked
from xrayview.services.settings_merge import merged
from xrayview.services.user_folders import config_folder

if TYPE_CHECKING:
    from xrayview.engine.protocol import Limits

KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list of texts",
    dict: "a table of texts",
}


@dataclass(frozen=True)
class Setting:
    """One row. Texts may have `choices`, numbers have `low` and `high` (inclusive)."""

    key: str
    kind: type
    default: Any
    description: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    group: str = ""
    """The page of the dialog; rows without one are not shown there."""
    takes_effect: Literal["at once", "at the next start"] = "at once"
    unit: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    """Names of choices in the dialog, where capitalising the choice is not enough."""

    def title_of(self, choice: str) -> str:
        """The name of a choice in the dialog."""
        return self.titles.get(choice, choice.replace("-", " ").capitalize())

    def problem(self, value: object) -> str:
        """Why `value` does not fit this row; empty when it fits."""
        if not self._is_of_kind(value):
            return f"is not {KINDS[self.kind]}"
        if self.choices and value not in self.choices:
            return f"is not one of {', '.join(self.choices)}"
        if isinstance(value, int | float) and not self._in_range(value):
            return f"is not between {self.low:g} and {self.high:g}"
        return ""

    def _is_of_kind(self, value: object) -> bool:
        if isinstance(value, bool):
            return self.kind is bool
        if isinstance(value, list):
            return self.kind is list and all(isinstance(item, str) for item in value)
        if isinstance(value, dict):
            return self.kind is dict and all(isinstance(item, str) for item in value.values())
        # JSON does not distinguish 30.0 from 30.
        return isinstance(value, (int, float) if self.kind is float else self.kind)

    def _in_range(self, value: float) -> bool:
        low = self.low is None or value >= self.low
        return low and (self.high is None or value <= self.high)


SETTINGS: tuple[Setting, ...] = (
    Setting("model", str, "", "Model bundle, as a file or a name. Empty: the included model.",
            group="Model"),
    Setting("model_folders", list, [], "Folders with more model bundles.", group="Model"),
    Setting("device", str, AUTO, "Device that the model runs on.", choices=tuple(DEVICE_CHOICES),
            titles=DEVICE_CHOICES, group="Model"),
    Setting("model_timeout_s", float, 120.0, "Time limit for one request to the model (seconds).",
            low=5, high=3600, group="Model", unit="s"),
    Setting("heat_map_method", str, DEFAULT_METHOD, "Method of heat maps when XrayView starts.",
            choices=tuple(HEAT_MAP_METHODS), titles=METHOD_TITLES, group="Heat map"),
    Setting("heat_map_opacity", float, 0.5, "Opacity of heat maps.", low=0, high=1,
            group="Heat map"),
    Setting("heat_map_cutoff", float, 0.2, "Evidence below this fraction of the peak is not drawn.",
            low=0, high=1, group="Heat map"),
    Setting("hide_identity", bool, False, "Hide names and IDs on films and in lists.",
            group="Identity"),
    Setting("csv_identity", str, "hash", "PatientID in CSV files: empty, a keyed hash, or the ID.",
            choices=("none", "hash", "full"), group="Identity"),
    Setting("decode_workers", int, 0, "Processes that decode films. 0: one fewer than CPU cores.",
            low=0, high=256, group="Reading", takes_effect="at the next start"),
    Setting("decode_timeout_s", float, 15.0, "Time limit for decoding one film (seconds).",
            low=1, high=600, group="Reading", unit="s"),
    Setting("memory_mib", int, 4096, "Memory limit of a decoding process, at most its share (MiB).",
            low=1024, high=262144, group="Reading", takes_effect="at the next start", unit="MiB"),
    Setting("max_megapixels", float, 200.0, "Films with more megapixels than this are not read.",
            low=1, high=4000, group="Reading"),
    Setting("film_memory_mib", int, 512, "Memory for decoded and prefetched films (MiB).",
            low=64, high=65536, group="Reading", takes_effect="at the next start", unit="MiB"),
    Setting("thumbnail_cache_mib", int, 256, "Disk space for thumbnails (MiB). 0: none are stored.",
            low=0, high=65536, group="Reading", takes_effect="at the next start", unit="MiB"),
    Setting("thumbnail_px", int, 96, "Thumbnail resolution. Higher is sharper on dense screens.",
            low=48, high=256, group="Window", takes_effect="at the next start", unit="px"),
    Setting("theme", str, "dark", "Colours of the window. Films are always on black.",
            choices=("dark", "light", "system"), group="Window"),
    Setting("reopen_folder", bool, True, "Reopen the last folder when XrayView starts.",
            group="Window"),
    Setting("shortcuts", dict, {}, "Keys changed by the user, by action."),
    Setting("folder_statements", dict, {}, "What is true of all films of a folder, by its hash."),
    Setting("recent_folders", list, [], "Recently opened folders, newest first."),
    Setting("export", dict, {}, "Choices of the export dialogs."),
    Setting("window_state", dict, {}, "Size and panels of the main window."),
)  # fmt: skip
ROWS = {row.key: row for row in SETTINGS}
MAX_RECENT_FOLDERS = 10
_STALE_S = 2.0
"""Settings are small, and a window that closes waits for the lock."""
BROKEN = ".broken.json"
"""Suffix of a settings file that could not be read, once a new one is written."""


class Settings:
    """The user's values over the defaults. Bad values fall back to the default; see `notes`.

    Two windows share the file: each writes what was changed in it, over what is in the file then.

    Args:
        path: the JSON file, by default the user's. It need not exist.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or config_folder() / "settings.json"
        file = _read(self.path)
        self._values = {key: file.values[key] for key in file.values.keys() - file.problems}
        self._stored = deepcopy(self._values)
        """The values as they were read or written last."""
        self.notes: tuple[str, ...] = file.notes
        self.on_change: Callable[[], None] = lambda: None
        """Called after a value has changed."""
        self._saving = threading.Lock()

    def __getitem__(self, key: str) -> Any:
        row = ROWS[key]
        value = self._values.get(key, row.default)
        return value.copy() if isinstance(value, list | dict) else row.kind(value)

    def __setitem__(self, key: str, value: object) -> None:
        """Raises UsageError where the value does not fit its row."""
        if problem := ROWS[key].problem(value):
            raise UsageError(f"{key} {problem}", hint=ROWS[key].description)
        before = self[key]
        self._values[key] = value
        if self[key] != before:
            self.on_change()

    def limits(self) -> Limits:
        """The engine's limits for one film."""
        # Imported here because the protocol imports numpy, which would delay the first paint.
        from xrayview.engine.protocol import Limits

        return Limits(
            decode_timeout_s=self["decode_timeout_s"],
            model_timeout_s=self["model_timeout_s"],
            memory_mib=self["memory_mib"],
            max_megapixels=self["max_megapixels"],
        )

    def reset(self, key: str) -> None:
        """Restore the default of a setting."""
        if self._values.pop(key, ROWS[key].default) != ROWS[key].default:
            self.on_change()

    def remember_folder(self, folder: Path) -> None:
        """Put a folder first in the list of recent folders."""
        older = [f for f in self["recent_folders"] if f != str(folder)]
        self["recent_folders"] = [str(folder), *older][:MAX_RECENT_FOLDERS]

    def forget_folder(self, folder: Path) -> None:
        """Remove a folder from the list of recent folders."""
        self["recent_folders"] = [f for f in self["recent_folders"] if f != str(folder)]

    def save(self) -> None:
        """Write what was changed here into the file, in one step; from any thread. Raises OSError.

        Only values that differ from the defaults are written. What the file has beside them stays,
        and so do entries that cannot be used. A file that cannot be read is renamed first, so that
        nothing in it is lost.
        """
        with self._saving:
            mine = deepcopy({k: v for k, v in self._values.copy().items() if v != ROWS[k].default})
            if mine == self._stored and self.path.exists():
                return
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with locked(self.path, stale_s=_STALE_S):
                self._write(mine)
            self._stored = mine

    def _write(self, mine: dict[str, Any]) -> None:
        file = _read(self.path)
        if file.is_broken:
            broken = self.path.with_suffix(BROKEN)
            if broken.exists():
                save_dated_copy(broken)
            self.path.replace(broken)
        is_there = self.path.exists()
        values = merged(self._stored, mine, file.values) if is_there else mine
        if "recent_folders" in values:
            values["recent_folders"] = values["recent_folders"][:MAX_RECENT_FOLDERS]
        with replacing(self.path) as stream:
            json.dump({key: values[key] for key in sorted(values)}, stream, indent=2)


@dataclass(frozen=True)
class _File:
    """The content of a settings file."""

    values: dict[str, Any] = field(default_factory=dict)
    """All entries, those that cannot be used included."""
    problems: frozenset[str] = frozenset()
    """The entries that cannot be used."""
    notes: tuple[str, ...] = ()
    is_broken: bool = False
    """It is there, and cannot be read."""


def _read(path: Path) -> _File:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return _File()
    except OSError as error:
        note = f"{path.name} cannot be read ({type(error).__name__}); the defaults are used."
        return _File(notes=(note,), is_broken=True)
    except (ValueError, RecursionError):
        return _File(notes=(_broken_note(path, "is damaged"),), is_broken=True)
    if not isinstance(data, dict):
        return _File(notes=(_broken_note(path, "does not contain settings"),), is_broken=True)
    problems = dict(_problems(data))
    notes = (
        f"{path.name}: {key} {problem}; the default is used." for key, problem in problems.items()
    )
    return _File(data, frozenset(problems), tuple(notes))


def _broken_note(path: Path, problem: str) -> str:
    renamed = path.with_suffix(BROKEN).name
    return f"{path.name} {problem}; the defaults are used, and it is renamed to {renamed}."


def _problems(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in data.items():
        problem = ROWS[key].problem(value) if key in ROWS else "is not a setting"
        if problem:
            yield key, problem
