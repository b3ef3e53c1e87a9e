"""What the viewport draws: the film's own grey, at the right position, in every state."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from tests.ui.conftest import real_film
from xrayview.display.first_frame import make_first_frame
from xrayview.display.greyscale import render
from xrayview.display.voi import auto_window
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Greyscale, Radiograph, Window
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.ui.viewer.busy_line import BusyLine
from xrayview.ui.viewer.film_view import FilmViewer
from xrayview.ui.viewer.message_page import MessagePage

Grey = npt.NDArray[np.uint8]
ROOT = Path(__file__).parents[2]


def film(photometric: str = "MONOCHROME2", **ref: str) -> Radiograph:
    pixels_HW = np.random.default_rng(7).integers(0, 4096, (150, 230)).astype(np.uint16)
    windows = (Window(2000.0, 3000.0), Window(1000.0, 500.0, explanation="LUNG"))
    path = Path("folder/film.dcm")
    return Radiograph(
        FilmRef(path, "folder/film.dcm", rows=150, columns=230, **ref),  # type: ignore[arg-type]
        pixels_HW,
        Greyscale(photometric, windows=windows),
        orientation=("L", "F"),
    )


def grey_of(image: QImage) -> Grey:
    """Return the picture's physical pixels as uint8 (rows, columns); grey has equal channels."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(rgb.constBits(), dtype=np.uint8)
    rows_HWC = flat.reshape(rgb.height(), rgb.bytesPerLine())[:, : 3 * rgb.width()]
    return rows_HWC.reshape(rgb.height(), rgb.width(), 3)[..., 1].copy()


def film_part(viewer: FilmViewer) -> Grey:
    """Return the part of the picture that shows the film."""
    box = viewer.placement.to_view().mapRect(viewer.placement.film_rect()).toRect()
    return grey_of(viewer.picture())[box.top() : box.bottom() + 1, box.left() : box.right() + 1]


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_that_one_to_one_shows_every_pixel_of_the_film_unchanged(
    viewer: FilmViewer, photometric: str
) -> None:
    radiograph = film(photometric)
    viewer.show_film(radiograph, (1, 1))
    viewer.one_to_one()
    np.testing.assert_array_equal(film_part(viewer), render(radiograph))


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        (lambda v: v.flip_horizontal(), np.fliplr),
        (lambda v: v.flip_vertical(), np.flipud),
        (lambda v: v.rotate(1), lambda grey: np.rot90(grey, -1)),
        (lambda v: v.rotate(-1), np.rot90),
        (lambda v: (v.rotate(1), v.flip_horizontal()), lambda g: np.fliplr(np.rot90(g, -1))),
        (lambda v: (v.flip_vertical(), v.rotate(1)), lambda g: np.rot90(np.flipud(g), -1)),
        (lambda v: v.set_inverted(True), lambda grey: 255 - grey),
    ],
    ids=["H", "V", "R", "L", "R then H", "V then R", "I"],
)
def test_that_flips_turns_and_inversion_move_the_pixels_as_named(
    viewer: FilmViewer, move: Callable[[FilmViewer], object], expected: Callable[[Grey], Grey]
) -> None:
    radiograph = film()
    viewer.show_film(radiograph, (1, 1))
    viewer.one_to_one()
    move(viewer)
    np.testing.assert_array_equal(film_part(viewer), expected(render(radiograph)))
    viewer.reset_view()
    viewer.one_to_one()
    np.testing.assert_array_equal(film_part(viewer), render(radiograph))


def test_that_one_to_one_means_physical_pixels_on_a_scaled_screen() -> None:
    code = """
import cv2
import numpy as np
from PySide6.QtWidgets import QApplication
from tests.ui.test_viewer_film import FilmViewer, film, film_part, render
app = QApplication([])
viewer = FilmViewer()
viewer.resize(640, 480)
viewer.show()
viewer.show_film(film(), (1, 1))
viewer.one_to_one()
assert viewer.picture().width() == 1280
np.testing.assert_array_equal(film_part(viewer), render(film()))
"""
    environment = {**os.environ, "QT_SCALE_FACTOR": "2", "QT_QPA_PLATFORM": "offscreen"}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("name", "bone", "air"),
    [
        ("RG1_UNCR.dcm", (0.5, 0.5), (0.25, 0.42)),  # spine, lung
        ("RG3_UNCR.dcm", (0.46, 0.86), (0.3, 0.6)),  # ankle, air beside the leg
    ],
)
def test_that_monochrome1_is_shown_bone_white(
    viewer: FilmViewer, name: str, bone: tuple[float, float], air: tuple[float, float]
) -> None:
    radiograph = real_film(name)
    assert radiograph.greyscale.photometric == "MONOCHROME1"
    viewer.show_film(radiograph, (1, 1))
    shown = film_part(viewer)
    assert shown.shape[0] == 480  # the whole height of the film, as large as possible
    assert at(shown, bone) > at(shown, air) + 60


