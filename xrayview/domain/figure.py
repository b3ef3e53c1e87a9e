"""A figure: a film with what is drawn and written on it, as geometry; no fonts, no files."""

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
"""(x, y) in pixels of the figure, from its top left corner."""

WHITE: Colour = (241, 241, 241)
BLACK: Colour = (0, 0, 0)


@dataclass(frozen=True, eq=False)
class FigureLook:
    """How the film is looked at; the film is first mirrored (left and right), then turned."""

    voi: Window | Lut | None = None
    """None is the film's default."""
    invert: bool = False
    quarter_turns: int = 0
    """Clockwise."""
    mirrored: bool = False
    overlays: bool = True
    """Draw the overlay planes of the file."""
    shutter: bool = True


@dataclass(frozen=True)
class FigureStyle:
    """What stands on the figure besides the film. "Research use only" always does."""

    bits: Bits = 8
    """16 is for figures without colour."""
    heat_map: bool = True
    colour_bar: bool = True
    caption: bool = True
    measurements: bool = True
    scale_bar: bool = True
    letters: bool = True
    """Orientation letters, where the film has any."""
    corners: bool = False
    identity: bool = False
    """Names, numbers and dates in the corners."""


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
    """A heat map as it is shown."""

    heat: HeatMap
    model: str
    """Name and version."""
    opacity: float = 0.6
    cutoff: float = 0.0
    caution: str = ""
    """Why to read the scores with caution; empty for a film in scope."""


@dataclass(frozen=True, eq=False)
class Patch:
    """A picture of its own in the figure: a layer over the film, a legend."""

    rgba_HW4: npt.NDArray[np.uint8]
    corner: Position
    size: Position
    """Width, height; the picture is scaled to it."""


@dataclass(frozen=True)
class Line:
    """An open line."""

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
    """The film at its native resolution on black, and what lies over it, in this order."""

    width: int
    height: int
    film_HW: npt.NDArray[np.unsignedinteger[Any]]
    """Displayed grey as it is to be seen, uint8 or uint16."""
    film_at: tuple[int, int]
    """(x, y) of its top left corner."""
    patches: tuple[Patch, ...] = ()
    lines: tuple[Line, ...] = ()
    labels: tuple[Label, ...] = ()
    title: str = ""
    """What it shows, without identity."""

    @property
    def is_grey(self) -> bool:
        """True where nothing in it has a colour."""
        inks = (item.colour for items in (self.lines, self.labels) for item in items)
        return not self.patches and all(len(set(ink)) == 1 for ink in inks)
