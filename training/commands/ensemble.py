"""The subcommand `ensemble` and its options."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.commands.options import (
    cache_option,
    data_option,
    recipe_option,
    report_options,
    say,
    whole_number,
)


def ensemble_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `ensemble`."""
    parser.add_argument(
        "models", metavar="RUN_OR_BUNDLE", nargs="+", type=Path, help="a run folder or a bundle"
    )
    data_option(parser)
    parser.add_argument(
        "--out", type=Path, required=True, help="the new run folder, or NAME.pt, the new bundle"
    )
    parser.add_argument("--name", help="the bundle's name (default: FIRST-ensemble)")
    parser.add_argument("--version", default="1.0.0", help="its version (default: %(default)s)")
    recipe_option(parser, "the members' own")
    cache_option(parser)
    parser.add_argument(
        "--fewest-validation",
        metavar="N",
        type=whole_number(0),
        default=50,
        help="fewest common validation films, if the members' splits differ (default: %(default)s)",
    )
    report_options(parser)


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
    build(args.models, args.recipe, args.data, args.cache, options, say)
