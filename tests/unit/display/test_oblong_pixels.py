"""Films with oblong pixels: what is round on the patient is round in every exported picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydicom.dataset import Dataset

from tests.builders import write_dicom
from xrayview.display.drawings import make_drawings
from xrayview.display.figure import compose
from xrayview.display.figure_grey import oriented_grey
from xrayview.display.figure_raster import draw
from xrayview.display.measure import angle, calibrated, distance
from xrayview.display.picture import displayed_picture
from xrayview.display.pyramid import thumbnail
from xrayview.display.shutter import visible_mask
from xrayview.domain.figure import FILM_ONLY, FigureLook, FigureStyle, HeatLayer
from xrayview.domain.measurement import Annotation, Mark
from xrayview.domain.model import Affine, HeatMap
from xrayview.domain.radiograph import Radiograph, Spacing, SpacingKind
from xrayview.engine.display_handlers import render_film
from xrayview.engine.protocol import RenderFilm
from xrayview.io.quick_look import embedded_icon
from xrayview.io.readers import read_film, read_header

RADIUS_MM, CENTRE_MM = 20.0, (40.0, 30.0)
"""Of the disc, from the film's upper left corner: down, across."""
SIZE_MM = (100.0, 80.0)

TALL = {"ImagerPixelSpacing": [0.5, 0.2]}
WIDE = {"ImagerPixelSpacing": [0.2, 0.5]}
SHAPES: dict[str, tuple[dict[str, Any], tuple[float, float]]] = {
    "tall pixels, in mm": (TALL, (0.5, 0.2)),
    "wide pixels, in mm": (WIDE, (0.2, 0.5)),
    "mm that nobody vouches for": ({"PixelSpacing": [0.5, 0.2]}, (0.5, 0.2)),
    "the shape alone": ({"PixelAspectRatio": [5, 2]}, (0.5, 0.2)),
    "square, the shape says so": ({"PixelAspectRatio": [1, 1]}, (0.2, 0.2)),
}
"""Header attributes, and the true (row, column) spacing of the film."""


def film_of(folder: Path, tags: dict[str, Any], truth: tuple[float, float]) -> Radiograph:
    """Write a film of a bright disc on black, without values in between."""
    rows, columns = (round(side / mm) for side, mm in zip(SIZE_MM, truth, strict=True))
    y, x = np.mgrid[:rows, :columns] + 0.5
    inside = np.hypot(y * truth[0] - CENTRE_MM[0], x * truth[1] - CENTRE_MM[1]) <= RADIUS_MM
    pixels_HW = np.where(inside, 4000, 0).astype(np.uint16)
    path = write_dicom(folder / "disc.dcm", pixels_HW, windows=[(2000, 4000)], **tags)
    return read_film(read_header(path, folder))


@pytest.fixture(params=SHAPES, name="disc")
def _disc(request: pytest.FixtureRequest, tmp_path: Path) -> Radiograph:
    return film_of(tmp_path, *SHAPES[request.param])


