"""The subcommands on a finished run or bundle: evaluate, audit, calibrate, export, gate, report."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.commands.options import (
    cache_option,
    data_option,
    identity_options,
    model_options,
    prevalence_option,
    results_folder,
    say,
    whole_number,
)
from xrayview.errors import UsageError


def evaluate_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `evaluate`."""
    model_options(parser)
    parser.add_argument(
        "--split",
        choices=("train", "validation", "test", "all"),
        help="the films to evaluate on (default: test for the model's own data or for data with "
        "official test films, otherwise all)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="output folder (default: RUN/SPLIT, or runs/NAME/SPLIT for a bundle)",
    )
    prevalence_option(parser)


def evaluate(args: argparse.Namespace) -> None:
    """Evaluate a model on a split."""
    from training.evaluation.evaluate import evaluate as evaluate_model
    from training.evaluation.model_films import ModelFilms
    from training.evaluation.models import find_model, with_prevalences

    model = with_prevalences(find_model(args.model, args.recipe), args.prevalences)
    films = ModelFilms(model, args.data)
    split = args.split or films.usual_split(say)
    out = args.out or results_folder(args.model) / split
    evaluate_model(model, films, split, out, args.device, say)


def point_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `point`."""
    model_options(parser)
    parser.add_argument(
        "--split",
        choices=("train", "validation", "test", "all"),
        help="the films to explain (default: as for evaluate)",
    )
    parser.add_argument(
        "--out", type=Path, help="output folder (default: RUN/SPLIT, or runs/NAME/SPLIT)"
    )


def point(args: argparse.Namespace) -> None:
    """Measure how often the heat map's peak lies in a reader's box of the finding."""
    from training.evaluation.model_films import ModelFilms
    from training.evaluation.models import find_model
    from training.evaluation.pointing import play

    films = ModelFilms(find_model(args.model, args.recipe), args.data)
    split = args.split or films.usual_split(say)
    play(films, split, args.out or results_folder(args.model) / split, args.device, say)


def audit_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `audit`."""
    model_options(parser)
    parser.add_argument(
        "--masks",
        type=Path,
        help="folder of lung masks: STEM.png for the film STEM.*, lungs bright",
    )
    parser.add_argument(
        "--split",
        default="test",
        choices=("test", "validation"),
        help="the films to audit; use validation to choose between models (default: %(default)s)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="folder for audit.json or audit-validation.json (default: RUN, or runs/NAME)",
    )
    cache_option(parser)


def audit(args: argparse.Namespace) -> None:
    """Print the audit and write it as JSON."""
    from training.audit import files
    from training.audit.audit import audit as audit_model
    from training.evaluation.models import find_model

    model = find_model(args.model, args.recipe)
    result = audit_model(model, args.data, args.masks, args.cache, args.device, say, args.split)
    say(files.table(result))
    say(f"written to {files.write(result, model, args.out or results_folder(args.model))}")


def export_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `export`."""
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="a run folder")
    data_option(parser)
    parser.add_argument("--out", type=Path, help="the new bundle (default: RUN/NAME.pt)")


def export(args: argparse.Namespace) -> None:
    """Make the bundle of a run's best weights."""
    from training.calibrate import export_run
    from training.runs import RunFolder

    export_run(RunFolder(args.run_folder), args.data, args.out, say)


def calibrate_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `calibrate`."""
    model_options(parser)
    parser.add_argument("--out", type=Path, help="the new bundle (default: NAME-calibrated.pt)")
    identity_options(parser)


def calibrate(args: argparse.Namespace) -> None:
    """Write a copy of a bundle with temperature and operating points fitted on validation."""
    from training.calibrate import recalibrate
    from training.evaluation.models import find_model

    model = find_model(args.model, args.recipe)
    recalibrate(model, args.data, args.out, args.device, say, args.overrides)


def gate_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `gate`."""
    model_options(parser, needs_data=False)
    parser.add_argument("--out", type=Path, help="the new bundle (default: NAME-gated.pt)")
    identity_options(parser)
    parser.add_argument(
        "--limits-only",
        action="store_true",
        help="keep the statistics in the bundle and set only its caution limit; needs no films",
    )
    parser.add_argument(
        "--version", help="with --limits-only: version of the new bundle (default: the same)"
    )


def gate(args: argparse.Namespace) -> None:
    """Write a copy of a bundle with statistics of its training films, or with another limit."""
    from training.calibrate import add_gate, update_caution_limit
    from training.evaluation.models import find_model

    if args.limits_only:
        bundle = find_model(args.model, args.recipe).bundle
        update_caution_limit(bundle, args.out, args.version, say)
        return
    if args.data is None:
        raise UsageError("--data is missing", hint="Name the folder with the training films.")
    model = find_model(args.model, args.recipe)
    add_gate(model, args.data, args.out, args.device, say, args.overrides)


def report_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `report`."""
    model_options(parser)
    parser.add_argument(
        "--out", type=Path, help="the page (default: report.html in RUN or runs/NAME)"
    )
    parser.add_argument(
        "--heat-films",
        metavar="N",
        type=whole_number(0),
        default=200,
        help="most films for each mean heat map (default: %(default)s)",
    )
    prevalence_option(parser)


def report(args: argparse.Namespace) -> None:
    """Write `report.html`, including the `audit.json` beside it."""
    from training.evaluation.models import find_model, with_prevalences
    from training.report.build import write_report
    from training.runs import RunFolder

    model = with_prevalences(find_model(args.model, args.recipe), args.prevalences)
    run = RunFolder(args.model) if args.model.is_dir() else None
    out = args.out or results_folder(args.model) / "report.html"
    write_report(model, args.data, run, out, args.heat_films, args.device, say)
