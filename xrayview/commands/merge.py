"""`xrayview merge PARTS --index INDEX --out predictions.csv`: one table of all parts."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.commands.options import add_studies_option
from xrayview.commands.terminal import (
    ProgressLine,
    cancel_on_interrupt,
    existing_path,
    load_settings,
    print_err,
    print_out,
)
from xrayview.domain.sentences import counted
from xrayview.errors import Cancelled, ExitCode, Status

if TYPE_CHECKING:
    from xrayview.batch.merge import Merged


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("parts", type=Path, metavar="PARTS", help="the folder of the parts, each with its report")
    add("--index", type=Path, required=True, metavar="INDEX", help="the index that they are of")
    add(
        "--out",
        type=Path,
        default=Path("predictions.csv"),
        metavar="TABLE",
        help="table to write, CSV or .parquet, in scan order; its report goes beside it "
        "(default: %(default)s)",
    )
    add_studies_option(parser)
    add(
        "--allow-missing",
        action="store_true",
        help="write the table although shards or films are missing; they are named, and in the "
        "report",
    )
    add(
        "--allow-mixed",
        action="store_true",
        help="merge parts of different devices or versions, which may differ in the last digits",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Merge; returns the exit code. What is missing goes to stdout, one line each."""
    load_settings()
    parts, index = existing_path(options.parts), existing_path(options.index)
    return merge_and_print(parts, index, options, cancel_on_interrupt())


def merge_and_print(
    parts: Path, index: Path, options: argparse.Namespace, cancel: threading.Event
) -> int:
    """Merge parts into the table that the options name, and print how it went; the exit code."""
    from xrayview.batch.merge import IncompleteParts, MergeOptions, merge_parts

    line = ProgressLine()
    merge = MergeOptions(
        getattr(options, "allow_missing", False),
        getattr(options, "allow_mixed", False),
        options.studies,
        ("xrayview", *options.command_line),
    )
    try:
        merged = merge_parts(
            parts,
            index,
            options.out,
            merge,
            cancel,
            lambda part, count: line.show(f"{part:,} of {counted(count, 'shard')} read"),
        )
    except IncompleteParts as error:
        line.clear()
        for gap in error.gaps:
            print_out(gap.text)
        raise
    except Cancelled:
        line.clear()
        print_err("Interrupted. Nothing was changed.")
        return ExitCode.INTERRUPTED
    line.clear()
    return _finish(options.out, merged)


def _finish(out: Path, merged: Merged) -> int:
    rows = counted(sum(merged.counts.values()), "row")
    parts = counted(merged.parts, "part")
    print_err(f"{out}: {rows} from {parts} in {merged.seconds:.1f} s")
    for note in merged.notes:
        print_err(note)
    for gap in merged.gaps:
        print_out(gap.text)
    if merged.gaps:
        print_err(f"Missing: {counted(len(merged.gaps), 'line')} above.")
    failed = merged.counts.get(Status.ERROR, 0) + merged.counts.get(Status.REFUSED, 0)
    return ExitCode.SOME_FAILED if failed or merged.gaps else ExitCode.OK
