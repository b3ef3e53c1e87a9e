"""The subcommands that make films and runs from a recipe: list, prepare, train."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training import runs
from training.commands.options import (
    config_options,
    data_option,
    overrides,
    report_options,
    runs_options,
    say,
)
from training.config import TrainingConfig, with_overrides
from training.recipes import RECIPES, recipe
from training.runs import RunFolder
from xrayview.errors import UsageError


def list_options(parser: argparse.ArgumentParser) -> None:
    """`list` has no options."""


def list_recipes(args: argparse.Namespace) -> None:
    """Print the recipes."""
    del args
    for name in RECIPES:
        print(f"{name:34s} {recipe(name).summary}")


def prepare_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `prepare`."""
    parser.add_argument(
        "recipe", help="a file such as recipe.toml, or the name of a recipe; `list` shows them"
    )
    data_option(parser)
    runs_options(parser)
    config_options(parser)
    parser.add_argument("--out", type=Path, help="output folder (default: RUNS/prepared/RECIPE)")


def prepare(args: argparse.Namespace) -> None:
    """Read, split, decode and check the films of a recipe."""
    from training.commands.prepare import prepare as prepare_films

    config = with_overrides(recipe(args.recipe), overrides(args))
    out = args.out or args.runs / "prepared" / config.recipe
    prepare_films(config, args.data, args.cache or args.runs / "cache", out, say)


def train_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `train`."""
    parser.add_argument(
        "recipe",
        nargs="?",
        help="a file such as recipe.toml, or the name of a recipe; `list` shows them. Not with "
        "--resume",
    )
    data_option(parser)
    runs_options(parser)
    config_options(parser)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--run", type=Path, help="the run folder (default: RUNS/RECIPE-001 ...)")
    where.add_argument("--resume", type=Path, metavar="RUN", help="continue a stopped run")
    report_options(parser)


def train(args: argparse.Namespace) -> None:
    """Train a recipe, or resume a run."""
    from training.data.films import Films
    from training.pipeline import run_recipe

    config = _config(args)

    @contextmanager
    def open_run(films: Films) -> Iterator[RunFolder]:
        if args.resume:
            run = _require_films_of(RunFolder(args.resume), films.manifest.sha256)
        else:
            run = runs.named_run(args.run) if args.run else runs.new_run(args.runs, config.recipe)
        with runs.in_use(run.path):
            if args.resume:
                runs.record_resumption(run)
            else:
                runs.describe(run, config, films.manifest, len(films.leaks))
            yield run

    cache = args.cache or args.runs / "cache"
    run_recipe(
        config, args.data, cache, open_run, say, report=not args.no_report, test=not args.no_test
    )


def _config(args: argparse.Namespace) -> TrainingConfig:
    if args.resume:
        if args.recipe or overrides(args):
            raise UsageError(
                "--resume cannot be combined with a recipe or --set",
                hint="A run keeps its own settings.",
            )
        return RunFolder(args.resume).read_config()
    if not args.recipe:
        raise UsageError(
            "No recipe is named", hint=f"Name a file, or one of: {', '.join(RECIPES)}."
        )
    return with_overrides(recipe(args.recipe), overrides(args))


def _require_films_of(run: RunFolder, manifest_sha256: str) -> RunFolder:
    if run.read_facts().get("manifest_sha256") != manifest_sha256:
        raise UsageError(
            "The films differ from those that the run began with",
            path=run.manifest,
            hint="Restore them, or start a new run.",
        )
    return run
