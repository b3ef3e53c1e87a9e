"""The journal beside an index, from which an interrupted run is resumed and a later one refreshed.

One JSON array per file, in scan order, after a line with what the index depends on. A truncated
last line is ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

from xrayview.batch.file_state import FileState
from xrayview.domain.film_index import IndexedFile
from xrayview.errors import UsageError

SCHEMA = 1


@dataclass(frozen=True)
class IndexKey:
    """What the rows of one index depend on besides the files."""

    app_version: str
    identity: str
    identity_key: str
    """A fingerprint."""
    patient_pattern: str = ""


@dataclass(frozen=True)
class IndexRecord:
    """A row of the index, and the file when its header was read; None for one never opened."""

    file: IndexedFile
    state: FileState | None

    def line(self) -> str:
        """The record as a line of the journal, without its end."""
        state = None if self.state is None else astuple(self.state)
        return json.dumps([*astuple(self.file), state], separators=(",", ":"))

    @classmethod
    def parse(cls, line: str) -> IndexRecord:
        """Read a line. Raises: ValueError, TypeError."""
        *values, state = json.loads(line)
        return cls(IndexedFile(*values), None if state is None else FileState(*state))


def scan_order(path: str) -> tuple[str, ...]:
    """Sorts relative paths as a scan lists them: files and folders of a folder mixed, by name."""
    return tuple(path.split("/"))


def header_line(key: IndexKey) -> str:
    """The first line of a journal, without its end."""
    return json.dumps({"schema": SCHEMA, **asdict(key)})


def read_index_journal(path: Path, key: IndexKey) -> Iterator[IndexRecord]:
    """Yield the records of earlier runs in scan order; none where there is no journal.

    Raises:
        UsageError: it belongs to another identity or version, or is damaged.
        OSError: it cannot be read.
    """
    try:
        stream = path.open(encoding="utf-8", newline="\n")
    except FileNotFoundError:
        return
    with closing(stream):
        try:
            _check_header(path, stream.readline(), key)
            for line in stream:
                if not line.endswith("\n"):
                    return
                yield IndexRecord.parse(line)
        except (ValueError, TypeError) as error:
            raise UsageError(
                "The journal of the index is damaged",
                path=path,
                why=type(error).__name__,
                hint="Start over with --restart.",
            ) from error


def _check_header(path: Path, line: str, key: IndexKey) -> None:
    if not line.endswith("\n"):
        return  # a run that was ended at its very beginning
    found, expected = dict(json.loads(line)), {"schema": SCHEMA, **asdict(key)}
    different = sorted(name for name, value in expected.items() if found.get(name) != value)
    if different:
        raise UsageError(
            "The journal belongs to a different kind of index",
            path=path,
            why=f"different {', '.join(different)}",
            hint="Choose another --out, or start over with --restart.",
        )
