"""The viewport shows films of oblong pixels in their true shape, at every zoom, turn and flip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from xrayview.domain.film import FilmRef
from xrayview.domain.model import Affine, HeatMap
from xrayview.domain.radiograph import Greyscale, Radiograph, Spacing, SpacingKind, Window
from xrayview.ui.viewer.film_view import FilmViewer

TALL = Spacing(0.5, 0.2, SpacingKind.DETECTOR)
WIDE = Spacing(0.2, 0.5, SpacingKind.DETECTOR)
SHAPE = Spacing(shape=2.5)


def disc(spacing: Spacing) -> Radiograph:
    """Of 20 mm radius about (40, 30) mm on a film of 100 x 80 mm."""
    truth = (0.5, 0.2) if spacing.pixel_aspect > 1 else (0.2, 0.5)
    rows, columns = round(100 / truth[0]), round(80 / truth[1])
    y, x = np.mgrid[:rows, :columns] + 0.5
    inside = np.hypot(y * truth[0] - 40, x * truth[1] - 30) <= 20
    return Radiograph(
        FilmRef(Path("disc.dcm"), "disc.dcm", rows=rows, columns=columns),
        np.where(inside, 4000, 0).astype(np.uint16),
        Greyscale(windows=(Window(2000.0, 4000.0),)),
        spacing,
    )


@pytest.fixture
def viewer(qtbot: QtBot) -> FilmViewer:
    shown = FilmViewer()
    qtbot.addWidget(shown)
    shown.resize(700, 700)
    shown.show()
    return shown


def pixels(image: QImage) -> npt.NDArray[np.int64]:
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(rgb.constBits(), np.uint8)
    rows = flat.reshape(rgb.height(), rgb.bytesPerLine())[:, : 3 * rgb.width()]
    return rows.reshape(rgb.height(), rgb.width(), 3).astype(np.int64)


def on_screen(viewer: FilmViewer, mask_HW: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return height and width, on the film, of the mask along the disc's own axes."""
    placement = viewer.placement
    centre = placement.to_view().map(screen_position(viewer, 40.0, 30.0))
    film = placement.to_view().mapRect(placement.film_rect()).toRect()
    row, column = round(centre.y()), round(centre.x())
    across = mask_HW[row, max(0, film.left()) : film.right() + 1]
    return float(mask_HW[:, column].sum()), float(across.sum())


def screen_position(viewer: FilmViewer, down_mm: float, across_mm: float) -> QPointF:
    radiograph = viewer.radiograph
    assert radiograph is not None
    rows, columns = radiograph.pixels_HW.shape
    return QPointF(across_mm / 80 * columns, down_mm / 100 * rows)


@pytest.mark.parametrize("spacing", [TALL, WIDE, SHAPE])
@pytest.mark.parametrize("turns", [0, 1])
def test_that_a_circle_is_round_on_screen_and_in_a_copied_picture(
    viewer: FilmViewer, spacing: Spacing, turns: int
) -> None:
    viewer.show_film(disc(spacing), (1, 1))
    viewer.rotate(turns)
    viewer.flip_horizontal()
    for lay in (viewer.fit, viewer.one_to_one):
        lay()
        high, wide = on_screen(viewer, pixels(viewer.picture())[..., 1] > 128)
        # 40 mm, and 0.2 mm is the shorter side of these pixels.
        assert (high, wide) == pytest.approx([200 * viewer.zoom] * 2, abs=3)


@pytest.mark.parametrize("spacing", [TALL, WIDE])
def test_that_the_whole_film_is_visible_when_it_is_fitted(
    viewer: FilmViewer, spacing: Spacing
) -> None:
    viewer.show_film(disc(spacing), (1, 1))
    placement = viewer.placement
    rect = placement.to_view().mapRect(placement.film_rect())
    assert rect.height() == pytest.approx(placement.view.height(), abs=1)
    assert rect.width() / rect.height() == pytest.approx(0.8, abs=0.01)
    turned = placement.rotated(1).fitted()
    rect = turned.to_view().mapRect(turned.film_rect())
    assert rect.width() == pytest.approx(turned.view.width(), abs=1)
    position = QPointF(12.5, 34.5)
    mapped = turned.to_film(turned.to_view().map(position))
    assert (mapped.x(), mapped.y()) == pytest.approx((position.x(), position.y()))


def test_that_the_heat_map_lies_on_the_disc(viewer: FilmViewer) -> None:
    radiograph = disc(TALL)
    viewer.show_film(radiograph, (1, 1))
    values = (radiograph.pixels_HW > 0).astype(np.float32)
    heat = HeatMap(
        radiograph.ref.film_id, "", "Disc", "grad-cam", 0.9, 0.5, values, Affine(1, 1),
        (radiograph.pixels_HW.shape[0], radiograph.pixels_HW.shape[1]), 1.0,
    )  # fmt: skip
    viewer.set_heat_opacity(1.0)
    viewer.set_heat_map(heat, "m")
    high, wide = on_screen(viewer, np.ptp(pixels(viewer.picture()), axis=2) > 60)
    assert (high, wide) == pytest.approx([200 * viewer.zoom] * 2, abs=8)


def test_that_square_pixels_are_shown_one_to_one(viewer: FilmViewer) -> None:
    square = Spacing(0.2, 0.2, SpacingKind.DETECTOR)
    viewer.show_film(disc(square), (1, 1))
    viewer.one_to_one()
    assert viewer.placement.is_native
    viewer.show_film(disc(TALL), (1, 1))
    viewer.one_to_one()
    assert not viewer.placement.is_native
