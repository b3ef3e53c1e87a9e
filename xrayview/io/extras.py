"""Packages that are installed on request only, and the line that brings them."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from xrayview.errors import UsageError


def optional_module(module: str, extra: str, what: str) -> Any:
    """Import a module of an extra.

    Args:
        module: the module, `pyarrow.parquet`.
        extra: the extra of the package that brings it, `parquet`.
        what: what needs it, as the beginning of a sentence: `A Parquet file`.

    Raises:
        UsageError: it is not installed; the hint is the line that installs it, into Python also
            where the program is packed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        frozen = bool(getattr(sys, "frozen", False))
        raise UsageError(
            f"{what} needs the package {package}",
            why="it is not installed" if not frozen else "it is not part of the packed program",
            hint=f"{'Install XrayView with' if frozen else 'Run:'} pip install 'xrayview[{extra}]'",
        ) from error
