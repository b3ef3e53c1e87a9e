"""The rows of a batch by file and frame, and how many are expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from xrayview.io.tables.predictions import Row


class Rows:
    """The rows of each file: one per frame, or one (`frame` None) for a file that is not a film.

    The number of rows is known once the header is read; until then a file counts as one row.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._by_file: dict[str, dict[int | None, Row]] = {name: {} for name in names}
        self._expected: dict[str, int] = {}
        self.done = 0
        self.total = len(self._by_file)
        """Expected rows, as far as headers are read."""

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows in scan order, those of a file by frame."""
        for rows in self._by_file.values():
            for frame in sorted(rows, key=lambda frame: -1 if frame is None else frame):
                yield rows[frame]

    def expect(self, name: str, count: int) -> None:
        """Set the number of rows that a file will have."""
        self.total += count - self._expected.get(name, 1)
        self._expected[name] = count

    def expected(self, name: str) -> int:
        """The number of rows that a file will have."""
        return self._expected[name]

    def add(self, name: str, frame: int | None, row: Row) -> None:
        """Add a row, and drop those that contradict it: a file is either a film or not."""
        rows = self._by_file[name]
        self.done -= len(rows)
        for other in [known for known in rows if (known is None) != (frame is None)]:
            del rows[other]
        rows[frame] = row
        self.done += len(rows)

    def has(self, name: str, frame: int | None) -> bool:
        """True where the row exists."""
        return frame in self._by_file[name]

    def is_complete(self, name: str) -> bool:
        """True where the file has all its rows."""
        return len(self._by_file[name]) == self._expected.get(name)

    def count_incomplete(self) -> int:
        """The number of files that lack rows."""
        return sum(not self.is_complete(name) for name in self._by_file)
