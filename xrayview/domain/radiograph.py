"""A film with its pixels and everything needed to display and classify it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from xrayview.domain.film import FilmRef

Pixels = npt.NDArray[np.integer[Any] | np.floating[Any]]


class VoiFunction(StrEnum):
    """VOI LUT Function (0028,1056), PS3.3 C.11.2.1.2."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True)
class Window:
    """Window centre and width in modality values (after rescale or Modality LUT)."""

    center: float
    width: float
    function: VoiFunction = VoiFunction.LINEAR
    explanation: str = ""


@dataclass(frozen=True, eq=False)
class Lut:
    """A lookup table: Modality LUT or VOI LUT Sequence item (PS3.3 C.11.1.1, C.11.2.1.1).

    `entries` is a 1-D uint16 array; inputs below `first_value` take the first entry, inputs past
    the end the last one. `bits` is the third value of the LUT Descriptor: outputs span
    0 .. 2**bits - 1.
    """

    first_value: int
    entries: npt.NDArray[np.uint16]
    bits: int
    explanation: str = ""
    as_declared: Lut | None = None
    """The LUT with the depth that the file declares, where `bits` is that of its entries."""


@dataclass(frozen=True, eq=False)
class Greyscale:
    """How stored values become displayed grey, in the order of PS3.3 C.7.6.3 / C.11."""

    photometric: str = "MONOCHROME2"
    """The photometric interpretation of `pixels_HW`: MONOCHROME1 or MONOCHROME2."""
    slope: float = 1.0
    intercept: float = 0.0
    modality_lut: Lut | None = None
    windows: tuple[Window, ...] = ()
    voi_luts: tuple[Lut, ...] = ()
    voi_function: VoiFunction = VoiFunction.LINEAR
    presentation_inverse: bool = False
    """PresentationLUTShape is INVERSE."""
    padding: tuple[float, float] | None = None
    """Pixel padding, an inclusive range of stored values: background, left out of statistics."""
    bits_stored: int = 16

    @property
    def inverted(self) -> bool:
        """True when high values after the VOI stage are dark.

        MONOCHROME1 means that the minimum is white (PS3.3 C.7.6.3.1.2). A digital X-ray image
        repeats this by INVERSE (PS3.3 C.8.11.3: INVERSE goes with MONOCHROME1), so both together
        invert once, as in DCMTK. MONOCHROME1 with IDENTITY violates that clause; the photometric
        interpretation, which is mandatory, then decides.
        """
        return self.photometric == "MONOCHROME1" or self.presentation_inverse

    def modality_values(self, stored: Pixels) -> npt.NDArray[np.float32]:
        """Modality LUT Sequence, else rescale, as float32 of the same shape (PS3.3 C.11.1).

        Stored values outside the LUT take its first or last entry.
        """
        lut = self.modality_lut
        if lut is None:
            return stored.astype(np.float32) * np.float32(self.slope) + np.float32(self.intercept)
        index = np.clip(stored.astype(np.int64) - lut.first_value, 0, lut.entries.size - 1)
        return lut.entries[index].astype(np.float32)


SAME_SPACING = 1e-5
"""Relative difference of two spacings that are equal but for rounding.

Decimal strings are often written from 32-bit floats (7 digits); a tenth of a pixel over a film of
10,000. No film is magnified by so little.
"""


class SpacingKind(StrEnum):
    """What a length refers to; shown with every length, as detector mm are not body mm."""

    CALIBRATED = "calibrated"
    CORRECTED = "magnification-corrected"
    CORRECTED_UNKNOWN = "corrected, kind unknown"
    ESTIMATED = "magnification-corrected (estimated)"
    DETECTOR = "at detector"
    SCANNER = "at scanner"
    USER = "user"
    UNKNOWN = "px"

    @property
    def suffix(self) -> str:
        """What follows a length in mm on screen: `at detector`, `(user-calibrated)`."""
        return _SUFFIXES.get(self, f"({self})")


_SUFFIXES = {
    SpacingKind.DETECTOR: "at detector",
    SpacingKind.SCANNER: "at scanner",
    SpacingKind.ESTIMATED: "(magnification-corrected, estimated)",
    SpacingKind.USER: "(user-calibrated)",
    SpacingKind.UNKNOWN: "",
}
"""Other kinds are in brackets as they are stored."""


