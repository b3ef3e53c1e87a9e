"""Classify a folder with several models in one pass: each film is decoded once, each model has a
table of its own.

A table, its journal and its report are those of a run with only this model, so that either can
resume the other.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path

from xrayview.batch.frames import check_frame_limit, frames_of, row_count
from xrayview.batch.inputs import choose_inputs, list_inputs
from xrayview.batch.map_films import map_films
from xrayview.batch.output import Output, locked_output, read_table
from xrayview.batch.pipeline import FilmOutcome, classify_films
from xrayview.batch.run import SHARD_LEASE_S, BatchOptions, Run
from xrayview.domain.events import BatchEvent, BatchFinished
from xrayview.domain.film import FilmRef, ScannedFile
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import LoadModel, ModelReady, ModelRef, PreparedFilm, PrepareInputs
from xrayview.engine.scan import Entry, read_headers, root_of
from xrayview.engine.waiting import result_of
from xrayview.errors import Cancelled, XrayViewError


@dataclass(frozen=True)
class ModelTable:
    """A model, and where its results are written."""

    model: ModelRef
    out: Path
    studies: Path | None = None
    """Its table of studies; None for none."""


@dataclass(frozen=True)
class _Item:
    """A frame or a rejected file, and the models that have no row of it."""

    file: ScannedFile
    models: tuple[int, ...]


def run_models(
    engine: Engine,
    folder: Path,
    tables: Sequence[ModelTable],
    options: BatchOptions,
    cancel: threading.Event | None = None,
) -> Iterator[tuple[int, BatchEvent]]:
    """Classify with all models; yields the events of `run_batch`, each with the model's index.

    Args:
        engine: keeps all models in memory.
        folder: as in `run_batch`.
        tables: models and outputs, all different.
        options: as in `run_batch`; `studies` is that of each table.
        cancel: ends the work.

    Raises:
        the errors of `run_batch`; a model that cannot run ends all.
    """
    cancel = cancel or threading.Event()
    with ExitStack() as stack:
        lease_s = SHARD_LEASE_S if options.frozen else 0.0
        outputs = [stack.enter_context(locked_output(table.out, lease_s)) for table in tables]
        yield from _run_locked(engine, folder, tables, outputs, options, cancel)


def _run_locked(
    engine: Engine,
    folder: Path,
    tables: Sequence[ModelTable],
    outputs: Sequence[Output],
    options: BatchOptions,
    cancel: threading.Event,
) -> Iterator[tuple[int, BatchEvent]]:
    started_s = time.monotonic()
    present = [read_table(output) for output in outputs]
    own = [(output, table.studies) for output, table in zip(outputs, tables, strict=True)]
    # Models are loaded while the folder is listed.
    loading = _loading(engine, [table.model for table in tables])
    listed = list_inputs(folder, options.frozen, own)
    files = choose_inputs(listed, options.only, folder)
    readies = tuple(result_of(future, cancel) for future in loading)
    runs = [
        Run(folder, ready, output, replace(options, studies=table.studies), files, len(listed))
        for ready, output, table in zip(readies, outputs, tables, strict=True)
    ]
    begun: list[Run] = []
    cancelled, error = False, None
    try:
        for run, (table, sha256) in zip(runs, present, strict=True):
            run.begin(table, sha256, cancel)
            begun.append(run)
        yield from ((i, run.started()) for i, run in enumerate(runs))
        yield from _films(engine, folder, files, runs, readies, options, cancel)
    except Cancelled:
        cancelled = True
    except XrayViewError as raised:
        error = raised
        raise
    finally:
        seconds = time.monotonic() - started_s
        _finish(begun, seconds, error)
    for i, (run, of_model) in enumerate(zip(runs, tables, strict=True)):
        counts, notes = dict(run.counts()), tuple(run.notes)
        yield i, BatchFinished(counts, seconds, of_model.out, cancelled, notes)


def _loading(engine: Engine, models: Sequence[ModelRef]) -> tuple[Future[ModelReady], ...]:
    beside = [replace(model, beside=tuple(m for m in models if m != model)) for model in models]
    return tuple(engine.submit(LoadModel(model)) for model in beside)


def _films(
    engine: Engine,
    folder: Path,
    files: Mapping[str, Entry],
    runs: Sequence[Run],
    readies: Sequence[ModelReady],
    options: BatchOptions,
    cancel: threading.Event,
) -> Iterator[tuple[int, BatchEvent]]:
    root = root_of(folder)
    remaining = [
        entry
        for name, entry in files.items()
        if not all(run.rows.is_complete(name) for run in runs)
    ]
    items = _items(read_headers(engine, remaining, root, cancel), root, runs)
    # Every model sees every item, so that none runs ahead and the films in between stay few.
    prepared = itertools.tee(_prepared(engine, items, readies, options, cancel), len(runs))
    classified = [
        classify_films(engine, ready.model, map(itemgetter(i), prepared[i]), cancel)
        for i, ready in enumerate(readies)
    ]
    for outcomes in zip(*classified, strict=True):
        for i, outcome in enumerate(outcomes):
            if runs[i].lacks(outcome.file):
                yield i, runs[i].finished(outcome)
    for run in runs:
        run.has_all_outcomes()


def _items(files: Iterator[ScannedFile], root: Path, runs: Sequence[Run]) -> Iterator[_Item]:
    for scanned in files:
        file = check_frame_limit(scanned, root)
        for run in runs:
            run.rows.expect(file.relative_path, row_count(file))
        for item in frames_of(file):
            if models := tuple(i for i, run in enumerate(runs) if run.lacks(item)):
                yield _Item(item, models)


def _prepared(
    engine: Engine,
    items: Iterator[_Item],
    readies: Sequence[ModelReady],
    options: BatchOptions,
    cancel: threading.Event,
) -> Iterator[tuple[FilmOutcome, ...]]:
    """Decode each film once; yields an outcome per model, empty where its row is there."""

    def submit(item: _Item) -> Future[tuple[PreparedFilm, ...]] | None:
        if not isinstance(item.file, FilmRef):
            return None
        cards = [readies[i].card for i in item.models]
        wanted = tuple((card.preprocessing, card.scope) for card in cards)
        request = PrepareInputs(item.file, wanted, stated=options.stated)
        return engine.submit(request, priority=Priority.BATCH)

    for found in map_films(engine, items, submit, cancel):
        item = found.entry
        outcomes = [FilmOutcome(item.file, error=found.error)] * len(readies)
        for i, film in zip(item.models, found.reply or (), strict=False):
            outcomes[i] = FilmOutcome(film.film, film)
        yield tuple(outcomes)


def _finish(runs: Sequence[Run], seconds: float, error: XrayViewError | None) -> None:
    """Finish all runs, whichever fails; then raise the first failure, unless `error` is one."""
    failed = error
    for run in runs:
        try:
            run.finish(seconds, error)
        except XrayViewError as raised:
            failed = failed or raised
    if failed is not None and failed is not error:
        raise failed
