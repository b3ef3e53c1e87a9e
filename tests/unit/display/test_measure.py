"""Lengths, angles, regions and profiles against known values, and never mm for pixels."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.builders import lut_item, phantom, write_dicom
from xrayview.display import measure as ruler
from xrayview.display.greyscale import build_lut
from xrayview.display.regions import region_area, region_mask, roi_statistics
from xrayview.display.voi import default_voi
from xrayview.domain.film import FilmRef
from xrayview.domain.measurement import POINTS, Annotation, Mark
from xrayview.domain.radiograph import Greyscale, Radiograph, Spacing, SpacingKind
from xrayview.io.readers import read_film, read_header

OBLONG = Spacing(0.2, 0.1, SpacingKind.DETECTOR)
SQUARE = Spacing(0.1, 0.1, SpacingKind.CALIBRATED)
PIXELS = Spacing()


def film(pixels: np.ndarray, **greyscale: object) -> Radiograph:
    ref = FilmRef(Path("a"), "a")
    return Radiograph(ref, pixels, Greyscale(**greyscale), SQUARE)  # type: ignore[arg-type]


def test_that_a_length_on_oblong_pixels_counts_each_direction_with_its_own_spacing() -> None:
    assert ruler.distance((0, 0), (10, 0), OBLONG) == pytest.approx(2.0)
    assert ruler.distance((0, 0), (0, 10), OBLONG) == pytest.approx(1.0)
    assert ruler.distance((1, 2), (4, 10), OBLONG) == pytest.approx(math.hypot(0.6, 0.8))


@pytest.mark.parametrize(
    "spacing", [PIXELS, Spacing(0.1, None, SpacingKind.USER), Spacing(0.1, 0.1)]
)
def test_that_lengths_without_a_known_spacing_are_in_pixels(spacing: Spacing) -> None:
    annotation = Annotation(Mark.LENGTH, ((0, 0), (3, 4)), "1.2")
    (value,) = ruler.measure(annotation, film(phantom()), spacing)
    assert (value.value, value.unit, value.spacing) == (5.0, "px", SpacingKind.UNKNOWN)


@pytest.mark.parametrize("kind", [kind for kind in SpacingKind if kind is not SpacingKind.UNKNOWN])
def test_that_every_length_has_the_kind_of_its_spacing(kind: SpacingKind) -> None:
    annotation = Annotation(Mark.LENGTH, ((0, 0), (0, 10)), "1.2")
    (value,) = ruler.measure(annotation, film(phantom()), Spacing(0.5, 0.5, kind))
    assert (value.value, value.unit, value.spacing) == (5.0, "mm", kind)


def test_that_an_angle_is_measured_in_millimetres() -> None:
    arm, apex, other = (0, 10), (0, 0), (10, 10)
    assert ruler.angle(arm, apex, other, PIXELS) == pytest.approx(45)
    assert ruler.angle(arm, apex, other, OBLONG) == pytest.approx(math.degrees(math.atan(2)))
    assert ruler.angle((0, 1), (0, 0), (0, -1), SQUARE) == pytest.approx(180)
    assert ruler.angle((0, 0), (0, 0), (0, -1), SQUARE) is None


@pytest.mark.parametrize(
    ("upper", "lower", "degrees"), [(20, -15, 35), (0, 0, 0), (-50, 50, 100), (10, 10, 0)]
)
@pytest.mark.parametrize("backwards", [False, True])
def test_that_a_cobb_angle_is_that_of_the_end_plates_whichever_way_they_are_drawn(
    upper: float, lower: float, degrees: float, backwards: bool
) -> None:
    def plate(tilt: float) -> tuple[tuple[float, float], tuple[float, float]]:
        run = math.cos(math.radians(tilt)) * 50, math.sin(math.radians(tilt)) * 50
        return ((100 + run[1], 100 + run[0]), (100 - run[1], 100 - run[0]))

    first, second = plate(upper), plate(lower)
    if backwards:
        first = (first[1], first[0])
    assert ruler.cobb_angle(first, second, SQUARE) == pytest.approx(degrees, abs=1e-9)


def test_that_the_cardiothoracic_ratio_is_heart_over_thorax() -> None:
    points = ((50.0, 40.0), (50.0, 90.0), (60.0, 10.0), (60.0, 110.0))
    annotation = Annotation(Mark.CARDIOTHORACIC, points, "1.2")
    ratio, heart, thorax = ruler.measure(annotation, film(phantom()))
    assert (ratio.value, ratio.unit) == (pytest.approx(0.5), "")
    assert (heart.value, thorax.value) == (pytest.approx(5.0), pytest.approx(10.0))
    point = (1.0, 1.0)
    assert ruler.cardiothoracic_ratio((point, (2.0, 2.0)), (point, point), SQUARE) is None


def test_that_a_known_length_calibrates_and_keeps_the_pixels_shape() -> None:
    spacing = ruler.calibrated((0, 0), (0, 100), 25.0, OBLONG)
    assert spacing == Spacing(pytest.approx(0.5), pytest.approx(0.25), SpacingKind.USER)
    assert ruler.calibrated((0, 0), (30, 40), 100.0, PIXELS).row_mm == pytest.approx(2.0)
    for line, length in ((((0, 0), (0, 0)), 5.0), (((0, 0), (0, 9)), 0.0)):
        with pytest.raises(ValueError):
            ruler.calibrated(*line, length, SQUARE)


def test_that_a_rectangle_contains_the_pixels_whose_centres_it_contains() -> None:
    pixels = np.arange(100, dtype=np.uint16).reshape(10, 10)
    statistics = roi_statistics(film(pixels), Mark.RECTANGLE, ((4.4, 3.6), (1.5, 1.0)))
    inside = pixels[2:5, 1:4].astype(float)
    assert statistics.pixels == 9
    assert (statistics.mean, statistics.sd) == (inside.mean(), inside.std())
    assert (statistics.minimum, statistics.maximum) == (21, 43)
    assert statistics.counts.sum() == 9


def test_that_statistics_are_of_modality_values_without_padding() -> None:
    pixels = np.array([[10, 20], [30, 0]], np.int16)
    radiograph = film(pixels, slope=2.0, intercept=-5.0, padding=(0.0, 0.0))
    statistics = roi_statistics(radiograph, Mark.RECTANGLE, ((0, 0), (1, 1)))
    assert statistics.pixels == 3
    assert (statistics.minimum, statistics.maximum, statistics.mean) == (15, 55, 35)


def test_that_films_of_floats_have_the_same_statistics() -> None:
    whole, broken = phantom().astype(np.uint16), phantom().astype(np.float32)
    corners = ((3.0, 4.0), (30.0, 22.0))
    one = roi_statistics(film(whole), Mark.ELLIPSE, corners)
    other = roi_statistics(film(broken), Mark.ELLIPSE, corners)
    assert one.pixels == other.pixels
    assert one.mean == pytest.approx(other.mean)
    assert one.sd == pytest.approx(other.sd)
    np.testing.assert_array_equal(one.counts, other.counts)


@pytest.mark.parametrize("corners", [((-9, -9), (-2, -2)), ((40, 3), (50, 9)), ((1, 1), (1, 1))])
def test_that_a_region_without_pixels_has_no_values(
    corners: tuple[tuple[float, float], tuple[float, float]],
) -> None:
    padded = film(np.zeros((10, 10), np.uint16), padding=(0.0, 0.0))
    annotation = Annotation(Mark.RECTANGLE, corners, "1.2")
    area, mean, *_, pixels = ruler.measure(annotation, padded)
    assert (mean.value, pixels.value) == (None, 0)
    assert area.value is not None


def test_that_areas_have_the_square_of_the_unit_and_the_kind() -> None:
    annotation = Annotation(Mark.ELLIPSE, ((0, 0), (10, 20)), "1.2")
    area = ruler.measure(annotation, film(phantom()), OBLONG)[0]
    assert area.value == pytest.approx(math.pi / 4 * 2.0 * 2.0)
    assert (area.unit, area.spacing) == ("mm²", SpacingKind.DETECTOR)
    assert ruler.measure(annotation, film(phantom()), PIXELS)[0].unit == "px²"


def test_that_an_ellipse_is_round() -> None:
    window, mask = region_mask(Mark.ELLIPSE, ((10, 20), (50, 80)), (100, 100))
    assert mask.sum() == pytest.approx(region_area(Mark.ELLIPSE, ((10, 20), (50, 80))), rel=0.01)
    assert window == (slice(10, 51), slice(20, 81))
    np.testing.assert_array_equal(mask, mask[::-1, ::-1])


corner = st.tuples(st.floats(-20, 60), st.floats(-20, 60))


@given(st.lists(corner, min_size=3, max_size=12))
@example([(0.0, 0.0), (0.0, 0.0), (2.3e-309, 1.0)])  # steeper than a float can represent
@settings(deadline=None)
def test_that_a_polygon_contains_the_centres_inside_it(
    points: list[tuple[float, float]],
) -> None:
    window, mask = region_mask(Mark.POLYGON, tuple(points), (40, 30))
    found = np.zeros((40, 30), bool)
    found[window] = mask
    outline = np.array([(x, y) for y, x in points], np.float32)
    for row in range(0, 40, 3):
        for column in range(0, 30, 3):
            crossings = sum(
                (a[1] > row) != (b[1] > row)
                and column < (b[0] - a[0]) * (row - a[1]) / (b[1] - a[1]) + a[0]
                for a, b in zip(
                    outline.astype(float), np.roll(outline, -1, 0).astype(float), strict=True
                )
            )
            on_edge = abs(cv2.pointPolygonTest(outline, (column, row), True)) < 1e-3
            assert on_edge or found[row, column] == bool(crossings % 2)


def test_that_a_square_polygon_equals_the_rectangle() -> None:
    square = ((2.5, 3.5), (2.5, 8.5), (7.5, 8.5), (7.5, 3.5))
    radiograph = film(phantom())
    one = roi_statistics(radiograph, Mark.POLYGON, square)
    other = roi_statistics(radiograph, Mark.RECTANGLE, ((2.5, 3.5), (7.5, 8.5)))
    assert (one.pixels, one.mean, one.sd) == (other.pixels, other.mean, other.sd)
    assert region_area(Mark.POLYGON, square) == region_area(
        Mark.RECTANGLE, ((2.5, 3.5), (7.5, 8.5))
    )


def test_that_a_profile_follows_a_ramp_and_knows_its_length() -> None:
    ramp = np.add.outer(np.arange(40) * 10, np.arange(30)).astype(np.uint16)
    line = ruler.profile(film(ramp, slope=2.0), (5.0, 5.0), (25.0, 20.0), OBLONG)
    rows, columns = np.linspace(5, 25, 26), np.linspace(5, 20, 26)
    np.testing.assert_allclose(line.values, 2 * (rows * 10 + columns), rtol=1e-6)
    assert line.distance[-1] == pytest.approx(math.hypot(4.0, 1.5))
    assert (line.unit, line.spacing) == ("mm", SpacingKind.DETECTOR)


def test_that_a_profile_has_gaps_outside_the_film_and_beside_padding() -> None:
    pixels = np.full((10, 10), 7, np.uint16)
    pixels[4, 6] = 0
    line = ruler.profile(film(pixels, padding=(0.0, 0.0)), (4, -2), (4, 11))
    expected = np.array([math.nan] * 2 + [7.0] * 6 + [math.nan] + [7.0] * 3 + [math.nan] * 2)
    np.testing.assert_allclose(line.values, expected)


def test_that_a_probe_has_stored_modality_and_displayed_value(tmp_path: Path) -> None:
    table = np.arange(4096)[::-1]
    path = write_dicom(
        tmp_path / "film.dcm",
        phantom(),
        bits_stored=12,
        modality_lut=lut_item(0, table, 12),
        windows=[(2048, 4096)],
        photometric="MONOCHROME1",
        PixelPaddingValue=int(phantom()[0, 0]),
    )
    radiograph = read_film(read_header(path, tmp_path))
    shown = build_lut(radiograph.greyscale, default_voi(radiograph), radiograph.pixels_HW.dtype)
    found = ruler.probe(radiograph, (20.4, 9.6), shown)
    assert found is not None
    stored = int(phantom()[20, 10])
    assert (found.row, found.column, found.stored) == (20, 10, stored)
    assert found.modality == 4095 - stored
    assert found.displayed == pytest.approx(255 - (4095 - stored) * 255 / 4095, abs=1)
    corner = ruler.probe(radiograph, (0, 0), shown)
    assert corner is not None
    assert corner.is_padding
    assert ruler.probe(radiograph, (48, 0), shown) is None
    assert ruler.probe(radiograph, (-0.6, 0), shown) is None


@pytest.mark.parametrize("kind", Mark)
def test_that_every_kind_of_annotation_is_measured_and_counts_its_points(kind: Mark) -> None:
    fewest, _ = POINTS[kind]
    points = tuple((float(5 * n), float(3 * n * n)) for n in range(fewest))
    values = ruler.measure(Annotation(kind, points, "1.2"), film(phantom()))
    assert all(value.value is not None for value in values)
    with pytest.raises(ValueError, match="points"):
        Annotation(kind, points[1:], "1.2")
