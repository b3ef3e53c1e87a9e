"""Tables of labels as people have them: any separator, the usual encodings, gzipped or not."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from xrayview.errors import UsageError
from xrayview.io.tables.sheet import DELIMITERS, decode_text

SUFFIXES = (".csv", ".tsv", ".tab", ".csv.gz", ".tsv.gz", ".csv.zip")
"""Names of tables end in one of these."""
_GZIP, _ZIP = b"\x1f\x8b", b"PK\3\4"
_MOST_BYTES = 1 << 31
"""Of an unpacked table: more is a mistake or an attack."""
_HEAD_BYTES = 1 << 16
_SAMPLE_ROWS = 30
_CONSISTENT = 0.8
"""Share of the first rows that must have the header's width under the right separator."""


@lru_cache(maxsize=4096)
def canonical(name: str) -> str:
    """Unify the case, blanks and underscores of a column's name: `Patient ID` is `patient_id`."""
    return " ".join(name.replace("_", " ").split()).casefold()


@dataclass(frozen=True)
class Table:
    """A header and its rows; each row has at least as many cells as the header."""

    path: Path
    header: tuple[str, ...]
    rows: list[list[str]] = field(repr=False)
    delimiter: str = ","

    def index(self, *names: str) -> int | None:
        """Return the index of the first of these columns that the table has."""
        positions = self._positions()
        return next((positions[c] for n in names if (c := canonical(n)) in positions), None)

    def has(self, *names: str) -> bool:
        """Tell whether the table has all of these columns."""
        return has_columns(self.header, names)

    def records(self) -> Iterator[Record]:
        """Yield the rows by the names of their columns."""
        positions = self._positions()
        for cells in self.rows:
            yield Record(positions, cells)

    def _positions(self) -> dict[str, int]:
        positions: dict[str, int] = {}
        for i, name in enumerate(self.header):
            positions.setdefault(canonical(name), i)
        return positions


@dataclass(frozen=True)
class Record:
    """A row; columns are found without regard to case, blanks and underscores."""

    positions: dict[str, int] = field(repr=False)
    cells: Sequence[str] = field(repr=False)

    def get(self, *names: str) -> str:
        """Return the cell of the first of these columns that exists; empty without one."""
        for name in names:
            if (i := self.positions.get(canonical(name))) is not None:
                return self.cells[i].strip()
        return ""

    def number(self, *names: str) -> float | None:
        """Return a cell as a number, also with a decimal comma; None if it is not one."""
        return as_number(self.get(*names))


def has_columns(header: Sequence[str], names: Sequence[str]) -> bool:
    """Tell whether a header has all of these columns."""
    return {canonical(name) for name in names} <= {canonical(name) for name in header}


def as_number(text: str) -> float | None:
    """Convert a cell, also one with a decimal comma; None if it is empty or not a number."""
    try:
        return float(text.strip().replace(",", ".")) if text.strip() else None
    except ValueError:
        return None


def as_id(text: str) -> str:
    """Return an id without the `.0` that a spreadsheet or a data frame puts after it."""
    return text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text


def is_table(path: str) -> bool:
    """Tell by its name whether a file is a table."""
    return path.casefold().endswith(SUFFIXES)


def read_header(path: Path) -> tuple[str, ...]:
    """Return the names of a table's columns; empty if the file is not a table."""
    try:
        head = _content(path, _HEAD_BYTES)
        end = max(head.rfind(b"\n"), head.rfind(b"\r"))
        text, _ = decode_text(head if len(head) < _HEAD_BYTES or end < 0 else head[: end + 1])
        text, delimiter = _with_delimiter(text)
        return tuple(name.strip() for name in next(_lines(text, delimiter), []))
    except _UNREADABLE:
        return ()


def read_table(path: Path) -> Table:
    """Read a table whose separator and encoding follow from its content.

    Raises:
        UsageError: it cannot be read, or is not a table.
    """
    try:
        data = _content(path, _MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise ValueError("it unpacks to more than 2 GiB")
        text, delimiter = _with_delimiter(decode_text(data)[0])
        lines = list(_lines(text, delimiter))
    except _UNREADABLE as error:
        raise UsageError(
            f"{path.name} is not a table",
            path=path,
            why=str(error),
            hint="Save it as CSV in UTF-8; it may be gzipped, or the only file of a zip archive.",
        ) from error
    if not lines:
        raise UsageError(f"{path.name} is empty", path=path, hint="It needs a header and rows.")
    header = tuple(name.strip() for name in lines[0])
    _require_whole(path, lines)
    rows = [cells + [""] * (len(header) - len(cells)) for cells in lines[1:]]
    return Table(path, header, rows, delimiter)


_UNREADABLE = (OSError, EOFError, ValueError, RuntimeError, zlib.error, csv.Error,
               zipfile.BadZipFile, NotImplementedError)  # fmt: skip
"""What unpacking, decoding and parsing raise."""


def _content(path: Path, most: int) -> bytes:
    """Return the first bytes of a table, unpacked.

    Raises:
        ValueError: a zip archive has more than one table, or none.
    """
    with path.open("rb") as stream:
        start = stream.read(4)
        stream.seek(0)
        if start.startswith(_GZIP):
            with gzip.open(stream) as unpacked:
                return bytes(unpacked.read(most))
        if start == _ZIP:
            with zipfile.ZipFile(stream) as archive:
                tables = [n for n in archive.namelist() if is_table(n) and "__MACOSX" not in n]
                if len(tables) != 1:
                    raise ValueError(f"the archive has {len(tables)} tables, and not one")
                with archive.open(tables[0]) as member:
                    return member.read(most)
        return stream.read(most)


def _require_whole(path: Path, lines: Sequence[Sequence[str]]) -> None:
    """Check that the last row is as long as the others: a copy may have been interrupted.

    Raises:
        UsageError: it alone is shorter than the header.
    """
    width = _width(lines[0])
    short = [i for i, cells in enumerate(lines) if len(cells) < width]
    if short == [len(lines) - 1] and len(lines) > 2:
        raise UsageError(
            f"The last row of {path.name} is cut short",
            path=path,
            why=f"it has {len(lines[-1])} cells of {width}",
            hint="Copy the table again, or complete the row.",
        )


def _with_delimiter(text: str) -> tuple[str, str]:
    """Return the text without Excel's line `sep=;`, and the delimiter."""
    first, _, rest = text.partition("\n")
    if first.casefold().startswith("sep=") and len(first.rstrip("\r")) == 5:
        return rest, first[4]
    return text, max(DELIMITERS, key=lambda delimiter: _fit(text, delimiter))


def _fit(text: str, delimiter: str) -> tuple[bool, int]:
    """Say how well a delimiter fits: rows as wide as the header, and a wide header."""
    try:
        lines = _lines(text, delimiter)
        widths = [_width(line) for _, line in zip(range(_SAMPLE_ROWS), lines, strict=False)]
    except csv.Error:
        return False, 0
    if not widths or widths[0] < 2:
        return False, 0
    same = sum(width <= widths[0] for width in widths) / len(widths)
    filled = sum(width > 1 for width in widths) / len(widths)
    return same >= _CONSISTENT and filled >= _CONSISTENT, widths[0]


def _width(line: Sequence[str]) -> int:
    return max((i + 1 for i, cell in enumerate(line) if cell.strip()), default=0)


def _lines(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    yield from (line for line in reader if any(cell.strip() for cell in line))
