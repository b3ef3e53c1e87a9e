"""Write the tags of every file of a folder as a table."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

from xrayview.batch.map_films import FilmReply, map_films
from xrayview.batch.outcome import error_message, rejection_message
from xrayview.batch.source_files import path_of
from xrayview.domain.events import FilmFinished, FilmResult
from xrayview.domain.film import RejectedFile
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import ReadAttributes
from xrayview.engine.scan import Entry, list_files, root_of
from xrayview.errors import Cancelled, Status, StatusCode, UsageError
from xrayview.io.scan import relative_path
from xrayview.io.tags.table import TagRow, TagTable, tag_table_writer

Cells = tuple[str, ...]


def write_tag_table(
    engine: Engine, source: Path, out: Path, table: TagTable, cancel: threading.Event
) -> Iterator[FilmFinished]:
    """Write a row for every file of `source` in scan order, and yield one event per row.

    When `cancel` is set, the events end and the rows so far are written.

    Raises:
        UsageError: `out` cannot be written.
    """
    root = root_of(source)
    entries = tuple(
        entry for entry in list_files(source) if path_of(entry).absolute() != out.absolute()
    )
    columns = tuple(column.name for column in table.columns)

    def submit(entry: Entry) -> Future[Cells] | None:
        if isinstance(entry, RejectedFile):
            return None
        return engine.submit(ReadAttributes(entry, columns), priority=Priority.BATCH)

    try:
        with tag_table_writer(out, table) as write:
            try:
                for done, reply in enumerate(map_films(engine, entries, submit, cancel), start=1):
                    row = _row(reply, root)
                    write(row)
                    result = FilmResult(row.path, row.status, row.code, row.message)
                    yield FilmFinished(result, done, len(entries))
            except Cancelled:
                if not cancel.is_set():
                    raise
    except OSError as error:
        raise UsageError(
            "The table cannot be written",
            path=out,
            why=error.strerror or type(error).__name__,
            hint="Close the file in other programs, or choose another output.",
        ) from error


def _row(reply: FilmReply[Entry, Cells], root: Path) -> TagRow:
    entry, error = reply.entry, reply.error
    if isinstance(entry, RejectedFile):
        message = rejection_message(entry)
        return TagRow(entry.relative_path, Status.ERROR, entry.code, message)
    path = relative_path(entry, root)
    if error is not None:
        code = error.code or StatusCode.DECODE_FAILED
        return TagRow(path, Status.ERROR, code, error_message(error))
    return TagRow(path, Status.OK, StatusCode.OK, cells=reply.reply or ())
