"""Films requested while they are decoded ahead: one decode, shown when it is done."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS, SharedEngine
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import DecodeFilm
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.style import theme

pytestmark = pytest.mark.films


class Noting(SharedEngine):
    """Records which films are decoded, and reports the first that is decoded ahead."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._engine = engine
        self.decoded: list[str] = []
        self.hastened: list[Future] = []
        self.ahead: Callable[[], object] | None = None
        self.submit, self.hasten = self._submit, self._hasten

    def _submit(self, request, *, priority=None):
        future = self._engine.submit(request, priority=priority)
        if isinstance(request, DecodeFilm):
            self.decoded.append(request.film.relative_path)
            if priority is Priority.PREFETCH and self.ahead is not None:
                act, self.ahead = self.ahead, None
                QTimer.singleShot(0, act)  # before anything that a worker can answer
        return future

    def _hasten(self, future, priority) -> None:
        self.hastened.append(future)
        self._engine.hasten(future, priority)


@pytest.fixture
def noting(engine: Engine) -> Noting:
    return Noting(engine)


@pytest.fixture
def window(qtbot: QtBot, noting: Noting, settings: Settings, tmp_path: Path) -> MainWindow:
    theme.apply(QApplication.instance())
    window = MainWindow(settings, tmp_path / "results")
    qtbot.addWidget(window)
    window.show()
    window.build_panels(noting)
    return window


@pytest.fixture
def folder(films_dir: Path, tmp_path: Path) -> Path:
    """Three of the development films."""
    (tmp_path / "films").mkdir()
    some = sorted((films_dir / "tb").rglob("*.jpg"))[:3]
    for number, path in enumerate(some):
        shutil.copy(path, tmp_path / "films" / f"{number}.jpg")
    return tmp_path / "films"


@pytest.mark.parametrize("steps", [1, 3], ids=["once", "to and fro"])
def test_that_a_film_being_decoded_is_shown_from_that_decode(
    qtbot: QtBot, window: MainWindow, noting: Noting, folder: Path, steps: int
) -> None:
    workspace = window.workspace

    def go() -> None:
        for step in (1, -1, 1)[:steps]:
            workspace.films.step(step)

    noting.ahead = go
    window.open_paths([folder])
    qtbot.waitUntil(lambda: noting.ahead is None, timeout=WAIT_MS)
    session = workspace.session
    qtbot.waitUntil(
        lambda: session.current.relative_path == "1.jpg" and session.radiograph is not None,
        timeout=WAIT_MS,
    )
    assert workspace.viewer.radiograph is session.radiograph
    assert noting.decoded.count("1.jpg") == 1
    assert len(noting.hastened) == 1
