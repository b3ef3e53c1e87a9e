"""Options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from xrayview.commands.terminal import positive_int
from xrayview.domain.devices import AUTO, DEVICE_CHOICES
from xrayview.domain.runtimes import EXACT, FAST, PRECISIONS, RUNTIME_CHOICES
from xrayview.domain.stated import StatedFilms, stated_films

Arguments = argparse.ArgumentParser | argparse._ArgumentGroup


def add_model_option(parser: Arguments, *, default: str = "") -> None:
    """`--model`; `default` is a note on what is used without it."""
    note = f" (default: {default})" if default else ""
    parser.add_argument(
        "--model",
        default="" if default else None,
        metavar="BUNDLE",
        help=f"model bundle: a file, or a name from `xrayview model list`{note}",
    )


def add_models_option(parser: Arguments, *, default: str) -> None:
    """`--model`, which may be repeated; `default` is a note on what is used without it."""
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="BUNDLE",
        help="model bundle: a file, or a name from `xrayview model list`; repeat it for several "
        f"models in one pass, with a table each (default: {default})",
    )


def add_device_option(parser: Arguments) -> None:
    """`--device`: where the model runs."""
    parser.add_argument(
        "--device",
        choices=tuple(DEVICE_CHOICES),
        default=AUTO,
        help="where the model runs; `auto` uses a GPU if one works, otherwise the CPU. Any other "
        "choice fails if that device is not available (default: %(default)s)",
    )


def add_runtime_options(parser: Arguments) -> None:
    """`--runtime` and `--precision`: what computes the scores, and how exactly."""
    parser.add_argument(
        "--runtime",
        choices=tuple(RUNTIME_CHOICES),
        default=AUTO,
        help="what runs the model: `auto` uses OpenVINO on the CPU if it is installed and gives "
        "the model's scores, otherwise PyTorch (default: %(default)s)",
    )
    exact, fast = (PRECISIONS[name].largest_difference for name in (EXACT, FAST))
    parser.add_argument(
        "--precision",
        choices=tuple(PRECISIONS),
        default=EXACT,
        help=f"`exact`: float32, scores within {exact:g} of PyTorch's; `fast`: 16 bits where the "
        f"device has them, refused where a score differs by more than {fast:g} on the test "
        "films (default: %(default)s)",
    )


def add_trust_option(parser: Arguments) -> None:
    """`--trust-model`: the user's consent to run a model."""
    parser.add_argument(
        "--trust-model",
        action="store_true",
        help="trust this model file, now and in future; a model is a program that runs on your "
        "computer",
    )


def add_identity_options(parser: Arguments, *, full: str) -> None:
    """`--identity` and `--identity-key`; `full` is a note on what that choice writes."""
    parser.add_argument(
        "--identity",
        choices=("none", "hash", "full"),
        default="hash",
        help=f"PatientID in the table: left out, a keyed hash, or the ID itself; {full} "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--identity-key",
        type=Path,
        metavar="FILE",
        help="key file for `--identity hash`, created if it does not exist; one per project keeps "
        "hashes comparable within it (default: one key for all your projects)",
    )


def add_stated_options(parser: Arguments) -> None:
    """`--stated-age`, `--stated-view`, `--stated-body-part`: what is true of all films."""
    add = parser.add_argument
    add(
        "--stated-age",
        default="",
        metavar="YEARS",
        help="age of all patients in completed years, where files do not state it: 1-5, or 18+",
    )
    add(
        "--stated-view",
        default="",
        metavar="VIEW",
        help="view position of all films, likewise: AP or PA",
    )
    add(
        "--stated-body-part",
        default="",
        metavar="PART",
        help="body part of all films, likewise: CHEST",
    )


def stated_by(options: argparse.Namespace) -> StatedFilms:
    """What the options state. Raises UsageError where it is not a statement."""
    return stated_films(options.stated_age, options.stated_view, options.stated_body_part)


def add_studies_option(parser: Arguments) -> None:
    """`--studies`: a second table, of studies."""
    parser.add_argument(
        "--studies",
        type=Path,
        metavar="TABLE",
        help="also write a table of studies, CSV or .parquet: for each finding the highest and the "
        "mean score over the films of a study",
    )


def add_workers_option(parser: Arguments) -> None:
    """`--workers`: processes that read films."""
    parser.add_argument(
        "--workers",
        type=positive_int,
        metavar="N",
        help="number of processes that read films (default: from the settings)",
    )
