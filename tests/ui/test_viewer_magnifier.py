"""The magnifier: the film around the pointer, enlarged, in its orientation and its window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from tests.ui.test_viewer_film import Grey, film, grey_of
from tests.ui.test_viewer_gestures import LEFT, mouse, wheel
from xrayview.domain.model import Affine, HeatMap
from xrayview.domain.radiograph import Radiograph
from xrayview.ui.viewer.film_view import FilmViewer
from xrayview.ui.viewer.magnifier import ACROSS_PX, Magnifier

MIDDLE = QPointF(320, 240)


def halves() -> Radiograph:
    """Dark at the left, white at the right."""
    pixels_HW = np.zeros((1200, 1600), np.uint16)
    pixels_HW[:, 800:] = 4095
    return replace(film(), pixels_HW=pixels_HW)


@pytest.fixture
def viewer(viewer: FilmViewer) -> FilmViewer:
    viewer.show_film(halves(), (1, 1))
    viewer.set_tool("magnifier")
    return viewer


def hot_in_the_middle(radiograph: Radiograph) -> HeatMap:
    """One hot cell of 5 x 5, of a film that was letterboxed to a square."""
    values_hw = np.zeros((5, 5), np.float32)
    values_hw[2, 2] = 1.0
    return HeatMap(
        radiograph.ref.film_id, "0" * 64, "Pneumonia", "grad-cam", 0.9, 0.5, values_hw,
        Affine(320.0, 320.0, -200.0, 0.0), (1200, 1600), 1.5,
    )  # fmt: skip


def magnifier_of(viewer: FilmViewer) -> Magnifier:
    magnifier = viewer.findChild(Magnifier)
    assert isinstance(magnifier, Magnifier)
    return magnifier


def magnified(viewer: FilmViewer) -> Grey:
    """Return what is in the magnifier, without its rim and its text."""
    grey = grey_of(magnifier_of(viewer).grab().toImage())
    return grey[60:-60, 60:-60]


@pytest.mark.parametrize(
    ("move", "dark"),
    [
        (lambda v: None, np.s_[:, :60]),
        (lambda v: v.flip_horizontal(), np.s_[:, -60:]),
        (lambda v: v.rotate(1), np.s_[:60]),
        (lambda v: v.rotate(-1), np.s_[-60:]),
        (lambda v: v.set_inverted(True), np.s_[:, -60:]),
    ],
    ids=["upright", "H", "R", "L", "I"],
)
def test_that_the_magnifier_shows_the_film_in_its_orientation_and_window(
    viewer: FilmViewer, move: Callable[[FilmViewer], object], dark: tuple[slice, ...]
) -> None:
    move(viewer)
    mouse(viewer, QEvent.Type.MouseButtonPress, LEFT, MIDDLE)
    picture = magnified(viewer)
    assert (picture[dark] == 0).all()
    assert np.isin(picture, (0, 255)).mean() > 0.95
    assert (picture == 255).mean() == pytest.approx(0.5, abs=0.05)


def test_that_the_heat_map_is_magnified_with_its_film_and_hidden_with_it(
    viewer: FilmViewer,
) -> None:
    def colour() -> float:
        mouse(viewer, QEvent.Type.MouseButtonPress, LEFT, MIDDLE)
        rgb = magnifier_of(viewer).grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
        seen_HW4 = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), -1, 4)
        middle = seen_HW4[60:-60, 60:-60, :3].astype(int)
        return float(np.ptp(middle, axis=2).max())

    assert colour() == 0
    viewer.set_heat_map(hot_in_the_middle(halves()), "model 1.0")
    assert colour() > 40
    viewer.set_heat_visible(False)
    assert colour() == 0


def test_that_the_magnifier_follows_the_pointer_while_the_button_is_held(
    viewer: FilmViewer,
) -> None:
    magnifier = magnifier_of(viewer)
    assert not magnifier.isVisible()
    mouse(viewer, QEvent.Type.MouseButtonPress, LEFT, MIDDLE)
    assert magnifier.isVisible()
    assert magnifier.geometry().center().x() == pytest.approx(320, abs=1)
    mouse(viewer, QEvent.Type.MouseMove, LEFT, MIDDLE + QPointF(40, 0))
    assert magnifier.geometry().center().x() == pytest.approx(360, abs=1)
    under = viewer.placement.to_film(MIDDLE + QPointF(40, 0))
    assert magnifier.placement.to_film(QPointF(ACROSS_PX / 2, ACROSS_PX / 2)).x() == pytest.approx(
        under.x(), abs=1
    )
    assert (magnified(viewer) == 255).mean() > 0.8
    mouse(viewer, QEvent.Type.MouseButtonRelease, LEFT, MIDDLE)
    assert not magnifier.isVisible()


def test_that_the_wheel_steps_from_two_to_four_screen_pixels_per_film_pixel(
    viewer: FilmViewer, qtbot: QtBot
) -> None:
    mouse(viewer, QEvent.Type.MouseButtonPress, LEFT, MIDDLE)
    zooms = [magnifier_of(viewer).placement.zoom]
    with qtbot.assertNotEmitted(viewer.step_requested):
        for _ in range(3):
            wheel(viewer, 120, at=MIDDLE)
            zooms.append(magnifier_of(viewer).placement.zoom)
        wheel(viewer, -120, at=MIDDLE)
    assert zooms == [2, 3, 4, 4]
    assert magnifier_of(viewer).placement.zoom == 3


def test_that_an_enlarged_film_is_even_larger_in_the_magnifier(viewer: FilmViewer) -> None:
    viewer.one_to_one()
    viewer._canvas.set_placement(viewer.placement.zoomed_at(MIDDLE, 5.0))
    mouse(viewer, QEvent.Type.MouseButtonPress, LEFT, MIDDLE)
    assert magnifier_of(viewer).placement.zoom == pytest.approx(10)
    wheel(viewer, 120, at=MIDDLE)
    assert magnifier_of(viewer).placement.zoom == pytest.approx(15)


def test_that_the_magnifier_disappears_with_its_film(viewer: FilmViewer) -> None:
    mouse(viewer, QEvent.Type.MouseButtonPress, LEFT, MIDDLE)
    viewer.show_film(film(), (1, 1))
    assert not magnifier_of(viewer).isVisible()
