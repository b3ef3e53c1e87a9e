"""Options that several subcommands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from xrayview.domain.devices import DEVICE_CHOICES

CACHE = Path("runs/cache")
_UNBOUNDED = 10**9
_SHORTCUTS: dict[str, tuple[str, str, str]] = {
    "initial-weights": (
        "network.initial_weights",
        "WEIGHTS",
        "imagenet (torchvision's, downloaded), none, or a file: a state dict, a run or a bundle",
    ),
    "architecture": (
        "network.architecture",
        "NAME",
        "residual, or one of torchvision's: resnet18, efficientnet_b0 ...",
    ),
}
"""Option -> the config field that it sets, its placeholder, and its help."""


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)


def whole_number(low: int, high: int = _UNBOUNDED) -> Callable[[str], int]:
    """Return the type of an option that is a whole number in a range."""

    upper = f" to {high}" if high < _UNBOUNDED else ""

    def convert(text: str) -> int:
        if text.isdecimal() and low <= (value := int(text)) <= high:
            return value
        raise argparse.ArgumentTypeError(f"expected a whole number from {low}{upper}")

    return convert


def data_option(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add the folder of the films."""
    parser.add_argument("--data", type=Path, required=required, help="folder with the films")


def runs_options(parser: argparse.ArgumentParser) -> None:
    """Add the folder of all runs, and the cache, which is in it by default."""
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), help="folder of all runs (default: %(default)s)"
    )
    parser.add_argument("--cache", type=Path, help="cache of decoded films (default: RUNS/cache)")


def cache_option(parser: argparse.ArgumentParser) -> None:
    """Add the cache for commands that do not make a run."""
    parser.add_argument(
        "--cache", type=Path, default=CACHE, help="cache of decoded films (default: %(default)s)"
    )


def model_options(parser: argparse.ArgumentParser, *, needs_data: bool = True) -> None:
    """Add the options of a command on a finished model."""
    parser.add_argument("model", type=Path, help="a run folder or a model bundle")
    data_option(parser, required=needs_data)
    recipe_option(parser, "the model's own")
    parser.add_argument(
        "--device", default="cpu", choices=tuple(DEVICE_CHOICES), help="default: %(default)s"
    )


def recipe_option(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the recipe that selects films and labels."""
    parser.add_argument(
        "--recipe",
        help=f"recipe or recipe.toml that selects the films and labels (default: {default})",
    )


def report_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that skip parts of a run's end."""
    parser.add_argument(
        "--no-report", action="store_true", help="skip the shortcut audit and report.html"
    )
    parser.add_argument(
        "--no-test",
        action="store_true",
        help="do not use the test films: no test metrics, no audit, no report; the card says so",
    )


def config_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that change a recipe's config."""
    parser.add_argument(
        "--set", dest="overrides", metavar="FIELD=VALUE", action="append", default=[],
        help="set any field of the config: --set optim.rate=1e-3 --set preprocessing.size=192",
    )  # fmt: skip
    for name, (_field, placeholder, summary) in _SHORTCUTS.items():
        parser.add_argument(f"--{name}", metavar=placeholder, help=summary)
    parser.add_argument(
        "--deterministic", dest="overrides", action="append_const", const="run.deterministic=true",
        help="use slower kernels that give the same weights in every run on one machine",
    )  # fmt: skip


def identity_options(parser: argparse.ArgumentParser) -> None:
    """Add the settings of the card's texts for a copy of a bundle."""
    parser.add_argument(
        "--set", dest="overrides", metavar="bundle.FIELD=VALUE", action="append", default=[],
        help="state what the new card says: --set bundle.name=ours --set bundle.authors=Us "
        "--set bundle.scope.age_years=[18,90]",
    )  # fmt: skip


def prevalence_option(parser: argparse.ArgumentParser) -> None:
    """Add the prevalences for predictive values."""
    parser.add_argument(
        "--prevalence", dest="prevalences", metavar="SHARE", action="append", type=float,
        default=[], help="also give PPV and NPV where this share of films has the finding; "
        "may be repeated (default: evaluation.prevalences of the config)",
    )  # fmt: skip


def overrides(args: argparse.Namespace) -> list[str]:
    """Return the settings of `config_options` as `FIELD=VALUE`."""
    shortcuts = [
        f"{field}={value}"
        for name, (field, _placeholder, _summary) in _SHORTCUTS.items()
        if (value := getattr(args, name.replace("-", "_"))) is not None
    ]
    return [*args.overrides, *shortcuts]


def results_folder(model: Path) -> Path:
    """Return the default folder of a model's results: the run folder, or runs/NAME."""
    return model if model.is_dir() else Path("runs") / model.stem
