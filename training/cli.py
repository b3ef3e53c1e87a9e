"""The command line: a table of subcommands, error messages, and the app's exit codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from training.commands import model, train
from training.commands.ensemble import ensemble, ensemble_options
from training.commands.films import films, films_options
from training.commands.grid import grid, grid_options
from training.commands.import_weights import import_options, import_state_dict
from training.commands.init import init, init_options, schema, schema_options
from training.commands.runs import list_or_compare, runs_command_options
from training.disk import cannot_write
from xrayview.errors import ExitCode, XrayViewError
from xrayview.inference.cores import set_wait_policy


@dataclass(frozen=True)
class Command:
    """A subcommand: its help, its options, and its function."""

    summary: str
    options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], None]
    details: str = ""
    """Shown by `COMMAND --help` after the summary."""


COMMANDS: dict[str, Command] = {
    "list": Command("list the recipes", train.list_options, train.list_recipes),
    "init": Command(
        "examine a folder of films and write a recipe for it, recipe.toml",
        init_options,
        init,
        "Names the layout, counts films, patients and labels, and proposes target, network and "
        "split, each with its reason. prepare, train and evaluate --recipe accept the file.",
    ),
    "schema": Command("print the JSON schema of recipe.toml, for editors", schema_options, schema),
    "films": Command(
        "show the layout of a folder and what it says about its films, also as JSON",
        films_options,
        films,
        "Lists patients, splits, the labels of every reader, boxes and masks, without decoding.",
    ),
    "prepare": Command(
        "read, split, decode and check the films of a recipe, without training",
        train.prepare_options,
        train.prepare,
        "Writes the films, those left out, leaks and conflicts as CSV, and fills the cache.",
    ),
    "train": Command(
        "train a recipe: makes a run folder with a model bundle",
        train.train_options,
        train.train,
        "Ctrl+C stops a run; --resume continues it and gives the same weights.",
    ),
    "grid": Command(
        "compare three backbones, with and without augmentation, in one table",
        grid_options,
        grid,
        "Six trainings give twelve models: the best epochs by validation accuracy and by recall. "
        "The same command continues a stopped grid.",
    ),
    "ensemble": Command(
        "join finished models of the same task in one bundle",
        ensemble_options,
        ensemble,
        "Averages the models' calibrated logits, then calibrates and evaluates the mean.",
    ),
    "evaluate": Command(
        "measure a model on a split, with confidence intervals",
        model.evaluate_options,
        model.evaluate,
        "Writes metrics.json, metrics.txt and scores.csv.",
    ),
    "point": Command(
        "measure how often a heat map's peak lies in a reader's box of the finding",
        model.point_options,
        model.point,
        "For data with boxes: NIH, VinDr-CXR, RSNA, TBX11K, JSRT. Writes pointing.json and .csv.",
    ),
    "import": Command(
        "make a bundle from published weights of a well-known network",
        import_options,
        import_state_dict,
        "The bundle is neither calibrated nor evaluated; calibrate, gate and evaluate do that.",
    ),
    "calibrate": Command(
        "copy a bundle with calibration and operating points fitted on validation",
        model.calibrate_options,
        model.calibrate,
    ),
    "export": Command(
        "make the bundle of a run's best weights, also of a stopped run",
        model.export_options,
        model.export,
    ),
    "gate": Command(
        "copy a bundle with statistics of its training films",
        model.gate_options,
        model.gate,
        "With the statistics the app recognises films that are unlike the training films.",
    ),
    "audit": Command(
        "shortcut audit: how much of the task can be solved without the lungs",
        model.audit_options,
        model.audit,
    ),
    "report": Command(
        "write a page with metrics, curves, errors, heat maps and the audit",
        model.report_options,
        model.report,
    ),
    "runs": Command(
        "list run folders, or compare their settings and metrics",
        runs_command_options,
        list_or_compare,
        "Reads the files of the runs only.",
    ),
}


def parser() -> argparse.ArgumentParser:
    """Build the parser of all subcommands."""
    top = argparse.ArgumentParser(
        prog="python -m training",
        description="Train, evaluate and audit models for XrayView from labelled films.",
        epilog="`python -m training COMMAND --help` describes a command. Research use only.",
    )
    subparsers = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        description = f"{command.summary[0].upper()}{command.summary[1:]}. {command.details}"
        command.options(
            subparsers.add_parser(name, help=command.summary, description=description.rstrip())
        )
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand and return its exit code."""
    set_wait_policy()
    args = parser().parse_args(arguments)
    try:
        COMMANDS[args.command].run(args)
    except XrayViewError as error:
        print(f"{args.command}: {error.text_with_path()}", file=sys.stderr)
        return error.exit_code
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "training", "xrayview"):
            raise
        print(
            f"{args.command}: Training needs the package {package} (it is not installed). "
            "Run: pip install 'xrayview[train]'",
            file=sys.stderr,
        )
        return ExitCode.USAGE
    except OSError as error:
        print(f"{args.command}: {cannot_write(error)}", file=sys.stderr)
        return ExitCode.INTERNAL
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return ExitCode.OK
