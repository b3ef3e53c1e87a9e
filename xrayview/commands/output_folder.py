"""The output folder of commands that write a file for each film."""

from __future__ import annotations

import argparse
from pathlib import Path

from xrayview.errors import UsageError


def add_inside_option(parser: argparse.ArgumentParser) -> None:
    """`--inside-source`: consent to an output folder inside the folder of the films."""
    parser.add_argument(
        "--inside-source",
        action="store_true",
        help="allow an output folder inside the folder of the films; what is written there is left "
        "out when that folder is read again",
    )


def check_output_folder(options: argparse.Namespace) -> None:
    """Refuse to write among the films, where their next scan would find more of them.

    Raises:
        UsageError: the output folder is that of the films or lies inside it.
    """
    from xrayview.batch.source_files import lies_in

    source, out = options.source, options.out
    if options.inside_source:
        return
    if source.is_dir():
        is_among_films = lies_in(out, source)
    else:
        is_among_films = out.resolve() == source.resolve().parent
    if is_among_films:
        raise UsageError(
            "The output folder is that of the films, or lies inside it",
            path=Path(out),
            why="programs that read the folder would take the output for more films",
            hint="Choose a folder outside of it, or add --inside-source.",
        )
