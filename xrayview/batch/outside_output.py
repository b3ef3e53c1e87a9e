"""What a folder's work reads when its results may lie inside the folder."""

from __future__ import annotations

from pathlib import Path

from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.engine.scan import Entry, list_files

Found = FilmRef | RejectedFile


def list_outside(source: Path, out: Path) -> tuple[Entry, ...]:
    """The files of `source`, without those in `out`."""
    return tuple(entry for entry in list_files(source) if not lies_in(_path(entry), out))


def lies_in(path: Path, folder: Path) -> bool:
    """True where `path` is `folder` or below it."""
    return path.absolute().is_relative_to(folder.absolute())


def _path(entry: Entry) -> Path:
    return entry.path if isinstance(entry, RejectedFile) else entry
