"""A figure: a film with everything drawn on it, as geometry; no fonts, no files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from xrayview.domain.model import HeatMap
from xrayview.domain.radiograph import Lut, Window

Bits = Literal[8, 16]
Colour = tuple[int, int, int]
Position = tuple[float, float]
"""(x, y) in pixels of the figure, from the top left corner."""

WHITE: Colour = (241, 241, 241)
BLACK: Colour = (0, 0, 0)


@dataclass(frozen=True, eq=False)
class FigureLook:
    """How the film is displayed; it is first mirrored (left to right), then rotated."""

    voi: Window | Lut | None = None
    """None: the film's default."""
    invert: bool = False
    quarter_turns: int = 0
    """Clockwise."""
    mirrored: bool = False
    overlays: bool = True
    """Draw the file's overlay planes."""
    shutter: bool = True


@dataclass(frozen=True)
class FigureStyle:
    """What is drawn besides the film; "Research use only" always is."""

    bits: Bits = 8
    """16 for figures without colour only."""
    heat_map: bool = True
    colour_bar: bool = True
    caption: bool = True
    measurements: bool = True
    scale_bar: bool = True
    letters: bool = True
    """Orientation letters, where they are known."""
    corners: bool = False
    identity: bool = False
    """Names, IDs and dates in the corners."""


FILM_ONLY = FigureStyle(
    heat_map=False,
    colour_bar=False,
    caption=False,
    measurements=False,
    scale_bar=False,
    letters=False,
)


@dataclass(frozen=True, eq=False)
class HeatLayer:
    """A heat map as displayed."""

    heat: HeatMap
    model: str
    """Name and version."""
    opacity: float = 0.6
    cutoff: float = 0.0
    verdict: str = ""
    """Whether the film is in the model's scope, for the caption; empty where it is not known."""


@dataclass(frozen=True, eq=False)
class Patch:
    """A picture inside the figure: a layer over the film, or a colour bar."""

    rgba_HW4: npt.NDArray[np.uint8]
    corner: Position
    size: Position
    """Width and height that the picture is scaled to."""


@dataclass(frozen=True)
class Line:
    """An open polyline."""

    points: tuple[Position, ...]
    width: float
    colour: Colour = WHITE


@dataclass(frozen=True)
class Label:
    """One line of text; `position` is on its baseline, at its start, middle or end."""

    text: str
    position: Position
    size: float
    """Height of the font in pixels."""
    anchor: Literal["start", "middle", "end"] = "start"
    colour: Colour = WHITE
    bold: bool = False


@dataclass(frozen=True, eq=False)
class Figure:
    """The film at native resolution on black, and what is drawn over it, in this order."""

    width: int
    height: int
    film_HW: npt.NDArray[np.unsignedinteger[Any]]
    """Displayed grey, uint8 or uint16."""
    film_at: tuple[int, int]
    """(x, y) of its top left corner."""
    patches: tuple[Patch, ...] = ()
    lines: tuple[Line, ...] = ()
    labels: tuple[Label, ...] = ()
    title: str = ""
    """What the figure shows, without the patient's identity."""

    @property
    def is_grey(self) -> bool:
        """True where nothing has a colour."""
        inks = (item.colour for items in (self.lines, self.labels) for item in items)
        return not self.patches and all(len(set(ink)) == 1 for ink in inks)
