"""Annotations as geometry and text in film coordinates, for the screen and for figures.

Points are (row, column) from 0 at the centre of the first pixel, as everywhere in `domain`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from xrayview.display.measure import measure
from xrayview.display.measure_text import label_lines
from xrayview.domain.measurement import Annotation, Mark, MeasuredValue
from xrayview.domain.radiograph import Point, Radiograph, Spacing

Points = tuple[Point, ...]

_ELLIPSE_CORNERS = 96


class Shape(StrEnum):
    """How the points of a stroke are joined."""

    LINE = "line"
    CLOSED = "closed"
    ELLIPSE = "ellipse"
    """Two opposite corners of the upright rectangle around it."""
    ARROW = "arrow"
    """From the tail to the head; the size of the head depends on the output, not on the film."""


@dataclass(frozen=True)
class Stroke:
    """One line of a drawing."""

    shape: Shape
    points: Points


@dataclass(frozen=True)
class AnnotationDrawing:
    """One annotation as strokes and text, ready to be drawn."""

    kind: Mark
    strokes: tuple[Stroke, ...]
    lines: tuple[str, ...]
    """Text, from top to bottom: the user's own text and the measured values."""
    anchors: Points
    """Where the text may begin; never empty."""

    @property
    def anchor(self) -> Point:
        """The right-most of `anchors` on an upright film: the text goes to the right of it."""
        return max(self.anchors, key=lambda point: (point[1], -point[0]))


def make_drawings(
    annotations: Iterable[Annotation], radiograph: Radiograph, spacing: Spacing | None = None
) -> tuple[AnnotationDrawing, ...]:
    """Return the drawings of all annotations, with their measured values.

    Args:
        annotations: of this film and frame.
        radiograph: the film.
        spacing: the user's own calibration; None is the film's spacing.
    """
    return tuple(make_drawing(mark, measure(mark, radiograph, spacing)) for mark in annotations)


def make_drawing(
    annotation: Annotation, values: tuple[MeasuredValue, ...] = ()
) -> AnnotationDrawing:
    """Return the drawing of one annotation, with the values measured so far."""
    kind, points = annotation.kind, annotation.points
    lines = label_lines(annotation, values)
    return AnnotationDrawing(kind, strokes_of(kind, points), lines, _anchors(kind, points))


def strokes_of(kind: Mark, points: Points) -> tuple[Stroke, ...]:
    """Return the strokes of an annotation, which may have only its first points."""
    return _STROKES[kind](points) if len(points) > 1 else ()


def outline(stroke: Stroke) -> Points:
    """Return a stroke as the corners of an open line, closed shapes back to their first corner."""
    if stroke.shape is Shape.ELLIPSE:
        (top, left), (bottom, right) = stroke.points
        turns = (math.tau * n / _ELLIPSE_CORNERS for n in range(_ELLIPSE_CORNERS + 1))
        return tuple(
            (
                (top + bottom) / 2 + (bottom - top) / 2 * math.sin(turn),
                (left + right) / 2 + (right - left) / 2 * math.cos(turn),
            )
            for turn in turns
        )
    closed = stroke.shape is Shape.CLOSED
    return (*stroke.points, stroke.points[0]) if closed else stroke.points


def handles(kind: Mark, points: Points) -> Points:
    """Return where an annotation can be grabbed: its points, for rectangles all four corners."""
    if kind not in _UPRIGHT:
        return points
    (top, left), (bottom, right) = points
    return (*points, (top, right), (bottom, left))


def with_handle_at(kind: Mark, points: Points, handle: int, point: Point) -> Points:
    """Return the points of an annotation after moving the handle of this index to `point`."""
    row, column = point
    if kind in _UPRIGHT and handle > 1:
        (top, left), (bottom, right) = points
        return ((row, left), (bottom, column)) if handle == 2 else ((top, column), (row, right))
    return (*points[:handle], point, *points[handle + 1 :])


def moved(points: Points, down: float, right: float) -> Points:
    """Return all points, shifted."""
    return tuple((row + down, column + right) for row, column in points)


_UPRIGHT = frozenset({Mark.RECTANGLE, Mark.ELLIPSE})


def _anchors(kind: Mark, points: Points) -> Points:
    return points[:1] if kind is Mark.ARROW else handles(kind, points)


def _line(points: Points) -> tuple[Stroke, ...]:
    return (Stroke(Shape.LINE, points),)


def _two_lines(points: Points) -> tuple[Stroke, ...]:
    pairs = (points[:2], points[2:])
    return tuple(Stroke(Shape.LINE, pair) for pair in pairs if len(pair) == 2)


def _rectangle(points: Points) -> tuple[Stroke, ...]:
    (top, left), (bottom, right) = points
    corners = ((top, left), (top, right), (bottom, right), (bottom, left))
    return (Stroke(Shape.CLOSED, corners),)


def _ellipse(points: Points) -> tuple[Stroke, ...]:
    return (Stroke(Shape.ELLIPSE, points),)


def _polygon(points: Points) -> tuple[Stroke, ...]:
    return (Stroke(Shape.CLOSED, points),)


def _arrow(points: Points) -> tuple[Stroke, ...]:
    return (Stroke(Shape.ARROW, points),)


_STROKES: dict[Mark, Callable[[Points], tuple[Stroke, ...]]] = {
    Mark.LENGTH: _line,
    Mark.ANGLE: _line,
    Mark.COBB: _two_lines,
    Mark.RECTANGLE: _rectangle,
    Mark.ELLIPSE: _ellipse,
    Mark.POLYGON: _polygon,
    Mark.CARDIOTHORACIC: _two_lines,
    Mark.PROFILE: _line,
    Mark.ARROW: _arrow,
    Mark.TEXT: lambda _points: (),
}
