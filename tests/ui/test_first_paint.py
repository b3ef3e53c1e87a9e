"""What is loaded before the window is seen: the start stays short only if nobody adds to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {
    "numpy", "cv2", "pydicom", "pebble", "gdcm", "pyqtgraph", "torch", "PIL", "scipy", "asyncio",
    "multiprocessing.pool", "email", "http", "ssl",
}  # fmt: skip
QT = {"PySide6.QtCore", "PySide6.QtGui", "PySide6.QtWidgets", "PySide6.QtSvg"}
OURS = ("xrayview.engine", "xrayview.io.dicom", "xrayview.display", "xrayview.domain.film",
        "xrayview.domain.model", "xrayview.domain.radiograph", "xrayview.inference.",
        "xrayview.ui.viewer", "xrayview.ui.shell.workspace")  # fmt: skip
LIGHT = {"xrayview.inference.cores"}
"""Only sets a variable of the environment."""

_SCRIPT = """
import sys
from xrayview import app
def seen(*_):
    print("\\n".join(sys.modules))
    sys.stdout.flush()
    import os
    os._exit(0)
app._load = seen
from xrayview.cli import window
sys.argv = ["xrayview-app"]
window()
"""


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules that are there when the first page has been painted."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    return set(done.stdout.split())


def test_that_the_first_paint_waits_for_no_heavy_library(loaded: set[str]) -> None:
    assert "xrayview.ui.shell.main_window" in loaded
    assert HEAVY & loaded == set()


def test_that_the_first_paint_needs_four_parts_of_qt(loaded: set[str]) -> None:
    parts = {name for name in loaded if name.startswith("PySide6.Qt")}
    assert parts == QT


def test_that_the_first_paint_knows_nothing_of_films(loaded: set[str]) -> None:
    assert [name for name in loaded if name.startswith(OURS) and name not in LIGHT] == []
