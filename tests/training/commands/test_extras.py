"""Without the packages of the extra `train`, the line that brings them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from xrayview.errors import ExitCode

ROOT = Path(__file__).parents[3]
_CODE = """
import sys
sys.modules["scipy"] = None
from training.cli import main
sys.exit(main(["train", "smoke", "--data", "."]))
"""


def test_that_a_missing_package_is_named_with_the_line_that_brings_it() -> None:
    ran = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, cwd=ROOT)
    assert ran.returncode == ExitCode.USAGE
    assert ran.stderr == (
        "train: Training needs the package scipy (it is not installed). "
        "Run: pip install 'xrayview[train]'\n"
    )
