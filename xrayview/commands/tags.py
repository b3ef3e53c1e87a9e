"""`xrayview tags FOLDER --out tags.csv`: the tags of a folder, one row for every file."""

from __future__ import annotations

import argparse
from pathlib import Path

from xrayview.commands.terminal import (
    cancel_on_interrupt,
    existing,
    positive,
    start,
    start_engine,
    tell,
)
from xrayview.errors import ExitCode, Status


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("source", type=Path, metavar="FOLDER", help="a folder, or one file")
    add("--out", type=Path, default=Path("tags.csv"), metavar="CSV", help="default: %(default)s")
    add(
        "--columns",
        default="",
        metavar="KEYWORD,...",
        help="keywords, tags (00181164) or paths (SourceImageSequence.0.ReferencedSOPInstanceUID); "
        "default: what research asks of a radiograph, without identity",
    )
    add(
        "--identity",
        choices=("none", "hash", "full"),
        default="hash",
        help="PatientID: nothing, a keyed hash (default), the ID; `full` also allows columns that "
        "may say who the patient is",
    )
    add(
        "--identity-key",
        type=Path,
        metavar="FILE",
        help="the project's key for `hash`, made if new; default: one key for all you do",
    )
    add("--workers", type=positive, metavar="N", help="processes that read")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the table; the exit code."""
    from xrayview.batch.tag_table import write_tag_table
    from xrayview.commands.film_lines import FilmLines
    from xrayview.io.tags.columns import DEFAULT_COLUMNS
    from xrayview.io.tags.table import tag_table
    from xrayview.services.identity import identity_key

    source: Path = existing(options.source)
    names = tuple(name.strip() for name in options.columns.split(",") if name.strip())
    settings = start()
    key = identity_key(options.identity_key) if options.identity == "hash" else b""
    table = tag_table(names or DEFAULT_COLUMNS, options.identity, key)
    cancel = cancel_on_interrupt()
    lines = FilmLines()
    files = 0
    with start_engine(settings, options.workers) as engine:
        for event in write_tag_table(engine, source, options.out, table, cancel):
            result = event.result
            if result.status is Status.ERROR:
                lines.clear()
                tell(f"{result.relative_path}: {result.code}: {result.message}")
            lines.add(event)
            files += 1
    code = lines.exit_code()
    tell(f"{options.out}: {files} rows, {len(table.header)} columns")
    if cancel.is_set():
        tell("Interrupted; the table has the rows so far.")
        return ExitCode.INTERRUPTED
    return code
