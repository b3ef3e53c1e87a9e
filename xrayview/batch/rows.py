"""The rows of a batch by file and frame: which there are, and how many there will be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from xrayview.io.tables.predictions import Row


class Rows:
    """A file has a row for each frame, or one (`frame` None) where it is no film.

    How many is known once its header is read; until then it counts as one.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._by_file: dict[str, dict[int | None, Row]] = {name: {} for name in names}
        self._expected: dict[str, int] = {}
        self.done = 0
        self.total = len(self._by_file)
        """Of the run, as far as headers are read."""

    def __iter__(self) -> Iterator[Row]:
        """In scan order, the frames of a file in theirs."""
        for rows in self._by_file.values():
            for frame in sorted(rows, key=lambda frame: -1 if frame is None else frame):
                yield rows[frame]

    def expect(self, name: str, count: int) -> None:
        """The file gets so many rows."""
        self.total += count - self._expected.get(name, 1)
        self._expected[name] = count

    def expected(self, name: str) -> int:
        """How many rows the file gets."""
        return self._expected[name]

    def add(self, name: str, frame: int | None, row: Row) -> None:
        """One more row; a file is a film or none, and what is said last of that holds."""
        rows = self._by_file[name]
        self.done -= len(rows)
        for other in [known for known in rows if (known is None) != (frame is None)]:
            del rows[other]
        rows[frame] = row
        self.done += len(rows)

    def has(self, name: str, frame: int | None) -> bool:
        """True where this row is there."""
        return frame in self._by_file[name]

    def is_complete(self, name: str) -> bool:
        """True where the file has all rows that it gets."""
        return len(self._by_file[name]) == self._expected.get(name)

    def incomplete(self) -> int:
        """How many files lack rows."""
        return sum(not self.is_complete(name) for name in self._by_file)
