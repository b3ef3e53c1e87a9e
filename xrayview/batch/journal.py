"""What a batch has already tried, beside its CSV, so that an interrupted run goes on.

One JSON object per line: first what the run depends on, then a line per file or frame with its
row. Lines are only ever added; a last line that is cut off is left out when it is read.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xrayview.errors import UsageError
from xrayview.io.tables.predictions import Row

SCHEMA = 2
"""1 had one row per file, and could not say that frames are missing."""
SYNC_SECONDS = 2.0
"""At most this much work is lost when the machine stops."""


@dataclass(frozen=True)
class RunKey:
    """What the rows of one CSV share; rows of another key do not belong into it."""

    model_sha256: str
    preprocessing_id: str
    findings: tuple[str, ...]
    identity: str
    app_version: str
    own_points: tuple[tuple[str, float], ...] = ()
    """Thresholds that were not the card's, by finding."""


@dataclass(frozen=True)
class FileState:
    """A file as it was when it was tried."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> FileState:
        """As it is now; zeros where it cannot be looked at."""
        try:
            info = os.lstat(path)
        except OSError:
            return cls(0, 0)
        return cls(info.st_size, info.st_mtime_ns)


@dataclass(frozen=True)
class Record:
    """One row, and of what it is."""

    path: str
    frame: int | None
    """From 0; None: the file as a whole, which is no film."""
    rows: int
    """How many the file gets: it is done when all of them are there."""
    state: FileState
    row: Row


def journal_path(csv_path: Path) -> Path:
    """`predictions.csv.journal` beside `predictions.csv`."""
    return csv_path.with_name(csv_path.name + ".journal")


def previous_records(path: Path, key: RunKey) -> tuple[Record, ...]:
    """What earlier runs with the same key have tried, the newest last.

    Raises:
        UsageError: the journal belongs to another model, preprocessing, identity or version, or
            is damaged.
    """
    lines = _lines(path)
    if not lines:
        return ()
    schema = lines[0].get("schema")
    if schema != SCHEMA:
        raise UsageError(
            "Another version of XrayView has left its journal here",
            path=path,
            why=f"it is of schema {schema}, this version reads {SCHEMA}",
            hint="Choose another --out, or begin anew with --restart.",
        )
    other = sorted(name for name, value in _header(key).items() if lines[0].get(name) != value)
    if other:
        raise UsageError(
            "An earlier run of another kind has left its journal here",
            path=path,
            why=f"another {', '.join(other)}",
            hint="Choose another --out, or begin anew with --restart.",
        )
    try:
        return tuple(_record(line) for line in lines[1:])
    except (KeyError, TypeError) as error:
        raise _damaged(path, error) from error


def _record(line: dict[str, Any]) -> Record:
    state = FileState(line["size"], line["mtime_ns"])
    return Record(line["path"], line["frame"], line["rows"], state, line["row"])


class Journal:
    """Adds lines to a journal. Made anew unless `resume`."""

    def __init__(self, path: Path, key: RunKey, *, resume: bool) -> None:
        goes_on = resume and bool(_lines(path))
        if goes_on:
            _drop_cut_line(path)
        self._stream = path.open("a" if goes_on else "w", encoding="utf-8", newline="\n")
        self._synced_s = time.monotonic()
        if not goes_on:
            self._add(_header(key))

    def add(self, record: Record) -> None:
        """Note one row."""
        plain = asdict(record)
        self._add(plain | plain.pop("state"))
        if time.monotonic() - self._synced_s > SYNC_SECONDS:
            self._sync()

    def close(self) -> None:
        """All lines are on the disk."""
        self._sync()
        self._stream.close()

    def _add(self, line: Mapping[str, object]) -> None:
        # ASCII escapes also carry file names that are no valid UTF-8.
        self._stream.write(json.dumps(line) + "\n")
        # A killed program loses nothing; a machine that stops loses what `_sync` had not seen.
        self._stream.flush()

    def _sync(self) -> None:
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._synced_s = time.monotonic()


def _header(key: RunKey) -> dict[str, object]:
    own = dict(key.own_points)
    return {"schema": SCHEMA, **asdict(key), "findings": list(key.findings), "own_points": own}


def _lines(path: Path) -> list[dict[str, Any]]:
    """Whole lines only; none where there is no journal."""
    try:
        text = path.read_text(encoding="utf-8")
        lines = [json.loads(line) for line in text.split("\n")[:-1]]
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise _damaged(path, error) from error
    if not all(isinstance(line, dict) for line in lines):
        raise _damaged(path, TypeError())
    return lines


def _drop_cut_line(path: Path) -> None:
    """A line that was being written when the program died would run into the next one."""
    data = path.read_bytes()
    if not data.endswith(b"\n"):
        os.truncate(path, data.rfind(b"\n") + 1)


def _damaged(path: Path, error: Exception) -> UsageError:
    return UsageError(
        "The journal is damaged",
        path=path,
        why=type(error).__name__,
        hint="Begin anew with --restart.",
    )
