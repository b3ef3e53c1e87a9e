"""Copies of files that are about to be replaced, with the time in their names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

_STAMP = "%Y-%m-%dT%H-%M-%S"
_MIDDLE = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(-\d+)?")


def save_dated_copy(path: Path) -> Path:
    """Copy `a.csv` to `a.2026-11-30T19-05-52.csv`; never overwrites one.

    Raises:
        OSError: the copy cannot be written; there is no part of it then.
    """
    data = path.read_bytes()
    stamp = datetime.now().astimezone().strftime(_STAMP)
    number = 1
    while True:
        again = f"-{number}" if number > 1 else ""
        target = path.with_name(f"{path.stem}.{stamp}{again}{path.suffix}")
        try:
            stream = target.open("xb")
        except FileExistsError:
            number += 1
            continue
        try:
            with stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError:
            with suppress(OSError):
                target.unlink(missing_ok=True)
            raise
        return target


def is_dated_copy(path: Path, original: Path) -> bool:
    """True where a path is named as a copy of `original` beside it."""
    start, end = f"{original.stem}.", original.suffix
    middle = path.name.removeprefix(start).removesuffix(end)
    return path.name == f"{start}{middle}{end}" and bool(_MIDDLE.fullmatch(middle))


@contextmanager
def kept_if_replaced(path: Path) -> Iterator[list[Path]]:
    """Keep a copy of `path`, unless the block leaves its content as it was.

    The list that it yields has the copy afterwards, if there is one.

    Raises:
        OSError: the copy cannot be written.
    """
    copies: list[Path] = []
    old = path.read_bytes() if path.is_file() else b""
    if old:
        copies.append(save_dated_copy(path))
    try:
        yield copies
    finally:
        with suppress(OSError):
            if copies and path.read_bytes() == old:
                copies.pop().unlink()
