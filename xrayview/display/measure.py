"""Measuring on a film: pure functions of points, spacing and pixels.

Points are (row, column) from 0 at the centre of the first pixel. Lengths are in millimetres, with
the kind of spacing behind them, and in pixels where the film has no spacing: never mm for pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xrayview.display.greyscale import DisplayLut, apply_lut
from xrayview.display.regions import region_area, roi_statistics
from xrayview.display.voi import background_mask
from xrayview.domain.measurement import Annotation, Mark, MeasuredValue, Probe, Profile
from xrayview.domain.radiograph import Point, Radiograph, Spacing, SpacingKind

Line = tuple[Point, Point]

NO_WEIGHT = 1e-9
"""A neighbour's weight up to this is a rounding error: the sample lies on a pixel."""


@dataclass(frozen=True)
class Scale:
    """Millimetres per pixel down and across, or 1 and 1 with the unit `px`."""

    row: float
    column: float
    unit: str
    kind: SpacingKind


def scale_of(spacing: Spacing) -> Scale:
    """Return the scale that lengths are measured in; pixels unless both spacings are known.

    For oblong pixels without a spacing the shorter side is the unit, so that angles, ratios and
    lengths in all directions are consistent.
    """
    if not spacing.row_mm or not spacing.column_mm or spacing.kind is SpacingKind.UNKNOWN:
        aspect = spacing.pixel_aspect
        return Scale(max(1.0, aspect), max(1.0, 1 / aspect), "px", SpacingKind.UNKNOWN)
    return Scale(spacing.row_mm, spacing.column_mm, "mm", spacing.kind)


def distance(a: Point, b: Point, spacing: Spacing) -> float:
    """Return the distance between two points in the unit of `scale_of`, also for oblong pixels."""
    scale = scale_of(spacing)
    return math.hypot((b[0] - a[0]) * scale.row, (b[1] - a[1]) * scale.column)


def angle(arm: Point, apex: Point, other: Point, spacing: Spacing) -> float | None:
    """Return the angle at the apex, 0..180 degrees; None where an arm has no length."""
    if apex in (arm, other):
        return None
    return _angle_between(_direction(apex, arm, spacing), _direction(apex, other, spacing))


def cobb_angle(first: Line, second: Line, spacing: Spacing) -> float | None:
    """Return the angle between two end-plates, each drawn from either end, 0..180 degrees.

    Both are taken from left to right, so that curves beyond 90 degrees are measured correctly.
    """
    if first[0] == first[1] or second[0] == second[1]:
        return None
    left_to_right = (sorted(line, key=lambda point: point[1]) for line in (first, second))
    one, other = (_direction(start, end, spacing) for start, end in left_to_right)
    return _angle_between(one, other)


def _direction(start: Point, end: Point, spacing: Spacing) -> float:
    scale = scale_of(spacing)
    return math.atan2((end[0] - start[0]) * scale.row, (end[1] - start[1]) * scale.column)


def _angle_between(one: float, other: float) -> float:
    turned = abs(math.degrees(one - other)) % 360
    return min(turned, 360 - turned)


def cardiothoracic_ratio(heart: Line, thorax: Line, spacing: Spacing) -> float | None:
    """Return the width of the heart over that of the thorax; None where the thorax has no width.

    The spacing only matters for oblong pixels.
    """
    width = distance(*thorax, spacing)
    return distance(*heart, spacing) / width if width else None


def calibrated(a: Point, b: Point, length_mm: float, spacing: Spacing) -> Spacing:
    """Return the spacing of a film on which the user knows a length; the pixels keep their shape.

    Raises:
        ValueError: the line has no length, or the known length is not a positive number.
    """
    pixels = distance(a, b, spacing)
    if not (pixels > 0 and 0 < length_mm < math.inf):
        raise ValueError("calibration needs a line and its length in mm")
    scale = scale_of(spacing)
    factor = length_mm / pixels
    return Spacing(scale.row * factor, scale.column * factor, SpacingKind.USER)


def profile(radiograph: Radiograph, a: Point, b: Point, spacing: Spacing | None = None) -> Profile:
    """Sample modality values from `a` to `b`, interpolated between pixels, once per pixel."""
    scale = scale_of(spacing or radiograph.spacing)
    count = math.ceil(math.hypot(b[0] - a[0], b[1] - a[1])) + 1
    along = np.linspace(0.0, 1.0, count)
    rows, columns = (a[axis] + (b[axis] - a[axis]) * along for axis in (0, 1))
    length = distance(a, b, spacing or radiograph.spacing)
    return Profile(along * length, scale.unit, scale.kind, _interpolated(radiograph, rows, columns))


