"""The functional groups of an Enhanced object: each frame has its own grey-scale, spacing, side."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tests.builders import lut_item, phantom, write_dicom
from xrayview.display.inspector import pipeline_steps, spacing_attributes
from xrayview.display.picture import displayed_picture
from xrayview.domain.radiograph import Radiograph, SpacingKind, VoiFunction
from xrayview.io.dicom.functional_groups import MACROS
from xrayview.io.readers import read_film, read_header

VALUES = "PixelValueTransformationSequence"
VOI = "FrameVOILUTSequence"
ENHANCED_XA = "1.2.840.10008.5.1.4.1.1.12.1.1"
TOMOSYNTHESIS = "1.2.840.10008.5.1.4.1.1.13.1.3"


def item(**values: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def groups(**macros: dict[str, Any]) -> Dataset:
    """Functional groups of one frame, or shared by all."""
    return item(**{macro: [item(**values)] for macro, values in macros.items()})


def frames_of(path: Path) -> list[Radiograph]:
    first = read_header(path, path.parent)
    return [read_film(replace(first, frame=number)) for number in range(first.frames)]


def enhanced(path: Path, **options: Any) -> list[Radiograph]:
    frames = np.stack([phantom(), phantom()[::-1], phantom()[:, ::-1]])
    options = {"SOPClassUID": ENHANCED_XA, "Modality": "XA", **options}
    return frames_of(write_dicom(path, frames, frames=3, bits_stored=12, **options))


@pytest.mark.parametrize("keyword", sorted({*MACROS, *(k for row in MACROS.values() for k in row)}))
def test_that_the_macros_are_in_the_dictionary(keyword: str) -> None:
    assert tag_for_keyword(keyword) is not None


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_that_each_frame_is_displayed_by_its_own_groups(tmp_path: Path, syntax: str) -> None:
    slopes, centers = (1, 2, 0.5), (1000, 4000, 900)
    own = [
        groups(
            PixelValueTransformationSequence={"RescaleSlope": m, "RescaleIntercept": -10},
            FrameVOILUTSequence={"WindowCenter": c, "WindowWidth": 800},
        )
        for m, c in zip(slopes, centers, strict=True)
    ]
    films = enhanced(
        tmp_path / "xa.dcm", transfer_syntax=syntax, PerFrameFunctionalGroupsSequence=own
    )
    for film, slope, center in zip(films, slopes, centers, strict=True):
        values = film.pixels_HW.astype(float) * slope - 10
        # PS3.3 C.11.2.1.2.1
        grey = np.clip((values - (center - 0.5)) / 799 + 0.5, 0, 1) * 255
        assert np.abs(displayed_picture(film) - grey).max() <= 1


def test_that_a_frames_groups_override_shared_ones_and_those_the_top_level(
    tmp_path: Path,
) -> None:
    shared = groups(
        PixelValueTransformationSequence={"RescaleSlope": 3, "RescaleIntercept": 0},
        FrameVOILUTSequence={"WindowCenter": 500, "WindowWidth": 400},
    )
    own = [
        groups(),
        groups(FrameVOILUTSequence={"WindowCenter": 700, "WindowWidth": 300}),
        groups(FrameVOILUTSequence={}),
    ]
    films = enhanced(
        tmp_path / "xa.dcm",
        slope=9,
        windows=[(1, 2)],
        voi_function="SIGMOID",
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=own,
    )
    assert [film.greyscale.slope for film in films] == [3, 3, 3]
    assert [film.greyscale.windows[0].center for film in films] == [500, 700, 500]
    # The function at the top level does not belong to these windows.
    assert {film.greyscale.windows[0].function for film in films} == {VoiFunction.LINEAR}
    plain = enhanced(tmp_path / "plain.dcm", slope=9, windows=[(1, 2)])
    assert [film.greyscale.slope for film in plain] == [9, 9, 9]
    assert plain[0].attribute_paths == {}


def test_that_a_lut_of_the_frame_overrides_a_shared_window(tmp_path: Path) -> None:
    lut = lut_item(0, np.linspace(65535, 0, 4096).astype(int), explanation="TURNED")
    own = [groups(FrameVOILUTSequence={"VOILUTSequence": [lut]}), groups(), groups()]
    films = enhanced(
        tmp_path / "xa.dcm", windows=[(2048, 4096)], PerFrameFunctionalGroupsSequence=own
    )
    assert [len(film.greyscale.voi_luts) for film in films] == [1, 0, 0]
    assert [len(film.greyscale.windows) for film in films] == [0, 1, 1]
    lightest = displayed_picture(films[0]).max()
    assert displayed_picture(films[0])[films[0].pixels_HW == 0].tolist() == [lightest]


def test_that_steps_have_the_path_of_their_attributes(tmp_path: Path) -> None:
    own = [
        groups(PixelValueTransformationSequence={"RescaleSlope": 2, "RescaleIntercept": 5}),
        groups(),
        groups(PixelValueTransformationSequence={"RescaleSlope": 4, "RescaleIntercept": 5}),
    ]
    shared = groups(
        FrameVOILUTSequence={"WindowCenter": 500, "WindowWidth": 400},
        FramePixelDataPropertiesSequence={"ImagerPixelSpacing": [0.2, 0.2]},
    )
    films = enhanced(
        tmp_path / "xa.dcm",
        intercept=7,
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=own,
    )
    steps = [{step.name: step for step in pipeline_steps(film)} for film in films]
    assert [frame["Rescale"].attributes[0].tag for frame in steps] == [
        "(5200,9230)[0] > (0028,9145) > (0028,1053)",
        "(0028,1053)",
        "(5200,9230)[2] > (0028,9145) > (0028,1053)",
    ]
    assert [frame["Rescale"].value for frame in steps] == [
        "slope 2, intercept 5", "slope 1, intercept 7", "slope 4, intercept 5",
    ]  # fmt: skip
    assert steps[1]["Window"].attributes[0].tag == "(5200,9229) > (0028,9132) > (0028,1050)"
    assert films[0].spacing.kind is SpacingKind.DETECTOR
    (spacing,) = spacing_attributes(films[0])
    assert spacing.tag == "(5200,9229) > (0028,9443) > (0018,1164)"


def test_that_spacing_orientation_and_laterality_are_those_of_the_frame(tmp_path: Path) -> None:
    own = [
        groups(
            PlaneOrientationSequence={"ImageOrientationPatient": cosines},
            FrameAnatomySequence={"FrameLaterality": side},
        )
        for cosines, side in (
            ([1, 0, 0, 0, 0, -1], "R"),
            ([0, 1, 0, 0, 0, -1], "L"),
            ([0.6, 0.8, 0, 0, 0.05, -0.99875], "B"),
        )
    ]
    shared = groups(PixelMeasuresSequence={"PixelSpacing": [0.1, 0.2]})
    films = enhanced(
        tmp_path / "tomo.dcm",
        SOPClassUID=TOMOSYNTHESIS,
        Modality="MG",
        PatientOrientation=["A", "F"],
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=own,
    )
    assert [film.orientation for film in films] == [("L", "F"), ("P", "F"), ("PL", "F")]
    assert [film.ref.laterality for film in films] == ["R", "L", "B"]
    spacing = films[0].spacing
    assert (spacing.row_mm, spacing.column_mm, spacing.kind) == (0.1, 0.2, SpacingKind.CALIBRATED)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_that_the_list_has_the_laterality_shared_by_all_frames(tmp_path: Path, syntax: str) -> None:
    side = groups(FrameAnatomySequence={"FrameLaterality": "L"})
    other = groups(FrameAnatomySequence={"FrameLaterality": "R"})
    write = {"frames": 3, "Modality": "MG", "transfer_syntax": syntax, "ImageLaterality": "U"}
    frames = np.stack([phantom()] * 3)
    shared = write_dicom(
        tmp_path / "shared.dcm", frames, SharedFunctionalGroupsSequence=[side], **write
    )
    own = write_dicom(
        tmp_path / "own.dcm", frames, SharedFunctionalGroupsSequence=[groups()],
        PerFrameFunctionalGroupsSequence=[side, other, other], **write,
    )  # fmt: skip
    assert read_header(shared, tmp_path).laterality == "L"
    assert read_header(own, tmp_path).laterality == "U"


def test_that_the_shutter_of_a_frame_covers_only_that_frame(tmp_path: Path) -> None:
    shutter = {
        "ShutterShape": "RECTANGULAR",
        "ShutterLeftVerticalEdge": 5,
        "ShutterRightVerticalEdge": 30,
        "ShutterUpperHorizontalEdge": 5,
        "ShutterLowerHorizontalEdge": 40,
    }
    own = [groups(), groups(FrameDisplayShutterSequence=shutter), groups()]
    films = enhanced(tmp_path / "xa.dcm", PerFrameFunctionalGroupsSequence=own)
    assert [film.shutter is not None for film in films] == [False, True, False]


@pytest.mark.parametrize("broken", [[], [Dataset()]])
def test_that_groups_without_values_do_not_override_the_top_level(
    tmp_path: Path, broken: list[Dataset]
) -> None:
    films = enhanced(
        tmp_path / "xa.dcm",
        slope=2,
        SharedFunctionalGroupsSequence=broken,
        PerFrameFunctionalGroupsSequence=broken,
    )
    assert [film.greyscale.slope for film in films] == [2, 2, 2]


@pytest.mark.parametrize(
    ("cosines", "letters"),
    [
        ([1, 0, 0, 0, 1, 0], ("L", "P")),
        ([-1, 0, 0, 0, 0, 1], ("R", "H")),
        ([2, 0, 0, 0, 1, 0], ("", "")),
        ([0, 0, 0, 0, 0, 0], ("", "")),
        ([1, 0, 0], ("", "")),
    ],
)
def test_that_orientation_letters_come_from_direction_cosines(
    tmp_path: Path, cosines: list[float], letters: tuple[str, str]
) -> None:
    path = write_dicom(tmp_path / "ct.dcm", phantom(), ImageOrientationPatient=cosines)
    assert read_film(read_header(path, tmp_path)).orientation == letters
    animal = write_dicom(
        tmp_path / "dog.dcm",
        phantom(),
        ImageOrientationPatient=cosines,
        AnatomicalOrientationType="QUADRUPED",
    )
    assert read_film(read_header(animal, tmp_path)).orientation == ("", "")


def real_enhanced_ct() -> Path:
    found = importlib.util.find_spec("data_store")
    folders = found.submodule_search_locations if found else None
    if not folders:
        pytest.skip("needs pydicom-data")
    return Path(folders[0]) / "data" / "eCT_Supplemental.dcm"


def test_that_a_real_enhanced_ct_has_the_values_of_its_groups() -> None:
    path = real_enhanced_ct()
    shared = dcmread(path).SharedFunctionalGroupsSequence[0]
    for film in frames_of(path):
        assert film.greyscale.intercept == shared[VALUES][0].RescaleIntercept
        window = film.greyscale.windows[0]
        assert (window.center, window.width) == (
            shared[VOI][0].WindowCenter,
            shared[VOI][0].WindowWidth,
        )
        assert film.spacing.row_mm == shared.PixelMeasuresSequence[0].PixelSpacing[0]


@pytest.mark.skipif(shutil.which("dcm2pnm") is None, reason="needs DCMTK's dcm2pnm")
def test_that_a_real_enhanced_ct_looks_as_in_dcmtk(tmp_path: Path) -> None:
    path = real_enhanced_ct()
    for number, film in enumerate(frames_of(path), start=1):
        window, out = film.greyscale.windows[0], tmp_path / "frame.pgm"
        # DCMTK 3.6.7 applies the rescale of the groups, but not their window.
        values = [f"{value:g}" for value in (window.center, window.width)]
        command = ["dcm2pnm", "+F", str(number), "+Ww", *values, "+op", str(path), str(out)]
        subprocess.run(command, check=True, timeout=60)
        theirs = cv2.imdecode(np.fromfile(out, np.uint8), cv2.IMREAD_UNCHANGED).astype(int)
        assert np.abs(displayed_picture(film) - theirs).max() <= 1
