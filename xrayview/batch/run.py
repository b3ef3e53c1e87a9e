"""Classify a folder: events while it runs, then a CSV and a report."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from xrayview import __version__
from xrayview.batch.file_state import FileState, with_content
from xrayview.batch.frames import check_frame_limit, frames_of, row_count
from xrayview.batch.frozen_films import FrozenFilms
from xrayview.batch.inputs import choose_inputs, list_inputs
from xrayview.batch.journal import Journal, Record, RunKey, fingerprint, key_to_json
from xrayview.batch.outcome import result_of_film
from xrayview.batch.output import Output, cannot_write, locked_output, read_table, taken_over
from xrayview.batch.pipeline import FilmOutcome, classify_films, prepare_films
from xrayview.batch.report import RunReport, package_versions, write_report
from xrayview.batch.resume import adopt_rows, read_earlier
from xrayview.batch.rows import Rows
from xrayview.batch.run_table import RunTable
from xrayview.batch.source_files import path_of
from xrayview.batch.study_table import StudyTable
from xrayview.domain.events import (
    BatchEvent,
    BatchFinished,
    BatchStarted,
    FilmFinished,
    FilmResult,
)
from xrayview.domain.film import FilmRef, RejectedFile, ScannedFile
from xrayview.domain.operating_points import apply_own_points, effective_point
from xrayview.domain.sentences import counted
from xrayview.domain.stated import NOTHING_STATED, StatedFilms
from xrayview.engine.client import Engine
from xrayview.engine.protocol import LoadModel, ModelReady, ModelRef, ReadHeaders
from xrayview.engine.scan import Entry, read_headers, root_of
from xrayview.engine.waiting import result_of
from xrayview.errors import Cancelled, XrayViewError
from xrayview.io.model.bundle import card_sha256
from xrayview.io.tables.annotations import AnnotatedTable
from xrayview.io.tables.predictions import IdentityMode, Provenance, row_of
from xrayview.io.tables.studies import studies_of
from xrayview.preprocessing.pipeline import Preprocessor

SHARD_LEASE_S = 120.0
"""A shard whose computer is silent for so long is taken over by another one: longer than a share
usually hangs, and short against the time that the shard takes."""


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
    only: frozenset[str] | None = None
    """The relative paths of the files to classify; None: every file of the folder."""
    frozen: FrozenFilms | None = None
    """The files to classify as an index lists them; None: as the folder has them now."""
    studies: Path | None = None
    """Where a table of studies is written; None for none."""


def run_batch(
    engine: Engine,
    folder: Path,
    model: ModelRef,
    out_csv: Path,
    options: BatchOptions = BatchOptions(),
    cancel: threading.Event | None = None,
) -> Iterator[BatchEvent]:
    """Classify every file of `folder`, or the one file that it is, in scan order.

    With `options.only`, other files are left out. With `options.frozen`, the folder is its root,
    which is not listed, and there may be no file.
    A film of several frames has a row for each. A failed frame has an error row, and affects no
    other. However the run ends, by `cancel`, by an error or because the caller stops iterating, the
    CSV has the rows so far, and the same call resumes it: files with the same content are not
    classified again, unless their error may have passed.

    What a person has written into the CSV stays in it. Where its film has no row (yet), the CSV is
    first copied to a name with the date.

    Raises:
        NothingUsable: there is no file.
        ModelError, DeviceUnavailable: the model cannot run.
        UsageError: the output cannot be written, is in use, is something else, or belongs to a
            different kind of run; nothing has been changed.
    """
    cancel = cancel or threading.Event()
    with locked_output(out_csv, SHARD_LEASE_S if options.frozen else 0.0) as output:
        yield from _run_locked(engine, folder, model, out_csv, output, options, cancel)


def _run_locked(
    engine: Engine,
    folder: Path,
    model: ModelRef,
    out_csv: Path,
    output: Output,
    options: BatchOptions,
    cancel: threading.Event,
) -> Iterator[BatchEvent]:
    started_s = time.monotonic()
    table, table_sha256 = read_table(output)
    # Workers start and the model is loaded while the folder is listed.
    loading = engine.submit(LoadModel(model))
    engine.submit(ReadHeaders((), Path()))
    listed = list_inputs(folder, options.frozen, ((output, options.studies),))
    files = choose_inputs(listed, options.only, folder)
    ready = result_of(loading, cancel)
    run = Run(folder, ready, output, options, files, len(listed))
    run.begin(table, table_sha256, cancel)
    cancelled, error = False, None
    try:
        yield run.started()
        yield from run.films(engine, cancel)
    except Cancelled:
        cancelled = True
    except XrayViewError as raised:
        error = raised
        raise
    finally:
        # Also where the caller stops iterating, which raises nothing that is caught here.
        seconds = time.monotonic() - started_s
        run.finish(seconds, error)
    yield BatchFinished(dict(run.counts()), seconds, out_csv, cancelled, tuple(run.notes))


class Run:
    """One run: the rows of earlier runs, followed by its own."""

    def __init__(
        self,
        folder: Path,
        ready: ModelReady,
        output: Output,
        options: BatchOptions,
        files: Mapping[str, Entry],
        in_folder: int,
    ) -> None:
        self.run_id = secrets.token_hex(8)
        self.notes: list[str] = []
        """What the user should know when the run has ended."""
        self._started_utc = datetime.now(UTC).isoformat(timespec="seconds")
        self._folder, self._ready, self._options = folder, ready, options
        self._output, self._files = output, files
        self._in_folder = in_folder
        if options.only is not None and (gone := len(options.only) - len(files)):
            self.notes.append(f"{counted(gone, 'chosen film')} can no longer be found.")
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
        self._states = {
            name: None if isinstance(entry, RejectedFile) else FileState.of(entry)
            for name, entry in files.items()
        }
        if options.frozen and (changed := options.frozen.changed(self._states)):
            what = counted(changed, "file has", "files have")
            self.notes.append(f"{what} changed since the index was written.")
        self.rows = Rows(files)
        self._resumed = 0
        self._studies = StudyTable(options.studies, output) if options.studies else None

    def started(self) -> BatchStarted:
        """The event of a run that has begun."""
        ready, rows = self._ready, self.rows
        return BatchStarted(
            self.run_id,
            len(self._files),
            rows.total,
            rows.done,
            ready.card,
            ready.device,
            ready.has_training_statistics,
            ready.runtime,
            ready.precision,
        )

    def begin(
        self, table: AnnotatedTable | None, table_sha256: str, cancel: threading.Event
    ) -> None:
        """Take over what earlier runs have left, and open the journal.

        Raises:
            UsageError: the journal belongs to a different kind of run, or cannot be written.
            Cancelled: `cancel` was set; nothing has been written.
        """
        key, output, restart = self._key(), self._output, self._options.restart
        earlier, note = read_earlier(output, key, restart=restart)
        self._note(note)
        self._table = RunTable(output, self._findings, earlier, table, table_sha256)
        paths = {name: path_of(entry) for name, entry in self._files.items()}
        adopted = tuple(adopt_rows(self.rows, earlier, self._states, paths, cancel))
        self._resumed = self.rows.done
        try:
            self._journal = Journal(
                output.journal, key, self._table.annotations, resume=not restart
            )
            for record in adopted:
                self._journal.add(record)
        except OSError as error:
            raise cannot_write(output.journal, error) from error

    def _key(self) -> RunKey:
        ready, options = self._ready, self._options
        return RunKey(
            model_sha256=ready.model.sha256,
            card_sha256=card_sha256(ready.card),
            preprocessing_id=self._preprocessing_id,
            findings=self._findings,
            identity=options.identity,
            identity_key=fingerprint(options.identity_key),
            app_version=__version__,
            device=ready.device,
            runtime=ready.runtime,
            precision=ready.precision,
            packages=package_versions(),
            own_points=tuple(sorted(options.own_points.items())),
            stated=options.stated.to_json(),
        )

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
            yield self.finished(outcome)
        self.has_all_outcomes()

    def has_all_outcomes(self) -> None:
        """Take note that every file has been tried, so that the run was not interrupted."""
        self._exhausted = True

    def finished(self, outcome: FilmOutcome) -> FilmFinished:
        """Record the outcome of a film. Raises: UsageError where it cannot be written."""
        result = self._at_own_points(result_of_film(outcome))
        self._record(result)
        return FilmFinished(result, self.rows.done, self.rows.total)

    def _frames(self, files: Iterable[ScannedFile]) -> Iterator[ScannedFile]:
        """Yield the frames of each file that have no row yet."""
        for scanned in files:
            file = check_frame_limit(scanned, root_of(self._folder))
            self.rows.expect(file.relative_path, row_count(file))
            yield from (item for item in frames_of(file) if self.lacks(item))

    def lacks(self, item: ScannedFile) -> bool:
        """True for a frame or a rejected file that has no row yet."""
        frame = item.frame if isinstance(item, FilmRef) else None
        return not self.rows.has(item.relative_path, frame)

    def _record(self, result: FilmResult) -> None:
        if self._output.lost.is_set():
            raise taken_over(self._output.csv)
        name, row = result.relative_path, row_of(result, self._provenance)
        self.rows.add(name, result.frame, row)
        state = self._states[name]
        if state is None:
            return  # its row is made again from the list of files
        state = with_content(state, path_of(self._files[name]), result.sha256)
        try:
            self._journal.add(Record(name, result.frame, self.rows.expected(name), state, row))
        except OSError as error:
            raise cannot_write(self._output.journal, error) from error

    def _at_own_points(self, result: FilmResult) -> FilmResult:
        if result.prediction is None:
            return result
        own_points = self._options.own_points
        prediction = apply_own_points(result.prediction, self._ready.card, own_points)
        return replace(result, prediction=prediction)

    def finish(self, seconds: float, error: XrayViewError | None) -> None:
        """Write the CSV in scan order, and the report.

        Args:
            seconds: how long the run took.
            error: what ended it; then no error of this method takes its place.
        """
        output = self._output
        if output.lost.is_set():
            self._journal.close()
            raise error or taken_over(output.csv)
        failed = error
        for path, step in (
            (output.csv, self._write_table),
            (self._options.studies or output.csv, self._write_studies),
            (output.journal, self._close_journal),
            (output.report, lambda: write_report(output.report, self._report(seconds))),
        ):
            try:
                step()
            except OSError as raised:
                failed = failed or cannot_write(path, raised)
            except XrayViewError as raised:
                failed = failed or raised
        if failed is not None and failed is not error:
            raise failed

    def _write_table(self) -> None:
        self._note(self._table.write(self.rows))

    def _write_studies(self) -> None:
        if self._studies is not None:
            without = sum(not row["StudyInstanceUID"] for row in self.rows)
            studies = studies_of(self.rows, self._findings)
            self.notes += self._studies.write(self._findings, studies, without)

    def _close_journal(self) -> None:
        """Note what was written about films without a row: for those, there is no table."""
        try:
            table = self._table
            if table.left is not None and any(table.annotations.by_key.values()):
                self._journal.set_annotations(table.left)
        finally:
            self._journal.close()

    def _note(self, text: str) -> None:
        if text:
            self.notes.append(text)

    def counts(self) -> Counter[str]:
        """The number of rows by status."""
        return Counter(row["status"] for row in self.rows)

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
            table_sha256=self._table.written_sha256,
            points=tuple(
                effective_point(self._ready.card, self._options.own_points, name)
                for name in self._findings
            ),
            stated=self._options.stated,
            films=self._frozen_report(),
            studies=self._studies.to_json() if self._studies else None,
            chosen_files=None if self._options.only is None else len(self._files),
        )

    def _frozen_report(self) -> dict[str, object] | None:
        frozen = self._options.frozen
        if frozen is None:
            return None
        return {
            "index": frozen.index.name,
            "index_id": frozen.index_id,
            "shard": str(frozen.shard),
            "files": len(frozen.files),
            "run_key": key_to_json(self._key()),
        }

    def _warnings(self) -> Iterable[str]:
        if not self._ready.has_training_statistics:
            yield (
                "the distance from the training films was not checked: the model has no statistics "
                "of them"
            )
        if self._options.only is not None:
            yield f"{len(self._files):,} of {counted(self._in_folder, 'file')} were chosen"
        if missing := self.rows.count_incomplete():
            files = counted(missing, "incomplete file")
            yield f"{files}; run the same command again to continue"
        if self._resumed:
            yield f"{counted(self._resumed, 'row')} from earlier runs"
        yield from self.notes