def _interpolated(
    radiograph: Radiograph, rows: npt.NDArray[np.float64], columns: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Interpolate bilinearly; NaN where one of the four neighbours is background or outside."""
    height, width = radiograph.pixels_HW.shape
    total = np.zeros(rows.shape)
    top, left = np.floor(rows).astype(np.intp), np.floor(columns).astype(np.intp)
    for down in (0, 1):
        for right in (0, 1):
            y, x = top + down, left + right
            weight = np.abs(1 - down - (rows - top)) * np.abs(1 - right - (columns - left))
            inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
            stored = radiograph.pixels_HW[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
            values = radiograph.greyscale.modality_values(stored).astype(np.float64)
            background = background_mask(stored, radiograph.greyscale)
            missing = ~inside if background is None else ~inside | background
            # A point on a pixel has one neighbour; the others must not make it NaN.
            total += np.where(weight > NO_WEIGHT, np.where(missing, np.nan, values) * weight, 0.0)
    return total


def probe(radiograph: Radiograph, point: Point, lut: DisplayLut) -> Probe | None:
    """Return the pixel under a point, displayed through `lut`; None outside the film."""
    row, column = (math.floor(value + 0.5) for value in point)
    height, width = radiograph.pixels_HW.shape
    if not (0 <= row < height and 0 <= column < width):
        return None
    pixel = radiograph.pixels_HW[row : row + 1, column : column + 1]
    background = background_mask(pixel, radiograph.greyscale)
    return Probe(
        row,
        column,
        stored=pixel.item(),
        modality=radiograph.greyscale.modality_values(pixel).item(),
        displayed=int(apply_lut(pixel, lut).item()),
        is_padding=background is not None and bool(background.item()),
    )


def measure(
    annotation: Annotation, radiograph: Radiograph, spacing: Spacing | None = None
) -> tuple[MeasuredValue, ...]:
    """Return the measured values of an annotation; none for arrows, texts and profiles.

    Args:
        annotation: on this film.
        radiograph: the film.
        spacing: the user's own calibration; None uses the film's spacing.
    """
    return _MEASURES[annotation.kind](annotation, radiograph, spacing or radiograph.spacing)


def _length(
    annotation: Annotation, _film: Radiograph, spacing: Spacing
) -> tuple[MeasuredValue, ...]:
    start, end = annotation.points
    return (_length_value("length", start, end, spacing),)


def _length_value(name: str, a: Point, b: Point, spacing: Spacing) -> MeasuredValue:
    scale = scale_of(spacing)
    return MeasuredValue(name, distance(a, b, spacing), scale.unit, scale.kind)


def _angle(
    annotation: Annotation, _film: Radiograph, spacing: Spacing
) -> tuple[MeasuredValue, ...]:
    arm, apex, other = annotation.points
    degrees = angle(arm, apex, other, spacing)
    return (MeasuredValue("angle", degrees, "°", scale_of(spacing).kind),)


def _cobb(annotation: Annotation, _film: Radiograph, spacing: Spacing) -> tuple[MeasuredValue, ...]:
    a, b, c, d = annotation.points
    degrees = cobb_angle((a, b), (c, d), spacing)
    return (MeasuredValue("cobb angle", degrees, "°", scale_of(spacing).kind),)


def _cardiothoracic(
    annotation: Annotation, _film: Radiograph, spacing: Spacing
) -> tuple[MeasuredValue, ...]:
    a, b, c, d = annotation.points
    ratio = cardiothoracic_ratio((a, b), (c, d), spacing)
    return (
        MeasuredValue("cardiothoracic ratio", ratio, "", scale_of(spacing).kind),
        _length_value("heart", a, b, spacing),
        _length_value("thorax", c, d, spacing),
    )


def region_size(annotation: Annotation, spacing: Spacing) -> MeasuredValue:
    """Return the area of a region of interest, from its geometry, without reading a pixel."""
    scale = scale_of(spacing)
    area = region_area(annotation.kind, annotation.points) * scale.row * scale.column
    return MeasuredValue("area", area, f"{scale.unit}²", scale.kind)


def _region(
    annotation: Annotation, film: Radiograph, spacing: Spacing
) -> tuple[MeasuredValue, ...]:
    statistics = roi_statistics(film, annotation.kind, annotation.points)
    return (
        region_size(annotation, spacing),
        MeasuredValue("mean", statistics.mean, ""),
        MeasuredValue("SD", statistics.sd, ""),
        MeasuredValue("minimum", statistics.minimum, ""),
        MeasuredValue("maximum", statistics.maximum, ""),
        MeasuredValue("pixels", statistics.pixels, ""),
    )


def _nothing(_mark: Annotation, _film: Radiograph, _spacing: Spacing) -> tuple[MeasuredValue, ...]:
    return ()


_MEASURES: dict[Mark, Callable[[Annotation, Radiograph, Spacing], tuple[MeasuredValue, ...]]] = {
    Mark.LENGTH: _length,
    Mark.ANGLE: _angle,
    Mark.COBB: _cobb,
    Mark.RECTANGLE: _region,
    Mark.ELLIPSE: _region,
    Mark.POLYGON: _region,
    Mark.CARDIOTHORACIC: _cardiothoracic,
    Mark.PROFILE: _nothing,
    Mark.ARROW: _nothing,
    Mark.TEXT: _nothing,
}
