"""The options of `ensemble`; what runs is imported when it runs."""

from __future__ import annotations

import argparse
from pathlib import Path


def no_test_option(parser: argparse.ArgumentParser) -> None:
    """Leave the test films alone: for a model that is only to become a member."""
    parser.add_argument(
        "--no-test",
        action="store_true",
        help="judge no test film: no test figures, no audit, no report; the card says so",
    )


def ensemble_options(parser: argparse.ArgumentParser) -> None:
    """Options of `ensemble`."""
    parser.add_argument(
        "models", metavar="RUN_OR_BUNDLE", nargs="+", type=Path, help="a run folder or a bundle"
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the films")
    parser.add_argument(
        "--out", type=Path, required=True, help="the new run folder, or NAME.pt, the new bundle"
    )
    parser.add_argument("--name", help="the bundle's name (default: the first member's-ensemble)")
    parser.add_argument("--version", default="1.0.0", help="default: %(default)s")
    parser.add_argument("--recipe", help="whose films and labels (default: the members' own)")
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path("runs/cache"),
        help="decoded films (default: %(default)s)",
    )
    parser.add_argument(
        "--fewest-validation",
        type=int,
        default=50,
        help="where the members' splits differ, the fewest films that are validation in all "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--no-report", action="store_true", help="end without the shortcut audit and report.html"
    )
    no_test_option(parser)


def ensemble(args: argparse.Namespace) -> None:
    """Make the ensemble's run folder."""
    from training.ensemble.build import EnsembleOptions, build

    options = EnsembleOptions(
        out=args.out,
        name=args.name,
        version=args.version,
        fewest_validation=args.fewest_validation,
        test=not args.no_test,
        report=not args.no_report,
    )
    build(args.models, args.recipe, args.data, args.cache, options, _say)


def _say(line: str) -> None:
    print(line, flush=True)
