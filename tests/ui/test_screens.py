"""Several monitors: one is disconnected, another has twice the resolution."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.conftest import SharedEngine
from xrayview.engine.client import Engine
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.widgets.window_placement import stay_on_screen

ROOT = Path(__file__).parents[2]
FAR = QRect(7000, 5000, 1000, 700)
"""On a monitor to the right of others that is no longer connected."""


def stored(rect: QRect) -> str:
    """The geometry of a window as the settings store it."""
    window = QWidget()
    window.setGeometry(rect)
    return window.saveGeometry().toBase64().toStdString()


def is_in_reach(window: QWidget) -> bool:
    """True if its title bar is on a screen."""
    screens = [screen.availableGeometry() for screen in QApplication.screens()]
    return any(screen.contains(window.geometry().topLeft() + QPoint(60, 0)) for screen in screens)


@pytest.fixture
def far_away(settings: Settings) -> Settings:
    """The settings of a session that ended on two monitors that are not connected."""
    state = {"geometry": stored(FAR), "second_geometry": stored(FAR), "second": "shown"}
    settings["window_state"] = state
    return settings


def test_that_windows_of_a_disconnected_monitor_are_moved_onto_the_screen(
    qtbot: QtBot, engine: Engine, far_away: Settings, tmp_path: Path
) -> None:
    window = MainWindow(far_away, tmp_path)
    qtbot.addWidget(window)
    window.show()
    window.build_panels(SharedEngine(engine))
    window.workspace.second_window.open()
    second = window.workspace.second_window.window
    assert second is not None
    assert is_in_reach(window)
    assert is_in_reach(second)
    window.close()


def test_that_a_window_is_moved_when_its_monitor_is_disconnected(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    stay_on_screen(window)
    window.setGeometry(FAR)
    assert not is_in_reach(window)
    QApplication.instance().screenRemoved.emit(QApplication.primaryScreen())
    qtbot.waitUntil(lambda: is_in_reach(window))


def test_that_a_window_as_large_as_the_screen_is_shown_with_its_frame(qtbot: QtBot) -> None:
    """The title bar of the window manager is added to the requested size."""
    free = QApplication.primaryScreen().availableGeometry()
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(free.size())
    stay_on_screen(window)
    window.show()
    qtbot.waitUntil(lambda: free.contains(window.frameGeometry()))


_SCREENS = [
    {"name": name, "x": x, "y": 0, "width": 1280, "height": 800, "dpr": 1,
     "logicalDpi": 96, "logicalBaseDpi": 96}
    for name, x in (("plain", 0), ("dense", 1280))
]  # fmt: skip
_WALK = """
import json
import numpy as np
from pathlib import Path
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Greyscale, Radiograph, Window
from xrayview.ui.viewer.film_view import FilmViewer

app = QApplication([])
stripes_HW = np.tile(np.array([0, 4095], np.uint16), (800, 400))
ref = FilmRef(Path("film.dcm"), "film.dcm", rows=800, columns=800)
film = Radiograph(ref, stripes_HW, Greyscale("MONOCHROME2", windows=(Window(2048.0, 4096.0),)))
viewer = FilmViewer()
viewer.setGeometry(20, 20, 400, 400)
viewer.show()
viewer.show_film(film, (1, 1))
seen = []
for x in (20, 1300, 20):
    viewer.move(x, 20)
    app.processEvents()
    image = viewer.picture().convertToFormat(QImage.Format.Format_Grayscale8)
    grey_HW = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    middle = grey_HW[image.height() // 2, image.width() // 2 - 40 : image.width() // 2 + 40]
    seen.append([viewer.screen().name(), image.width(), viewer.zoom, int(np.ptp(middle))])
print(json.dumps(seen))
"""


def test_that_a_film_moved_to_a_denser_monitor_is_drawn_on_its_own_pixels(tmp_path: Path) -> None:
    """Stripes of one film pixel: grey where two share a pixel of the screen, else black on white.

    In a process of its own: the screens are arranged when Qt starts.
    """
    config = tmp_path / "screens.json"
    config.write_text(json.dumps({"screens": _SCREENS}), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", _WALK],
        env={
            **os.environ,
            "QT_QPA_PLATFORM": f"offscreen:configfile={config}",
            "QT_SCREEN_SCALE_FACTORS": "plain=1;dense=2",
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    plain, dense, back = json.loads(done.stdout)
    assert plain == ["plain", 400, 0.5, plain[3]] == back
    assert plain[3] < 10
    assert dense == ["dense", 800, 1.0, 255]
