"""Classify a folder: events while it runs, then a CSV and a report."""

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
from xrayview.batch.frames import check_frame_limit, frames_of, row_count
from xrayview.batch.journal import (
    FileState,
    Journal,
    Record,
    RunKey,
    journal_path,
    previous_records,
)
from xrayview.batch.outcome import result_of_film
from xrayview.batch.pipeline import classify_films, prepare_films
from xrayview.batch.report import RunReport, report_path, write_report
from xrayview.batch.rows import Rows
from xrayview.batch.source_files import path_of
from xrayview.domain.events import (
    BatchEvent,
    BatchFinished,
    BatchStarted,
    FilmFinished,
    FilmResult,
)
from xrayview.domain.film import FilmRef, ScannedFile
from xrayview.domain.formats import READABLE
from xrayview.domain.operating_points import apply_own_points, effective_point
from xrayview.domain.stated import NOTHING_STATED, StatedFilms
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
"""By `path` and `frame` of the CSV."""


@dataclass(frozen=True)
class BatchOptions:
    """How a batch is run."""

    identity: IdentityMode = "hash"
    identity_key: bytes = field(default=b"", repr=False)
    restart: bool = False
    """Start over instead of resuming an interrupted run."""
    command: tuple[str, ...] = ()
    """The command line, for the report."""
    own_points: Mapping[str, float] = field(default_factory=dict)
    """The user's own thresholds by finding, which override those of the card."""
    stated: StatedFilms = NOTHING_STATED
    """What the user states of all films."""


def run_batch(
    engine: Engine,
    folder: Path,
    model: ModelRef,
    out_csv: Path,
    options: BatchOptions = BatchOptions(),
    cancel: threading.Event | None = None,
) -> Iterator[BatchEvent]:
    """Classify every file of `folder`, or the one file that it is, in scan order.

    A film of several frames has a row for each. A failed frame has an error row, and affects no
    other. However the run ends, by `cancel`, by an error or because the caller stops iterating, the
    CSV has the rows so far, and the same call resumes it: files that have not changed since are not
    classified again.

    Raises:
        NothingUsable: there is no file.
        ModelError, DeviceUnavailable: the model cannot run.
        UsageError: the output cannot be written, or belongs to a different kind of run.
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
        yield BatchStarted(
            run.run_id,
            len(files),
            rows.total,
            rows.done,
            ready.card,
            ready.device,
            ready.has_training_statistics,
        )
        yield from run.films(engine, cancel)
    except Cancelled:
        cancelled = True
    finally:
        # Also where the caller stops iterating, which raises nothing that is caught here.
        seconds = time.monotonic() - started_s
        run.finish(seconds)
    yield BatchFinished(dict(run.counts()), seconds, out_csv, cancelled)


def _files(folder: Path, out_csv: Path) -> dict[str, Entry]:
    """The files to classify by relative path, in scan order, without the batch's own output."""
    root = root_of(folder)
    own = {path.resolve() for path in (out_csv, journal_path(out_csv), report_path(out_csv))}
    names = {path.name for path in own}
    files = {
        _name(entry, root): entry
        for entry in list_files(folder)
        if path_of(entry).name not in names or path_of(entry).resolve() not in own
    }
    if not files:
        hint = f"Choose a folder that contains {READABLE} films."
        raise NothingUsable("The folder contains no files", path=folder, hint=hint)
    return files


def _name(entry: Entry, root: Path) -> str:
    return relative_path(path_of(entry), root)


class _Run:
    """One run: the rows of earlier runs, followed by its own."""

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
        self._states = {name: FileState.of(path_of(entry)) for name, entry in files.items()}
        self._labels = _labels(out_csv)
        key = RunKey(
            ready.model.sha256,
            self._preprocessing_id,
            self._findings,
            options.identity,
            __version__,
            tuple(sorted(options.own_points.items())),
            options.stated.to_json(),
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
        """Classify the files and frames without a row. Raises: Cancelled."""
        remaining = [
            entry for name, entry in self._files.items() if not self.rows.is_complete(name)
        ]
        files = read_headers(engine, remaining, root_of(self._folder), cancel)
        prepared = prepare_films(
            engine, self._frames(files), self._ready.card, cancel, stated=self._options.stated
        )
        for outcome in classify_films(engine, self._ready.model, prepared, cancel):
            result = self._at_own_points(result_of_film(outcome))
            self._record(result)
            yield FilmFinished(result, self.rows.done, self.rows.total)
        self._exhausted = True

    def _frames(self, files: Iterable[ScannedFile]) -> Iterator[ScannedFile]:
        """Yield the frames of each file that have no row yet."""
        for scanned in files:
            file = check_frame_limit(scanned, root_of(self._folder))
            self.rows.expect(file.relative_path, row_count(file))
            for item in frames_of(file):
                frame = item.frame if isinstance(item, FilmRef) else None
                if not self.rows.has(item.relative_path, frame):
                    yield item

    def _record(self, result: FilmResult) -> None:
        name, row = result.relative_path, row_of(result, self._provenance)
        self.rows.add(name, result.frame, row)
        expected, state = self.rows.expected(name), self._states[name]
        self._journal.add(Record(name, result.frame, expected, state, row))

    def _at_own_points(self, result: FilmResult) -> FilmResult:
        if result.prediction is None:
            return result
        own_points = self._options.own_points
        prediction = apply_own_points(result.prediction, self._ready.card, own_points)
        return replace(result, prediction=prediction)

    def finish(self, seconds: float) -> None:
        """Write the CSV in scan order, and the report."""
        self._journal.close()
        try:
            write_predictions(self._out_csv, self._findings, self._rows_in_order())
            write_report(report_path(self._out_csv), self._report(seconds))
        except OSError as error:
            raise _cannot_write(self._out_csv, error) from error

    def counts(self) -> Counter[str]:
        """The number of rows by status."""
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
            stated=self._options.stated,
        )

    def _warnings(self) -> Iterable[str]:
        if not self._ready.has_training_statistics:
            yield (
                "the distance from the training films was not checked: the model has no statistics "
                "of them"
            )
        if missing := self.rows.count_incomplete():
            yield f"{missing} files are incomplete; run the same command again to continue"
        if self._resumed:
            yield f"{self._resumed} rows are from earlier runs"


def _labels(csv_path: Path) -> Labels:
    """The labels that a user has written into the CSV that is being replaced."""
    with suppress(OSError, UsageError):
        rows = read_predictions(csv_path).rows
        return {(row["path"], row["frame"]): row["label"] for row in rows if row["label"]}
    return {}


def _label_of(row: Row, labels: Labels) -> str:
    """The label of a frame, otherwise that of its file, which is in a row without a frame."""
    path = row["path"]
    return labels.get((path, row["frame"]), labels.get((path, ""), ""))


def _cannot_write(path: Path, error: OSError) -> UsageError:
    return UsageError(
        "The output cannot be written",
        path=path,
        why=error.strerror or type(error).__name__,
        hint="Choose a folder that you can write to, and close the file in other programs.",
    )
