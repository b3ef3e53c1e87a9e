"""The spacing of a DICOM film, and the plane it was measured in."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset

from xrayview.domain.radiograph import Spacing, SpacingKind
from xrayview.io.dicom.spacing import UNSURE_NOTE, spacing_of

NONE = Spacing()

CASES: tuple[tuple[str, dict[str, Any], Spacing], ...] = (
    ("nothing", {}, NONE),
    (
        "fiducial",
        {"PixelSpacing": [0.1, 0.2], "PixelSpacingCalibrationType": "FIDUCIAL"},
        Spacing(0.1, 0.2, SpacingKind.CALIBRATED),
    ),
    (
        "geometry",
        {"PixelSpacing": [0.1, 0.2], "PixelSpacingCalibrationType": "GEOMETRY"},
        Spacing(0.1, 0.2, SpacingKind.CORRECTED),
    ),
    (
        "differs from the detector's",
        {"PixelSpacing": [0.1, 0.1], "ImagerPixelSpacing": [0.14, 0.14]},
        Spacing(0.1, 0.1, SpacingKind.CORRECTED_UNKNOWN),
    ),
    (
        "equals the detector's",
        {"PixelSpacing": [0.14, 0.14], "ImagerPixelSpacing": [0.14, 0.14]},
        Spacing(0.14, 0.14, SpacingKind.DETECTOR),
    ),
    (
        "equals the detector's but for rounding",
        {"PixelSpacing": [0.1400001, 0.14], "ImagerPixelSpacing": [0.14, 0.13999999]},
        Spacing(0.14, 0.13999999, SpacingKind.DETECTOR),
    ),
    (
        "differs from the detector's by more than rounding",
        {"PixelSpacing": [0.1399, 0.1399], "ImagerPixelSpacing": [0.14, 0.14]},
        Spacing(0.1399, 0.1399, SpacingKind.CORRECTED_UNKNOWN),
    ),
    ("detector", {"ImagerPixelSpacing": [0.14, 0.15]}, Spacing(0.14, 0.15, SpacingKind.DETECTOR)),
    (
        "stated magnification",
        {"ImagerPixelSpacing": [0.14, 0.14], "EstimatedRadiographicMagnificationFactor": 1.4},
        Spacing(pytest.approx(0.1), pytest.approx(0.1), SpacingKind.ESTIMATED),
    ),
    (
        "measured magnification",
        {
            "ImagerPixelSpacing": [0.14, 0.28],
            "DistanceSourceToDetector": 1400,
            "DistanceSourceToPatient": 1000,
        },
        Spacing(pytest.approx(0.1), pytest.approx(0.2), SpacingKind.ESTIMATED),
    ),
    (
        "a magnification below 1 is impossible",
        {"ImagerPixelSpacing": [0.14, 0.14], "EstimatedRadiographicMagnificationFactor": 0.9},
        Spacing(0.14, 0.14, SpacingKind.DETECTOR),
    ),
    (
        "scanned film",
        {"NominalScannedPixelSpacing": [0.2, 0.2]},
        Spacing(0.2, 0.2, SpacingKind.SCANNER),
    ),
    ("zero", {"PixelSpacing": [0, 0], "PixelSpacingCalibrationType": "FIDUCIAL"}, NONE),
    ("negative", {"ImagerPixelSpacing": [-0.1, 0.1]}, NONE),
    ("one value", {"ImagerPixelSpacing": [0.1]}, NONE),
    (
        "zero beside a usable one",
        {"PixelSpacing": [0, 0], "ImagerPixelSpacing": [0.1, 0.1]},
        Spacing(0.1, 0.1, SpacingKind.DETECTOR),
    ),
    (
        "patient plane of a slice",
        {"Modality": "CT", "PixelSpacing": [0.7, 0.7]},
        Spacing(0.7, 0.7, SpacingKind.CALIBRATED),
    ),
)


@pytest.mark.parametrize(("tags", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_that_a_spacing_has_the_plane_it_was_measured_in(
    tags: dict[str, Any], expected: Spacing
) -> None:
    spacing, _ = spacing_of(dataset(Modality="DX") if not tags else dataset(**tags))
    assert spacing == expected


def test_that_only_pixel_spacing_on_a_projection_film_gives_no_millimetres() -> None:
    spacing, notes = spacing_of(dataset(Modality="CR", PixelSpacing=[0.1, 0.1]))
    assert spacing == Spacing()
    assert notes == (UNSURE_NOTE,)


def dataset(**tags: Any) -> Dataset:
    item = Dataset()
    for keyword, value in tags.items():
        setattr(item, keyword, value)
    return item


@pytest.mark.parametrize(("row", "aspect"), [(0.14, 1), (0.1400001, 1), (0.28, 2), (0.141, 1.007)])
def test_that_pixels_are_square_but_for_rounding(row: float, aspect: float) -> None:
    spacing, _ = spacing_of(dataset(ImagerPixelSpacing=[row, 0.14]))
    assert spacing.pixel_aspect == pytest.approx(aspect, abs=1e-3)
    assert (spacing.pixel_aspect == 1) is (aspect == 1)
