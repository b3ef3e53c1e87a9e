"""The journal of a batch beside its CSV, from which an interrupted run is resumed.

It has one JSON object per line: first what the run depends on, then one line per row, and what
people had written into the table when a run began. Lines are only ever appended; a truncated last
line is ignored.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from xrayview.batch.file_state import FileState
from xrayview.errors import UsageError
from xrayview.io.atomic import replacing
from xrayview.io.tables.annotations import Annotation, Annotations
from xrayview.io.tables.predictions import Row

SCHEMA = 3
"""Schema 2 knew files by size and time only; schema 1 had one row per file."""
_START_OVER = (
    "Classify the folder again, with another output. "
    "In a terminal: another --out, or start over with --restart."
)
SYNC_SECONDS = 2.0
"""At most this much work is lost in a power failure."""


@dataclass(frozen=True)
class RunKey:
    """What all rows of one CSV have in common; rows with another key do not belong in it."""

    model_sha256: str
    card_sha256: str
    """Of the whole card, which may be a file beside the model."""
    preprocessing_id: str
    findings: tuple[str, ...]
    identity: str
    identity_key: str
    """A fingerprint, from which the key cannot be found; empty without a key."""
    app_version: str
    device: str
    runtime: str
    precision: str
    packages: Mapping[str, str]
    """Versions of the packages that decode films and run models."""
    own_points: tuple[tuple[str, float], ...] = ()
    """The user's own thresholds by finding."""
    stated: Mapping[str, object] = field(default_factory=dict)
    """What the user states of all films."""


def fingerprint(key: bytes) -> str:
    """Tells keys apart without revealing them; empty for no key."""
    if not key:
        return ""
    return hmac.new(key, b"xrayview: fingerprint of an identity key", hashlib.sha256).hexdigest()[
        :16
    ]


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


@dataclass(frozen=True)
class Earlier:
    """What a journal has from earlier runs."""

    records: tuple[Record, ...] = ()
    """The newest last."""
    annotations: Annotations = field(default_factory=Annotations)
    """What people had written, as far as no complete table has it."""
    rows: tuple[Row, ...] = ()
    """All rows that were ever written, of other keys and schemas too."""


def journal_path(csv_path: Path) -> Path:
    """The path of the journal: `predictions.csv.journal` beside `predictions.csv`."""
    return csv_path.with_name(csv_path.name + ".journal")


def read_journal(path: Path, key: RunKey) -> Earlier:
    """Read what earlier runs with the same key have left.

    Raises:
        UsageError: the journal belongs to a different model, card, preprocessing, identity,
            device or version, or is damaged.
        OSError: it cannot be read.
    """
    lines = _lines(path)
    if not lines:
        return Earlier()
    schema = lines[0].get("schema")
    if schema != SCHEMA:
        raise UsageError(
            "The journal was written by another version of XrayView",
            path=path,
            why=f"its schema is {schema}, this version reads {SCHEMA}",
            hint=_START_OVER,
        )
    header = json.loads(json.dumps(_header(key)))
    different = sorted(name for name, value in header.items() if lines[0].get(name) != value)
    if different:
        raise UsageError(
            "The journal belongs to a different kind of run",
            path=path,
            why=f"different {', '.join(different)}",
            hint=_START_OVER,
        )
    try:
        records = tuple(_record(line) for line in lines[1:] if "row" in line)
        return Earlier(records, _last_annotations(lines), tuple(record.row for record in records))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _damaged(path, error) from error


def read_any_journal(path: Path) -> Earlier | None:
    """What a journal of any key or schema still tells of rows and labels; None if it is damaged.

    There are no records: its rows do not belong in another run's table.
    """
    try:
        lines = _lines(path)
        rows = tuple({**line["row"]} for line in lines if "row" in line)
        return Earlier((), _last_annotations(lines), rows)
    except (UsageError, KeyError, TypeError, AttributeError, ValueError):
        return None


def _record(line: dict[str, Any]) -> Record:
    return Record(
        line["path"], line["frame"], line["rows"], FileState(**line["state"]), line["row"]
    )


def _last_annotations(lines: list[dict[str, Any]]) -> Annotations:
    plain = next((line["annotations"] for line in reversed(lines) if "annotations" in line), None)
    if plain is None:
        return Annotations()
    by_key = {
        (row["path"], row["frame"]): Annotation(row["label"], row["extra"], row["sha256"])
        for row in plain["rows"]
    }
    return Annotations(tuple(plain["columns"]), by_key)


def _annotations_line(annotations: Annotations) -> dict[str, object]:
    rows = [
        {"path": path, "frame": frame, **asdict(note)}
        for (path, frame), note in annotations.by_key.items()
        if note
    ]
    return {"annotations": {"columns": list(annotations.columns), "rows": rows}}


class Journal:
    """Appends records to a journal, which starts empty unless `resume`.

    Args:
        path: the journal.
        key: what the run depends on.
        annotations: what people have written so far; it must outlive an interrupted run.
        resume: whether an existing journal is continued.

    Raises:
        OSError: it cannot be written, here and in the methods.
    """

    def __init__(self, path: Path, key: RunKey, annotations: Annotations, *, resume: bool) -> None:
        if resume and _lines(path):
            _drop_truncated_line(path)
        else:
            # In one step: the old journal may have the only copy of some labels.
            with replacing(path) as stream:
                stream.write(_text(_header(key)))
                if any(annotations.by_key.values()):
                    stream.write(_text(_annotations_line(annotations)))
        self._file = path.open("ab", buffering=0)
        self._synced_s = time.monotonic()
        if resume and any(annotations.by_key.values()):
            self.set_annotations(annotations)

    def add(self, record: Record) -> None:
        """Append a record."""
        self._add(asdict(record))
        if time.monotonic() - self._synced_s > SYNC_SECONDS:
            self._sync()

    def set_annotations(self, annotations: Annotations) -> None:
        """Replace what is known of people's labels."""
        self._add(_annotations_line(annotations))

    def close(self) -> None:
        """Write all lines to disk and close the file."""
        try:
            self._sync()
        finally:
            self._file.close()

    def _add(self, line: Mapping[str, object]) -> None:
        # Unbuffered: a killed program loses nothing; a power failure what `_sync` has not written.
        data = _text(line).encode("ascii")
        end = os.fstat(self._file.fileno()).st_size
        try:
            while data:
                data = data[self._file.write(data) :]
        except OSError:
            # A full disk takes a part of the line, into which the next one would run.
            os.ftruncate(self._file.fileno(), end)
            raise

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._synced_s = time.monotonic()


def _text(line: Mapping[str, object]) -> str:
    # ASCII escapes also work for file names that are not valid UTF-8.
    return json.dumps(line) + "\n"


def key_to_json(key: RunKey) -> dict[str, object]:
    """What a run depends on as plain data."""
    own = dict(key.own_points)
    return {**asdict(key), "findings": list(key.findings), "own_points": own}


def _header(key: RunKey) -> dict[str, object]:
    return {"schema": SCHEMA, **key_to_json(key)}


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
        hint=_START_OVER,
    )
