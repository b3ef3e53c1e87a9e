"""The tag table: one row per file that was tried, one column per attribute."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from xrayview.errors import Status, StatusCode, UsageError
from xrayview.io.atomic import replacing
from xrayview.io.tables.cells import escape_formula, printable_name
from xrayview.io.tables.predictions import IdentityMode, patient_cell
from xrayview.io.tags.columns import NUMBER_VRS, Column, parse_column

BEFORE_TAGS = ("path", "status", "status_code", "message")


@dataclass(frozen=True)
class TagRow:
    """One file; `cells` has one text per column, and is empty when the file failed."""

    path: str
    status: Status
    code: StatusCode
    message: str = ""
    cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class TagTable:
    """The columns of a table, and how it identifies patients."""

    columns: tuple[Column, ...]
    identity: IdentityMode = "hash"
    identity_key: bytes = b""
    """For `hash`; see `Provenance`."""

    @property
    def header(self) -> tuple[str, ...]:
        """The first line of the table."""
        return (*BEFORE_TAGS, *(column.name for column in self.columns))

    def line(self, row: TagRow) -> list[str]:
        """The cells of a row, escaped against formulas."""
        cells = row.cells or ("",) * len(self.columns)
        before = (printable_name(row.path), row.status.value, row.code.value, row.message)
        return [
            *map(escape_formula, before),
            *(self._cell(*pair) for pair in zip(self.columns, cells, strict=True)),
        ]

    def _cell(self, column: Column, text: str) -> str:
        if column.keyword == "PatientID":
            text = patient_cell(text, self.identity, self.identity_key)
        is_number = column.vr in NUMBER_VRS and _is_number(text)
        return text if is_number else escape_formula(text)


def tag_table(names: tuple[str, ...], identity: IdentityMode, key: bytes = b"") -> TagTable:
    """A table with the columns `names`.

    Raises:
        UsageError: a name is not a column, is repeated, or may identify the patient although
            `identity` is not `full`.
    """
    columns = tuple(map(parse_column, names))
    for column in columns:
        if column.is_identifying and column.keyword != "PatientID" and identity != "full":
            raise UsageError(
                f"{column.name} may identify the patient",
                why="it is free text, a date, or listed as identifying in DICOM PS3.15",
                hint="Leave it out. To write it all the same in a terminal: --identity full.",
            )
    if len(set(names)) < len(names):
        raise UsageError("A column is listed twice", hint="Name each column once.")
    return TagTable(columns, identity, key)


@contextmanager
def tag_table_writer(path: Path, table: TagTable) -> Iterator[Callable[[TagRow], None]]:
    """Write the table row by row; the file appears when the block has ended without an error.

    UTF-8, comma, RFC 4180, dot decimal, like the predictions.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path) as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(table.header)
        yield lambda row: writer.writerow(table.line(row))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
