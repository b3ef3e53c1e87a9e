"""Subcommands on a finished run or a bundle: audit, calibrate, export, gate, report.

What runs is imported when it runs: `list` and `--help` answer without torch.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from xrayview.domain.devices import DEVICE_CHOICES


def _model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="a run folder or a model bundle")
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv")
    parser.add_argument("--recipe", help="whose films and labels (default: the model's own)")
    parser.add_argument("--device", default="cpu", choices=tuple(DEVICE_CHOICES))


def _folder_of(model: Path) -> Path:
    """Where results on a model go: the run's folder, or runs/NAME for a bundle."""
    return model if model.is_dir() else Path("runs") / model.stem


def _say(line: str) -> None:
    print(line, flush=True)


def audit_options(parser: argparse.ArgumentParser) -> None:
    """Options of `audit`."""
    _model_options(parser)
    parser.add_argument(
        "--masks", type=Path, help="lung masks, STEM.png for each film STEM.*, lungs bright"
    )
    parser.add_argument(
        "--split",
        default="test",
        choices=("test", "validation"),
        help="the films that are judged; what is chosen by an audit is chosen on validation "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="folder for audit.json or audit-validation.json (default: RUN or runs/NAME)",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path("runs/cache"),
        help="decoded films (default: %(default)s)",
    )


def audit(args: argparse.Namespace) -> None:
    """Print the audit and write it as JSON."""
    from training.audit import files
    from training.audit.audit import audit as audit_model
    from training.evaluation.evaluate import find_model

    model = find_model(args.model, args.recipe)
    found = audit_model(model, args.data, args.masks, args.cache, args.device, _say, args.split)
    _say(files.table(found))
    _say(f"written to {files.write(found, model, args.out or _folder_of(args.model))}")


def export_options(parser: argparse.ArgumentParser) -> None:
    """Options of `export`."""
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="a run folder")
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv")
    parser.add_argument("--out", type=Path, help="the new bundle (default: RUN/NAME.pt)")


def export(args: argparse.Namespace) -> None:
    """Make the bundle of a run's best weights."""
    from training.calibrate import export_run
    from training.runs import RunFolder

    export_run(RunFolder(args.run_folder), args.data, args.out, _say)


def calibrate_options(parser: argparse.ArgumentParser) -> None:
    """Options of `calibrate`."""
    _model_options(parser)
    parser.add_argument("--out", type=Path, help="the new bundle (default: NAME-calibrated.pt)")


def calibrate(args: argparse.Namespace) -> None:
    """Write a copy of a bundle with temperature and operating points fitted on validation."""
    from training.calibrate import recalibrate
    from training.evaluation.evaluate import find_model

    model = find_model(args.model, args.recipe)
    recalibrate(model, args.data, args.out, args.device, _say)


def gate_options(parser: argparse.ArgumentParser) -> None:
    """Options of `gate`."""
    _model_options(parser)
    parser.add_argument("--out", type=Path, help="the new bundle (default: NAME-gated.pt)")


def gate(args: argparse.Namespace) -> None:
    """Write a copy of a bundle with statistics of its training films."""
    from training.calibrate import add_gate
    from training.evaluation.evaluate import find_model

    model = find_model(args.model, args.recipe)
    add_gate(model, args.data, args.out, args.device, _say)


def report_options(parser: argparse.ArgumentParser) -> None:
    """Options of `report`."""
    _model_options(parser)
    parser.add_argument("--out", type=Path, help="the page (default: RUN or runs/NAME/report.html)")
    parser.add_argument(
        "--heat-films",
        type=int,
        default=200,
        help="at most so many films for each mean heat map (default: %(default)s)",
    )


def report(args: argparse.Namespace) -> None:
    """Write `report.html`, with the `audit.json` that lies beside it."""
    from training.evaluation.evaluate import find_model
    from training.report.build import write_report
    from training.runs import RunFolder

    model = find_model(args.model, args.recipe)
    run = RunFolder(args.model) if args.model.is_dir() else None
    out = args.out or _folder_of(args.model) / "report.html"
    write_report(model, args.data, run, out, args.heat_films, args.device, _say)
