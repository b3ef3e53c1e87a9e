"""A folder of films through one model: events while it runs, a CSV and a report at the end."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from xrayview import __version__
from xrayview.batch.frames import each_frame, row_count, within_limit
from xrayview.batch.journal import (
    FileState,
    Journal,
    Record,
    RunKey,
    journal_path,
    previous_records,
)
from xrayview.batch.outcome import result_of_film
from xrayview.batch.pipeline import Found, classify_outcomes, prepare_films
from xrayview.batch.report import RunReport, report_path, write_report
from xrayview.batch.rows import Rows
from xrayview.domain.events import (
    BatchEvent,
    BatchFinished,
    BatchStarted,
    FilmFinished,
    FilmResult,
)
from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.formats import READABLE
from xrayview.domain.operating_points import apply_own_points, effective_point
from xrayview.engine.client import Engine
from xrayview.engine.protocol import LoadModel, ModelReady, ModelRef
from xrayview.engine.scan import Entry, list_files, read_headers, root_of
from xrayview.engine.waiting import result_of
from xrayview.errors import Cancelled, NothingUsable, UsageError
from xrayview.io.scan import relative_path
from xrayview.io.tables.predictions import (
    IdentityMode,
    Provenance,
    Row,
    read_predictions,
    row_of,
    write_predictions,
)
from xrayview.preprocessing.pipeline import Preprocessor

Labels = dict[tuple[str, str], str]
"""By `path` and `frame`, as they stand in the CSV."""


@dataclass(frozen=True)
class BatchOptions:
    """How a batch is written."""

    identity: IdentityMode = "hash"
    identity_key: bytes = field(default=b"", repr=False)
    restart: bool = False
    """Begin anew instead of going on where an interrupted run stopped."""
    command: tuple[str, ...] = ()
    """For the report: what the user typed."""
    own_points: Mapping[str, float] = field(default_factory=dict)
    """Thresholds of the user's own by finding, in the place of the card's."""


def run_batch(
    engine: Engine,
    folder: Path,
    model: ModelRef,
    out_csv: Path,
    options: BatchOptions = BatchOptions(),
    cancel: threading.Event | None = None,
) -> Iterator[BatchEvent]:
    """Try every file of `folder` (or the one file that it is), in scan order.

    A film of several frames has a row for each. One frame's failure is its row and stops nothing.
    However the run ends, by `cancel`, by an error or because the caller stops listening, the CSV
    holds the rows so far, and the same call goes on from there: what was tried of files that have
    not changed is not tried again.

    Raises:
        NothingUsable: there is no file.
        ModelError, DeviceUnavailable: the model cannot run.
        UsageError: the output cannot be written, or belongs to another kind of run.
    """
    cancel = cancel or threading.Event()
    started_s = time.monotonic()
    files = _files(folder, out_csv)
    if not out_csv.parent.is_dir():
        raise _cannot_write(out_csv, FileNotFoundError(0, "its folder does not exist"))
    ready = result_of(engine.submit(LoadModel(model)), cancel)
    run = _Run(folder, ready, out_csv, options, files)
    cancelled = False
    try:
        rows = run.rows
        yield BatchStarted(run.run_id, len(files), rows.total, rows.done, ready.card, ready.device)
        yield from run.films(engine, cancel)
    except Cancelled:
        cancelled = True
    finally:
        # Also where the caller stops listening, which is no exception that is caught here.
        seconds = time.monotonic() - started_s
        run.finish(seconds)
    yield BatchFinished(dict(run.counts()), seconds, out_csv, cancelled)


def _files(folder: Path, out_csv: Path) -> dict[str, Entry]:
    """What to try, by relative path in scan order; the batch's own files are left out."""
    root = root_of(folder)
    own = {path.resolve() for path in (out_csv, journal_path(out_csv), report_path(out_csv))}
    names = {path.name for path in own}
    files = {
        _name(entry, root): entry
        for entry in list_files(folder)
        if _path(entry).name not in names or _path(entry).resolve() not in own
    }
    if not files:
        hint = f"Choose a folder that contains {READABLE} films."
        raise NothingUsable("There is no file to try", path=folder, hint=hint)
    return files


def _path(entry: Entry) -> Path:
    return entry.path if isinstance(entry, RejectedFile) else entry


def _name(entry: Entry, root: Path) -> str:
    return relative_path(_path(entry), root)


