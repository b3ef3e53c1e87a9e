"""The layout of a film's figure: the same film, look and style give the same figure.

Sizes scale with the film, so that a figure reads the same at 500 and at 4,000 pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from xrayview.display.corners import (
    RESEARCH_USE_ONLY,
    ViewState,
    corner_texts,
    edge_letters,
    spacing_text,
    voi_text,
)
from xrayview.display.drawings import AnnotationDrawing
from xrayview.display.figure_grey import oriented, oriented_grey
from xrayview.display.figure_marks import draw_marks
from xrayview.display.figure_text import ASCENT, DESCENT, LINE_HEIGHT, text_width, wrapped
from xrayview.display.overlay import caption, colour_bar, heat_rgba
from xrayview.display.scale_bar import scale_bar
from xrayview.display.true_shape import is_plausible, squared, stretch, true_size
from xrayview.display.voi import default_voi
from xrayview.domain.figure import (
    Figure,
    FigureLook,
    FigureStyle,
    HeatLayer,
    Label,
    Line,
    Patch,
    Position,
)
from xrayview.domain.radiograph import Point, Radiograph, Spacing

SMALLEST_TEXT_PX = 13
TEXTS_PER_FILM = 52
"""How many text heights fit in the film's longer side."""
_NARROWEST_EM = 24
"""A smaller film is padded with black, so that its caption does not become one word per line."""
_HEAT_SIDE_PX = 1024
_TICKS = ((1.0, "1"), (0.5, "0.5"), (0.0, "0"))
_BAR_TITLE = ("Evidence", "relative to peak")


def compose(
    radiograph: Radiograph,
    look: FigureLook,
    style: FigureStyle,
    *,
    heat: HeatLayer | None = None,
    result_text: str = "",
    drawings: Sequence[AnnotationDrawing] = (),
    spacing: Spacing | None = None,
) -> Figure:
    """Lay out the figure.

    Args:
        radiograph: the film.
        look: window, inversion, flips and turns.
        style: which elements to include.
        heat: the displayed heat map, if any; left out when `style.bits` is 16.
        result_text: the model's result, for a caption without a heat map.
        drawings: measurements.
        spacing: the user's own calibration; None uses the film's.
    """
    return _Composer(radiograph, look, style, spacing or radiograph.spacing).compose(
        heat if style.heat_map and style.bits == 8 else None, result_text, drawings
    )


