"""The files that work on a folder reads, where its output may lie inside that folder."""

from __future__ import annotations

from pathlib import Path

from xrayview.domain.film import RejectedFile
from xrayview.engine.scan import Entry, list_files


def list_outside(source: Path, out: Path) -> tuple[Entry, ...]:
    """The files of `source`, without those in an `out` below it."""
    entries = tuple(list_files(source))
    root, target = source.resolve(), out.resolve()
    if root == target or not target.is_relative_to(root):
        return entries
    folder = source / target.relative_to(root)
    return tuple(entry for entry in entries if not path_of(entry).is_relative_to(folder))


def lies_in(path: Path, folder: Path) -> bool:
    """True where `path` is `folder` or below it, also by links or another spelling."""
    if path.resolve().is_relative_to(folder.resolve()):
        return True
    if not folder.exists():
        return False
    ancestors = (a for a in (path, *path.resolve().parents) if a.exists())
    return any(ancestor.samefile(folder) for ancestor in ancestors)


def path_of(entry: Entry) -> Path:
    """The path of a listed file."""
    return entry.path if isinstance(entry, RejectedFile) else entry