def at(grey: Grey, position: tuple[float, float]) -> float:
    """Return the mean grey around a position given as fractions of width and height."""
    x, y = round(position[0] * grey.shape[1]), round(position[1] * grey.shape[0])
    return float(grey[y - 4 : y + 5, x - 4 : x + 5].mean())


def test_that_the_windows_of_the_file_and_the_automatic_one_can_be_chosen(
    viewer: FilmViewer,
) -> None:
    radiograph = film()
    viewer.show_film(radiograph, (1, 1))
    titles = [choice.title for choice in viewer.voi_choices()]
    assert titles == ["Window 1", "LUNG", "Auto", "Lungs", "Bone", "Full range"]
    viewer.apply_voi(1)
    assert viewer.voi_window == radiograph.greyscale.windows[1]
    viewer.apply_voi(7)
    assert viewer.voi_window == radiograph.greyscale.windows[1]
    viewer.auto_window()
    assert viewer.voi_window == auto_window(radiograph)
    viewer.reset_view()
    assert viewer.voi_window == radiograph.greyscale.windows[0]


def test_that_a_fitted_film_stays_whole_when_the_viewport_shrinks(viewer: FilmViewer) -> None:
    viewer.show_film(film(), (1, 1))
    viewer.resize(400, 300)
    part = film_part(viewer)
    assert part.shape == (pytest.approx(150 * 400 / 230, abs=1), 400)


def test_that_an_error_is_shown_instead_of_the_film(viewer: FilmViewer) -> None:
    radiograph = film()
    viewer.show_film(radiograph, (1, 1))
    error = UnreadableFilm(
        "the pixel data are incomplete",
        code=StatusCode.DECODE_FAILED,
        path=radiograph.ref.path,
        why="12 of 40 MB are there",
        hint="Copy the file again.",
    )
    viewer.show_error(radiograph.ref, error)
    message = viewer.findChild(MessagePage)
    assert isinstance(message, MessagePage)
    assert message.isVisible()
    assert message.text().splitlines() == [
        "The pixel data are incomplete",
        "folder/film.dcm",
        "12 of 40 MB are there",
        "Copy the file again.",
    ]
    assert viewer.film_id == radiograph.ref.film_id
    assert viewer.voi_window is None
    viewer.show_film(radiograph, (1, 1))
    assert not message.isVisible()


def test_that_the_old_film_stays_while_the_next_one_loads(viewer: FilmViewer) -> None:
    radiograph = film()
    viewer.show_film(radiograph, (1, 2))
    before = film_part(viewer)
    viewer.show_busy(FilmRef(Path("folder/next.dcm"), "next.dcm"))
    line = viewer.findChild(BusyLine)
    assert isinstance(line, BusyLine)
    assert line.isVisible()
    assert viewer.film_id == radiograph.ref.film_id
    np.testing.assert_array_equal(film_part(viewer), before)
    viewer.show_film(film(), (2, 2))
    assert not line.isVisible()


def test_that_a_new_film_starts_upright_whole_and_in_its_own_window(viewer: FilmViewer) -> None:
    viewer.show_film(film(), (1, 2))
    fitted = viewer.placement
    viewer.rotate(1)
    viewer.one_to_one()
    viewer.set_inverted(True)
    viewer.apply_voi(1)
    viewer.show_film(film(), (2, 2))
    assert viewer.placement == fitted
    assert viewer.voi_window == film().greyscale.windows[0]
    assert not viewer.inverted