class _Composer:
    """Collects the elements of one film's figure."""

    def __init__(
        self, radiograph: Radiograph, look: FigureLook, style: FigureStyle, spacing: Spacing
    ) -> None:
        self._radiograph, self._look, self._style = radiograph, look, style
        self._spacing = spacing
        self._rows: int
        self._columns: int
        self._film = oriented_grey(radiograph, look, style.bits, spacing=spacing)
        self._rows, self._columns = self._film.shape
        self._em: int = max(SMALLEST_TEXT_PX, round(max(self._film.shape) / TEXTS_PER_FILM))
        self._left = max(0, round((_NARROWEST_EM * self._em - self._columns) / 2))
        self._patches: list[Patch] = []
        self._lines: list[Line] = []
        self._labels: list[Label] = []

    def compose(
        self, heat: HeatLayer | None, result_text: str, drawings: Sequence[AnnotationDrawing]
    ) -> Figure:
        """Place all elements and return the figure."""
        style = self._style
        width = self._columns + 2 * self._left
        if heat is not None:
            self._add_heat_map(heat)
            if style.colour_bar and heat.heat.has_evidence:
                width += self._add_colour_bar(heat)
        if style.measurements:
            room = float(self._columns + 2 * self._left), float(self._rows)
            lines, labels = draw_marks(
                drawings, self._to_figure, self._em, room, colour=style.bits == 8
            )
            self._lines += lines
            self._labels += labels
        bottom = self._add_corners() if style.corners else 0.0
        if style.letters:
            self._add_letters()
        if style.scale_bar:
            self._add_scale_bar(bottom)
        height = self._rows + self._add_caption(heat, result_text, width)
        return Figure(
            width,
            height,
            self._film,
            (self._left, 0),
            tuple(self._patches),
            tuple(self._lines),
            tuple(self._labels),
            RESEARCH_USE_ONLY,
        )

    def _to_figure(self, point: Point) -> Position:
        """Map (row, column) of the film, from 0 at the centre of the first pixel, to the figure."""
        native = self._radiograph.pixels_HW.shape
        rows, columns = true_size((native[0], native[1]), self._spacing)
        x, y = (point[1] + 0.5) * columns / native[1], (point[0] + 0.5) * rows / native[0]
        if self._look.mirrored:
            x = columns - x
        for _ in range(self._look.quarter_turns % 4):
            x, y = rows - y, x
            rows, columns = columns, rows
        return x + self._left, y

    def _add_heat_map(self, layer: HeatLayer) -> None:
        rows, columns = layer.heat.film_size
        share = min(1.0, _HEAT_SIDE_PX / max(rows, columns))
        size = max(1, round(rows * share)), max(1, round(columns * share))
        rgba_HW4 = heat_rgba(layer.heat, size, opacity=layer.opacity, cutoff=layer.cutoff)
        film = float(self._columns), float(self._rows)
        self._patches.append(Patch(oriented(rgba_HW4, self._look), (self._left, 0.0), film))

    def _add_colour_bar(self, layer: HeatLayer) -> int:
        """Draw the colour bar right of the film; return how much width it takes."""
        em, rows, size = self._em, self._rows, 0.75 * self._em
        title = 0.9 * em + (LINE_HEIGHT * (len(_BAR_TITLE) - 1) + ASCENT) * size
        high = max(1.0 * em, min(14.0 * em, 0.8 * rows, rows - 2 * title))
        left, top = self._columns + self._left + 0.8 * em, max(title, (rows - high) / 2)
        bar = colour_bar(256, 1, cutoff=layer.cutoff)
        bar[..., :3][bar[..., 3] == 0] = 0
        frame = (left, top), (left + em, top), (left + em, top + high), (left, top + high)
        self._patches.append(Patch(bar, (left, top), (float(em), high)))
        self._lines.append(Line((*frame, frame[0]), max(1.0, em / 16), (120, 120, 120)))
        for value, text in _TICKS:
            y = top + (1 - value) * high + 0.35 * em
            self._labels.append(Label(text, (left + 1.3 * em, y), 0.8 * em))
        for above, text in enumerate(reversed(_BAR_TITLE)):
            y = top - 0.9 * em - above * LINE_HEIGHT * size
            self._labels.append(Label(text, (left, y), size))
        return math.ceil(1.4 * em + max(text_width(text, size) for text in _BAR_TITLE))

    def _add_corners(self) -> float:
        """Write the corner texts; return the height of the bottom left one."""
        look, film = self._look, self._radiograph
        voi = default_voi(film) if look.voi is None else look.voi
        state = ViewState(voi, 1.0, 1, 1, invert=look.invert)
        texts = corner_texts(film, state, hide_identity=not self._style.identity)
        bottom_right = tuple(t for t in texts.bottom_right if t != RESEARCH_USE_ONLY)
        bottom_left = (voi_text(voi, look.invert),)
        self._add_corner(texts.top_left, "start", top=True)
        self._add_corner(texts.top_right, "end", top=True)
        self._add_corner(bottom_left, "start", top=False)
        self._add_corner(bottom_right, "end", top=False)
        return len(bottom_left) * LINE_HEIGHT * self._em

    def _add_corner(
        self, texts: tuple[str, ...], side: Literal["start", "end"], *, top: bool
    ) -> None:
        em, step = self._em, LINE_HEIGHT * self._em
        x = self._left + (0.6 * em if side == "start" else self._columns - 0.6 * em)
        first = 0.4 * em if top else self._rows - 0.4 * em - len(texts) * step
        for index, text in enumerate(texts):
            y = first + index * step + ASCENT * em
            self._labels.append(Label(text, (x, y), em, side))

    def _add_letters(self) -> None:
        look, em = self._look, self._em
        letters = edge_letters(
            self._radiograph.orientation, look.quarter_turns, flip_h=look.mirrored
        )
        right = self._left + self._columns - 0.6 * em
        middle = self._left + self._columns / 2, self._rows / 2 + 0.35 * em
        labels: tuple[tuple[str, Label], ...] = (
            (letters.left, Label("", (self._left + 0.6 * em, middle[1]), em)),
            (letters.right, Label("", (right, middle[1]), em, "end")),
            (letters.top, Label("", (middle[0], 0.4 * em + ASCENT * em), em, "middle")),
            (letters.bottom, Label("", (middle[0], self._rows - 0.6 * em), em, "middle")),
        )
        self._labels += [
            Label(text, at.position, 1.2 * em, at.anchor, bold=True) for text, at in labels if text
        ]

    def _add_scale_bar(self, bottom: float) -> None:
        sideways = bool(self._look.quarter_turns % 2)
        bar = scale_bar(squared(self._spacing), self._columns, sideways=sideways)
        if bar is None:
            return
        em = self._em
        x, y = self._left + em, self._rows - 1.1 * em - bottom
        tick = 0.35 * em
        ends = (x, y - tick), (x, y), (x + bar.pixels, y), (x + bar.pixels, y - tick)
        self._lines.append(Line(ends, max(1.5, em / 9)))
        self._labels.append(Label(bar.text, (x, y - 0.7 * em), 0.9 * em, bold=True))

    def _add_caption(self, heat: HeatLayer | None, result_text: str, width: int) -> int:
        """Write the caption below the film; return its height."""
        em = self._em
        size, room = 0.9 * em, width - 1.2 * em
        lines = (
            list(self._caption_lines(heat, result_text, size, room)) if self._style.caption else []
        )
        y = self._rows + 0.5 * em
        for line in lines:
            self._labels.append(Label(line, (0.6 * em, y + ASCENT * size), size))
            y += LINE_HEIGHT * size
        # The notice goes on the last line where it fits, else on its own line.
        used = text_width(lines[-1], size) if lines else 0.0
        if used + text_width(RESEARCH_USE_ONLY, size, bold=True) + 2 * em > width:
            y += LINE_HEIGHT * size
        y = max(y, self._rows + 0.5 * em + LINE_HEIGHT * size)
        at = width - 0.6 * em, y - LINE_HEIGHT * size + ASCENT * size
        self._labels.append(Label(RESEARCH_USE_ONLY, at, size, "end", bold=True))
        return round(y - self._rows + DESCENT * em)

    def _caption_lines(
        self, heat: HeatLayer | None, result_text: str, size: float, room: float
    ) -> Iterator[str]:
        film, look = self._radiograph, self._look
        text = caption(heat.heat, heat.model) if heat is not None else result_text
        yield from wrapped(text.split(" · "), size, room) if text else ()
        if heat is not None and heat.verdict:
            yield from wrapped(heat.verdict.split(" · "), size, room)
        voi = default_voi(film) if look.voi is None else look.voi
        view = " ".join(w for w in (film.ref.modality, film.ref.view_position) if w)
        spacing = spacing_text(self._spacing) if self._spacing.row_mm else ""
        parts = (view, voi_text(voi, look.invert), spacing, _shape_text(self._spacing), film.lossy)
        yield from wrapped((part for part in parts if part), size, room)


def _shape_text(spacing: Spacing) -> str:
    """Say how oblong pixels are handled; empty for square ones."""
    down, across = stretch(spacing)
    if not is_plausible(spacing):
        return f"pixel aspect of {spacing.pixel_aspect:.3g}:1 is implausible, shown as stored"
    if down == across:
        return ""
    axis = f"rows × {down:.3g}" if down > 1 else f"columns × {across:.3g}"
    return f"oblong pixels made square ({axis})"
