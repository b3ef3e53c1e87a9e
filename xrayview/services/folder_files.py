"""A file for each folder that other windows may change too: read, saved and watched."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from xrayview.services.file_version import FileVersion
from xrayview.services.tasks import Failed, Tasks

LOOK_EVERY_MS = 2000
"""How often to look for changes of another window; network shares do not report them."""

T = TypeVar("T")
S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)


class Files(Protocol[S_co]):
    """Reads the files of folders; called in another thread."""

    def load(self, folder: Path, /) -> S_co:
        """Read a folder's file."""

    def version(self, folder: Path, /) -> FileVersion:
        """The present version of a folder's file, without reading it."""


class FolderFiles(Generic[S]):
    """Reads and saves in one thread, so that a read sees every earlier save.

    Args:
        tasks: deliver the results to the window's thread.
        files: read the files.
        contents: what the files hold, for the names of slots.
    """

    def __init__(self, tasks: Tasks, files: Files[S], contents: str) -> None:
        self._tasks = tasks
        self._files = files
        self._contents = contents
        self._saves = itertools.count(1)
        self._worker = ThreadPoolExecutor(1, f"xrayview {contents}")

    def load(self, folder: Path, done: Callable[[S], None], failed: Failed) -> None:
        """Read a folder's file, unless a read of it is under way."""
        slot = self._read_slot(folder)
        if not self._tasks.is_busy(slot):
            self._tasks.start(slot, lambda: self.submit(self._files.load, folder), done, failed)

    def cancel_load(self, folder: Path) -> None:
        """Drop the result of a read that is under way."""
        self._tasks.cancel(self._read_slot(folder))

    def save(self, work: Callable[[], S], done: Callable[[S], None], failed: Failed) -> None:
        """Save by calling `work` in the thread; it returns what the file then holds."""
        slot = f"save {self._contents} {next(self._saves)}"  # unique: no save replaces another
        self._tasks.start(slot, lambda: self.submit(work), done, failed)

    def look(
        self, folder: Path, known: FileVersion, changed: Callable[[S], None], failed: Failed
    ) -> None:
        """Read a folder's file again if its version is not the known one."""

        def compare(version: FileVersion) -> None:
            if version != known:
                slot = f"changed {self._contents} of {folder}"
                self._tasks.start(
                    slot, lambda: self.submit(self._files.load, folder), changed, failed
                )

        self._tasks.start(
            f"version of {self._contents} of {folder}",
            lambda: self.submit(self._files.version, folder),
            compare,
            lambda _error: None,  # the next look tries again
        )

    def submit(self, work: Callable[..., T], *arguments: object) -> Future[T]:
        """Run a function after all earlier reads and saves."""
        return self._worker.submit(partial(work, *arguments))

    def close(self) -> None:
        """Wait until all is written."""
        self._worker.shutdown()

    def _read_slot(self, folder: Path) -> str:
        return f"read {self._contents} of {folder}"
