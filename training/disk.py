"""Disk errors that name the file, and a check for free space."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from xrayview.errors import XrayViewError

_MEBIBYTE = 2**20


class CannotWrite(XrayViewError):
    """A file could not be written; its previous content is intact."""


def cannot_write(error: OSError, path: Path | None = None) -> CannotWrite:
    """Convert the system's error; `path` is used if that error names no file."""
    name = error.filename or (str(path) if path else "")
    return CannotWrite(
        f"{name or 'A file'} could not be written or read",
        why=error.strerror or str(error),
        hint="Free some space or check the disk, then repeat the command (train: --resume RUN).",
    )


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Convert the block's OSError into CannotWrite, which names `path`."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise cannot_write(_os_error(error), path) from error


@contextmanager
def writing_partial(path: Path) -> Iterator[None]:
    """Same as `disk_errors`, and remove the partial file so that it does not fill the disk."""
    try:
        with disk_errors(path):
            yield
    except CannotWrite:
        # A special file (/dev/full) is not ours to remove.
        if path.is_file():
            path.unlink()
        raise


@contextmanager
def whole_text(path: Path) -> Iterator[TextIO]:
    """Open a text file in UTF-8 that is replaced when the block ends, or not at all.

    Raises:
        CannotWrite: the disk is full or fails.
    """
    partial = path.with_name(f"{path.name}.partial")
    with writing_partial(partial):
        with partial.open("w", newline="", encoding="utf-8") as stream:
            yield stream
        partial.replace(path)


def _os_error(error: OSError | RuntimeError) -> OSError:
    """Return the OSError behind an error: torch's zip writer hides it behind "unexpected pos".

    Raises:
        RuntimeError: there is none; this is the error itself.
    """
    found: BaseException | None = error
    while found is not None and not isinstance(found, OSError):
        found = found.__cause__ or found.__context__
    if found is None:
        raise error
    return found


def require_room(folder: Path, size: int) -> None:
    """Check for `size` free bytes before a file is mapped: a full disk would kill the process.

    Raises:
        CannotWrite: there is not enough space; the error names the folder and both sizes.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        raise CannotWrite(
            f"There is not enough space in {folder}",
            why=f"{size / _MEBIBYTE:.0f} MiB are needed, {free / _MEBIBYTE:.0f} MiB are free",
            hint="Free some space, or name a folder on another disk with --cache.",
        )
