"""The distance between pixels, and the plane it is measured in: both matter equally."""

from __future__ import annotations

import math

from pydicom.dataset import Dataset

from xrayview.domain.radiograph import SAME_SPACING, Spacing, SpacingKind
from xrayview.io.dicom.values import number, numbers, text

_CALIBRATED_BY = {"FIDUCIAL": SpacingKind.CALIBRATED, "GEOMETRY": SpacingKind.CORRECTED}
_CROSS_SECTIONAL = frozenset({"CT", "MR", "PT", "NM"})
_RECONSTRUCTED = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.13.1.1",  # X-Ray 3D Angiographic
        "1.2.840.10008.5.1.4.1.1.13.1.2",  # X-Ray 3D Craniofacial
        "1.2.840.10008.5.1.4.1.1.13.1.3",  # Breast Tomosynthesis
    }
)
"""Slices are reconstructed, and PixelSpacing is that in the patient (PS3.3 C.7.6.16.2.1)."""
UNSURE_NOTE = "PixelSpacing does not say whether it is at the detector: lengths stay in pixels"

SHAPES = {
    "PixelSpacing": 0x00280030,
    "ImagerPixelSpacing": 0x00181164,
    "NominalScannedPixelSpacing": 0x00182010,
    "PixelAspectRatio": 0x00280034,
}
"""Attributes that give the shape of a pixel, even where their millimetres cannot be trusted."""

_Pair = tuple[float, float]


def spacing_of(dataset: Dataset) -> tuple[Spacing, tuple[str, ...]]:
    """Spacing (row, column) in mm with its kind, else only the shape of a pixel; and notes.

    Zero, negative and single values are ignored. Source: PS3.3 10.7.1.1, 10.7.1.3, C.8.11.3.
    """
    pixel = _pair(dataset, "PixelSpacing")
    imager = _pair(dataset, "ImagerPixelSpacing")
    calibrated = _CALIBRATED_BY.get(text(dataset, "PixelSpacingCalibrationType"))
    if pixel and calibrated:
        return Spacing(*pixel, calibrated), ()
    if pixel and imager and not _is_same(pixel, imager):
        return Spacing(*pixel, SpacingKind.CORRECTED_UNKNOWN), ()
    if imager:
        magnification = _magnification(dataset)
        if magnification:
            row, column = (value / magnification for value in imager)
            return Spacing(row, column, SpacingKind.ESTIMATED), ()
        return Spacing(*imager, SpacingKind.DETECTOR), ()
    if pixel and _is_slice(dataset):
        return Spacing(*pixel, SpacingKind.CALIBRATED), ()
    if scanned := _pair(dataset, "NominalScannedPixelSpacing"):
        return Spacing(*scanned, SpacingKind.SCANNER), ()
    return Spacing(shape=_shape(dataset)), (UNSURE_NOTE,) if pixel else ()


def _is_slice(dataset: Dataset) -> bool:
    is_cross_sectional = text(dataset, "Modality") in _CROSS_SECTIONAL
    return is_cross_sectional or text(dataset, "SOPClassUID") in _RECONSTRUCTED


def _shape(dataset: Dataset) -> float:
    """Height over width. PixelAspectRatio is present where no spacing is (PS3.3 C.7.6.3.1.7)."""
    pairs = (_pair(dataset, keyword) for keyword in SHAPES)
    height, width = next((pair for pair in pairs if pair), (1.0, 1.0))
    return height / width


def _is_same(first: _Pair, second: _Pair) -> bool:
    return all(
        math.isclose(one, other, rel_tol=SAME_SPACING)
        for one, other in zip(first, second, strict=True)
    )


def _pair(dataset: Dataset, keyword: str) -> _Pair | None:
    values = numbers(dataset, keyword)
    # Comparisons with NaN are false, so NaN is not a spacing.
    if len(values) == 2 and all(0 < value < 1e3 for value in values):
        return values[0], values[1]
    return None


def _magnification(dataset: Dataset) -> float | None:
    """ERMF, else SID/SOD; only values above 1 are possible for a diverging beam."""
    stated = number(dataset, "EstimatedRadiographicMagnificationFactor")
    detector = number(dataset, "DistanceSourceToDetector")
    patient = number(dataset, "DistanceSourceToPatient")
    computed = detector / patient if detector and patient else None
    return next((value for value in (stated, computed) if value and value > 1), None)
