"""Where the files that ship with the program lie: icons, model bundles, the sample study."""

from __future__ import annotations

import sys
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def resource(*parts: str) -> Path:
    """A shipped file or folder; it need not exist.

    In a frozen program they lie in its bundle, in an installed one inside the package, in a
    source tree beside it.
    """
    frozen = getattr(sys, "_MEIPASS", None)
    roots = (Path(frozen),) if frozen else (_PACKAGE, _PACKAGE.parent)
    folders = [root / "resources" for root in roots]
    return next((f for f in folders if f.is_dir()), folders[-1]).joinpath(*parts)
