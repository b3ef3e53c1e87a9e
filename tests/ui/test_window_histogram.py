"""The histogram in the main window: hidden at first, then in step with the displayed film."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS, SharedEngine
from xrayview.domain.radiograph import Window
from xrayview.engine.client import Engine
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow


def test_that_the_histogram_opens_on_request_and_follows_the_film(
    qtbot: QtBot, opened: MainWindow
) -> None:
    workspace, button = opened.workspace, opened.bar.buttons["histogram"]
    assert not workspace.histogram.isVisible()
    assert not button.isChecked()
    button.click()
    assert workspace.histogram.isVisible()
    assert button.isChecked()
    plot = workspace.histogram.plot
    assert plot is not None
    plot.region.setRegion((1000, 2000))
    assert workspace.viewer.voi_window == Window(1500.0, 1000.0)
    workspace.films.step(1)
    qtbot.waitUntil(lambda: plot.region.getRegion() == (0, 4096), timeout=WAIT_MS)
    button.click()
    assert not workspace.histogram.isVisible()
    assert not button.isChecked()


def test_that_the_histogram_is_restored_at_the_next_start(
    qtbot: QtBot, opened: MainWindow, settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    opened.workspace.show_histogram(shown=True)
    opened.close()
    again = MainWindow(settings, tmp_path)
    qtbot.addWidget(again)
    again.build_panels(SharedEngine(engine))
    assert again.workspace.shows_histogram
    qtbot.waitUntil(again.bar.buttons["histogram"].isChecked)


def test_that_the_first_frame_is_prepared_in_the_background(opened: MainWindow) -> None:
    radiograph = opened.workspace.session.radiograph
    assert radiograph is not None
    ready = opened.workspace.session.first_frame(radiograph)
    assert ready is not None
    assert ready.pyramid.levels[0].pixels_HW is radiograph.pixels_HW
    assert opened.workspace.viewer.voi_choices() is ready.choices
