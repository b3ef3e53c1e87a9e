"""The journal of a batch beside its CSV, from which an interrupted run is resumed.

It has one JSON object per line: first what the run depends on, then one line per row. Lines are
only ever appended; a truncated last line is ignored.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from xrayview.errors import UsageError
from xrayview.io.tables.predictions import Row

SCHEMA = 2
"""Schema 1 had one row per file, and so could not record missing frames."""
SYNC_SECONDS = 2.0
"""At most this much work is lost in a power failure."""


@dataclass(frozen=True)
class RunKey:
    """What all rows of one CSV have in common; rows with another key do not belong in it."""

    model_sha256: str
    preprocessing_id: str
    findings: tuple[str, ...]
    identity: str
    app_version: str
    own_points: tuple[tuple[str, float], ...] = ()
    """The user's own thresholds by finding."""
    stated: Mapping[str, object] = field(default_factory=dict)
    """What the user states of all films."""


@dataclass(frozen=True)
class FileState:
    """Size and time of a file when it was classified."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> FileState:
        """The present state of a file; zeros where it cannot be read."""
        try:
            info = os.lstat(path)
        except OSError:
            return cls(0, 0)
        return cls(info.st_size, info.st_mtime_ns)


@dataclass(frozen=True)
class Record:
    """One row, with its file, its frame and the file's state."""

    path: str
    frame: int | None
    """The frame, counted from 0; None for a file that is not a film."""
    rows: int
    """The number of rows of the file, which is done when all of them exist."""
    state: FileState
    row: Row


def journal_path(csv_path: Path) -> Path:
    """The path of the journal: `predictions.csv.journal` beside `predictions.csv`."""
    return csv_path.with_name(csv_path.name + ".journal")


def previous_records(path: Path, key: RunKey) -> tuple[Record, ...]:
    """Read the records of earlier runs with the same key, the newest last.

    Raises:
        UsageError: the journal belongs to a different model, preprocessing, identity or version,
            or is damaged.
    """
    lines = _lines(path)
    if not lines:
        return ()
    schema = lines[0].get("schema")
    if schema != SCHEMA:
        raise UsageError(
            "The journal was written by another version of XrayView",
            path=path,
            why=f"its schema is {schema}, this version reads {SCHEMA}",
            hint="Choose another --out, or start over with --restart.",
        )
    different = sorted(name for name, value in _header(key).items() if lines[0].get(name) != value)
    if different:
        raise UsageError(
            "The journal belongs to a different kind of run",
            path=path,
            why=f"different {', '.join(different)}",
            hint="Choose another --out, or start over with --restart.",
        )
    try:
        return tuple(_record(line) for line in lines[1:])
    except (KeyError, TypeError) as error:
        raise _damaged(path, error) from error


def _record(line: dict[str, Any]) -> Record:
    state = FileState(line["size"], line["mtime_ns"])
    return Record(line["path"], line["frame"], line["rows"], state, line["row"])


class Journal:
    """Appends records to a journal, which starts empty unless `resume`."""

    def __init__(self, path: Path, key: RunKey, *, resume: bool) -> None:
        resumes = resume and bool(_lines(path))
        if resumes:
            _drop_truncated_line(path)
        self._stream = path.open("a" if resumes else "w", encoding="utf-8", newline="\n")
        self._synced_s = time.monotonic()
        if not resumes:
            self._add(_header(key))

    def add(self, record: Record) -> None:
        """Append a record."""
        plain = asdict(record)
        self._add(plain | plain.pop("state"))
        if time.monotonic() - self._synced_s > SYNC_SECONDS:
            self._sync()

    def close(self) -> None:
        """Write all lines to disk and close the file."""
        self._sync()
        self._stream.close()

    def _add(self, line: Mapping[str, object]) -> None:
        # ASCII escapes also work for file names that are not valid UTF-8.
        self._stream.write(json.dumps(line) + "\n")
        # A killed program loses nothing; a power failure loses what `_sync` has not written.
        self._stream.flush()

    def _sync(self) -> None:
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._synced_s = time.monotonic()


def _header(key: RunKey) -> dict[str, object]:
    own = dict(key.own_points)
    return {"schema": SCHEMA, **asdict(key), "findings": list(key.findings), "own_points": own}


def _lines(path: Path) -> list[dict[str, Any]]:
    """The complete lines; none where there is no journal."""
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


def _drop_truncated_line(path: Path) -> None:
    """Remove a truncated last line, which would run into the next one."""
    data = path.read_bytes()
    if not data.endswith(b"\n"):
        os.truncate(path, data.rfind(b"\n") + 1)


def _damaged(path: Path, error: Exception) -> UsageError:
    return UsageError(
        "The journal is damaged",
        path=path,
        why=type(error).__name__,
        hint="Start over with --restart.",
    )
