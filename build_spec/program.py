"""The main module of the frozen programs, which differ by their names only.

Spawned workers run it again up to `freeze_support`, so it imports nothing heavy.
"""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path


def main() -> int:
    """Run the program that the name of this one stands for; returns the exit code."""
    multiprocessing.freeze_support()
    stem = Path(sys.argv[0]).stem
    if stem == "xrayview-train":
        from training.cli import main as train

        return train()
    from xrayview import cli

    return cli.window() if _is_window(stem) else cli.main()


def _is_window(stem: str) -> bool:
    """True for XrayView; the other is `xrayview`, or `xrayview-cli` where case is ignored."""
    if sys.platform in ("win32", "darwin"):
        return not stem.lower().endswith("-cli")
    return stem == "XrayView"


if __name__ == "__main__":
    sys.exit(main())
