"""Index a folder: read the header of every file once, and write what shards are cut from.

Memory does not grow with the folder. The journal is written in scan order as headers arrive; at the
end its rows are sorted so that the films of a patient are side by side.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from xrayview import __version__
from xrayview.batch.file_state import FileState
from xrayview.batch.frames import check_frame_limit, row_count
from xrayview.batch.index_journal import (
    IndexKey,
    IndexRecord,
    header_line,
    read_index_journal,
    scan_order,
)
from xrayview.batch.journal import fingerprint
from xrayview.batch.output import Output, cannot_write, locked_output
from xrayview.batch.resume import LASTING_ERRORS
from xrayview.batch.source_files import path_of
from xrayview.domain.film import FilmRef, RejectedFile, ScannedFile
from xrayview.domain.film_index import GROUP_BITS, IndexedFile, group_key, group_of, patient_of
from xrayview.domain.formats import READABLE
from xrayview.engine.client import Engine
from xrayview.engine.scan import list_files, read_headers, root_of
from xrayview.errors import Cancelled, NothingUsable, StatusCode, UsageError
from xrayview.io.external_sort import ExternalSort
from xrayview.io.scan import relative_path
from xrayview.io.tables.cells import name_of_file, printable_name
from xrayview.io.tables.film_index import (
    FilmIndex,
    IndexDigest,
    IndexMetadata,
    write_film_index,
)
from xrayview.io.tables.parquet import require_parquet
from xrayview.io.tables.predictions import IdentityMode, patient_cell

EVERY = 500
"""Files between two events."""
SORT_SUFFIX = ".sort"
NEXT_SUFFIX = ".next"


@dataclass(frozen=True)
class IndexOptions:
    """How a folder is indexed."""

    identity: IdentityMode = "hash"
    identity_key: bytes = field(default=b"", repr=False)
    """Needed in every mode: groups are keyed hashes."""
    restart: bool = False
    """Read all headers again."""
    patient_pattern: str = ""
    """A regular expression that finds the patient in the path of a film whose header names none."""


@dataclass(frozen=True)
class IndexProgress:
    """How far an index is."""

    files: int = 0
    known: int = 0
    """Files whose headers an earlier run has read."""
    codes: Mapping[str, int] = field(default_factory=dict)
    """Files by status code; `OK` are films."""
    finished: bool = False

    @property
    def films(self) -> int:
        """Files that are films."""
        return self.codes.get(StatusCode.OK, 0)

    @property
    def failed(self) -> int:
        """Files whose headers could not be read, for a reason that may pass."""
        return sum(
            count
            for code, count in self.codes.items()
            if code != StatusCode.OK and code not in LASTING_ERRORS
        )


def index_folder(
    engine: Engine,
    folder: Path,
    out: Path,
    options: IndexOptions,
    cancel: threading.Event | None = None,
) -> Iterator[IndexProgress]:
    """Write the index of `folder`, with an event every few hundred files and at the end.

    The same call continues an interrupted run. After a finished one, it reads the headers of new
    and changed files only.

    Raises:
        NothingUsable: there is no file.
        Cancelled: `cancel` was set; the journal has what is done.
        UsageError: pyarrow is missing, or the output cannot be written, is in use, or is something
            else; nothing has been changed.
    """
    cancel = cancel or threading.Event()
    require_parquet()
    with locked_output(out) as output:
        if output.csv.exists():
            with FilmIndex(output.csv):  # refuses to replace anything else
                pass
        try:
            yield from _index_locked(engine, folder, output, options, cancel)
        except OSError as error:
            raise cannot_write(output.csv, error) from error


def _index_locked(
    engine: Engine, folder: Path, output: Output, options: IndexOptions, cancel: threading.Event
) -> Iterator[IndexProgress]:
    own_key = fingerprint(options.identity_key)
    key = IndexKey(__version__, options.identity, own_key, options.patient_pattern)
    journal = output.journal
    fresh = journal.with_name(journal.name + NEXT_SUFFIX)
    if options.restart:
        journal.unlink(missing_ok=True)
        fresh.unlink(missing_ok=True)
    elif _size(fresh) > _size(journal):
        # The run that wrote it was ended; every record is compared with its file before use.
        fresh.replace(journal)
    scan = _Scan(folder, output, options, read_index_journal(journal, key))
    progress = IndexProgress()
    with fresh.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(header_line(key) + "\n")
        for record in scan.records(engine, cancel):
            stream.write(record.line() + "\n")
            progress = scan.progress
            if progress.files % EVERY == 0:
                stream.flush()
                yield progress
        stream.flush()
        os.fsync(stream.fileno())
    if not progress.files:
        fresh.unlink()
        hint = f"Choose a folder that contains {READABLE} films."
        raise NothingUsable("The folder contains no files", path=folder, hint=hint)
    fresh.replace(journal)
    finish_index(output.csv, journal, key, root_of(folder).resolve())
    yield replace(progress, finished=True)


def finish_index(out: Path, journal: Path, key: IndexKey, root: Path) -> None:
    """Sort the rows of a complete journal by patient, and write the index in one step.

    Raises:
        OSError: it cannot be written.
    """
    digest, rows, table_rows = IndexDigest(), 0, 0

    def files() -> Iterator[IndexedFile]:
        nonlocal rows, table_rows
        with ExternalSort(out.with_name(out.name + SORT_SUFFIX), 1 << GROUP_BITS) as sort:
            for record in read_index_journal(journal, key):
                line = json.dumps(astuple(record.file), separators=(",", ":"))
                sort.add(record.file.group, line)
            for line in sort.lines():
                file = IndexedFile(*json.loads(line))
                digest.add(file)
                rows += 1
                table_rows += file.frames
                yield file

    def metadata() -> IndexMetadata:
        return IndexMetadata(
            root=printable_name(str(root)),
            index_id=digest.hexdigest(),
            rows=rows,
            table_rows=table_rows,
            identity=key.identity,
            identity_key=key.identity_key,
            app_version=key.app_version,
            created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    write_film_index(out, files(), metadata)


class _Scan:
    """The files of a folder in scan order, compared with the records of an earlier run."""

    def __init__(
        self, folder: Path, output: Output, options: IndexOptions, earlier: Iterator[IndexRecord]
    ) -> None:
        self._folder, self._root, self._output = folder, root_of(folder), output
        self._options, self._group_key = options, group_key(options.identity_key)
        self._pattern = _compiled(options.patient_pattern) if options.patient_pattern else None
        self._earlier = earlier
        self._next = next(earlier, None)
        self._states: deque[FileState | None] = deque()
        """Of the files whose headers are being read."""
        self.files = self.known = 0
        self._codes: Counter[str] = Counter()

    @property
    def progress(self) -> IndexProgress:
        """How far the scan is."""
        return IndexProgress(self.files, self.known, dict(self._codes))

    def records(self, engine: Engine, cancel: threading.Event) -> Iterator[IndexRecord]:
        """Yield a record for every file, numbered in scan order. Raises: Cancelled."""
        for item in read_headers(engine, self._entries(), self._root, cancel):
            if cancel.is_set():
                raise Cancelled("The work was cancelled")
            record = item if isinstance(item, IndexRecord) else self._read(item)
            self._codes[record.file.status_code] += 1
            self.files += 1
            yield replace(record, file=replace(record.file, id=self.files - 1))

    def _entries(self) -> Iterator[Path | IndexRecord]:
        """The paths whose headers must be read; other files as complete records."""
        for entry in list_files(self._folder):
            path = path_of(entry)
            if self._is_own(path):
                continue
            if isinstance(entry, RejectedFile):
                yield IndexRecord(self._row(entry, None, entry.why, entry.hint), None)
                continue
            state = FileState.of(path)
            known = self._known(relative_path(path, self._root))
            if known and state and _still_holds(known, state):
                self.known += 1
                yield known
            else:
                self._states.append(state)
                yield path

    def _is_own(self, path: Path) -> bool:
        output = self._output
        is_next = path.name == output.journal.name + NEXT_SUFFIX
        return output.is_own(path) or (is_next and path.parent.resolve() == output.csv.parent)

    def _known(self, name: str) -> IndexRecord | None:
        """The record of an earlier run; records of files that are gone are skipped."""
        position, printable = scan_order(name), printable_name(name)
        while self._next and scan_order(name_of_file(self._next.file.path)) < position:
            self._next = next(self._earlier, None)
        return self._next if self._next and self._next.file.path == printable else None

    def _read(self, scanned: FilmRef | RejectedFile) -> IndexRecord:
        state = self._states.popleft()
        return IndexRecord(self._row(check_frame_limit(scanned, self._root), state), state)

    def _row(
        self, file: ScannedFile, state: FileState | None, refusal: str = "", hint: str = ""
    ) -> IndexedFile:
        film = file if isinstance(file, FilmRef) else None
        patient = patient_of(film, self._pattern) if film else ""
        mode, key = self._options.identity, self._options.identity_key
        return IndexedFile(
            id=0,
            path=printable_name(file.relative_path),
            size=state.size if state else 0,
            mtime_ns=state.mtime_ns if state else 0,
            patient=patient_cell(patient, mode, key),
            study=film.study_uid if film else "",
            frames=row_count(file),
            group=group_of(file, patient, self._group_key),
            status_code=StatusCode.OK if isinstance(file, FilmRef) else file.code,
            refusal=refusal,
            hint=hint,
        )


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UsageError(
            "The pattern of patients is not a regular expression",
            why=f"{pattern}: {error.msg}",
            hint="Write one that finds the patient in a path, like patient[0-9]+.",
        ) from error


def _still_holds(known: IndexRecord, present: FileState) -> bool:
    """True where the header need not be read again."""
    code, state = known.file.status_code, known.state
    if state is None or (code != StatusCode.OK and code not in LASTING_ERRORS):
        return False
    if os.name == "nt":  # which has no time of the last change
        return (state.size, state.mtime_ns, state.inode) == (
            present.size,
            present.mtime_ns,
            present.inode,
        )
    return state.has_status_of(present)


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0
