"""Overlay planes compared with DCMTK, and the display shutter compared with its clauses."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, JPEGLSLossless, RLELossless

from tests.builders import phantom, write_dicom
from xrayview.display.picture import displayed_picture
from xrayview.display.shutter import visible_mask
from xrayview.domain.radiograph import Radiograph
from xrayview.io.readers import read_film, read_header

needs_dcmtk = pytest.mark.skipif(shutil.which("dcm2pnm") is None, reason="needs DCMTK's dcm2pnm")
FILM = phantom(32, 40, bits=12)
PLANE = np.zeros((10, 13), np.uint8)
PLANE[::2, 1:12] = PLANE[3] = 1
BLACK = np.zeros((64, 60), np.uint8)


def film(path: Path, frame: int = 0) -> Radiograph:
    return read_film(replace(read_header(path, path.parent), frame=frame))


def dcmtk(path: Path) -> npt.NDArray[np.int16]:
    picture = path.with_suffix(".pgm")
    command = ["dcm2pnm", "+Wi", "1", "+op", str(path), str(picture)]
    subprocess.run(command, check=True, timeout=60)
    return cv2.imdecode(np.fromfile(picture, np.uint8), cv2.IMREAD_UNCHANGED).astype(np.int16)


def packed(*frames: npt.NDArray[np.uint8]) -> bytes:
    data = np.packbits(np.concatenate([frame.ravel() for frame in frames]), bitorder="little")
    return data.tobytes() + b"\0" * (data.size % 2)


def add_plane(path: Path, group: int = 0x6000, **elements: Any) -> Path:
    """Add the elements of one overlay group to a film."""
    rows, columns = PLANE.shape
    values = {"0010": rows, "0011": columns, "0040": "G", "0050": [1, 1], "0100": 1, "0102": 0,
              "3000": packed(PLANE)} | elements  # fmt: skip
    vrs = {"0010": "US", "0011": "US", "0015": "IS", "0040": "CS", "0050": "SS", "0051": "US",
           "0100": "US", "0102": "US", "1500": "LO", "3000": "OW"}  # fmt: skip
    dataset = pydicom.dcmread(path)
    for element, value in values.items():
        if value is not None:
            dataset.add_new(group << 16 | int(element, 16), vrs[element], value)
    dataset.save_as(path)
    return path


@needs_dcmtk
@pytest.mark.parametrize("origin", [[1, 1], [5, 9], [-2, -3], [28, 35]])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_that_graphics_are_where_dcmtk_draws_them(
    origin: list[int], photometric: str, tmp_path: Path
) -> None:
    path = write_dicom(
        tmp_path / "film.dcm", FILM, bits_stored=12, windows=[(2048, 4096)], photometric=photometric
    )
    add_plane(path, 0x6002, **{"0050": origin})
    picture = displayed_picture(film(path)).astype(np.int16)
    assert np.abs(picture - dcmtk(path)).max() <= 1
    assert (picture == 255).sum() > 5


@needs_dcmtk
@pytest.mark.parametrize("name", ["examples_overlay.dcm", "MR-SIEMENS-DICOM-WithOverlays.dcm"])
def test_that_overlays_of_real_files_look_as_in_dcmtk(name: str, tmp_path: Path) -> None:
    source = get_testdata_file(name, download=False)
    if source is None:
        pytest.skip("pydicom-data is not installed")
    path = Path(shutil.copy(source, tmp_path / name))
    radiograph = film(path)
    difference = displayed_picture(radiograph).astype(np.int16) - dcmtk(path)
    assert np.abs(difference).max() <= 1
    plain = displayed_picture(radiograph, overlays=False)
    assert (displayed_picture(radiograph) != plain).any()


def in_high_bits(path: Path, syntax: str = ExplicitVRLittleEndian) -> tuple[Path, npt.NDArray[Any]]:
    """A film of 12 bits with a plane in bit 14 of its cells."""
    plane = np.zeros(FILM.shape, np.uint16)
    plane[4:9, 7:30] = 1
    write_dicom(
        path, FILM | plane << 14, bits_stored=16, windows=[(2048, 4096)], transfer_syntax=syntax
    )
    dataset = pydicom.dcmread(path)
    dataset.BitsStored, dataset.HighBit = 12, 11
    dataset.save_as(path)
    rows, columns = FILM.shape
    add_plane(
        path,
        **{"0010": rows, "0011": columns, "0100": 16, "0102": 14, "3000": None},
    )
    return path, plane.astype(bool)


@needs_dcmtk
def test_that_a_plane_in_the_unused_bits_looks_as_in_dcmtk(tmp_path: Path) -> None:
    path, plane = in_high_bits(tmp_path / "film.dcm")
    picture = displayed_picture(film(path)).astype(np.int16)
    assert np.abs(picture - dcmtk(path)).max() <= 1
    assert (picture[plane] == 255).all()


def test_that_a_plane_in_the_unused_bits_does_not_change_the_stored_values(tmp_path: Path) -> None:
    path, plane = in_high_bits(tmp_path / "film.dcm", ExplicitVRBigEndian)
    radiograph = film(path)
    np.testing.assert_array_equal(radiograph.pixels_HW, FILM)
    np.testing.assert_array_equal(radiograph.overlays[0].bits_HW, plane)


def test_that_words_of_a_big_endian_file_are_put_in_order(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "film.dcm", FILM, transfer_syntax=ExplicitVRBigEndian)
    swapped = np.frombuffer(packed(PLANE), np.uint16).byteswap().tobytes()
    add_plane(path, **{"3000": swapped})
    np.testing.assert_array_equal(film(path).overlays[0].bits_HW, PLANE.astype(bool))


def test_that_each_frame_has_its_own_plane(tmp_path: Path) -> None:
    frames = np.stack([phantom(bits=8)] * 4)
    path = write_dicom(tmp_path / "film.dcm", frames, frames=4)
    add_plane(path, **{"0015": 2, "0051": 2, "3000": packed(PLANE, 1 - PLANE)})
    overlays = [film(path, frame).overlays for frame in range(4)]
    assert [len(planes) for planes in overlays] == [0, 1, 1, 0]
    np.testing.assert_array_equal(overlays[1][0].bits_HW, PLANE.astype(bool))
    np.testing.assert_array_equal(overlays[2][0].bits_HW, PLANE == 0)


@pytest.mark.parametrize(
    "broken", [{"3000": b"\0\0"}, {"0010": 0}, {"0010": 60000, "0011": 60000}, {"3000": None}]
)
def test_that_a_broken_plane_is_a_note_and_not_a_failure(
    broken: dict[str, Any], tmp_path: Path
) -> None:
    radiograph = film(add_plane(write_dicom(tmp_path / "film.dcm", FILM), **broken))
    assert radiograph.overlays == ()
    assert radiograph.notes == ("the overlay plane of group 6000 cannot be read",)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, RLELossless])
def test_that_a_plane_lost_in_compression_is_a_note(syntax: str, tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "film.dcm", FILM, bits_stored=12, transfer_syntax=syntax)
    add_plane(path, **{"0100": 16, "0102": 14, "3000": None})
    assert film(path).notes == ("the overlay plane of group 6000 cannot be read",)


def test_that_a_region_of_interest_is_kept_and_not_drawn(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "film.dcm", FILM)
    radiograph = film(add_plane(path, **{"0040": "R", "1500": "LUNG"}))
    assert (radiograph.overlays[0].is_roi, radiograph.overlays[0].label) == (True, "LUNG")
    np.testing.assert_array_equal(
        displayed_picture(radiograph), displayed_picture(radiograph, overlays=False)
    )


# The shutter: DCMTK ignores that of an image, so the clauses are the reference


def shuttered(path: Path, **tags: Any) -> Radiograph:
    return film(write_dicom(path, BLACK, windows=[(128, 256)], **tags))


RECTANGLE = {
    "ShutterUpperHorizontalEdge": 11, "ShutterLowerHorizontalEdge": 20,
    "ShutterLeftVerticalEdge": 5, "ShutterRightVerticalEdge": 44,
}  # fmt: skip
CIRCLE = {"CenterOfCircularShutter": [31, 21], "RadiusOfCircularShutter": 10}
POLYGON = {"VerticesOfThePolygonalShutter": [1, 1, 1, 21, 21, 1]}


def test_that_a_rectangle_hides_everything_outside_its_edges(tmp_path: Path) -> None:
    radiograph = shuttered(tmp_path / "a.dcm", ShutterShape="RECTANGULAR", **RECTANGLE)
    visible = visible_mask(radiograph)
    assert visible is not None
    assert visible.sum() == 10 * 40
    assert visible[10:20, 4:44].all()


def test_that_a_circle_is_round_in_millimetres(tmp_path: Path) -> None:
    plain = visible_mask(shuttered(tmp_path / "a.dcm", ShutterShape="CIRCULAR", **CIRCLE))
    assert plain is not None
    assert plain.sum() == pytest.approx(np.pi * 100, rel=0.03)
    assert plain[30, 10:31].all()
    assert not plain[30, [9, 31]].any()
    oblong = visible_mask(
        shuttered(
            tmp_path / "b.dcm", ShutterShape="CIRCULAR", ImagerPixelSpacing=[0.2, 0.1], **CIRCLE
        )
    )
    assert oblong is not None
    assert np.ptp(np.nonzero(oblong)[0]) == 10
    assert np.ptp(np.nonzero(oblong)[1]) == 20


def test_that_a_polygon_hides_everything_outside_its_corners(tmp_path: Path) -> None:
    visible = visible_mask(shuttered(tmp_path / "a.dcm", ShutterShape="POLYGONAL", **POLYGON))
    assert visible is not None
    np.testing.assert_array_equal(visible, np.add.outer(np.arange(64), np.arange(60)) <= 20)


def test_that_several_shapes_leave_what_is_inside_all_of_them(tmp_path: Path) -> None:
    shapes = ["RECTANGULAR", "POLYGONAL"]
    radiograph = shuttered(tmp_path / "a.dcm", ShutterShape=shapes, **RECTANGLE, **POLYGON)
    visible = visible_mask(radiograph)
    assert visible is not None
    inside = np.add.outer(np.arange(64), np.arange(60)) <= 20
    inside[:10] = inside[20:] = inside[:, :4] = False
    np.testing.assert_array_equal(visible, inside)


def test_that_the_hidden_part_has_the_grey_that_the_file_asks_for(tmp_path: Path) -> None:
    radiograph = shuttered(
        tmp_path / "a.dcm",
        ShutterShape="RECTANGULAR",
        ShutterPresentationValue=0xFFFF,
        **RECTANGLE,
    )
    picture = displayed_picture(radiograph)
    assert picture[0, 0] == 255
    assert picture[12, 12] == 0
    np.testing.assert_array_equal(displayed_picture(radiograph, invert=True)[0, 0], 255)


@pytest.mark.parametrize(
    "tags",
    [
        {"ShutterShape": "RECTANGULAR", "ShutterUpperHorizontalEdge": 3},
        {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [1, 1]},
        {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [1, 1, 5, 5]},
        {"ShutterShape": "BITMAP"},
    ],
)
def test_that_a_broken_shutter_hides_nothing(tags: dict[str, Any], tmp_path: Path) -> None:
    radiograph = shuttered(tmp_path / "a.dcm", **tags)
    assert radiograph.shutter is None
    assert radiograph.notes == ("a shutter without usable edges is ignored",)
