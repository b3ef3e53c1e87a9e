"""What a reader draws on a film, and what is measured of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from xrayview.domain.radiograph import Point, Spacing, SpacingKind


class Mark(StrEnum):
    """Kinds of annotations."""

    LENGTH = "length"
    ANGLE = "angle"
    COBB = "cobb angle"
    RECTANGLE = "rectangle"
    ELLIPSE = "ellipse"
    POLYGON = "polygon"
    CARDIOTHORACIC = "cardiothoracic ratio"
    PROFILE = "profile"
    ARROW = "arrow"
    TEXT = "text"


POINTS: dict[Mark, tuple[int, int]] = {
    Mark.LENGTH: (2, 2),
    Mark.ANGLE: (3, 3),  # arm, apex, arm
    Mark.COBB: (4, 4),  # one line, then the other
    Mark.RECTANGLE: (2, 2),  # opposite corners
    Mark.ELLIPSE: (2, 2),  # opposite corners of the rectangle around it
    Mark.POLYGON: (3, 10_000),
    Mark.CARDIOTHORACIC: (4, 4),  # across the heart, then across the thorax
    Mark.PROFILE: (2, 2),
    Mark.ARROW: (2, 2),  # tail, head
    Mark.TEXT: (1, 1),
}
"""Fewest and most points of each kind."""


@dataclass(frozen=True)
class Annotation:
    """One mark on one frame of a film.

    Raises:
        ValueError: the wrong number of points for the kind, or one that is no place.
    """

    kind: Mark
    points: tuple[Point, ...]
    """(row, column) in film coordinates, from 0 at the centre of the first pixel."""
    film: str
    """SOPInstanceUID; of a film without one `sha256:` and the hash of its file."""
    frame: int = 0
    text: str = ""

    def __post_init__(self) -> None:
        fewest, most = POINTS[self.kind]
        if not fewest <= len(self.points) <= most:
            wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise ValueError(f"a {self.kind} has {wanted} points, not {len(self.points)}")
        if not all(math.isfinite(value) for point in self.points for value in point):
            raise ValueError("a point is no place on a film")
        if self.frame < 0:
            raise ValueError("frames count from 0")


@dataclass(frozen=True)
class FilmMarks:
    """All that is drawn on one film, and its spacing where the user has set it."""

    annotations: tuple[Annotation, ...] = ()
    calibration: Spacing | None = None
    """Of kind USER."""


@dataclass(frozen=True)
class MeasuredValue:
    """One figure of an annotation. `value` is None where there is nothing to measure."""

    name: str
    value: float | None
    unit: str
    """`mm`, `mm²`, `px`, `px²`, `°`, or empty for values of the film and for ratios."""
    spacing: SpacingKind | None = None
    """The kind of spacing that the figure rests on; None where it needs none."""


@dataclass(frozen=True, eq=False)
class RoiStatistics:
    """Modality values inside a region of interest; padding is left out.

    All figures are None where the region holds no pixel of the film. `sd` is that of the pixels
    (divisor n).
    """

    pixels: int
    mean: float | None
    sd: float | None
    minimum: float | None
    maximum: float | None
    counts: npt.NDArray[np.intp]
    """Histogram, `counts[i]` between `edges[i]` and `edges[i + 1]`; both empty without pixels."""
    edges: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Profile:
    """Modality values along a line, one sample per pixel of its length."""

    distance: npt.NDArray[np.float64]
    unit: str
    spacing: SpacingKind
    values: npt.NDArray[np.float64]
    """NaN outside the film and beside padding."""


@dataclass(frozen=True)
class Probe:
    """One pixel: as stored, after the Modality LUT, and as displayed now."""

    row: int
    column: int
    stored: float
    modality: float
    displayed: int
    is_padding: bool = False
