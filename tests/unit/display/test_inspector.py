"""The pipeline inspector names each step with its value and where it was read from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from pydicom.datadict import tag_for_keyword

from tests.builders import lut_item, phantom, write_dicom, write_raster
from xrayview.display.inspector import TAGS, pipeline_steps, spacing_attributes
from xrayview.display.voi import auto_window, drag_window
from xrayview.domain.inspection import Step
from xrayview.domain.radiograph import Radiograph, Window
from xrayview.io.readers import read_film, read_header

SHUTTER = {
    "ShutterShape": "RECTANGULAR",
    "ShutterLeftVerticalEdge": 5,
    "ShutterRightVerticalEdge": 30,
    "ShutterUpperHorizontalEdge": 5,
    "ShutterLowerHorizontalEdge": 40,
}


def film(path: Path) -> Radiograph:
    return read_film(read_header(path, path.parent))


def named(steps: tuple[Step, ...]) -> dict[str, Step]:
    return {step.name: step for step in steps}


@pytest.mark.parametrize("keyword", TAGS)
def test_that_every_tag_is_that_of_the_dictionary(keyword: str) -> None:
    number = tag_for_keyword(keyword)
    assert number is not None
    assert TAGS[keyword] == f"({number >> 16:04X},{number & 0xFFFF:04X})"


def test_that_steps_have_value_and_tag_in_the_order_of_the_standard(tmp_path: Path) -> None:
    path = write_dicom(
        tmp_path / "film.dcm",
        phantom(),
        photometric="MONOCHROME1",
        bits_stored=12,
        slope=2,
        intercept=-100,
        windows=[(2048, 4096, "WIDE")],
        voi_function="SIGMOID",
        PresentationLUTShape="INVERSE",
        PixelPaddingValue=7,
    )
    steps = pipeline_steps(film(path))
    assert [step.name for step in steps] == [
        "Stored values", "Pixel padding", "Rescale", "Window", "Inversion",
    ]  # fmt: skip
    rescale = named(steps)["Rescale"]
    assert rescale.value == "slope 2, intercept -100"
    assert [(a.keyword, a.tag, a.value) for a in rescale.attributes] == [
        ("RescaleSlope", "(0028,1053)", "2.0"),
        ("RescaleIntercept", "(0028,1052)", "-100.0"),
    ]
    assert named(steps)["Window"].value == "centre 2048, width 4096, SIGMOID WIDE"
    assert named(steps)["Inversion"].value.startswith("inverted")
    shape = named(steps)["Inversion"].attributes[1]
    assert (shape.keyword, shape.value) == ("PresentationLUTShape", "INVERSE")
    assert {step.origin for step in steps} == {"file"}


def test_that_luts_are_named_with_their_sequences(tmp_path: Path) -> None:
    entries = np.arange(4096, dtype=np.uint16)
    path = write_dicom(
        tmp_path / "film.dcm",
        phantom(),
        bits_stored=12,
        modality_lut=lut_item(0, entries, 12),
        voi_luts=[lut_item(0, entries, 12, explanation="CHEST")],
        windows=[(1, 2)],
    )
    steps = named(pipeline_steps(film(path)))
    assert steps["Modality LUT"].attributes[0].tag == "(0028,3000)"
    assert steps["VOI LUT"].value == "CHEST: 4096 entries from 0, 12 bits"
    assert steps["VOI LUT"].attributes[0].value == "items: 1"
    assert "Window" not in steps


def test_that_the_depth_of_a_lut_is_named_where_it_is_not_the_declared_one(tmp_path: Path) -> None:
    entries = np.arange(4096, dtype=np.uint16)
    path = write_dicom(tmp_path / "film.dcm", phantom(), voi_luts=[lut_item(0, entries, 16)])
    radiograph = film(path)
    value = "4096 entries from 0, 12 bits like the entries; 16 are declared"
    assert named(pipeline_steps(radiograph))["VOI LUT"].value == value
    declared = radiograph.greyscale.voi_luts[0].as_declared
    value = "VOI LUT (16 bits, as declared): 4096 entries from 0, 16 bits"
    assert named(pipeline_steps(radiograph, declared))["VOI LUT"].value == value


def test_that_a_modality_lut_that_is_not_for_display_is_named(tmp_path: Path) -> None:
    path = write_dicom(
        tmp_path / "film.dcm",
        phantom(),
        modality_lut=lut_item(0, np.arange(4096), 12),
        Modality="XA",
        PixelIntensityRelationship="LOG",
    )
    steps = named(pipeline_steps(film(path)))
    assert steps["Modality LUT"].value == "left out"
    assert [a.value for a in steps["Modality LUT"].attributes] == ["items: 1", "LOG"]
    assert steps["Rescale"].value == "slope 1, intercept 0"


def test_that_a_step_of_the_standards_default_has_no_tag(tmp_path: Path) -> None:
    steps = pipeline_steps(film(write_raster(tmp_path / "film.png", phantom(bits=8))))
    assert all(not step.attributes for step in steps)
    assert named(steps)["Rescale"].origin == "default"
    assert named(steps)["Window"].origin == "computed"


def test_that_a_window_of_the_user_is_not_attributed_to_the_file(tmp_path: Path) -> None:
    radiograph = film(write_dicom(tmp_path / "film.dcm", phantom(), windows=[(100, 200, "A")]))
    dragged = drag_window(Window(100, 200), 10, 0)
    steps = named(pipeline_steps(radiograph, dragged, invert=True))
    assert steps["Window"].origin == "user"
    assert steps["Window"].attributes == ()
    assert steps["Inversion by the user"].origin == "user"


def test_that_a_colour_film_says_that_it_is_shown_as_luminance(tmp_path: Path) -> None:
    rgb = np.zeros((8, 8, 3), np.uint8)
    steps = named(pipeline_steps(film(write_dicom(tmp_path / "film.dcm", rgb, photometric="RGB"))))
    assert steps["Colour"].attributes[0].value == "RGB"
    assert steps["Stored values"].attributes[0].value == "3"
    assert steps["Inversion"].value == "none"


def test_that_spacing_names_the_attributes_it_was_derived_from(tmp_path: Path) -> None:
    path = write_dicom(
        tmp_path / "film.dcm",
        phantom(),
        ImagerPixelSpacing=[0.2, 0.1],
        DistanceSourceToDetector=1800,
        DistanceSourceToPatient=1500,
    )
    found = {a.tag: a.value for a in spacing_attributes(film(path))}
    assert found == {"(0018,1164)": "0.2\\0.1", "(0018,1110)": "1800.0", "(0018,1111)": "1500.0"}


def test_that_a_palette_is_named_with_the_depth_after_it() -> None:
    path = Path(str(get_testdata_file("OT-PAL-8-face.dcm", download=False)))
    steps = named(pipeline_steps(film(path)))
    assert steps["Stored values"].value == "640 × 480"
    assert steps["Colour"].value == "through the palette, then luminance, Rec. 601, uint16"


@pytest.mark.parametrize(
    ("tags", "left_out"),
    [
        ({}, ""),
        ({"PixelPaddingValue": 0}, ", without padding"),
        ({"PixelPaddingValue": 0, **SHUTTER}, ", without padding and what the shutter hides"),
        (SHUTTER | {"ShutterLeftVerticalEdge": 400}, ""),
    ],
    ids=["nothing", "padding", "both", "a shutter that hides everything"],
)
def test_that_a_computed_window_names_the_pixels_that_it_leaves_out(
    tmp_path: Path, tags: dict[str, object], left_out: str
) -> None:
    radiograph = film(write_dicom(tmp_path / "film.dcm", phantom(), **tags))
    steps = named(pipeline_steps(radiograph, auto_window(radiograph)))
    assert steps["Window"].value.endswith(f"from the 0.5 to the 99.5 percentile{left_out}")
