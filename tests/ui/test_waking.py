"""What comes after the first paint comes bit by bit: the window answers meanwhile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS, LentEngine
from xrayview.engine.client import Engine
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.shell.startup_imports import in_turns
from xrayview.ui.style import theme

ROOT = Path(__file__).parents[2]
_MOST = 12
"""Modules in one turn: the window answers within some forty milliseconds, on a slow machine too."""
_MOST_WIDGETS = 60
"""Made in one turn."""
_MOST_STYLINGS = 2
"""Of each widget: what is filled before it has its place is styled anew in it, with all below."""
_PROGRAM = """
import sys
from importlib import import_module
from PySide6.QtWidgets import QApplication
import xrayview.app
from xrayview.ui.shell.startup_imports import IN_A_THREAD, IN_TURNS

def brought(name):
    before = set(sys.modules)
    import_module(name)
    return len(set(sys.modules) - before)

for name in IN_A_THREAD:
    import_module(name)
print("widgets", "xrayview.ui.film_controller" in sys.modules)
print("most", max(brought(name) for name in IN_TURNS))
from xrayview.engine.client import Engine
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow
app = QApplication([])
settings = Settings()
settings["model"] = "none"
window = MainWindow(settings, None)
before = set(sys.modules)
window.build_panels(Engine(1))
print("late", *sorted(n for n in set(sys.modules) - before if n.startswith("xrayview")))
sys.stdout.flush()
window.close()
"""


def test_that_modules_come_in_a_thread_without_qt_and_few_in_each_turn() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        timeout=120,
    )
    told = dict(line.partition(" ")[::2] for line in ran.stdout.splitlines())
    assert told["widgets"] == "False"
    assert int(told["most"]) <= _MOST
    assert told["late"] == ""


def asleep(qtbot: QtBot, settings: Settings, folder: Path) -> MainWindow:
    """The window as it is first painted."""
    theme.apply(QApplication.instance())
    window = MainWindow(settings, folder / "results")
    qtbot.addWidget(window)
    return window


def test_that_the_window_answers_while_it_wakes(
    qtbot: QtBot, engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    window = asleep(qtbot, settings, tmp_path)
    asked: list[str] = []
    in_turns(window, window.build_steps(LentEngine(engine)), lambda: True)
    QTimer.singleShot(0, lambda: asked.append("awake" if window.has_panels else "asleep"))
    qtbot.waitUntil(lambda: window.has_panels)
    assert asked == ["asleep"]
    window.close()


def test_that_what_is_asked_while_it_wakes_is_done_once_it_is_awake(
    qtbot: QtBot, engine: Engine, settings: Settings, films: Path, tmp_path: Path
) -> None:
    settings["model"] = "none"
    window = asleep(qtbot, settings, tmp_path)
    asked = iter([lambda: window.open_paths([films]), *_pressing(qtbot, window, "TGX")])
    for _ in window.build_steps(LentEngine(engine)):
        next(asked, lambda: None)()
    assert next(asked, None) is None
    assert window.dock.isHidden()
    controller = window.workspace.films
    qtbot.waitSignal(controller.finished_listing, timeout=WAIT_MS).wait()
    assert window.workspace.session.folder == films
    window.close()


def _pressing(qtbot: QtBot, window: MainWindow, keys: str) -> list[Callable[[], None]]:
    return [partial(qtbot.keyClick, window, key) for key in keys]


def test_that_few_widgets_are_made_in_each_turn_and_in_their_place(
    qtbot: QtBot, engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    window = asleep(qtbot, settings, tmp_path)
    stylings: list[None] = []

    class Watch(QObject):
        def eventFilter(self, _: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.StyleChange:
                stylings.append(None)  # who it is may not be whole yet
            return False

    watch = Watch()
    counts = [len(window.findChildren(QWidget))]
    QApplication.instance().installEventFilter(watch)
    counts += [len(window.findChildren(QWidget)) for _ in window.build_steps(LentEngine(engine))]
    QApplication.instance().removeEventFilter(watch)
    assert max(after - before for before, after in pairwise(counts)) <= _MOST_WIDGETS
    assert len(stylings) <= _MOST_STYLINGS * (counts[-1] - counts[0])
    window.close()


def test_that_a_window_closed_while_it_wakes_takes_no_further_step(
    qtbot: QtBot,
    engine: Engine,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    window = asleep(qtbot, settings, tmp_path)
    lent, closed = LentEngine(engine), []
    monkeypatch.setattr(lent, "close", lambda: closed.append(True))
    steps = window.build_steps(lent)
    next(steps)
    in_turns(window, steps, lambda: not window.is_closed)
    window.close()
    qtbot.wait(50)
    assert closed == [True]
    assert not window.has_panels
