"""Read the text of a table as spreadsheets save it: any delimiter, any usual encoding."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection
from dataclasses import dataclass

DELIMITERS = ",;\t|"
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
"""What Excel understands as a first line."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Sheet:
    """A header and its rows, each as long as the header; blank lines are left out."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    line_numbers: tuple[int, ...]
    """The line of each row in the file, counted from 1."""
    overflowing: frozenset[int] = frozenset()
    """Rows (by index) with text beyond the last named column."""
    short: frozenset[int] = frozenset()
    """Rows (by index) with fewer cells than the header."""
    is_unicode: bool = True
    """False where the encoding is a guess (Windows-1252), which other than ASCII may be wrong."""


def read_sheet(data: bytes, names: Collection[str]) -> Sheet:
    """Parse a table; the delimiter is the one with which the header has most of `names`.

    Names are compared without case, and without spaces around them.

    Raises:
        ValueError: it is not a table, with the reason.
    """
    text, is_unicode = decode_text(data)
    if line := _SEPARATOR_LINE.match(text):
        return _parsed(text[line.end() :], line[1], is_unicode)
    wanted = {name.casefold() for name in names}

    def known(delimiter: str) -> tuple[int, bool]:
        first = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        return sum(cell.strip().casefold() in wanted for cell in first), delimiter == ","

    try:
        return _parsed(text, max(DELIMITERS, key=known), is_unicode)
    except csv.Error as error:
        raise ValueError("it is not CSV text") from error


def decode_text(data: bytes) -> tuple[str, bool]:
    """Return the text of a table in UTF-8, UTF-16 or Windows-1252; False if that is a guess.

    Raises:
        ValueError: it is not text, with the reason.
    """
    try:
        for bom, encoding in _BOMS:
            if data.startswith(bom):
                return data.decode(encoding), True
        start = data[:4000]
        if 4 * start.count(0) > len(start):
            # UTF-16 without its mark: the zero bytes are the upper halves of Latin letters.
            return data.decode("utf-16-le" if data[1] == 0 else "utf-16-be"), True
        return data.decode("utf-8"), True
    except UnicodeDecodeError as error:
        if b"\0" in data:
            raise ValueError("it is not CSV text") from error
    try:
        return data.decode("cp1252"), False
    except UnicodeDecodeError as error:
        raise ValueError("its text is in no known encoding") from error


def _parsed(text: str, delimiter: str, is_unicode: bool) -> Sheet:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    lines: list[list[str]] = []
    numbers: list[int] = []
    first = 1
    try:
        for line in reader:
            if any(cell.strip() for cell in line):
                if header is None:
                    header = line
                else:
                    lines.append(line)
                    numbers.append(first)
            first = reader.line_num + 1
    except csv.Error as error:
        raise ValueError("it is not CSV text") from error
    if header is None:
        raise ValueError("it is not CSV text: it is empty")
    while header and not header[-1].strip():
        header.pop()
    width = len(header)
    overflowing = frozenset(
        i for i, line in enumerate(lines) if any(cell.strip() for cell in line[width:])
    )
    short = frozenset(i for i, line in enumerate(lines) if len(line) < width)
    most = max((len(lines[i]) for i in overflowing), default=width)
    names = (*(name.strip() for name in header), *("" for _ in range(most - width)))
    rows = tuple((*line[:most], *("" for _ in range(most - len(line)))) for line in lines)
    return Sheet(names, rows, tuple(numbers), overflowing, short, is_unicode or text.isascii())
