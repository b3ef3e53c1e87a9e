"""How far a long request is, and that nobody waits for it any more: a few bytes of a file.

Parent and worker map the same temporary file. The worker writes how far it is and looks whether it
should stop; so it ends within one step and stays alive, with its model in memory. Killing it would
cost its start.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from xrayview.errors import Cancelled

Report = Callable[[int, int], None]
"""Called with steps done and in total; raises Cancelled where nobody waits for the result."""
_COUNTS = struct.Struct("<II")
_STOP = _COUNTS.size
_SIZE = _COUNTS.size + 1


class ProgressFile:
    """The parent's end. Without a folder for temporary files, it has no path and no progress."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self._map: mmap.mmap | None = None
        self._lock = threading.Lock()
        with suppress(OSError, ValueError):
            descriptor, name = tempfile.mkstemp(prefix="xrayview-progress-")
            self.path = Path(name)
            try:
                os.write(descriptor, bytes(_SIZE))
                self._map = mmap.mmap(descriptor, _SIZE)
            finally:
                os.close(descriptor)
        if self._map is None:
            self.close()

    @property
    def fraction(self) -> float | None:
        """How far the request is, 0 to 1; None while that is unknown."""
        with self._lock:
            if self._map is None:
                return None
            done, total = _COUNTS.unpack_from(self._map)
        return min(done / total, 1.0) if total else None

    def stop(self) -> None:
        """Ask the worker to end at its next step."""
        with self._lock:
            if self._map is not None:
                self._map[_STOP] = 1

    def close(self) -> None:
        """Remove the file, once the request has ended; from any thread."""
        with self._lock:
            if self._map is not None:
                self._map.close()
                self._map = None
            if self.path is not None:
                with suppress(OSError):  # Windows keeps it while the worker has it open
                    self.path.unlink(missing_ok=True)
                self.path = None


@contextmanager
def reporting_to(path: Path | None) -> Iterator[Report]:
    """The worker's end: what to call after each step."""
    if path is None:
        yield lambda _done, _total: None
        return
    try:
        with path.open("r+b") as stream:
            shared = mmap.mmap(stream.fileno(), _SIZE)
    except (OSError, ValueError) as error:  # it was removed: nobody waits
        raise Cancelled("The request was cancelled") from error

    def report(done: int, total: int) -> None:
        _COUNTS.pack_into(shared, 0, done, total)
        if shared[_STOP]:
            raise Cancelled("The request was cancelled")

    with shared:
        yield report
