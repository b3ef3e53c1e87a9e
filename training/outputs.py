"""Files in an output folder that are not ours, or that a person has changed, are copied first."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from training.data.cache import file_sha256
from training.data.films import Say
from training.disk import disk_errors
from xrayview.io.dated_copy import save_dated_copy


def keep_unless(path: Path, is_ours: Callable[[Path], bool], say: Say) -> None:
    """Copy an existing file to a name with the date, unless it is as a command wrote it.

    Raises:
        CannotWrite: the copy cannot be written; the file is not replaced then.
    """
    if path.is_file() and not is_ours(path):
        with disk_errors(path):
            copy = save_dated_copy(path)
            say(f"{path.name} was not written by this command, and was copied to {copy.name}")


def has_sha256(sha256: object) -> Callable[[Path], bool]:
    """Return a test whether a file has the content that a report of its command has recorded."""
    return lambda path: bool(sha256) and file_sha256(path) == sha256


def contains(text: str) -> Callable[[Path], bool]:
    """Return a test whether a text file has a part that all files of its command have."""

    def test(path: Path) -> bool:
        return text in path.read_text(encoding="utf-8", errors="replace")

    return test


def keep_tables(summary: Path, names: Sequence[str], say: Say) -> None:
    """Copy the tables beside a summary that are not as the command that wrote it left them.

    `summary` is a JSON file with the hashes of its tables in `tables`; one of an older version has
    none, and its tables are taken for the command's.
    """
    try:
        stored = json.loads(summary.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        stored = {}
    known = stored.get("tables") if isinstance(stored, dict) else None
    if known is None and isinstance(stored, dict) and "command" in stored:
        return
    tables = known if isinstance(known, dict) else {}
    for name in names:
        keep_unless(summary.with_name(name), has_sha256(tables.get(name)), say)
