"""The command line: a table of subcommands; errors in the user's words, exit codes as the app's."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from training import runs
from training.commands import model as model_commands
from training.commands.ensemble import ensemble, ensemble_options, no_test_option
from training.commands.grid import grid, grid_options
from training.commands.import_weights import import_options, import_state_dict
from training.config import TrainingConfig, with_overrides
from training.disk import cannot_write
from training.recipes import RECIPES, recipe
from training.runs import RunFolder
from xrayview.domain.devices import DEVICE_CHOICES
from xrayview.errors import ExitCode, UsageError, XrayViewError


@dataclass(frozen=True)
class Command:
    """A subcommand: what it does, its options, and what runs."""

    summary: str
    options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], None]


def _no_options(parser: argparse.ArgumentParser) -> None:
    """Nothing to ask."""


def _list(args: argparse.Namespace) -> None:
    del args
    for name in RECIPES:
        print(f"{name:34s} {recipe(name).summary}")


def _train_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", nargs="?", help="a name from `list`; not with --resume")
    _data_options(parser)
    _config_options(parser)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--run", type=Path, help="the run folder (default: RUNS/RECIPE-001 ...)")
    where.add_argument("--resume", type=Path, metavar="RUN", help="go on with this run")
    parser.add_argument(
        "--no-report", action="store_true", help="end without the shortcut audit and report.html"
    )
    no_test_option(parser)


def _config_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set", dest="overrides", metavar="FIELD=VALUE", action="append", default=[],
        help="any field of the config: --set optim.rate=1e-3 --set preprocessing.size=192",
    )  # fmt: skip
    for name, (_field, summary) in _SHORT_CUTS.items():
        parser.add_argument(f"--{name}", help=summary)
    parser.add_argument(
        "--deterministic", dest="overrides", action="append_const", const="run.deterministic=true",
        help="slower kernels that give the same weights every time on one machine",
    )  # fmt: skip


_SHORT_CUTS: dict[str, tuple[str, str]] = {
    "initial-weights": (
        "network.initial_weights",
        "imagenet (torchvision's, downloaded), none, or a file: a state dict, a run or a bundle",
    ),
    "architecture": (
        "network.architecture",
        "residual, or one of torchvision's: resnet18, efficientnet_b0 ...",
    ),
}
"""Option -> the field that it sets, and what it says of itself."""


def _data_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder with the films")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="default: %(default)s")
    parser.add_argument("--cache", type=Path, help="decoded films (default: RUNS/cache)")


def _train(args: argparse.Namespace) -> None:
    # Imported here: `list` and `--help` answer without torch.
    from training.data.films import Films
    from training.pipeline import run_recipe

    config = _config(args)

    def open_run(films: Films) -> RunFolder:
        if args.resume:
            return _resumed(args.resume, films.manifest.sha256)
        run = runs.named_run(args.run) if args.run else runs.new_run(args.runs, config.recipe)
        runs.describe(run, config, films.manifest, len(films.leaks))
        return run

    cache = args.cache or args.runs / "cache"
    run_recipe(
        config, args.data, cache, open_run, _say, report=not args.no_report, test=not args.no_test
    )


def _config(args: argparse.Namespace) -> TrainingConfig:
    if args.resume:
        if args.recipe or _overrides(args):
            raise UsageError("--resume takes no recipe and no --set", hint="A run keeps its own.")
        return RunFolder(args.resume).read_config()
    if not args.recipe:
        raise UsageError("No recipe is named", hint=f"Choose one of: {', '.join(RECIPES)}.")
    return with_overrides(recipe(args.recipe), _overrides(args))


def _overrides(args: argparse.Namespace) -> list[str]:
    """What --set and the options that are short for it ask for."""
    short = [
        f"{field}={given}"
        for name, (field, _summary) in _SHORT_CUTS.items()
        if (given := getattr(args, name.replace("-", "_"))) is not None
    ]
    return [*args.overrides, *short]


def _resumed(path: Path, manifest_sha256: str) -> RunFolder:
    run = RunFolder(path)
    if run.read_facts().get("manifest_sha256") != manifest_sha256:
        raise UsageError(
            "The films are not those that the run began with",
            path=run.manifest,
            hint="Bring them back, or start a new run.",
        )
    runs.record_resumption(run)
    return run


def _prepare_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", help="a name from `list`")
    _data_options(parser)
    _config_options(parser)
    parser.add_argument("--out", type=Path, help="folder (default: RUNS/prepared/RECIPE)")


def _prepare(args: argparse.Namespace) -> None:
    from training.commands.prepare import prepare

    config = with_overrides(recipe(args.recipe), _overrides(args))
    out = args.out or args.runs / "prepared" / config.recipe
    prepare(config, args.data, args.cache or args.runs / "cache", out, _say)


def _evaluate_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="a run folder or a model bundle")
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv")
    parser.add_argument("--split", default="test", choices=("train", "validation", "test"))
    parser.add_argument("--recipe", help="whose films and labels (default: the model's own)")
    parser.add_argument(
        "--out",
        type=Path,
        help="folder for the results (default: RUN/SPLIT, or runs/NAME/SPLIT for a bundle)",
    )
    parser.add_argument("--device", default="cpu", choices=tuple(DEVICE_CHOICES))


def _evaluate(args: argparse.Namespace) -> None:
    from training.evaluation.evaluate import evaluate, find_model

    model = find_model(args.model, args.recipe)
    default = args.model if args.model.is_dir() else Path("runs") / args.model.stem
    out = args.out or default / args.split
    evaluate(model, args.data, args.split, out, args.device, _say)


def _say(line: str) -> None:
    print(line, flush=True)


COMMANDS: dict[str, Command] = {
    "list": Command("the recipes", _no_options, _list),
    "prepare": Command(
        "the films of a recipe: manifest, cache, leaks; no training", _prepare_options, _prepare
    ),
    "train": Command("train a recipe: a run folder and a model bundle", _train_options, _train),
    "grid": Command(
        "three backbones, with and without augmentation, kept by two figures: one table",
        grid_options,
        grid,
    ),
    "ensemble": Command(
        "finished models of one question as one bundle: the mean of their calibrated logits",
        ensemble_options,
        ensemble,
    ),
    "evaluate": Command("figures with intervals of a bundle", _evaluate_options, _evaluate),
    "import": Command(
        "a state dict of a well-known network from elsewhere as a bundle",
        import_options,
        import_state_dict,
    ),
    "calibrate": Command(
        "a copy of a bundle, calibrated anew on validation",
        model_commands.calibrate_options,
        model_commands.calibrate,
    ),
    "export": Command(
        "the bundle of a run's best weights", model_commands.export_options, model_commands.export
    ),
    "gate": Command(
        "a copy of a bundle with statistics of its training films, for the app to tell others",
        model_commands.gate_options,
        model_commands.gate,
    ),
    "audit": Command(
        "what a model, or no model at all, can tell without the lungs",
        model_commands.audit_options,
        model_commands.audit,
    ),
    "report": Command(
        "one page: figures, curves, errors, heat maps, audit",
        model_commands.report_options,
        model_commands.report,
    ),
}


def parser() -> argparse.ArgumentParser:
    """The parser of all subcommands."""
    top = argparse.ArgumentParser(
        prog="python -m training", description="Labelled films in, model bundles and reports out."
    )
    subparsers = top.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        command.options(subparsers.add_parser(name, help=command.summary))
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; the exit code says how it ended."""
    args = parser().parse_args(arguments)
    try:
        COMMANDS[args.command].run(args)
    except XrayViewError as error:
        print(f"{args.command}: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"{args.command}: {cannot_write(error)}", file=sys.stderr)
        return ExitCode.INTERNAL
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return ExitCode.OK
