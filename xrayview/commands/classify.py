"""`xrayview classify FOLDER --out predictions.csv`: the scores of every film, one row each."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.commands.classify_shards import add_scheduler_options, run_on_cluster
from xrayview.commands.event_lines import EventLines
from xrayview.commands.film_choice import add_films_options, films_of
from xrayview.commands.model_choice import trusted_model
from xrayview.commands.options import (
    add_device_option,
    add_identity_options,
    add_models_option,
    add_runtime_options,
    add_stated_options,
    add_studies_option,
    add_trust_option,
    add_workers_option,
    stated_by,
)
from xrayview.commands.terminal import (
    ProgressLine,
    cancel_on_interrupt,
    load_settings,
    print_err,
    start_engine,
)
from xrayview.domain.sentences import counted
from xrayview.errors import ExitCode, Status, StatusCode

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence

    from xrayview.batch.frozen_films import FrozenFilms
    from xrayview.batch.run import BatchOptions
    from xrayview.batch.several_models import ModelTable
    from xrayview.domain.events import BatchEvent, FilmResult
    from xrayview.engine.client import Engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "folder", type=Path, nargs="?", metavar="FOLDER", help="a folder, or one film"
    )
    add_models_option(parser, default="the model of the settings, or the bundled one")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("predictions.csv"),
        metavar="TABLE",
        help="table to write, CSV or .parquet; its report NAME.run.json goes beside it. With "
        "several models, each has its own: predictions.MODEL.csv (default: %(default)s)",
    )
    add_studies_option(parser)
    add_films_options(parser)
    add_scheduler_options(parser)
    add_device_option(parser)
    add_runtime_options(parser)
    add_identity_options(parser, full="names are never written")
    add_stated_options(parser)
    add_workers_option(parser)
    parser.add_argument(
        "--restart", action="store_true", help="start over instead of resuming an interrupted run"
    )
    parser.add_argument(
        "--json", action="store_true", help="print events to stdout, one JSON object per line"
    )
    add_trust_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Classify; returns the exit code."""
    from xrayview.batch.run import BatchOptions
    from xrayview.commands.model_tables import tables_of
    from xrayview.services.identity import identity_key

    settings = load_settings()
    if options.scheduler is not None:
        return run_on_cluster(options, settings)
    folder, frozen = films_of(options)
    names = options.model or [settings["model"]]
    models = [trusted_model(name, settings, options) for name in names]
    tables = tables_of(models, options.out, options.studies)
    batch = BatchOptions(
        identity=options.identity,
        identity_key=identity_key(options.identity_key) if options.identity == "hash" else b"",
        restart=options.restart,
        command=("xrayview", *options.command_line),
        stated=stated_by(options),
        frozen=frozen,
    )
    cancel = cancel_on_interrupt()
    printers = [_EventPrinter(i, len(tables)) for i in range(len(tables))]
    lines = EventLines() if options.json else None
    with start_engine(settings, options.workers) as engine:
        for i, event in _events(engine, folder, tables, batch, cancel):
            printers[i].print(event)
            if lines:
                lines.print(event, i)
    if any(printer.cancelled for printer in printers):
        return ExitCode.INTERRUPTED
    return max(_exit_code(table.out, frozen) for table in tables)


def _events(
    engine: Engine,
    folder: Path,
    tables: Sequence[ModelTable],
    batch: BatchOptions,
    cancel: threading.Event,
) -> Iterator[tuple[int, BatchEvent]]:
    """The events of one model, or of several, each with the model's index."""
    from xrayview.batch.run import run_batch
    from xrayview.batch.several_models import run_models

    if len(tables) > 1:
        yield from run_models(engine, folder, tables, batch, cancel)
        return
    (table,) = tables
    options = replace(batch, studies=table.studies)
    for event in run_batch(engine, folder, table.model, table.out, options, cancel):
        yield 0, event


def _exit_code(csv_path: Path, frozen: FrozenFilms | None) -> int:
    """The exit code by the rows of the table, those of earlier runs included.

    A shard without a film is a part of a whole, and therefore not an error of the input.
    """
    from xrayview.commands.film_lines import no_film_text
    from xrayview.io.tables.predictions import stream_predictions

    rows = scored = not_films = 0
    for row in stream_predictions(csv_path)[1]:
        rows += 1
        scored += row["status"] in (Status.OK, Status.WARN)
        not_films += row["status_code"] == StatusCode.NOT_AN_IMAGE
    if not frozen and not_films == rows:
        print_err(no_film_text(rows))
        return ExitCode.NOTHING_USABLE
    return ExitCode.OK if scored == rows else ExitCode.SOME_FAILED


class _EventPrinter:
    """Prints the events of a batch to stderr, for one of several models."""

    def __init__(self, index: int, count: int) -> None:
        self.cancelled = False
        self._index, self._count = index, count
        self._resumed = 0
        self._line = ProgressLine()

    def print(self, event: BatchEvent) -> None:
        """Print one event."""
        from xrayview.domain.events import BatchStarted, FilmFinished
        from xrayview.domain.verdict import status_title, title_of
        from xrayview.services.progress import BatchProgress

        if isinstance(event, BatchStarted):
            self._progress = BatchProgress(event.total, event.resumed, title_of)
            self._compares = event.compares
            self._prefix = f"{event.card.name}: " if self._count > 1 else ""
            earlier = f", {counted(event.resumed, 'row')} from an earlier run"
            self._resumed = event.resumed
            files = counted(event.files, "file")
            print_err(f"{event.model_text}: {files}{earlier if event.resumed else ''}")
        elif isinstance(event, FilmFinished):
            self._progress.add(event)
            self._print_film(event.result)
        else:
            self._line.clear()
            self.cancelled = event.cancelled
            counts = ", ".join(
                f"{count} {status_title(Status(status), compares=self._compares).lower()}"
                for status, count in event.counts.items()
            )
            print_err(f"{event.csv_path}: {counts or 'no rows'} in {event.seconds:.1f} s")
            for note in event.notes:
                print_err(note)
            failed = sum(event.counts.get(status, 0) for status in (Status.ERROR, Status.REFUSED))
            if self._resumed and failed:
                print_err(f"Why films were not scored: the column message of {event.csv_path}.")
            if event.cancelled:
                print_err("Interrupted. Run the same command again to continue.")

    def _print_film(self, result: FilmResult) -> None:
        from xrayview.domain.verdict import coded_title

        if result.status in (Status.ERROR, Status.REFUSED):
            self._line.clear()
            print_err(f"{self._prefix}{result.name}: {coded_title(result)}: {result.message}")
        if self._index == 0:  # the others are at the same films
            self._line.show(self._progress.text)
