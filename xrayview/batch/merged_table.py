"""The table of a merge, in which everything stays that a person has written; rows one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from xrayview.batch.file_state import sha256_of_file
from xrayview.batch.output import Output, read_table, reported_hash, save_copy
from xrayview.batch.run_table import is_same_row
from xrayview.io.tables.annotations import (
    Annotation,
    Annotations,
    Assignment,
    annotated_columns,
)
from xrayview.io.tables.predictions import (
    Row,
    columns,
    findings_of,
    stream_predictions,
    write_predictions,
)

Key = tuple[str, str]


class MergedTable:
    """The table that is replaced, and what people wrote into it.

    A table that is as it was written is read row by row. One that a person has changed is read as a
    whole: spreadsheets hold about a million rows.

    Args:
        output: where it is.
        findings: the names of the findings, in the card's order.
        own: the person's own columns in the parts.

    Raises:
        UsageError: it is not a table of predictions, or cannot be read with certainty.
    """

    def __init__(self, output: Output, findings: tuple[str, ...], own: tuple[str, ...]) -> None:
        self.notes: list[str] = []
        """What the user should know; sentences."""
        self._output, self._findings = output, findings
        self._sha256 = sha256_of_file(output.csv)
        self._cells: dict[Key, Row] = {}
        """The program's cells of rows that may have been changed, until the same are seen again."""
        self._has_strays = False
        if self._sha256 and self._sha256 == reported_hash(output):
            annotations = _unchanged(output)
        else:
            annotations = self._changed()
        self._assignment = Assignment(annotations)
        self._columns = annotated_columns(findings, dict.fromkeys((*annotations.columns, *own)))
        self._is_narrower = not set(annotations.columns) <= set(self._columns)

    def see(self, row: Row) -> None:
        """Take note of a row of the new table; all are seen before the first one is written."""
        self._assignment.see(row)
        key = row["path"], row["frame"]
        if key in self._cells and is_same_row(row, self._cells[key]):
            del self._cells[key]

    def write(self, rows: Iterable[Row]) -> None:
        """Replace the table, after a copy where the new one lacks what a person has written.

        Raises:
            UsageError: the copy cannot be written.
            OSError: the table cannot be written.
        """
        present = sha256_of_file(self._output.csv)
        if present and (present != self._sha256 or self._would_lose()):
            copy = save_copy(self._output.csv)
            self.notes.append(
                f"The new table lacks something that was written into {self._output.csv.name}. "
                f"The earlier table was copied to {copy.name}."
            )
        write_predictions(self._output.csv, self._findings, map(self._written, rows), self._columns)

    def _written(self, row: Row) -> Row:
        note = self._assignment.note(row) or Annotation()
        own = {name: note.extra.get(name) or row.get(name, "") for name in self._columns}
        return {**row, **own, "label": note.label or row["label"]}

    def _would_lose(self) -> bool:
        lost = bool(self._assignment.lost())
        return lost or self._is_narrower or self._has_strays or bool(self._cells)

    def _changed(self) -> Annotations:
        table, self._sha256 = read_table(self._output)
        if table is None:
            return Annotations()
        self._cells, self._has_strays = dict(table.cells), table.has_strays
        return table.annotations


def _unchanged(output: Output) -> Annotations:
    header, rows = stream_predictions(output.csv)
    return Annotations(own_columns(header), dict(_annotated(rows, own_columns(header))))


def _annotated(rows: Iterator[Row], own: tuple[str, ...]) -> Iterator[tuple[Key, Annotation]]:
    for row in rows:
        extra: Mapping[str, str] = {name: row[name] for name in own if row[name].strip()}
        if row["label"] or extra:
            yield (row["path"], row["frame"]), Annotation(row["label"], extra, row["sha256"])


def own_columns(header: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of a table that are not the program's."""
    ours = set(columns(findings_of(header)))
    return tuple(name for name in header if name not in ours)
