"""After the first paint modules are imported in a thread and panels built in turns."""

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

from tests.ui.conftest import WAIT_MS, SharedEngine
from xrayview.app import run_in_turns
from xrayview.engine.client import Engine
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.style import theme

ROOT = Path(__file__).parents[2]
_MOST_WIDGETS = 150
"""Built in one turn: some twenty milliseconds."""
_MOST_STYLINGS = 2
"""Of each widget: one that is filled before it has its parent is styled again, with all below."""
_PROGRAM = """
import gc, sys, threading
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
import xrayview.app
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow

app = QApplication([])
settings = Settings()
settings["model"] = "none"
window = MainWindow(settings, None)

def load():
    import xrayview.ui.shell.panels

thread = threading.Thread(target=load)
thread.start()
thread.join()
objects = [o for o in gc.get_objects() if isinstance(o, QObject)]
print("elsewhere", *(repr(o) for o in objects if o.thread() is not window.thread()))
from xrayview.engine.client import Engine

before = set(sys.modules)
window.build_panels(Engine(1))
print("late", *sorted(n for n in set(sys.modules) - before if n.startswith("xrayview")))
sys.stdout.flush()
window.close()
"""


def test_that_the_panels_modules_come_in_a_thread_and_make_no_qt_object_there() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        timeout=120,
    )
    printed = dict(line.partition(" ")[::2] for line in ran.stdout.splitlines())
    assert printed == {"elsewhere": "", "late": ""}


def without_panels(qtbot: QtBot, settings: Settings, folder: Path) -> MainWindow:
    """The window as it is first painted."""
    theme.apply(QApplication.instance())
    window = MainWindow(settings, folder / "results")
    qtbot.addWidget(window)
    return window


def test_that_the_window_responds_while_its_panels_are_built(
    qtbot: QtBot, engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    window = without_panels(qtbot, settings, tmp_path)
    had_panels: list[bool] = []
    run_in_turns(window, window.build_steps(SharedEngine(engine)), lambda: True)
    QTimer.singleShot(0, lambda: had_panels.append(window.has_panels))
    qtbot.waitUntil(lambda: window.has_panels)
    assert had_panels == [False]
    window.close()


def test_that_requests_made_while_the_panels_are_built_are_carried_out_afterwards(
    qtbot: QtBot, engine: Engine, settings: Settings, films: Path, tmp_path: Path
) -> None:
    settings["model"] = "none"
    window = without_panels(qtbot, settings, tmp_path)
    requests = iter([lambda: window.open_paths([films]), *_pressing(qtbot, window, "TGX")])
    for _ in window.build_steps(SharedEngine(engine)):
        next(requests, lambda: None)()
    assert next(requests, None) is None
    assert window.panels.dock.isHidden()
    controller = window.workspace.films
    qtbot.waitSignal(controller.finished_listing, timeout=WAIT_MS).wait()
    assert window.workspace.session.folder == films
    window.close()


def _pressing(qtbot: QtBot, window: MainWindow, keys: str) -> list[Callable[[], None]]:
    return [partial(qtbot.keyClick, window, key) for key in keys]


def test_that_few_widgets_are_built_in_each_turn_and_in_their_place(
    qtbot: QtBot, engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    window = without_panels(qtbot, settings, tmp_path)
    stylings: list[None] = []

    class Watch(QObject):
        def eventFilter(self, _: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.StyleChange:
                stylings.append(None)  # its receiver may not be complete yet
            return False

    watch = Watch()
    counts = [len(window.findChildren(QWidget))]
    QApplication.instance().installEventFilter(watch)
    counts += [len(window.findChildren(QWidget)) for _ in window.build_steps(SharedEngine(engine))]
    QApplication.instance().removeEventFilter(watch)
    assert max(after - before for before, after in pairwise(counts)) <= _MOST_WIDGETS
    assert len(stylings) <= _MOST_STYLINGS * (counts[-1] - counts[0])
    window.close()


def test_that_a_window_closed_while_its_panels_are_built_takes_no_further_step(
    qtbot: QtBot,
    engine: Engine,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    window = without_panels(qtbot, settings, tmp_path)
    shared, closed = SharedEngine(engine), []
    monkeypatch.setattr(shared, "close", lambda: closed.append(True))
    steps = window.build_steps(shared)
    next(steps)
    run_in_turns(window, steps, lambda: not window.is_closed)
    window.close()
    qtbot.wait(50)
    assert closed == [True]
    assert not window.has_panels
