"""Measurements on a figure: lines and labels, scaled to the figure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

from xrayview.display.drawings import AnnotationDrawing, Shape, outline
from xrayview.display.figure_text import ASCENT, DESCENT, LINE_HEIGHT, text_width
from xrayview.domain.figure import WHITE, Colour, Label, Line, Position
from xrayview.domain.radiograph import Point

INK: Colour = (255, 215, 94)
"""The same as on screen."""
_HEAD_EM, _HEAD_DEG = 1.1, 24.0
"""Length of an arrow's head, and half the angle between its sides."""
_GAP_EM = 0.5


def draw_marks(
    drawings: Iterable[AnnotationDrawing],
    to_figure: Callable[[Point], Position],
    em: float,
    room: Position,
    *,
    colour: bool,
) -> tuple[list[Line], list[Label]]:
    """Return the lines and labels of measurements.

    Args:
        drawings: in film coordinates.
        to_figure: maps film coordinates to the figure.
        em: height of text in the figure.
        room: width and height that labels stay within.
        colour: False draws white, for figures without colour.
    """
    ink = INK if colour else WHITE
    lines: list[Line] = []
    labels: list[Label] = []
    for drawing in drawings:
        for stroke in drawing.strokes:
            points = tuple(map(to_figure, outline(stroke)))
            lines.append(Line(points, max(1.5, em / 10), ink))
            if stroke.shape is Shape.ARROW:
                head = _arrow_head(points[-2], points[-1], em)
                lines.append(Line(head, max(1.5, em / 10), ink))
        labels += _labels(drawing, to_figure, em, room, ink)
    return lines, labels


def _arrow_head(tail: Position, tip: Position, em: float) -> tuple[Position, ...]:
    back = math.atan2(tail[1] - tip[1], tail[0] - tip[0])
    length, half = _HEAD_EM * em, math.radians(_HEAD_DEG)
    one, other = (
        (tip[0] + length * math.cos(back + turn), tip[1] + length * math.sin(back + turn))
        for turn in (half, -half)
    )
    return one, tip, other


def _labels(
    drawing: AnnotationDrawing,
    to_figure: Callable[[Point], Position],
    em: float,
    room: Position,
    ink: Colour,
) -> Iterator[Label]:
    size = 0.85 * em
    wide = max((text_width(text, size, bold=True) for text in drawing.lines), default=0.0)
    x, y = _beside(list(map(to_figure, drawing.anchors)), wide, _GAP_EM * em, size, room[0])
    step = LINE_HEIGHT * size
    lowest = room[1] - DESCENT * size - (len(drawing.lines) - 1) * step
    first = max(ASCENT * size, min(y + 0.3 * step, lowest))
    for index, text in enumerate(drawing.lines):
        yield Label(text, (x, first + index * step), size, colour=ink, bold=True)


def _beside(anchors: list[Position], wide: float, gap: float, size: float, room: float) -> Position:
    """Return where a text starts: right of the right-most anchor in the figure (however the film
    is turned), else left of the left-most one, else below at the edge."""
    left, right = min(anchors), max(anchors)
    if right[0] + gap + wide <= room:
        return right[0] + gap, right[1]
    if left[0] - gap - wide >= 0:
        return left[0] - gap - wide, left[1]
    return max(0.0, room - wide - gap), right[1] + LINE_HEIGHT * size
