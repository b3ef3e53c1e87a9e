"""A batch of 20 films, one decode worker of which is killed in the middle."""

from __future__ import annotations

import multiprocessing
import shutil
import threading
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

from xrayview.batch.run import BatchOptions, run_batch
from xrayview.domain.events import FilmFinished
from xrayview.domain.sentences import counted
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ModelRef, ReadHeaders
from xrayview.engine.waiting import result_of
from xrayview.errors import StatusCode, XrayViewError
from xrayview.io.tables.predictions import Row, columns, read_predictions
from xrayview.services.identity import identity_key
from xrayview.services.resources import sample_study
from xrayview.services.self_test.scores import SCORE_TOLERANCE, film_difference, recorded_scores

FILMS = 20
KILL_AFTER = 5
"""Rows that are done when the worker is killed."""
_IDENTITIES = ("Robin", "Wren", "Linnet", "Martin", "20210614", "SAMPLE-1")
"""Of the sample study: the CSV must not have them."""


def check_batch(
    engine: Engine,
    worker: BaseProcess,
    model: ModelRef,
    folder: Path,
    cancel: threading.Event,
) -> str:
    """Classify 20 films while a worker is killed, resume, and compare the CSV with the record.

    Args:
        engine: with more than one decode worker.
        worker: one of them, which is killed.
        model: a shipped bundle on the CPU.
        folder: an empty one, for films and results.
        cancel: ends the work.

    Raises:
        XrayViewError: a film is missing from the CSV, or a row is not as recorded.
    """
    films, out = folder / "films", folder / "results" / "predictions.csv"
    sources = dict(_copies(films))
    out.parent.mkdir()
    options = BatchOptions(identity_key=identity_key())
    finished = 0
    for event in run_batch(engine, films, model, out, options, cancel):
        if isinstance(event, FilmFinished):
            finished += 1
            if finished == KILL_AFTER:
                worker.kill()
    if lost := _lost(out):  # the same call tries them again
        for _ in run_batch(engine, films, model, out, options, cancel):
            pass
    _check_csv(out, sources, model)
    again = f"{counted(len(lost), 'film')} tried again" if lost else "no film lost"
    return f"{FILMS} rows with a worker killed after {KILL_AFTER}, {again}; CSV as recorded"


def _copies(folder: Path) -> Iterator[tuple[str, str]]:
    """Copy the sample study until there are 20 films; yield each copy and what it is of."""
    originals = sorted(path for path in sample_study().rglob("*.dcm"))
    for i in range(FILMS):
        original = originals[i % len(originals)]
        copy = folder / f"{i:02d}" / original.name
        copy.parent.mkdir(parents=True)
        shutil.copyfile(original, copy)
        yield (
            copy.relative_to(folder).as_posix(),
            original.relative_to(sample_study()).as_posix(),
        )


def start_decode_workers(engine: Engine, cancel: threading.Event) -> tuple[BaseProcess, ...]:
    """Start the decode workers of an engine that has done nothing yet; return their processes.

    Raises:
        XrayViewError: none was found.
    """
    others = set(multiprocessing.active_children())
    result_of(engine.submit(ReadHeaders((), Path())), cancel)
    started = tuple(child for child in multiprocessing.active_children() if child not in others)
    if not started:
        raise XrayViewError("No decode worker was found")
    return started


def _lost(out: Path) -> list[str]:
    rows = read_predictions(out).rows
    return [row["path"] for row in rows if row["status_code"] == StatusCode.DECODER_CRASHED]


def _check_csv(out: Path, sources: dict[str, str], model: ModelRef) -> None:
    table = read_predictions(out)
    record = recorded_scores(model.sha256)["films"]
    text = out.read_text(encoding="utf-8")
    faults = [name for name in _IDENTITIES if name in text]
    if faults:
        raise XrayViewError("The CSV identifies a patient", path=out, why=", ".join(faults))
    header = tuple(text.partition("\n")[0].strip().split(","))
    if header != columns(table.findings):
        raise XrayViewError("The columns of the CSV are not those of the format", path=out)
    if [row["path"] for row in table.rows] != sorted(sources):
        raise XrayViewError(
            "The CSV does not have a row for each film", path=out, why=f"{len(table.rows)} rows"
        )
    wrong = [
        f"{row['path']} {row['status_code']}"
        for row in table.rows
        if not film_difference(record[sources[row["path"]]], _recorded(row)) <= SCORE_TOLERANCE
    ]
    if wrong:
        raise XrayViewError("Rows are not as recorded", path=out, why=", ".join(wrong))


def _recorded(row: Row) -> dict[str, object]:
    """A row in the form of the record."""
    scores = {
        column.removeprefix("score_"): float(cell)
        for column, cell in row.items()
        if column.startswith("score_") and cell
    }
    return {"status": row["status"], "scores": scores}
