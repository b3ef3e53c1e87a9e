"""Subcommands on a finished run or a bundle: audit, report.

What runs is imported when it runs: `list` and `--help` answer without torch.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def _model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="a run folder or a model bundle")
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv")
    parser.add_argument("--recipe", help="whose films and labels (default: the model's own)")
    parser.add_argument("--device", default="cpu", choices=("auto", "cpu", "cuda"))


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
        "--out", type=Path, help="folder for audit.json (default: RUN or runs/NAME)"
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path("runs/cache"),
        help="decoded films (default: %(default)s)",
    )


def audit(args: argparse.Namespace) -> None:
    """Print the audit and write `audit.json`."""
    from training import audit_files
    from training.audit import audit as audit_model
    from training.evaluate import find_subject

    subject = find_subject(args.model, args.recipe)
    found = audit_model(subject, args.data, args.masks, args.cache, args.device, _say)
    _say(audit_files.table(found))
    _say(f"written to {audit_files.write(found, subject, args.out or _folder_of(args.model))}")
