"""How long the window thread takes for a film, beside pyqtgraph's ImageItem in the same process.

`extra_info` has the ratios of the medians, which is all that two machines can compare.
"""

from __future__ import annotations

import itertools
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from xrayview.display.first_frame import make_first_frame
from xrayview.display.greyscale import apply_lut, build_lut
from xrayview.display.histogram import voi_range
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Greyscale, OverlayPlane, Radiograph, Shutter, Window
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.grid.linking import Linking
from xrayview.ui.viewer.film_view import FilmViewer

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

SIZE_PX = (1200, 900)
FRAMES = 40
ways = itertools.cycle([1] * 20 + [-1] * 20)
PADDINGS = {"plain": None, "padded": (0.0, 0.0)}
PLACEMENTS: dict[str, Callable[[FilmViewer], object]] = {
    "fitted": lambda viewer: viewer.fit(),
    "turned": lambda viewer: viewer.rotate(1),
    "one to one": lambda viewer: viewer.one_to_one(),
}


def film(padding: tuple[float, float] | None) -> Radiograph:
    """3000 x 3000 x 16 bit with a collimated edge of zeros."""
    pixels_HW = np.random.default_rng(0).integers(1, 4096, (3000, 3000), dtype=np.uint16)
    pixels_HW[:300] = 0
    ref = FilmRef(
        Path("film"), "film", patient_name="Doe^Jane", patient_id="7f3a", institution="Hospital"
    )
    return Radiograph(ref, pixels_HW, Greyscale(padding=padding), orientation=("L", "F"))


@pytest.fixture
def viewer(qapp: QApplication) -> Iterator[FilmViewer]:
    shown = FilmViewer()
    shown.resize(*SIZE_PX)
    shown.show()
    yield shown
    shown.close()
    shown.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def windows() -> Iterator[Window]:
    """A drag to and fro: no two frames in a row are alike."""
    for step in count():
        yield Window(2048.0 + step % 200, 3000.0 + step % 340)


def painted(step: Callable[[], object]) -> Callable[[], None]:
    def frame() -> None:
        step()
        QApplication.processEvents()

    return frame


def median_s(frame: Callable[[], None]) -> float:
    frame()
    seconds = []
    for _ in range(FRAMES):
        start = time.perf_counter()
        frame()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_frame_of_a_window_drag(benchmark: Any, viewer: FilmViewer, placement: str) -> None:
    radiograph = film(None)
    viewer.show_film(radiograph, (1, 1))
    PLACEMENTS[placement](viewer)
    drag = windows()
    benchmark.pedantic(
        painted(lambda: viewer.set_window(next(drag))), rounds=FRAMES, warmup_rounds=2
    )
    ours = benchmark.stats.stats.median
    for name, step in pyqtgraph_steps(radiograph).items():
        benchmark.extra_info[f"ours_to_{name}"] = round(ours / median_s(painted(step)), 3)


