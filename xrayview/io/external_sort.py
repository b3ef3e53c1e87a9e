"""Sort lines of text that do not fit into memory, by files of a temporary folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

BUCKETS = 256
"""Files that are open at the same time; a process may have about 1,000. One bucket at a time is in
memory: 1/256 of the lines, where keys are spread evenly."""


def sorted_lines(lines: Iterable[tuple[int, str]], top: int, folder: Path) -> Iterator[str]:
    """Yield the texts by increasing key; those of one key in the order in which they came.

    Args:
        lines: pairs of a key from 0 to below `top` and a text without line ends.
        top: above all keys.
        folder: made for the sort and removed after it; what an earlier sort has left in it is
            removed first.

    Raises:
        OSError: the folder cannot be written.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        paths = [folder / f"{i:03}" for i in range(BUCKETS)]
        with ExitStack() as stack:
            files = [
                stack.enter_context(path.open("w", encoding="utf-8", newline="\n"))
                for path in paths
            ]
            for key, text in lines:
                files[key * BUCKETS // top].write(f"{key}\t{text}\n")
        for path in paths:
            yield from _sorted(path)
            path.unlink()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sorted(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="\n") as stream:
        pairs = [line.rstrip("\n").split("\t", 1) for line in stream]
    pairs.sort(key=lambda pair: int(pair[0]))
    for _, text in pairs:
        yield text
