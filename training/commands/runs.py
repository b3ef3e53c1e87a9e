"""The subcommand `runs` and its options."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.commands.options import say
from xrayview.errors import UsageError


def runs_command_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `runs`."""
    parser.add_argument(
        "folders", metavar="FOLDER", nargs="*", type=Path, default=[Path("runs")],
        help="run folders, or folders with runs below them (default: runs)",
    )  # fmt: skip
    parser.add_argument(
        "--compare",
        action="store_true",
        help="show what differs in the settings, all metrics with their intervals, and for two "
        "runs their paired comparison",
    )
    parser.add_argument(
        "--split",
        choices=("validation", "test", "all", "train"),
        default="test",
        help="the films of the metrics; use validation to choose between runs "
        "(default: %(default)s)",
    )
    parser.add_argument("--out", type=Path, metavar="FILE.csv", help="write all metrics to a CSV")


def list_or_compare(args: argparse.Namespace) -> None:
    """List the runs, or compare them."""
    from training.comparison.found import find_runs
    from training.comparison.tables import comparison_lines, list_lines, write_csv

    if args.out and (args.out.suffix != ".csv" or args.out.exists()):
        raise UsageError(f"{args.out} exists or is not a .csv file", hint="Name a new file.")
    runs = find_runs(args.folders)
    if args.compare and len(runs) < 2:
        raise UsageError("Only one run was found", hint="Name two or more to compare.")
    for line in (
        comparison_lines(runs, args.split) if args.compare else list_lines(runs, args.split)
    ):
        say(line)
    if args.out:
        write_csv(runs, args.out)
        say(f"written to {args.out}")
