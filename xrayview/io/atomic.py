"""Atomic writes: other programs see the old file or the new one, never a part of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, TextIO

from xrayview.io.long_paths import openable

PARTIAL = ".partial"
"""Suffix of a file that is being written."""


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Open a UTF-8 text file that replaces `path` when the block ends without an error.

    Line ends are written as given. An error in the block leaves `path` unchanged.

    Raises:
        OSError: the folder cannot be written, or another program holds `path` open.
    """
    path = openable(path)
    partial = path.with_name(path.name + PARTIAL)
    with _replaced(path, partial), partial.open("w", encoding="utf-8", newline="") as stream:
        yield stream
        _sync(stream)


@contextmanager
def replacing_bytes(path: Path) -> Iterator[BinaryIO]:
    """The same for a binary file."""
    path = openable(path)
    partial = path.with_name(path.name + PARTIAL)
    with _replaced(path, partial), partial.open("wb") as stream:
        yield stream
        _sync(stream)


@contextmanager
def _replaced(path: Path, partial: Path) -> Iterator[None]:
    try:
        yield
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _sync(stream: IO[Any]) -> None:
    stream.flush()
    os.fsync(stream.fileno())
