"""Pass a film's pixels between processes in shared memory instead of through a pipe.

The parent names the segment before the worker creates it, so that it can remove the segment of a
worker that died before it could reply.
"""

from __future__ import annotations

import itertools
import os
import secrets
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

PREFIX = "xrv"
# Windows frees a segment with its last handle, so the worker keeps the newest ones open until the
# parent has opened them. Elsewhere the name keeps the segment alive.
OPEN_SEGMENTS = 4 if os.name == "nt" else 0
_SHARED_FOLDER = Path("/dev/shm")  # noqa: S108 - used only to read its free space
_run = secrets.token_hex(3)
_numbers = itertools.count()
_open_segments: deque[SharedMemory] = deque()


@dataclass(frozen=True)
class SharedArray:
    """An array in shared memory: segment name, shape and dtype (as `np.dtype.str`)."""

    name: str
    shape: tuple[int, ...]
    dtype: str


def new_name() -> str:
    """A unique segment name; short, because macOS allows 31 characters."""
    return f"{PREFIX}{os.getpid():x}_{_run}_{next(_numbers):x}"


def share(array: npt.NDArray[Any], name: str) -> SharedArray | npt.NDArray[Any]:
    """Copy `array` into a new segment; returns the array itself where there is no room for it.

    Writing beyond the free space ends a process with SIGBUS, so it is checked first.
    """
    if array.nbytes == 0 or not _has_room(array.nbytes):
        return array
    try:
        segment = SharedMemory(name, create=True, size=array.nbytes)
    except OSError:
        return array
    np.ndarray(array.shape, array.dtype, buffer=segment.buf)[...] = array
    _open_segments.append(segment)
    while len(_open_segments) > OPEN_SEGMENTS:
        _open_segments.popleft().close()
    return SharedArray(name, array.shape, array.dtype.str)


def take(shared: SharedArray | npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Copy a shared array into private memory and remove its segment."""
    if not isinstance(shared, SharedArray):
        return shared
    segment = SharedMemory(shared.name)
    try:
        view: npt.NDArray[Any] = np.ndarray(
            shared.shape, np.dtype(shared.dtype), buffer=segment.buf
        )
        array = view.copy()
        del view
    finally:
        segment.close()
        segment.unlink()
    return array


def discard(name: str) -> None:
    """Remove an unused segment, if it exists."""
    with suppress(FileNotFoundError):
        segment = SharedMemory(name)
        segment.close()
        segment.unlink()


def _has_room(size: int) -> bool:
    if not hasattr(os, "statvfs") or not _SHARED_FOLDER.is_dir():
        return True
    room = os.statvfs(_SHARED_FOLDER)
    return size < room.f_bavail * room.f_frsize