def test_that_every_change_of_the_state_is_signalled(viewer: FilmViewer, qtbot: QtBot) -> None:
    changes: tuple[Callable[[], object], ...] = (
        lambda: viewer.show_film(film(), (1, 1)),
        lambda: viewer.apply_voi(1),
        lambda: viewer.set_inverted(True),
        lambda: viewer.one_to_one(),
        lambda: viewer.show_empty("Open a folder"),
    )
    for change in changes:
        with qtbot.waitSignal(viewer.state_changed):
            change()


def test_that_any_window_can_be_set(viewer: FilmViewer, qtbot: QtBot) -> None:
    radiograph, window = film(), Window(1234.0, 321.0)
    viewer.set_window(window)
    assert viewer.voi_window is None  # no film is shown yet
    viewer.show_film(radiograph, (1, 1))
    with qtbot.waitSignal(viewer.state_changed):
        viewer.set_window(window)
    viewer.one_to_one()
    assert viewer.voi_window == window
    np.testing.assert_array_equal(film_part(viewer), render(radiograph, window))


@pytest.mark.parametrize("move", [lambda v: None, lambda v: v.rotate(1)], ids=["upright", "turned"])
def test_that_a_strongly_enlarged_film_shows_its_pixels_as_squares(
    viewer: FilmViewer, move: Callable[[FilmViewer], object]
) -> None:
    small = film()
    small = replace(small, pixels_HW=small.pixels_HW[:12, :16])
    viewer.show_film(small, (1, 1))
    move(viewer)
    assert viewer.zoom > 4
    step = math.ceil(viewer.zoom)
    shown = film_part(viewer)[step // 2 :, step // 2 :]
    rows, columns = (12, 16) if not viewer.placement.turns else (16, 12)
    y = (np.arange(rows) * viewer.zoom).astype(int)
    x = (np.arange(columns) * viewer.zoom).astype(int)
    expected = render(small) if not viewer.placement.turns else np.rot90(render(small), -1)
    inside = np.s_[2:-2, 2:-2]  # texts and letters cover the edge
    np.testing.assert_array_equal(shown[np.ix_(y, x)][inside], expected[inside])


def test_that_a_smaller_picture_has_the_brightness_of_its_film(viewer: FilmViewer) -> None:
    radiograph = real_film("RG1_UNCR.dcm")
    viewer.show_film(radiograph, (1, 1))
    shown = film_part(viewer)
    size = shown.shape[1], shown.shape[0]
    expected = cv2.resize(render(radiograph), size, interpolation=cv2.INTER_AREA)
    inside = slice(40, -40)  # past the corner texts
    difference = cv2.blur(shown, (9, 9)).astype(int) - cv2.blur(expected, (9, 9))
    assert np.abs(difference[120:-120, inside]).max() <= 4


@pytest.mark.parametrize("padding", [None, (0.0, 0.0)])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_that_a_moved_film_equals_a_fresh_drawing(
    viewer: FilmViewer, padding: tuple[float, float] | None, turns: int
) -> None:
    """Only what comes into view is resampled while a film is moved; there must be no seam."""
    moved = film()
    moved = replace(moved, greyscale=replace(moved.greyscale, padding=padding))
    viewer.show_film(moved, (1, 1))
    viewer.rotate(turns)
    canvas = viewer._canvas
    canvas.set_placement(canvas.placement.zoomed_at(QPointF(300, 200), 1.37))
    for step in [(3, 2), (-40, 9), (0, -33), (700, 0), (-650, 25), (5, 5)]:
        viewer.grab()
        canvas.set_placement(canvas.placement.panned(QPointF(*step)))
    by_steps = grey_of(viewer.grab().toImage())
    viewer._film.set_layers(overlays=True, shutter=True)  # discards what was resampled
    at_once = grey_of(viewer.grab().toImage())
    assert np.abs(by_steps.astype(int) - at_once).max() <= 1
    assert (by_steps != at_once).mean() < 0.01


def test_that_a_frame_is_shown_in_its_own_window(viewer: FilmViewer) -> None:
    first = film()
    own = (Window(900.0, 700.0), first.greyscale.windows[1])
    second = replace(first, greyscale=replace(first.greyscale, windows=own))
    viewer.show_film(first, (1, 1), make_first_frame(first))
    viewer.show_frame(second, make_first_frame(second))
    assert viewer.voi == own[0]
    assert any("W 700" in line for line in viewer._corners.texts.bottom_left)
    viewer.auto_window()
    viewer.show_frame(first, make_first_frame(first))
    assert viewer.voi == auto_window(first)
