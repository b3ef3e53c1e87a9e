"""Resume a run: which rows of earlier runs still hold."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from xrayview.batch.file_state import FileState, sha256_of_file
from xrayview.batch.journal import Earlier, Record, RunKey, read_any_journal, read_journal
from xrayview.batch.output import Output, cannot_write, save_copy
from xrayview.batch.rows import Rows
from xrayview.errors import Cancelled, Status, StatusCode
from xrayview.io.tables.predictions import Row

LASTING_ERRORS = frozenset({StatusCode.NOT_AN_IMAGE, StatusCode.NO_PIXELS})
"""Errors that the content of a file decides. Others (a crash, a time limit, no memory, a share that
was away, a decoder that is not installed) may pass, so their films are tried again."""


def read_earlier(output: Output, key: RunKey, *, restart: bool) -> tuple[Earlier, str]:
    """Read what earlier runs have left, and a note for the user, which may be empty.

    Labels outlive a restart, and so does a journal that cannot be read.

    Raises:
        UsageError: the journal belongs to a different kind of run, or cannot be read or copied.
    """
    try:
        if not restart:
            return read_journal(output.journal, key), ""
        earlier = read_any_journal(output.journal)
    except OSError as error:
        raise cannot_write(output.journal, error) from error
    if earlier is not None:
        return earlier, ""
    copy = save_copy(output.journal)
    return Earlier(), f"The old journal cannot be read; it was saved as {copy.name}."


def adopt_rows(
    rows: Rows,
    earlier: Earlier,
    states: Mapping[str, FileState | None],
    paths: Mapping[str, Path],
    cancel: threading.Event,
) -> Iterator[Record]:
    """Add the earlier rows whose file has not changed; yield those known by their content only.

    Their records are written again with the present status of the file, so that the next run need
    not read the file.

    Args:
        rows: the rows of this run.
        earlier: what earlier runs have left.
        states: the present state of each file by relative path; None where it is unknown.
        paths: where each of these files is.
        cancel: ends it between two records.

    Raises:
        Cancelled: `cancel` was set.
    """
    hashes: dict[str, str] = {}
    for record in earlier.records:
        if cancel.is_set():
            raise Cancelled("The work was cancelled")
        name, present = record.path, states.get(record.path)
        if present is None or not _is_lasting(record.row):
            continue
        by_status = record.state.has_status_of(present)
        if not by_status:
            if not record.state.sha256 or record.state.size != present.size:
                continue
            if name not in hashes:
                hashes[name] = sha256_of_file(paths[name])
            if hashes[name] != record.state.sha256:
                continue
        rows.expect(name, record.rows)
        rows.add(name, record.frame, record.row)
        if not by_status and present.ctime_ns:
            yield replace(record, state=replace(present, sha256=record.state.sha256))


def _is_lasting(row: Row) -> bool:
    """False for a row whose error may have passed."""
    return row["status"] != Status.ERROR or row["status_code"] in LASTING_ERRORS
