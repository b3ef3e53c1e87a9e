"""A lock for the short time in which a file is read, changed and replaced.

The lock is a file beside it that only one program can create, which also works on network shares,
where the locks of the operating systems do not reach every computer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK = ".lock"
"""Suffix of a lock."""
STALE_S = 10.0
"""A lock is held for milliseconds; one that stays this long was left by a crashed program."""
_POLL_S = 0.02


@contextmanager
def locked(path: Path, *, stale_s: float = STALE_S) -> Iterator[None]:
    """Hold the lock of a file; waits while another program holds it.

    Raises:
        OSError: the folder cannot be written.
    """
    lock, owner = path.with_name(path.name + LOCK), os.urandom(16).hex()
    holder, since_s = "", time.monotonic()
    while not _create(lock, owner):
        # Not the file's own time: the clock of a file server may differ from this computer's.
        if (now := _holder(lock)) != holder:
            holder, since_s = now, time.monotonic()
        elif time.monotonic() - since_s > stale_s:
            lock.unlink(missing_ok=True)
        else:
            time.sleep(_POLL_S)
    try:
        yield
    finally:
        # A program that was suspended may find that its lock was taken for stale.
        if _holder(lock) == owner:
            lock.unlink(missing_ok=True)


def _create(lock: Path, owner: str) -> bool:
    try:
        descriptor = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    except PermissionError:
        # Windows reports this while another program deletes the lock.
        if not lock.exists():
            raise
        return False
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(owner)
    return True


def _holder(lock: Path) -> str:
    with suppress(OSError, ValueError):
        return lock.read_text(encoding="ascii")
    return ""
