"""`xrayview deidentify FOLDER --out DIR`: DICOM copies by the Basic Profile of PS3.15.

Prints one line per file to stdout: `PATH: ok: COPY`, or why there is no copy.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.commands.options import add_workers_option
from xrayview.commands.output_folder import add_inside_option, check_output_folder
from xrayview.commands.terminal import (
    cancel_on_interrupt,
    existing_path,
    load_settings,
    print_err,
    print_out,
    start_engine,
)
from xrayview.domain.sentences import counted
from xrayview.errors import Cancelled, ExitCode, UsageError

if TYPE_CHECKING:
    from xrayview.batch.deidentify import FilmCopied


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("source", type=Path, metavar="FILE|FOLDER", help="one film, or a folder of films")
    add("--out", type=Path, required=True, metavar="DIR", help="output folder, new or empty")
    add(
        "--keep-characteristics",
        action="store_true",
        help="keep age (up to 89), sex, size and weight, which are removed otherwise",
    )
    add(
        "--include-burned-in",
        action="store_true",
        help="also copy films whose header says that text is burned into the pixels",
    )
    add(
        "--mapping",
        type=Path,
        metavar="CSV",
        help="write a table of old and new IDs and UIDs; keep it safe, it names the patients",
    )
    add(
        "--allow-element",
        action="append",
        default=[],
        metavar="KEYWORD",
        help="copy this element unchanged although a name or an identifier of the patient is found "
        "in it, because that identifies nobody; may be repeated",
    )
    add_inside_option(parser)
    add_workers_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the copies; returns the exit code."""
    from xrayview.batch.deidentify import DeidentifyOptions, deidentify_folder
    from xrayview.commands.film_lines import FilmLines

    source: Path = existing_path(options.source)
    check_output_folder(options)
    how = DeidentifyOptions(
        options.keep_characteristics,
        options.include_burned_in,
        options.mapping,
        _allowed(options.allow_element),
    )
    cancel = cancel_on_interrupt()
    lines, copies = FilmLines(), 0
    found_in: Counter[str] = Counter()
    with start_engine(load_settings(), options.workers) as engine:
        try:
            for event in deidentify_folder(engine, source, options.out, how, cancel):
                lines.clear()
                print_out(_line(event, options.out))
                lines.add(event)
                copies += event.output is not None
                found_in.update(event.found_in)
        except Cancelled:
            lines.clear()
            print_err("Interrupted. The copies written so far are complete.")
            return ExitCode.INTERRUPTED
    code = lines.exit_code()
    if found_in:
        elements = ", ".join(f"{name} ({films})" for name, films in found_in.most_common())
        print_err(
            f"What may identify the patient was found in: {elements}. Where it identifies nobody, "
            "--allow-element KEYWORD copies the element unchanged."
        )
    made = counted(copies, "copy", "copies")
    print_err(
        f"{options.out}: {made}. Check them before you share them: no program finds "
        "everything that identifies a patient."
    )
    return code


def _allowed(keywords: list[str]) -> frozenset[str]:
    """The keywords, checked.

    Raises:
        UsageError: a keyword is unknown, or its element is never copied.
    """
    from xrayview.io.deidentify.rules import is_copied

    for keyword in keywords:
        if not is_copied(keyword):
            raise UsageError(
                f"{keyword} is not an element of the copies",
                why="the keyword is unknown, or the element is removed or replaced in every copy",
                hint="Choose a keyword that the command has printed.",
            )
    return frozenset(keywords)


def _line(event: FilmCopied, out: Path) -> str:
    result = event.result
    if event.output is None:
        return f"{result.relative_path}: {result.status} {result.code}: {result.message}"
    head = f"{result.relative_path}: {result.status}: {event.output.relative_to(out).as_posix()}"
    return f"{head}: {result.message}" if result.message else head
