"""The files that ship with the program: icons, model bundles, the sample study."""

from __future__ import annotations

import sys
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def resource(*parts: str) -> Path:
    """The path of a shipped file or folder, which may not exist.

    Shipped files are in the bundle of a frozen program, in the package of an installed one, and
    beside the package in a source tree.
    """
    frozen = getattr(sys, "_MEIPASS", None)
    roots = (Path(frozen),) if frozen else (_PACKAGE, _PACKAGE.parent)
    folders = [root / "resources" for root in roots]
    return next((f for f in folders if f.is_dir()), folders[-1]).joinpath(*parts)