@dataclass(frozen=True)
class Spacing:
    """Distance between pixel centres in mm; both None when the kind is UNKNOWN."""

    row_mm: float | None = None
    column_mm: float | None = None
    kind: SpacingKind = SpacingKind.UNKNOWN
    shape: float = 1.0
    """Height of a pixel over its width, where only this is known."""

    @property
    def pixel_aspect(self) -> float:
        """Height of a pixel over its width, 1 for square pixels."""
        aspect = self.row_mm / self.column_mm if self.row_mm and self.column_mm else self.shape
        return 1.0 if math.isclose(aspect, 1.0, rel_tol=SAME_SPACING) else aspect


SPACING_KEYWORDS = (
    "PixelSpacing",
    "PixelSpacingCalibrationType",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "PixelAspectRatio",
    "EstimatedRadiographicMagnificationFactor",
    "DistanceSourceToDetector",
    "DistanceSourceToPatient",
)
"""Attributes that a spacing comes from."""


@dataclass(frozen=True, eq=False)
class OverlayPlane:
    """Graphics over the film, one bit deep (PS3.3 C.9.2).

    `bits_HW` is bool, in the plane's own (rows, columns). Its first bit lies on the film's pixel
    `origin` (row, column), counted from 0 and possibly outside the film.
    """

    bits_HW: npt.NDArray[np.bool_]
    origin: tuple[int, int] = (0, 0)
    is_roi: bool = False
    """Overlay Type R is a region of interest, G is graphics to draw."""
    group: int = 0x6000
    label: str = ""


Point = tuple[float, float]
"""A position on the film as (row, column), from 0 at the centre of the first pixel."""


@dataclass(frozen=True)
class Shutter:
    """The visible part of a film: the intersection of the given shapes (PS3.3 C.7.6.11).

    `rectangle` is (top, bottom, left, right), `circle` the centre and the radius in pixels,
    `polygon` the corners; all in film coordinates, and the edges are visible.
    """

    rectangle: tuple[float, float, float, float] | None = None
    circle: tuple[Point, float] | None = None
    polygon: tuple[Point, ...] = ()
    presentation_value: int = 0
    """P-value of the hidden part: 0 black to 65535 white."""


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One decoded film.

    `pixels_HW` holds stored values, shape (rows, columns), dtype uint8, uint16, int16, int32,
    uint32 or float32, before any grey-scale step. Colour films are converted to luminance (uint8
    or uint16), which `notes` mention. `warnings` (incomplete data) make the film's status `warn`;
    `notes` are only shown in the window.
    """

    ref: FilmRef
    pixels_HW: Pixels
    greyscale: Greyscale
    spacing: Spacing = Spacing()
    orientation: tuple[str, str] = ("", "")
    """The directions of rows and columns (`L`, `F` ...)."""
    lossy: str = ""
    """Empty, or the text for the corner: `lossy 12:1`."""
    for_processing: bool = False
    burned_in: str = ""
    """BurnedInAnnotation of the file; empty when absent."""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sha256: str = field(default="", compare=False)
    """SHA-256 of the file's bytes."""
    overlays: tuple[OverlayPlane, ...] = ()
    """Overlay planes of this frame, by group."""
    shutter: Shutter | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Attributes of the file on grey-scale and spacing: DICOM keyword -> text, several values
    joined by a backslash. An absent attribute has no entry."""
    attribute_paths: Mapping[str, str] = field(default_factory=dict)
    """The path of those attributes that are not at the file's top level:
    `(5200,9230)[3] > (0028,9145) > (0028,1053)`; items are counted from 0."""

    def modality_values(self) -> npt.NDArray[np.float32]:
        """Stored values through Modality LUT or rescale: float32, shape (rows, columns).

        Source: PS3.3 C.11.1.
        """
        return self.greyscale.modality_values(self.pixels_HW)

    @property
    def nbytes(self) -> int:
        """Memory of its pixels and overlay planes."""
        return self.pixels_HW.nbytes + sum(plane.bits_HW.nbytes for plane in self.overlays)

    @property
    def has_graphics(self) -> bool:
        """True where an overlay plane contains graphics to draw."""
        return any(not plane.is_roi for plane in self.overlays)

    def padding_mask(self) -> npt.NDArray[np.bool_] | None:
        """True where a pixel is padding (background); None for a film without padding."""
        if self.greyscale.padding is None:
            return None
        low, high = self.greyscale.padding
        return np.asarray((self.pixels_HW >= low) & (self.pixels_HW <= high))
