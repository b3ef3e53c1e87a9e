"""The files that ship with the program: icons, model bundles, the sample study."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from xrayview.errors import UsageError, XrayViewError

_PACKAGE = Path(__file__).parents[1]
_FOLDER = "resources"
REQUIRED = ("icons", "models", "samples")
"""The folders without which the program is not complete."""


def resource(*parts: str) -> Path:
    """The path of a shipped file or folder, which may not exist.

    Shipped files are in the bundle of a frozen program, in the package of an installed one, and
    beside the package in a source tree.
    """
    folders = [root / _FOLDER for root in _roots()]
    return next((f for f in folders if f.is_dir()), folders[-1]).joinpath(*parts)


def require_resources() -> None:
    """Check that the shipped folders are there and not empty.

    Raises:
        XrayViewError: one is missing, and the window could not be drawn without it.
    """
    missing = [name for name in REQUIRED if not any(_contents(resource(name)))]
    if missing:
        raise XrayViewError(
            "The installation of XrayView is incomplete",
            path=resource(),
            why=f"missing: {', '.join(missing)}",
            hint="Install it again.",
        )


def sample_study() -> Path:
    """The folder of the films that ship with the program."""
    return resource("samples", "sample-study")


def refuse_shipped(folder: Path) -> None:
    """Keep the shipped folders as they are: what a user adds to them would go with an update.

    Raises:
        UsageError: the folder ships with the program.
    """
    if folder.absolute().is_relative_to(resource().absolute()):
        raise UsageError("A folder of the program cannot be written to", path=folder)


def _roots() -> Iterator[Path]:
    if frozen := getattr(sys, "_MEIPASS", None):
        yield Path(frozen)
    else:
        yield _PACKAGE
        yield _PACKAGE.parent


def _contents(folder: Path) -> Iterator[Path]:
    return folder.iterdir() if folder.is_dir() else iter(())
