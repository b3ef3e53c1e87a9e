"""`xrayview tags FOLDER --out tags.csv`: the DICOM tags of a folder, one row per file."""

from __future__ import annotations

import argparse
from pathlib import Path

from xrayview.commands.options import add_identity_options, add_workers_option
from xrayview.commands.terminal import (
    cancel_on_interrupt,
    existing_path,
    load_settings,
    print_err,
    start_engine,
)
from xrayview.domain.sentences import counted
from xrayview.errors import ExitCode, Status


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("source", type=Path, metavar="FOLDER", help="a folder, or one file")
    add(
        "--out",
        type=Path,
        default=Path("tags.csv"),
        metavar="CSV",
        help="table to write (default: %(default)s)",
    )
    add(
        "--columns",
        default="",
        metavar="KEYWORD,...",
        help="keywords, tags (00181164) or paths (SourceImageSequence.0.ReferencedSOPInstanceUID) "
        "(default: attributes of interest in radiograph research, none that identifies a patient)",
    )
    add_identity_options(parser, full="`full` also allows columns that may identify the patient")
    add_workers_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the table; returns the exit code."""
    from xrayview.batch.tag_table import write_tag_table
    from xrayview.commands.film_lines import FilmLines
    from xrayview.io.dated_copy import kept_if_replaced
    from xrayview.io.tags.columns import DEFAULT_COLUMNS
    from xrayview.io.tags.table import tag_table
    from xrayview.services.identity import identity_key

    source: Path = existing_path(options.source)
    names = tuple(name.strip() for name in options.columns.split(",") if name.strip())
    settings = load_settings()
    key = identity_key(options.identity_key) if options.identity == "hash" else b""
    table = tag_table(names or DEFAULT_COLUMNS, options.identity, key)
    cancel = cancel_on_interrupt()
    lines = FilmLines()
    files = 0
    with (
        start_engine(settings, options.workers) as engine,
        kept_if_replaced(options.out) as copies,
    ):
        for event in write_tag_table(engine, source, options.out, table, cancel):
            result = event.result
            if result.status is Status.ERROR:
                lines.clear()
                print_err(f"{result.relative_path}: {result.code}: {result.message}")
            lines.add(event)
            files += 1
    code = lines.exit_code()
    print_err(f"{options.out}: {counted(files, 'row')}, {counted(len(table.header), 'column')}")
    for copy in copies:
        print_err(f"The earlier table was copied to {copy.name}.")
    if cancel.is_set():
        print_err("Interrupted. The table has the rows written so far.")
        return ExitCode.INTERRUPTED
    return code
