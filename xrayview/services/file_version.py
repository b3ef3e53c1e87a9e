"""Noticing that another window, perhaps on another computer, has replaced a file."""

from __future__ import annotations

from pathlib import Path

FileVersion = tuple[tuple[int, int, int] | None, ...]
"""Identity, size and time of each file; None for one that does not exist."""


def version_of(*paths: Path) -> FileVersion:
    """The version of files; another one after any of them was written."""
    return tuple(_stamp(path) for path in paths)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        info = path.stat()
    except OSError:
        return None
    return info.st_ino, info.st_size, info.st_mtime_ns
