"""`xrayview deidentify FOLDER --out DIR`: DICOM copies by the Basic Profile of PS3.15.

One line per file on stdout: `PATH: ok: COPY`, or the reason why there is none.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.commands.terminal import (
    cancel_on_interrupt,
    existing,
    positive,
    say,
    start,
    start_engine,
    tell,
)
from xrayview.errors import Cancelled, ExitCode

if TYPE_CHECKING:
    from xrayview.batch.deidentify import Copied


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("source", type=Path, metavar="FILE|FOLDER", help="one film, or a folder of films")
    add("--out", type=Path, required=True, metavar="DIR", help="a folder that is new or empty")
    add(
        "--keep-characteristics",
        action="store_true",
        help="leave age (to 89), sex, size and weight: they are removed otherwise",
    )
    add(
        "--include-burned-in",
        action="store_true",
        help="copy films too that say that text is written into their pixels",
    )
    add(
        "--mapping",
        type=Path,
        metavar="CSV",
        help="write old and new IDs and UIDs; whoever has this file knows the patients",
    )
    add("--workers", type=positive, metavar="N", help="processes that read")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Copy; the exit code."""
    from xrayview.batch.deidentify import Deidentification, deidentify_folder
    from xrayview.commands.film_lines import FilmLines

    source: Path = existing(options.source)
    how = Deidentification(options.keep_characteristics, options.include_burned_in, options.mapping)
    cancel = cancel_on_interrupt()
    lines, copies = FilmLines(), 0
    with start_engine(start(), options.workers) as engine:
        try:
            for event in deidentify_folder(engine, source, options.out, how, cancel):
                lines.clear()
                say(_line(event, options.out))
                lines.add(event)
                copies += event.output is not None
        except Cancelled:
            lines.clear()
            tell("Interrupted; the copies that are written stay.")
            return ExitCode.INTERRUPTED
    code = lines.exit_code()
    tell(f"{options.out}: {copies} copies. No program sees all: look at them before you share.")
    return code


def _line(event: Copied, out: Path) -> str:
    result = event.result
    if event.output is None:
        return f"{result.relative_path}: {result.status} {result.code}: {result.message}"
    name = event.output.relative_to(out).as_posix()
    return f"{result.relative_path}: {result.status}: {name} {result.message}".rstrip()
