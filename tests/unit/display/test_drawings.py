"""Annotations as geometry and text: strokes, handles and labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from xrayview.display.drawings import (
    Shape,
    handles,
    make_drawing,
    make_drawings,
    moved,
    outline,
    strokes_of,
    with_handle_at,
)
from xrayview.display.measure import measure
from xrayview.display.measure_text import label_lines, lengths_text, probe_text, value_text
from xrayview.display.regions import region_window
from xrayview.domain.film import FilmRef
from xrayview.domain.inspection import Attribute
from xrayview.domain.measurement import POINTS, Annotation, Mark, MeasuredValue, Probe
from xrayview.domain.radiograph import Greyscale, Radiograph, Spacing, SpacingKind

DETECTOR = Spacing(0.2, 0.1, SpacingKind.DETECTOR)
FILM = Radiograph(
    FilmRef(Path("a.dcm"), "a.dcm"),
    np.arange(100 * 80, dtype=np.uint16).reshape(100, 80),
    Greyscale(),
    DETECTOR,
)


def mark(kind: Mark, *points: tuple[float, float], text: str = "") -> Annotation:
    return Annotation(kind, points, "1.2.3", text=text)


LENGTH = mark(Mark.LENGTH, (10.0, 10.0), (10.0, 40.0))


def test_that_a_length_is_labelled_with_the_kind_of_its_spacing() -> None:
    (drawn,) = make_drawings([LENGTH], FILM)
    assert drawn.lines == ("3.00 mm at detector",)
    assert [stroke.points for stroke in drawn.strokes] == [LENGTH.points]
    assert drawn.anchor == (10.0, 40.0)


def test_that_a_length_without_spacing_is_in_pixels_and_names_no_kind() -> None:
    (drawn,) = make_drawings([LENGTH], replace(FILM, spacing=Spacing()))
    assert drawn.lines == ("30.0 px",)


def test_that_the_users_calibration_is_named() -> None:
    (drawn,) = make_drawings([LENGTH], FILM, Spacing(1.0, 1.0, SpacingKind.USER))
    assert drawn.lines == ("30.0 mm (user-calibrated)",)


def test_that_the_users_text_is_above_the_values() -> None:
    named = replace(LENGTH, text="nodule")
    assert make_drawing(named, measure(named, FILM)).lines == ("nodule", "3.00 mm at detector")


@pytest.mark.parametrize(
    ("kind", "points", "lines"),
    [
        (Mark.ANGLE, ((0, 10), (0, 0), (5, 0)), ("90.0°",)),
        (Mark.COBB, ((0, 0), (0, 10), (0, 0), (5, 10)), ("Cobb 45.0°",)),
        (
            Mark.CARDIOTHORACIC,
            ((0, 0), (0, 30), (9, 0), (9, 60)),
            ("CTR 0.50", "heart 3.00 mm at detector", "thorax 6.00 mm at detector"),
        ),
        (
            Mark.RECTANGLE,
            ((0, 0), (1, 1)),
            ("mean 40.5  SD 40", "min 0  max 81", "0.0 mm² at detector"),
        ),
        (Mark.ARROW, ((0, 0), (5, 5)), ()),
    ],
)
def test_that_every_kind_shows_its_values(
    kind: Mark, points: tuple[tuple[float, float], ...], lines: tuple[str, ...]
) -> None:
    annotation = Annotation(kind, points, "1")
    assert make_drawing(annotation, measure(annotation, FILM)).lines == lines


def test_that_a_region_that_is_still_being_computed_shows_its_area() -> None:
    annotation = mark(Mark.ELLIPSE, (0, 0), (10, 20))
    area = next(f for f in measure(annotation, FILM) if f.name == "area")
    assert label_lines(annotation, (area,)) == ("3.1 mm² at detector",)


def test_that_a_missing_value_is_a_dash() -> None:
    assert value_text(MeasuredValue("mean", None, "")) == "–"
    assert value_text(MeasuredValue("length", None, "mm", SpacingKind.DETECTOR)) == "– mm"


def test_that_a_pixel_is_described_as_stored_modality_and_displayed() -> None:
    assert probe_text(Probe(3, 5, 1200, -24.0, 87)) == (
        "(3, 5) · stored 1200 · modality -24 · displayed 87"
    )
    assert probe_text(Probe(3, 5, 0, 0.5, 0, is_padding=True)).endswith("modality 0.5 · padding")


@pytest.mark.parametrize("kind", list(Mark))
def test_that_every_kind_can_be_drawn_grabbed_and_moved(kind: Mark) -> None:
    points = tuple((float(3 * n), float(n * n)) for n in range(POINTS[kind][0]))
    drawn = make_drawing(mark(kind, *points))
    assert drawn.kind is kind
    assert drawn.anchor in drawn.anchors
    assert all(len(outline(stroke)) > 1 for stroke in drawn.strokes)
    for handle in range(len(handles(kind, points))):
        elsewhere = with_handle_at(kind, points, handle, (50.0, 60.0))
        assert (50.0, 60.0) in handles(kind, elsewhere)
        assert len(elsewhere) == len(points)
    assert moved(moved(points, 5, -2), -5, 2) == points


@pytest.mark.parametrize("kind", list(Mark))
def test_that_a_drawing_of_two_points_can_be_shown_whatever_it_will_be(kind: Mark) -> None:
    strokes = strokes_of(kind, ((0.0, 0.0), (5.0, 5.0)))
    assert (strokes == ()) is (kind is Mark.TEXT)
    assert strokes_of(kind, ((0.0, 0.0),)) == ()


@pytest.mark.parametrize("handle", range(4))
def test_that_moving_a_corner_of_a_rectangle_keeps_the_opposite_one(handle: int) -> None:
    points = ((10.0, 20.0), (30.0, 60.0))
    corners = handles(Mark.RECTANGLE, points)
    opposite = corners[{0: 1, 1: 0, 2: 3, 3: 2}[handle]]
    after = handles(Mark.RECTANGLE, with_handle_at(Mark.RECTANGLE, points, handle, (5.0, 90.0)))
    assert opposite in after
    assert (5.0, 90.0) in after


def test_that_the_outline_of_an_ellipse_touches_its_rectangle() -> None:
    (stroke,) = strokes_of(Mark.ELLIPSE, ((0.0, 0.0), (10.0, 40.0)))
    assert stroke.shape is Shape.ELLIPSE
    rows, columns = zip(*outline(stroke), strict=True)
    assert (min(rows), max(rows)) == pytest.approx((0, 10))
    assert (min(columns), max(columns)) == pytest.approx((0, 40))


def test_that_the_window_of_a_region_is_that_of_its_pixels() -> None:
    window = region_window(FILM, ((2, 0), (2, 79)))
    assert window is not None
    assert window.explanation == "Region"
    assert window.center == pytest.approx(2 * 80 + 39.5, abs=1)
    assert window.width == pytest.approx(79, abs=2)


def test_that_a_region_without_a_pixel_of_the_film_has_no_window() -> None:
    assert region_window(FILM, ((200, 200), (220, 220))) is None
    padded = replace(FILM, greyscale=Greyscale(padding=(0, 79)))
    assert region_window(padded, ((0, 0), (0, 79))) is None


def test_that_an_unusable_spacing_is_not_called_missing() -> None:
    zero = Attribute("PixelSpacing", "(0028,0030)", "0\\0")
    assert lengths_text(Spacing(), (zero,)).endswith("(no usable spacing in this file)")
    distance = Attribute("DistanceSourceToDetector", "(0018,1110)", "1800")
    assert lengths_text(Spacing(), (distance,)).endswith("(no spacing in this file)")


@pytest.mark.parametrize("kind", [kind for kind in SpacingKind if kind is not SpacingKind.UNKNOWN])
def test_that_a_kind_of_spacing_reads_as_a_suffix(kind: SpacingKind) -> None:
    assert kind.suffix.startswith(("at ", "("))
    assert kind.suffix.count("(") == kind.suffix.count(")") <= 1
