"""`xrayview measurements FOLDER --out measurements.csv`: what is drawn on the films, measured."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.commands.terminal import (
    cancel_on_interrupt,
    existing,
    positive,
    start,
    start_engine,
    tell,
)
from xrayview.errors import Cancelled, ExitCode, UsageError

if TYPE_CHECKING:
    from xrayview.batch.measurements import MeasuredFilm, TableRow


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("source", type=Path, metavar="FOLDER", help="a folder, or one file")
    add(
        "--out",
        type=Path,
        default=Path("measurements.csv"),
        metavar="CSV",
        help="default: %(default)s",
    )
    add("--workers", type=positive, metavar="N", help="processes that decode")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure and write the table; the exit code."""
    from xrayview.batch.measurements import measure_films
    from xrayview.domain.film import FilmRef
    from xrayview.engine.scan import scan_folder
    from xrayview.services.measurement_files import MeasurementFiles

    source: Path = existing(options.source)
    files = MeasurementFiles()
    cancel = cancel_on_interrupt()
    measured: list[MeasuredFilm] = []
    with start_engine(start(), options.workers) as engine:
        try:
            listed = (f for f in scan_folder(engine, source, cancel) if isinstance(f, FilmRef))
            for film in measure_films(engine, listed, files.load_all, cancel):
                measured.append(film)
                if film.error is not None:
                    tell(f"{film.film.relative_path}: {film.error}")
        except Cancelled:
            tell("Interrupted; the table has the films so far.")
    rows = [row for film in measured for row in film.table]
    if not rows and not cancel.is_set():
        tell("Nothing is drawn on a film of this folder; no table is written.")
        return ExitCode.NOTHING_USABLE
    _write(options.out, rows)
    tell(f"{options.out}: {len(rows)} annotations on {len(measured)} films")
    if cancel.is_set():
        return ExitCode.INTERRUPTED
    return ExitCode.SOME_FAILED if any(film.error for film in measured) else ExitCode.OK


def _write(path: Path, rows: list[TableRow]) -> None:
    from xrayview.io.tables.measurements import export_measurements

    try:
        export_measurements(path, rows)
    except OSError as error:
        raise UsageError(
            "The table cannot be written",
            path=path,
            why=error.strerror or type(error).__name__,
            hint="Choose another --out.",
        ) from error