def box_of(bright_HW: np.ndarray) -> tuple[float, float, float, float]:
    """Return centre (y, x), height and width of the bright part."""
    rows, columns = np.flatnonzero(bright_HW.any(axis=1)), np.flatnonzero(bright_HW.any(axis=0))
    high, wide = (int(np.ptp(found)) + 1 for found in (rows, columns))
    return rows[0] + high / 2, columns[0] + wide / 2, high, wide


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("turns", [0, 1])
def test_that_a_circle_is_round_on_a_figure(disc: Radiograph, bits: Any, turns: int) -> None:
    figure = compose(disc, FigureLook(quarter_turns=turns), FigureStyle(bits=bits))
    film_HW = figure.film_HW
    y, x, high, wide = box_of(film_HW > film_HW.max() // 2)
    assert high == pytest.approx(wide, abs=3)
    per_mm = 5.0  # the finer side of all these pixels is 0.2 mm
    assert wide == pytest.approx(2 * RADIUS_MM * per_mm, abs=3)
    expected = CENTRE_MM if not turns else (CENTRE_MM[1], SIZE_MM[0] - CENTRE_MM[0])
    assert (y, x) == pytest.approx([mm * per_mm for mm in expected], abs=3)


def test_that_pixels_that_are_square_or_requested_as_stored_stay_bit_for_bit(
    tmp_path: Path,
) -> None:
    square = film_of(tmp_path, {"ImagerPixelSpacing": [0.2, 0.2001]}, (0.2, 0.2))
    assert np.array_equal(
        compose(square, FigureLook(), FILM_ONLY).film_HW, displayed_picture(square)
    )
    tall = film_of(tmp_path, TALL, (0.5, 0.2))
    assert np.array_equal(oriented_grey(tall, FigureLook()), displayed_picture(tall))


def test_that_an_implausible_shape_is_named_and_not_drawn(tmp_path: Path) -> None:
    film = film_of(tmp_path, {"PixelAspectRatio": [40, 1]}, (0.5, 0.2))
    figure = compose(film, FigureLook(), FigureStyle())
    assert figure.film_HW.shape == film.pixels_HW.shape
    text = " ".join(label.text for label in figure.labels)
    assert "pixel aspect of 40:1 is implausible" in text


@pytest.mark.parametrize("turns", [0, 1])
@pytest.mark.parametrize("tags", [TALL, WIDE])
def test_that_the_scale_bar_matches_the_disc(
    tags: dict[str, Any], turns: int, tmp_path: Path
) -> None:
    truth = tuple(tags["ImagerPixelSpacing"])
    disc = film_of(tmp_path, tags, truth)
    figure = compose(disc, FigureLook(quarter_turns=turns), FigureStyle(letters=False))
    (bar,) = (line for line in figure.lines if len(line.points) == 4)
    text = next(label.text for label in figure.labels if "mm at detector" in label.text)
    bar_px, bar_mm = bar.points[2][0] - bar.points[1][0], float(text.split()[0])
    _, _, high, wide = box_of(figure.film_HW > 128)
    assert bar_px / bar_mm * 2 * RADIUS_MM == pytest.approx(wide, abs=3)
    assert bar_px / bar_mm * 2 * RADIUS_MM == pytest.approx(high, abs=3)
    assert any("oblong pixels made square" in label.text for label in figure.labels)


def test_that_heat_map_and_measurement_are_on_the_disc(disc: Radiograph) -> None:
    rows, columns = disc.pixels_HW.shape
    values = (disc.pixels_HW > 0).astype(np.float32)
    heat = HeatMap(
        disc.ref.film_id, "", "Disc", "grad-cam", 0.9, 0.5, values, Affine(1, 1), (rows, columns),
        1.0,
    )  # fmt: skip
    inside = np.argwhere(disc.pixels_HW > 0)
    top_left, bottom_right = inside.min(axis=0), inside.max(axis=0)
    mark = Annotation(Mark.RECTANGLE, (tuple(top_left), tuple(bottom_right)), "1.2")
    for look in (FigureLook(), FigureLook(quarter_turns=3, mirrored=True)):
        style = FigureStyle(scale_bar=False, caption=False, letters=False, colour_bar=False)
        layer = HeatLayer(heat, "m 1", opacity=1.0)
        figure = compose(disc, look, style, heat=layer, drawings=make_drawings([mark], disc))
        height, width = figure.film_HW.shape
        bare = compose(disc, look, style, heat=layer)
        left = figure.film_at[0]
        picture = draw(bare)[:height, left : left + width].astype(int)
        yh, xh, high, wide = box_of(np.ptp(picture, axis=2) > 60)
        yd, xd, high_d, wide_d = box_of(figure.film_HW > 128)
        assert (yh, xh, high, wide) == pytest.approx((yd, xd, high_d, wide_d), abs=6)
        xs, ys = zip(*figure.lines[0].points, strict=True)
        drawn_box = (sum(ys[:4]) / 4, sum(xs[:4]) / 4 - left, np.ptp(ys), np.ptp(xs))
        assert drawn_box == pytest.approx((yd, xd, high_d, wide_d), abs=6)


def test_that_lengths_angles_and_calibration_use_the_shape_without_mm() -> None:
    shape = Spacing(shape=2.0)
    right = angle((10.0, 0.0), (0.0, 0.0), (0.0, 20.0), shape)
    half = angle((10.0, 20.0), (0.0, 0.0), (0.0, 20.0), shape)
    assert (right, half) == (pytest.approx(90), pytest.approx(45))
    assert distance((0.0, 0.0), (10.0, 0.0), shape) == distance((0.0, 0.0), (0.0, 20.0), shape)
    known = calibrated((0.0, 0.0), (10.0, 0.0), 40.0, shape)
    assert known == Spacing(4.0, 2.0, SpacingKind.USER)


def test_that_a_spacing_takes_precedence_over_the_aspect_ratio(tmp_path: Path) -> None:
    film = film_of(tmp_path, TALL | {"PixelAspectRatio": [1, 3]}, (0.5, 0.2))
    assert film.spacing == Spacing(0.5, 0.2, SpacingKind.DETECTOR)
    assert film.spacing.pixel_aspect == 2.5


def test_that_a_round_shutter_is_round(tmp_path: Path) -> None:
    shutter = {
        "ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [80, 150],
        "RadiusOfCircularShutter": 100,
    }  # fmt: skip
    film = film_of(tmp_path, {"PixelAspectRatio": [5, 2], **shutter}, (0.5, 0.2))
    mask = visible_mask(film)
    assert mask is not None
    _, _, high, wide = box_of(mask)
    assert high * 2.5 == pytest.approx(wide, abs=5)


def test_that_a_thumbnail_has_the_shape_of_the_film(disc: Radiograph) -> None:
    small_HW = thumbnail(disc, 160)
    assert max(small_HW.shape) == 160
    assert small_HW.shape[0] / small_HW.shape[1] == pytest.approx(SIZE_MM[0] / SIZE_MM[1], abs=0.02)


def test_that_pictures_are_as_stored_unless_square_pixels_are_requested(tmp_path: Path) -> None:
    film = film_of(tmp_path, TALL, (0.5, 0.2)).ref
    for square, size in ((False, (200, 400)), (True, (500, 400))):
        picture = render_film(RenderFilm(film, square=square)).picture
        assert cv2.imdecode(np.frombuffer(picture, np.uint8), -1).shape == size


def test_that_the_icon_of_a_film_of_oblong_pixels_is_not_used_as_its_thumbnail(
    tmp_path: Path,
) -> None:
    icon = Dataset()
    icon.Rows, icon.Columns, icon.SamplesPerPixel = 64, 128, 1
    icon.PhotometricInterpretation, icon.PixelRepresentation = "MONOCHROME2", 0
    icon.BitsAllocated, icon.BitsStored, icon.HighBit = 8, 8, 7
    icon.PixelData = bytes(64 * 128)
    square = {"ImagerPixelSpacing": [0.2, 0.2]}
    for tags, taken in ((square, True), (TALL, False), ({"PixelAspectRatio": [5, 2]}, False)):
        film = film_of(tmp_path, tags | {"IconImageSequence": [icon]}, (0.5, 0.2)).ref
        assert (embedded_icon(film, 128) is not None) == taken