@pytest.fixture
def linked(qapp: QApplication) -> Iterator[ViewGrid]:
    """Four films side by side that follow the active one."""
    grid = ViewGrid()
    grid.set_layout("2x2")
    linking = Linking(grid)
    grid.resize(*SIZE_PX)
    grid.show()
    radiograph = film(None)
    for viewer in grid.viewers[: grid.count]:
        viewer.show_film(radiograph, (1, 4))
    linking.set_on(True)
    QApplication.processEvents()
    yield grid
    grid.close()
    grid.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_frame_of_a_window_drag_over_four_linked_films(benchmark: Any, linked: ViewGrid) -> None:
    drag = windows()
    benchmark.pedantic(
        painted(lambda: linked.viewer.set_window(next(drag))), rounds=FRAMES, warmup_rounds=2
    )
    shown = {viewer.voi_window for viewer in linked.viewers[: linked.count]}
    assert len(shown) == 1  # one film four times: linked windows are equal
    items = [pyqtgraph_box(film(None), (SIZE_PX[0] // 2, SIZE_PX[1] // 2)) for _ in range(4)]

    def by_levels() -> None:
        low, high = voi_range(next(drag))
        for _box, item in items:
            item.setLevels((low, high))

    ratio = benchmark.stats.stats.median / median_s(painted(by_levels))
    benchmark.extra_info["ours_to_pyqtgraph_levels"] = round(ratio, 3)


def pyqtgraph_box(radiograph: Radiograph, size_px: tuple[int, int] = SIZE_PX) -> tuple[Any, Any]:
    """A ViewBox of the size of ours that shows the whole film, and its ImageItem."""
    import pyqtgraph as pg

    view = pg.GraphicsView()
    view.resize(*size_px)
    box = pg.ViewBox(lockAspect=True, enableMenu=False)
    box.whole_view = view  # the box does not keep its view alive
    view.setCentralItem(box)
    item = pg.ImageItem(radiograph.pixels_HW, axisOrder="row-major", autoDownsample=True)
    box.addItem(item)
    view.show()
    return box, item


def pyqtgraph_steps(radiograph: Radiograph) -> dict[str, Callable[[], object]]:
    """The same drag on an ImageItem that shows the whole film in a view of the same size.

    Once it is given the film and only its levels change, once the grey of the level that fits.
    """
    box, item = pyqtgraph_box(radiograph)
    drag = windows()
    level = make_first_frame(radiograph).pyramid.level_for(SIZE_PX[1] / 3000).pixels_HW

    def by_levels() -> None:
        low, high = voi_range(next(drag))
        item.setLevels((low, high))

    def by_uint8() -> None:
        lut = build_lut(radiograph.greyscale, next(drag), level.dtype)
        item.setImage(apply_lut(level, lut), levels=(0, 255), autoLevels=False)
        _ = box  # lives as long as its frames

    return {"pyqtgraph_levels": by_levels, "pyqtgraph_uint8": by_uint8}


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_frame_of_a_window_drag_under_shutter_and_graphics(
    benchmark: Any, viewer: FilmViewer, placement: str
) -> None:
    bits_HW = np.zeros((3000, 3000), np.bool_)
    bits_HW[::50] = True
    shutter = Shutter(rectangle=(100, 2900, 100, 2900))
    radiograph = replace(film(None), overlays=(OverlayPlane(bits_HW),), shutter=shutter)
    viewer.show_film(radiograph, (1, 1))
    PLACEMENTS[placement](viewer)
    drag = windows()
    benchmark.pedantic(
        painted(lambda: viewer.set_window(next(drag))), rounds=FRAMES, warmup_rounds=2
    )


@pytest.mark.parametrize("padding", PADDINGS)
def test_frame_of_a_pan(benchmark: Any, viewer: FilmViewer, padding: str) -> None:
    viewer.show_film(film(PADDINGS[padding]), (1, 1))
    canvas = viewer._canvas
    canvas.set_placement(viewer.placement.zoomed_at(QPointF(600, 450), 1.7))
    steps = (QPointF(3 if step % 40 < 20 else -3, 2) for step in count())
    benchmark.pedantic(
        painted(lambda: canvas.set_placement(viewer.placement.panned(next(steps)))),
        rounds=FRAMES,
        warmup_rounds=2,
    )
    box, _item = pyqtgraph_box(film(PADDINGS[padding]))
    box.scaleBy((1 / 1.7, 1 / 1.7))
    theirs = median_s(painted(lambda: box.translateBy(x=3 * next(ways), y=2)))
    benchmark.extra_info["ours_to_pyqtgraph"] = round(benchmark.stats.stats.median / theirs, 3)


def test_frame_of_a_zoom(benchmark: Any, viewer: FilmViewer) -> None:
    """Turns of a fine wheel to and fro, at a point that is not the middle."""
    viewer.show_film(film(None), (1, 1))
    canvas, point, still = viewer._canvas, QPointF(500, 400), QPoint()

    def turn() -> None:
        wheel = QWheelEvent(
            point, canvas.mapToGlobal(point), still, QPoint(0, 32 * next(ways)),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.ControlModifier,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(canvas.viewport(), wheel)

    benchmark.pedantic(painted(turn), rounds=FRAMES, warmup_rounds=2)
    zoom = viewer.placement.zoom
    turn()
    assert viewer.placement.zoom != zoom
    box, _item = pyqtgraph_box(film(None))
    theirs = median_s(painted(lambda: box.scaleBy((1 - 0.05 * next(ways),) * 2)))
    benchmark.extra_info["ours_to_pyqtgraph"] = round(benchmark.stats.stats.median / theirs, 3)


@pytest.mark.parametrize("padding", PADDINGS)
def test_film_comes_on_screen(benchmark: Any, viewer: FilmViewer, padding: str) -> None:
    radiograph = film(PADDINGS[padding])
    ready = make_first_frame(radiograph)
    benchmark.pedantic(
        painted(lambda: viewer.show_film(radiograph, (1, 1), ready)), rounds=9, warmup_rounds=1
    )


@pytest.mark.parametrize("padding", PADDINGS)
def test_film_is_made_ready(benchmark: Any, padding: str) -> None:
    benchmark.pedantic(make_first_frame, (film(PADDINGS[padding]),), rounds=5, warmup_rounds=1)
