"""The histogram panel beside a viewport: a change in one shows in the other."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from xrayview.display.histogram import voi_range
from xrayview.display.voi import window_to_drag
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Greyscale, Lut, Radiograph, VoiFunction, Window
from xrayview.ui.histogram.panel import BACKGROUND_ONLY, NO_FILM, HistogramPanel
from xrayview.ui.viewer.film_view import FilmViewer

ROOT = Path(__file__).parents[2]
LUT = Lut(0, (np.linspace(0, 1, 4096) ** 2 * 4095).astype(np.uint16), 12)


def film(**greyscale: Any) -> Radiograph:
    pixels_HW = np.random.default_rng(7).integers(0, 4096, (150, 230)).astype(np.uint16)
    return Radiograph(FilmRef(Path("film.dcm"), "film.dcm"), pixels_HW, Greyscale(**greyscale))


@pytest.fixture
def viewer(qtbot: QtBot) -> FilmViewer:
    shown = FilmViewer()
    qtbot.addWidget(shown)
    return shown


@pytest.fixture
def panel(qtbot: QtBot, viewer: FilmViewer) -> HistogramPanel:
    beside = HistogramPanel()
    qtbot.addWidget(beside)
    beside.resize(264, beside.height())
    viewer.state_changed.connect(lambda: beside.show_film(viewer.radiograph, viewer.voi))
    beside.window_dragged.connect(viewer.set_window)
    beside.show()
    return beside


def plot(panel: HistogramPanel) -> Any:
    assert panel.plot is not None
    return panel.plot


def test_that_dragging_the_region_changes_the_window(
    viewer: FilmViewer, panel: HistogramPanel
) -> None:
    viewer.show_film(film(windows=(Window(2000.0, 1000.0, VoiFunction.SIGMOID, "LUNG"),)), (1, 1))
    assert plot(panel).region.getRegion() == (1500, 2500)
    plot(panel).region.setRegion((1000, 3000))  # what pyqtgraph does with a drag
    assert viewer.voi_window == Window(2000.0, 2000.0, VoiFunction.SIGMOID)
    plot(panel).region.lines[0].setValue(2000)
    assert viewer.voi_window == Window(2500.0, 1000.0, VoiFunction.SIGMOID)


def test_that_the_mouse_moves_the_region_and_its_edges(
    viewer: FilmViewer, panel: HistogramPanel, qtbot: QtBot
) -> None:
    viewer.show_film(film(windows=(Window(2000.0, 2000.0),)), (1, 1))
    drag(panel, 2000, 2300)
    window = viewer.voi_window
    assert window is not None
    assert (window.center, window.width) == (pytest.approx(2300, abs=40), pytest.approx(2000))
    drag(panel, 3300, 3600)
    window = viewer.voi_window
    assert window is not None
    assert window.center - window.width / 2 == pytest.approx(1300, abs=40)
    assert window.width == pytest.approx(2300, abs=80)


def drag(panel: HistogramPanel, start: float, end: float) -> None:
    """Press at one value, move in steps to another, and release."""
    kinds = QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove, QEvent.Type.MouseButtonRelease
    QApplication.processEvents()
    send(panel, QEvent.Type.MouseMove, start, Qt.MouseButton.NoButton)
    send(panel, kinds[0], start, Qt.MouseButton.LeftButton)
    for value in np.linspace(start, end, 8)[1:]:
        send(panel, kinds[1], value, Qt.MouseButton.LeftButton)
    send(panel, kinds[2], end, Qt.MouseButton.NoButton)


def send(panel: HistogramPanel, kind: QEvent.Type, value: float, held: Qt.MouseButton) -> None:
    time.sleep(0.02)  # pyqtgraph drops moves that follow each other too closely
    target = plot(panel).viewport()
    position = plot(panel).region.getViewBox().mapViewToDevice(QPointF(value, 0.2))
    button = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else Qt.MouseButton.LeftButton
    at = QPointF(target.mapToGlobal(position.toPoint()))
    event = QMouseEvent(kind, position, at, button, held, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(target, event)


def test_that_the_region_follows_the_window_of_the_film(
    viewer: FilmViewer, panel: HistogramPanel, qtbot: QtBot
) -> None:
    viewer.show_film(film(windows=(Window(2000.0, 1000.0), Window(500.0, 800.0))), (1, 1))
    with qtbot.assertNotEmitted(panel.window_dragged):
        viewer.apply_voi(1)
        assert plot(panel).region.getRegion() == (100, 900)
        viewer.set_window(Window(3000.0, 100.0))
        assert plot(panel).region.getRegion() == (2950, 3050)
    x, y = plot(panel).curve.getData()
    assert np.interp([2900, 3000, 3100], x, y) == pytest.approx([0, 0.5, 1], abs=0.01)


def test_that_an_empty_region_keeps_the_minimum_width(
    viewer: FilmViewer, panel: HistogramPanel
) -> None:
    viewer.show_film(film(windows=(Window(2000.0, 1000.0),)), (1, 1))
    plot(panel).region.setRegion((1700, 1700))
    assert viewer.voi_window == Window(1700.0, 1.0)


def test_that_a_voi_lut_is_plotted_until_it_is_dragged(
    viewer: FilmViewer, panel: HistogramPanel
) -> None:
    viewer.show_film(film(voi_luts=(LUT,)), (1, 1))
    x, y = plot(panel).curve.getData()
    assert np.interp(2048, x, y) == pytest.approx(0.25, abs=0.01)
    assert plot(panel).region.getRegion() == voi_range(LUT)
    low, high = voi_range(LUT)
    plot(panel).region.setRegion((low + 10, high))
    assert viewer.voi_window is not None
    assert viewer.voi_window.function is window_to_drag(LUT).function
    x, y = plot(panel).curve.getData()
    assert np.interp(2058, x, y) == pytest.approx(0.5, abs=0.01)


def test_that_padding_is_not_counted(viewer: FilmViewer, panel: HistogramPanel) -> None:
    radiograph = film(padding=(0.0, 2000.0))
    viewer.show_film(radiograph, (1, 1))
    edges, _ = plot(panel).bars.getData()
    assert edges[0] > 2000


def test_that_the_panel_says_why_there_is_no_histogram(
    viewer: FilmViewer, panel: HistogramPanel
) -> None:
    note = panel.findChildren(QLabel)[-1]
    assert note.text() == NO_FILM
    viewer.show_film(film(), (1, 1))
    assert note.isHidden()
    viewer.show_film(film(padding=(0.0, 5000.0)), (1, 1))
    assert (note.text(), note.isVisible()) == (BACKGROUND_ONLY, True)
    assert not plot(panel).isVisible()
    viewer.show_empty("")
    assert note.text() == NO_FILM


def test_that_a_hidden_panel_counts_nothing(viewer: FilmViewer, panel: HistogramPanel) -> None:
    panel.hide()
    viewer.show_film(film(windows=(Window(2000.0, 1000.0),)), (1, 1))
    assert panel.plot is None
    panel.show()
    assert plot(panel).region.getRegion() == (1500, 2500)


@pytest.mark.parametrize("module", ["xrayview.ui.shell.main_window", "xrayview.ui.shell.workspace"])
def test_that_the_window_starts_without_the_plotting_library(module: str) -> None:
    code = f"import sys, {module}; print('pyqtgraph' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert run.stdout.strip() == "False"
