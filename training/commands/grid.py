"""The subcommand `grid` and its options."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.commands.options import data_option, runs_options, say

RECIPE = "backbone-grid"


def grid_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `grid`."""
    data_option(parser)
    runs_options(parser)
    parser.add_argument("--out", type=Path, help=f"the grid's folder (default: RUNS/{RECIPE})")
    parser.add_argument(
        "--set", dest="overrides", metavar="[BACKBONE:]FIELD=VALUE", action="append", default=[],
        help="set any field for all cells or for one backbone: --set preprocessing.size=128 "
        "--set inception_v3:preprocessing.size=160 --set data.films_per_class=100",
    )  # fmt: skip
    parser.add_argument(
        "--initial-weights", metavar="WEIGHTS", default="imagenet",
        help="imagenet (torchvision's, downloaded), or "
        "vgg16=FILE,resnet50=FILE,inception_v3=FILE (default: %(default)s)",
    )  # fmt: skip


def grid(args: argparse.Namespace) -> None:
    """Train and evaluate the grid, or continue it."""
    from training.grid.plan import plan
    from training.grid.run import run_grid
    from training.recipes import recipe

    cells = plan(recipe(RECIPE), args.overrides, args.initial_weights)
    out = args.out or args.runs / RECIPE
    run_grid(cells, args.data, args.cache or args.runs / "cache", out, say)
