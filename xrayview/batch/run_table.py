"""The CSV of a run, in which everything stays that a person has written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from xrayview.batch.file_state import sha256_of_file
from xrayview.batch.journal import Earlier
from xrayview.batch.output import Output, read_table, reported_hash, save_copy
from xrayview.errors import UsageError
from xrayview.io.tables.annotations import (
    AnnotatedTable,
    Annotations,
    annotated_columns,
    is_same_cell,
)
from xrayview.io.tables.predictions import Row, write_predictions

_OF_A_RUN = ("label", "app_version", "run_id", "time_utc")
"""Cells that differ from run to run, or are carried over."""


class RunTable:
    """The table of a run: the present one, what people wrote into it, and how it is replaced.

    Args:
        output: where it is.
        findings: the names of the findings, in the card's order.
        earlier: what earlier runs have left.
        table: the table that is there; None where there is none.
        sha256: its hash.
    """

    def __init__(
        self,
        output: Output,
        findings: tuple[str, ...],
        earlier: Earlier,
        table: AnnotatedTable | None,
        sha256: str,
    ) -> None:
        self.annotations = earlier.annotations
        """What people have written, by film."""
        self.left: Annotations | None = None
        """What people have written about films that the written table has no row of."""
        self.written_sha256 = ""
        """The hash of the table that `write` wrote."""
        self._output, self._findings, self._earlier = output, findings, earlier
        self._take(table, sha256)

    def write(self, new_rows: Iterable[Row]) -> str:
        """Replace the CSV, after a copy where the new one lacks what a person has written.

        Returns a note for the user, which may be empty.

        Raises:
            UsageError: the copy cannot be written.
            OSError: the table cannot be written.
        """
        csv, note = self._output.csv, ""
        is_known = self._read_again()
        rows, lost = self.annotations.assigned(list(new_rows))
        own = annotated_columns(self._findings, self.annotations.columns)
        if not is_known or self._would_lose(lost, own, rows):
            copy = save_copy(csv)
            note = (
                f"The new table lacks something that was written into {csv.name}. "
                f"The earlier table was copied to {copy.name}."
            )
        write_predictions(csv, self._findings, rows, own)
        self.written_sha256 = sha256_of_file(csv)
        self.left = self.annotations.only(lost)
        return note

    def _take(self, table: AnnotatedTable | None, sha256: str) -> None:
        self._table, self._sha256 = table, sha256
        if table is not None:
            self.annotations = self.annotations.updated(table.annotations)

    def _read_again(self) -> bool:
        """Read what was written into the CSV during the run; False where it cannot be read."""
        try:
            table, sha256 = read_table(self._output)
        except UsageError:
            return False
        if sha256 != self._sha256:
            self._take(table, sha256)
        return True

    def _would_lose(
        self, lost: Iterable[tuple[str, str]], own: tuple[str, ...], rows: Iterable[Row]
    ) -> bool:
        """True where the CSV has something that a person wrote and the new table does not have."""
        table = self._table
        if table is None:
            return False
        if any(table.annotations.by_key.get(key) for key in lost):
            return True
        if not set(table.annotations.columns) <= set(own):
            return True
        if self._sha256 == reported_hash(self._output):
            return False
        if table.has_strays:
            return True
        written: dict[tuple[str, str], list[Row]] = {}
        for row in (*self._earlier.rows, *rows):
            written.setdefault((row["path"], row["frame"]), []).append(row)
        return any(
            not any(is_same_row(row, cells) for row in written.get(key, ()))
            for key, cells in table.cells.items()
        )


def is_same_row(row: Row, cells: Mapping[str, str]) -> bool:
    """True where the cells of a table are those of a row, apart from the label."""
    return all(
        is_same_cell(cell, row.get(name, ""))
        for name, cell in cells.items()
        if name not in _OF_A_RUN and cell.strip()
    )
