"""A disk that is full or fails, as an error that names the file."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xrayview.errors import XrayViewError

_MEBIBYTE = 2**20


class CannotWrite(XrayViewError):
    """A file could not be written; what was there before is still there."""


def cannot_write(error: OSError, path: Path | None = None) -> CannotWrite:
    """The error in words; `path` where the system's own error names no file."""
    name = error.filename or (str(path) if path else "")
    return CannotWrite(
        f"{name or 'A file'} could not be written or read",
        why=error.strerror or str(error),
        hint="Make room or mend the disk, then give the same command (train: --resume RUN).",
    )


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Raises CannotWrite, naming `path`, where the disk refuses."""
    try:
        yield
    except OSError as error:
        raise cannot_write(error, path) from error


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """`told` for a partial file, which is removed then: it would fill the disk further."""
    try:
        yield
    except OSError as error:
        # A special file stays: it is none of ours.
        if path.is_file():
            path.unlink()
        raise cannot_write(error, path) from error


def require_room(folder: Path, size: int) -> None:
    """Refuse before a mapped file of so many bytes is begun: a full disk would kill the process.

    Raises:
        CannotWrite: naming the folder, what is needed and what is there.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        raise CannotWrite(
            f"There is no room in {folder}",
            why=f"{size / _MEBIBYTE:.0f} MiB are needed, {free / _MEBIBYTE:.0f} MiB are free",
            hint="Make room, or name another disk with --cache.",
        )
