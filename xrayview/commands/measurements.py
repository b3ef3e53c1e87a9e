"""`xrayview measurements FOLDER --out measurements.csv`: the annotations on films, measured."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.commands.options import add_workers_option
from xrayview.commands.terminal import (
    cancel_on_interrupt,
    existing_path,
    load_settings,
    print_err,
    start_engine,
)
from xrayview.domain.sentences import counted
from xrayview.errors import Cancelled, ExitCode, UsageError

if TYPE_CHECKING:
    from xrayview.batch.measurements import MeasuredFilm, TableRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("source", type=Path, metavar="FOLDER", help="a folder, or one file")
    add(
        "--out",
        type=Path,
        default=Path("measurements.csv"),
        metavar="CSV",
        help="table to write (default: %(default)s)",
    )
    add_workers_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure and write the table; returns the exit code."""
    from xrayview.batch.measurements import measure_films
    from xrayview.domain.film import FilmRef
    from xrayview.engine.scan import scan_folder
    from xrayview.io.dated_copy import kept_if_replaced
    from xrayview.services.measurement_files import MeasurementFiles

    source: Path = existing_path(options.source)
    files = MeasurementFiles()
    cancel = cancel_on_interrupt()
    measured: list[MeasuredFilm] = []
    with start_engine(load_settings(), options.workers) as engine:
        try:
            listed = (f for f in scan_folder(engine, source, cancel) if isinstance(f, FilmRef))
            for film in measure_films(engine, listed, files.load_all, cancel):
                measured.append(film)
                if film.error is not None:
                    print_err(f"{film.film.relative_path}: {film.error}")
        except Cancelled:
            print_err("Interrupted. The table has the films measured so far.")
    rows = [row for film in measured for row in film.table]
    if not rows and not cancel.is_set():
        print_err("No film of this folder has annotations; no table was written.")
        return ExitCode.NOTHING_USABLE
    with kept_if_replaced(options.out) as copies:
        _write(options.out, rows)
    for copy in copies:
        print_err(f"The earlier table was copied to {copy.name}.")
    annotations, films = counted(len(rows), "annotation"), counted(len(measured), "film")
    print_err(f"{options.out}: {annotations} on {films}")
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
            hint="Choose another --out, or close the file in other programs.",
        ) from error