class _Run:
    """The rows of one run: those of earlier runs, then its own as they come."""

    def __init__(
        self,
        folder: Path,
        ready: ModelReady,
        out_csv: Path,
        options: BatchOptions,
        files: dict[str, Entry],
    ) -> None:
        self.run_id = secrets.token_hex(8)
        self._started_utc = datetime.now(UTC).isoformat(timespec="seconds")
        self._folder, self._ready, self._options = folder, ready, options
        self._out_csv, self._files = out_csv, files
        self._exhausted = False
        self._findings = tuple(finding.name for finding in ready.card.findings)
        self._preprocessing_id = Preprocessor(ready.card.preprocessing).preprocessing_id
        self._provenance = Provenance(
            self.run_id,
            ready.card,
            ready.model.sha256,
            self._preprocessing_id,
            options.identity,
            options.identity_key,
        )
        self._states = {name: FileState.of(_path(entry)) for name, entry in files.items()}
        self._labels = _labels(out_csv)
        key = RunKey(
            ready.model.sha256,
            self._preprocessing_id,
            self._findings,
            options.identity,
            __version__,
            tuple(sorted(options.own_points.items())),
        )
        self.rows = Rows(files)
        if not options.restart:
            self._resume(key)
        self._resumed = self.rows.done
        try:
            path = journal_path(out_csv)
            self._journal = Journal(path, key, resume=not options.restart)
        except OSError as error:
            raise _cannot_write(out_csv, error) from error

    def _resume(self, key: RunKey) -> None:
        for record in previous_records(journal_path(self._out_csv), key):
            if self._states.get(record.path) == record.state:
                self.rows.expect(record.path, record.rows)
                self.rows.add(record.path, record.frame, record.row)

    def films(self, engine: Engine, cancel: threading.Event) -> Iterator[FilmFinished]:
        """Try what has no row yet. Raises: Cancelled."""
        left = [entry for name, entry in self._files.items() if not self.rows.is_complete(name)]
        found = read_headers(engine, left, root_of(self._folder), cancel)
        prepared = prepare_films(engine, self._frames(found), self._ready.card, cancel)
        for tried in classify_outcomes(engine, self._ready.model, prepared, cancel):
            result = self._at_points(result_of_film(tried))
            self._keep(result)
            yield FilmFinished(result, self.rows.done, self.rows.total)
        self._exhausted = True

    def _frames(self, found: Iterable[Found]) -> Iterator[Found]:
        """What is left to try of each file, one frame at a time."""
        for header in found:
            entry = within_limit(header, root_of(self._folder))
            self.rows.expect(entry.relative_path, row_count(entry))
            for one in each_frame(entry):
                frame = one.frame if isinstance(one, FilmRef) else None
                if not self.rows.has(one.relative_path, frame):
                    yield one

    def _keep(self, result: FilmResult) -> None:
        name, row = result.relative_path, row_of(result, self._provenance)
        self.rows.add(name, result.frame, row)
        expected, state = self.rows.expected(name), self._states[name]
        self._journal.add(Record(name, result.frame, expected, state, row))

    def _at_points(self, result: FilmResult) -> FilmResult:
        said = result.prediction
        if said is None:
            return result
        judged = apply_own_points(said, self._ready.card, self._options.own_points)
        return replace(result, prediction=judged)

    def finish(self, seconds: float) -> None:
        """Write the CSV, in scan order, and the report."""
        self._journal.close()
        try:
            write_predictions(self._out_csv, self._findings, self._rows_in_order())
            write_report(report_path(self._out_csv), self._report(seconds))
        except OSError as error:
            raise _cannot_write(self._out_csv, error) from error

    def counts(self) -> Counter[str]:
        """Rows per status."""
        return Counter(row["status"] for row in self.rows)

    def _rows_in_order(self) -> Iterator[Row]:
        for row in self.rows:
            yield {**row, "label": _label_of(row, self._labels)}

    def _report(self, seconds: float) -> RunReport:
        return RunReport(
            run_id=self.run_id,
            started_utc=self._started_utc,
            command=self._options.command,
            folder=str(self._folder),
            ready=self._ready,
            preprocessing_id=self._preprocessing_id,
            identity=self._options.identity,
            counts=self.counts(),
            resumed=self._resumed,
            seconds=seconds,
            cancelled=not self._exhausted,
            warnings=tuple(self._warnings()),
            points=tuple(
                effective_point(self._ready.card, self._options.own_points, name)
                for name in self._findings
            ),
        )

    def _warnings(self) -> Iterable[str]:
        if not self._ready.has_training_statistics:
            yield (
                "whether films are like the training films was not checked: the model has no "
                "statistics of them"
            )
        if missing := self.rows.incomplete():
            yield f"{missing} files have not been tried to their end; run the same command to go on"
        if self._resumed:
            yield f"{self._resumed} rows were taken over from earlier runs"


def _labels(csv_path: Path) -> Labels:
    """What a human has written into the `label` cells of the CSV that is replaced."""
    with suppress(OSError, UsageError):
        rows = read_predictions(csv_path).rows
        return {(row["path"], row["frame"]): row["label"] for row in rows if row["label"]}
    return {}


def _label_of(row: Row, labels: Labels) -> str:
    """A frame's own label, else that of its file as a whole, as a row without a frame has it."""
    path = row["path"]
    return labels.get((path, row["frame"]), labels.get((path, ""), ""))


def _cannot_write(path: Path, error: OSError) -> UsageError:
    return UsageError(
        "The output cannot be written",
        path=path,
        why=error.strerror or type(error).__name__,
        hint="Choose a folder that exists and may be written; close the file in other programs.",
    )
