"""Annotations on a film, and what is measured in them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
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
"""Minimum and maximum number of points of each kind."""


@dataclass(frozen=True)
class Annotation:
    """One annotation on one frame of a film.

    Raises:
        ValueError: the number of points does not fit the kind, or a point is not finite.
    """

    kind: Mark
    points: tuple[Point, ...]
    """(row, column) in film coordinates, from 0 at the centre of the first pixel."""
    film: str
    """SOPInstanceUID; for a film without one `sha256:` and the hash of its file."""
    frame: int = 0
    text: str = ""
    mark_id: str = field(default="", compare=False)
    """Stays the same when the annotation is changed; empty until one is given."""
    modified_ms: int = field(default=0, compare=False)
    """Time of the last change, in milliseconds since 1970 (UTC); 0 where it is unknown."""

    def __post_init__(self) -> None:
        fewest, most = POINTS[self.kind]
        if not fewest <= len(self.points) <= most:
            required = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise ValueError(f"{self.kind} needs {required} points, not {len(self.points)}")
        if not all(math.isfinite(value) for point in self.points for value in point):
            raise ValueError("the coordinates of a point must be finite")
        if self.frame < 0:
            raise ValueError("frames count from 0")


@dataclass(frozen=True)
class FilmMarks:
    """The annotations of one film, and its spacing where the user has set one."""

    annotations: tuple[Annotation, ...] = ()
    calibration: Spacing | None = None
    """The spacing that the user has set, of kind USER."""
    calibrated_ms: int = field(default=0, compare=False)
    """Time at which the calibration was set or removed, as in `Annotation.modified_ms`."""
    deleted: Mapping[str, int] = field(default_factory=dict, compare=False)
    """The ids of deleted annotations and when, so that a merge does not bring them back."""
    file: str = field(default="", compare=False)
    """In a file of annotations: which file they belong to (`domain.mark_keys`), where its key does
    not say so."""


@dataclass(frozen=True)
class MeasuredValue:
    """One measured value of an annotation; `value` is None where nothing can be measured."""

    name: str
    value: float | None
    unit: str
    """`mm`, `mm²`, `px`, `px²`, `°`, or empty for values of the film and for ratios."""
    spacing: SpacingKind | None = None
    """The kind of spacing that the value depends on; None where it needs no spacing."""


@dataclass(frozen=True, eq=False)
class RoiStatistics:
    """Statistics of the modality values in a region of interest, without padding.

    The statistics are None where the region covers no pixel of the film. `sd` has divisor n.
    """

    pixels: int
    mean: float | None
    sd: float | None
    minimum: float | None
    maximum: float | None
    counts: npt.NDArray[np.intp]
    """Histogram: `counts[i]` lies between `edges[i]` and `edges[i + 1]`; empty without pixels."""
    edges: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Profile:
    """Modality values along a line, one sample per pixel of its length."""

    distance: npt.NDArray[np.float64]
    unit: str
    spacing: SpacingKind
    values: npt.NDArray[np.float64]
    """NaN outside the film and next to padding."""


@dataclass(frozen=True)
class Probe:
    """One pixel: stored, after the Modality LUT, and displayed."""

    row: int
    column: int
    stored: float
    modality: float
    displayed: int
    is_padding: bool = False
