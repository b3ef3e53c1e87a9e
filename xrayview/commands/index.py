"""`xrayview index FOLDER --out index.parquet`: the files of a folder, to be cut into shards."""

from __future__ import annotations

import argparse
from pathlib import Path

from xrayview.commands.options import add_identity_options, add_workers_option
from xrayview.commands.terminal import (
    ProgressLine,
    cancel_on_interrupt,
    existing_path,
    load_settings,
    print_err,
    start_engine,
)
from xrayview.domain.sentences import counted
from xrayview.errors import Cancelled, ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder, or one file")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("index.parquet"),
        metavar="PARQUET",
        help="index to write (default: %(default)s)",
    )
    add_identity_options(parser, full="names are never written")
    parser.add_argument(
        "--patient-pattern",
        default="",
        metavar="REGEX",
        help="finds the patient in the path of a film whose header names none, such as "
        "patient[0-9]+; the first group is the patient, without groups the whole match",
    )
    add_workers_option(parser)
    parser.add_argument(
        "--restart", action="store_true", help="read all headers again, known ones too"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the index; returns the exit code."""
    from xrayview.batch.index_folder import IndexOptions, IndexProgress, index_folder
    from xrayview.services.identity import identity_key

    settings = load_settings()
    folder = existing_path(options.folder)
    index = IndexOptions(
        options.identity,
        identity_key(options.identity_key),
        options.restart,
        options.patient_pattern,
    )
    cancel = cancel_on_interrupt()
    line, progress = ProgressLine(), IndexProgress()
    try:
        with start_engine(settings, options.workers) as engine:
            for progress in index_folder(engine, folder, options.out, index, cancel):
                line.show(f"{counted(progress.files, 'file')}, {progress.films:,} of them films")
    except Cancelled:
        line.clear()
        print_err("Interrupted. Run the same command again to continue.")
        return ExitCode.INTERRUPTED
    line.clear()
    files, films = counted(progress.files, "file"), counted(progress.films, "film")
    known = f", {progress.known:,} known from an earlier run" if progress.known else ""
    print_err(f"{options.out}: {files}, {films}{known}")
    if progress.failed:
        failed = counted(progress.failed, "header")
        print_err(f"{failed} could not be read; run the same command again to retry.")
        return ExitCode.SOME_FAILED
    return ExitCode.OK
