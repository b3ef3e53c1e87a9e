"""Sort lines of text that do not fit into memory, by files of a temporary folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

BUCKETS = 1024
"""One bucket at a time is in memory: 1/1024 of the lines, where keys are spread evenly."""
BUFFER = 32 << 20
"""Characters that are in memory before they are written; a small sort writes nothing."""


class ExternalSort:
    """Takes lines in any order and yields them by increasing key.

    A context manager: at its end, what it has written is removed.

    Args:
        folder: made for the sort; what an earlier sort has left there is removed.
        top: above all keys, which begin at 0.

    Raises:
        OSError: the folder cannot be written, here and in the methods.
    """

    def __init__(self, folder: Path, top: int) -> None:
        self._folder, self._top = folder, max(top, 1)
        self._buffers: list[list[str]] = [[] for _ in range(BUCKETS)]
        self._buffered = 0
        shutil.rmtree(folder, ignore_errors=True)

    def __enter__(self) -> ExternalSort:
        return self

    def __exit__(self, *_exception: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, key: int, text: str) -> None:
        """Take a text without line ends."""
        self._buffers[key * BUCKETS // self._top].append(f"{key}\t{text}\n")
        self._buffered += len(text)
        if self._buffered > BUFFER:
            self._flush()

    def lines(self) -> Iterator[str]:
        """Yield the texts by increasing key; those of one key in the order in which they came."""
        for i in range(BUCKETS):
            lines, self._buffers[i] = self._lines_of(i), []
            pairs = [line.rstrip("\n").split("\t", 1) for line in lines]
            pairs.sort(key=lambda pair: int(pair[0]))
            for _, text in pairs:
                yield text

    def _lines_of(self, i: int) -> list[str]:
        path = self._path(i)
        if not path.exists():
            return self._buffers[i]
        with path.open(encoding="utf-8", newline="\n") as stream:
            lines = stream.readlines()
        path.unlink()
        return lines + self._buffers[i]

    def _flush(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for i, lines in enumerate(self._buffers):
            if lines:
                with self._path(i).open("a", encoding="utf-8", newline="\n") as stream:
                    stream.writelines(lines)
                lines.clear()
        self._buffered = 0

    def _path(self, i: int) -> Path:
        return self._folder / f"{i:04}"
