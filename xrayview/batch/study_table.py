"""The table of studies beside the table of predictions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from xrayview.batch.file_state import sha256_of_file
from xrayview.batch.output import Output, save_copy
from xrayview.domain.sentences import counted
from xrayview.errors import UsageError
from xrayview.io.atomic import PARTIAL
from xrayview.io.dated_copy import is_dated_copy
from xrayview.io.tables.predictions import Row
from xrayview.io.tables.studies import require_studies, write_studies


class StudyTable:
    """Where the table of studies is written; one that somebody has changed is first copied.

    Args:
        path: the table.
        output: the table of predictions, in whose report it is named.

    Raises:
        UsageError: it cannot be written, or is something else.
    """

    def __init__(self, path: Path, output: Output) -> None:
        if path.resolve() in (output.csv, output.journal, output.report):
            hint = "Choose another name for one of them."
            raise UsageError("Two outputs have the same name", path=path, hint=hint)
        require_studies(path)
        self.path = path
        self._known_sha256 = _reported_hash(output)
        self._sha256 = ""

    def write(self, findings: Sequence[str], rows: Iterable[Row], without: int) -> list[str]:
        """Write the rows; returns notes for the user.

        Args:
            findings: in the card's order.
            rows: of studies.
            without: the number of films that do not state a study.

        Raises:
            UsageError: a copy cannot be written.
            OSError: the table cannot be written.
        """
        notes = []
        if self.path.exists() and sha256_of_file(self.path) not in ("", self._known_sha256):
            copy = save_copy(self.path)
            notes.append(f"The earlier table of studies was copied to {copy.name}.")
        write_studies(self.path, findings, rows)
        self._sha256 = sha256_of_file(self.path)
        if without:
            which = counted(without, "row states", "rows state")
            notes.append(f"{which} no study, and is not in {self.path.name}.")
        return notes

    def to_json(self) -> dict[str, str]:
        """The table in the report."""
        return {"file": self.path.name, "sha256": self._sha256}


def is_of_table(path: Path, table: Path) -> bool:
    """True for the table itself, its copies, and the file in which it is written."""
    if path.parent.resolve() != table.parent.resolve():
        return False
    return path.name.removesuffix(PARTIAL) == table.name or is_dated_copy(path, table)


def _reported_hash(output: Output) -> str:
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        report = json.loads(output.report.read_text(encoding="utf-8"))
        return str(report["studies"]["sha256"])
    return ""
