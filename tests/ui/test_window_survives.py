"""The window survives the death of its workers, and leaves no process behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.builders import phantom, write_dicom
from tests.ui.conftest import WAIT_MS
from xrayview.engine.client import Engine
from xrayview.errors import StatusCode
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.style import theme

ROOT = Path(__file__).parents[2]


@pytest.fixture
def own(
    qtbot: QtBot, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> MainWindow:
    """A window with its own engine, whose workers may be killed."""
    theme.apply(QApplication.instance())
    monkeypatch.setattr(sys.modules[__name__], "OTHERS", _children())
    window = MainWindow(settings, tmp_path / "results")
    qtbot.addWidget(window)
    window.show()
    window.build_panels(Engine(1))
    return window


def large_films(folder: Path, count: int) -> Path:
    """Films that take a moment to decode, so that a worker can be killed meanwhile."""
    folder.mkdir()
    pixels = phantom(3000, 3000, 12)
    for number in range(count):
        write_dicom(
            folder / f"{number}.dcm",
            pixels,
            transfer_syntax="1.2.840.10008.1.2.4.90",
            SOPInstanceUID=f"1.2.3.{number}",
            InstanceNumber=number,
        )
    return folder


def _children() -> set[int]:
    return {child.pid for child in multiprocessing.active_children() if child.pid is not None}


OTHERS: set[int] = set()
"""Processes that are not workers of this window."""


def workers() -> set[int]:
    """The window's own processes."""
    return _children() - OTHERS


def kill_workers() -> None:
    for pid in workers():
        os.kill(pid, signal.SIGKILL)


def test_that_a_killed_decode_worker_costs_at_most_its_film(
    qtbot: QtBot, own: MainWindow, tmp_path: Path
) -> None:
    folder = large_films(tmp_path / "large", 2)
    workspace = own.workspace
    with qtbot.waitSignal(workspace.films.view_changed, timeout=WAIT_MS):
        own.open_paths([folder])
    kill_workers()
    session = workspace.session

    def settled() -> bool:
        return session.radiograph is not None or session.film_error is not None

    qtbot.waitUntil(settled, timeout=WAIT_MS)
    if session.film_error is not None:
        assert session.film_error.code is StatusCode.DECODER_CRASHED
    other = session.films[1]
    workspace.films.open_film(other)
    qtbot.waitUntil(lambda: workspace.viewer.film_id == other.film_id, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: session.radiograph is not None, timeout=WAIT_MS)
    own.close()


def test_that_a_killed_model_worker_is_restarted_with_its_model(
    qtbot: QtBot, own: MainWindow, films: Path, bundle: Path
) -> None:
    workspace = own.workspace
    own.open_paths([films])
    own.open_model(bundle)
    qtbot.waitUntil(
        lambda: workspace.session.model is not None and workspace.session.radiograph is not None,
        timeout=WAIT_MS,
    )
    kill_workers()
    workspace.model_controller.classify()
    qtbot.waitUntil(
        lambda: not workspace.model_controller.is_busy(workspace.session.current), timeout=WAIT_MS
    )
    if (
        workspace.session.result(workspace.session.current).prediction is None
    ):  # died with the request
        workspace.model_controller.classify()
        qtbot.waitUntil(
            lambda: not workspace.model_controller.is_busy(workspace.session.current),
            timeout=WAIT_MS,
        )
    assert workspace.session.result(workspace.session.current).prediction is not None
    own.close()


def test_that_closing_while_everything_runs_leaves_no_process(
    qtbot: QtBot, own: MainWindow, tmp_path: Path, bundle: Path
) -> None:
    workspace = own.workspace
    own.open_model(bundle)
    qtbot.waitUntil(lambda: workspace.session.model is not None, timeout=WAIT_MS)
    own.open_paths([large_films(tmp_path / "large", 4)])
    qtbot.waitUntil(lambda: workspace.session.current is not None, timeout=WAIT_MS)
    workspace.batch_runner.start()
    qtbot.wait(300)
    assert workers()
    own.close()
    until = time.monotonic() + 15
    while workers() and time.monotonic() < until:
        time.sleep(0.05)
    assert not workers()
    assert not workspace.batch_runner.running


_PROGRAM = """
import sys

if __name__ == "__main__":
    from tests.driving import classify_with_heat_map, drive

    *arguments, picture = sys.argv[1:]

    def script(window):
        yield from classify_with_heat_map(window)
        assert window.grab().save(picture)
        window.close()

    code = drive(script, arguments)
    heavy = sorted({"torch", "torchvision", "pydicom", "gdcm", "openjpeg"} & set(sys.modules))
    print("exit", code, "loaded", *heavy)
"""


def test_that_the_program_opens_classifies_and_ends_without_torch_or_a_decoder_in_its_window(
    films: Path, bundle: Path, tmp_path: Path
) -> None:
    script, picture = tmp_path / "program.py", tmp_path / "window.png"
    script.write_text(_PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script), str(films), "--model", str(bundle), str(picture)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=200,
        env={**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"},
        check=False,
    )
    assert done.stdout.split() == ["exit", "0", "loaded"], done.stderr[-2000:]
    assert QImage(str(picture)).width() >= 960
