"""The files that work on a folder reads, where its output may lie inside that folder."""

from __future__ import annotations

from pathlib import Path

from xrayview.domain.film import RejectedFile
from xrayview.engine.scan import Entry, list_files


def list_outside(source: Path, out: Path) -> tuple[Entry, ...]:
    """The files of `source`, without those in `out`."""
    return tuple(entry for entry in list_files(source) if not lies_in(path_of(entry), out))


def lies_in(path: Path, folder: Path) -> bool:
    """True where `path` is `folder` or below it."""
    return path.absolute().is_relative_to(folder.absolute())


def path_of(entry: Entry) -> Path:
    """The path of a listed file."""
    return entry.path if isinstance(entry, RejectedFile) else entry
