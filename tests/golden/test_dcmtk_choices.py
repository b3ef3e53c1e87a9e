"""What a user can choose, compared with DCMTK: windows, LUTs, frames, depths, padding, graphics."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    XRayAngiographicImageStorage,
)

from tests.builders import lut_item, phantom, write_dicom
from tests.golden.test_overlay_parity import add_plane
from xrayview.display.picture import displayed_picture
from xrayview.display.voi import Voi
from xrayview.domain.radiograph import Radiograph
from xrayview.io.readers import read_film, read_header

pytestmark = pytest.mark.skipif(shutil.which("dcm2pnm") is None, reason="needs DCMTK's dcm2pnm")

PHOTOMETRICS = ["MONOCHROME1", "MONOCHROME2"]
WINDOWS = [(2048, 4096), (1000.5, 300, "NARROW"), (3000, 77)]


def film(path: Path, frame: int = 0) -> Radiograph:
    return read_film(replace(read_header(path, path.parent), frame=frame))


def ours(radiograph: Radiograph, voi: Voi | None = None) -> npt.NDArray[np.int16]:
    return displayed_picture(radiograph, voi).astype(np.int16)


def dcmtk(path: Path, *options: str) -> npt.NDArray[np.int16]:
    picture = path.with_suffix(".pgm")
    subprocess.run(["dcm2pnm", *options, "+op", str(path), str(picture)], check=True, timeout=60)
    grey_HW = cv2.imdecode(np.fromfile(picture, np.uint8), cv2.IMREAD_UNCHANGED)
    return np.asarray(grey_HW, dtype=np.int16)


@pytest.mark.parametrize("index", [1, 2, 3])
@pytest.mark.parametrize("photometric", PHOTOMETRICS)
@pytest.mark.parametrize("function", ["", "SIGMOID"])
def test_that_every_window_of_a_file_looks_as_in_dcmtk(
    index: int, photometric: str, function: str, tmp_path: Path
) -> None:
    path = write_dicom(
        tmp_path / "film.dcm",
        phantom(64, 60),
        bits_stored=12,
        photometric=photometric,
        windows=WINDOWS,
        voi_function=function,
    )
    radiograph = film(path)
    grey = ours(radiograph, radiograph.greyscale.windows[index - 1])
    assert np.abs(grey - dcmtk(path, "+Wi", str(index))).max() <= 1


@pytest.mark.parametrize("index", [1, 2])
@pytest.mark.parametrize("photometric", PHOTOMETRICS)
def test_that_every_voi_lut_of_a_file_looks_as_in_dcmtk(
    index: int, photometric: str, tmp_path: Path
) -> None:
    rising = np.linspace(0, 1, 4096)
    luts = [lut_item(0, np.rint(65535 * rising**2), 16), lut_item(100, np.rint(1023 * rising), 10)]
    path = write_dicom(
        tmp_path / "film.dcm", phantom(64, 60), bits_stored=12, photometric=photometric,
        voi_luts=luts,
    )  # fmt: skip
    radiograph = film(path)
    grey = ours(radiograph, radiograph.greyscale.voi_luts[index - 1])
    assert np.abs(grey - dcmtk(path, "+Wl", str(index))).max() <= 1


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("vr", ["US", "SS"])
@pytest.mark.parametrize(
    ("signed", "slope", "intercept", "first"),
    [(False, 1, -1024, -1024), (False, -1, 0, -4095), (True, 1, 0, -2048), (True, 2, 0, -4000)],
)
def test_that_a_voi_lut_from_a_negative_value_looks_as_in_dcmtk(
    syntax: str, vr: str, signed: bool, slope: int, intercept: int, first: int, tmp_path: Path
) -> None:
    path = write_dicom(
        tmp_path / "film.dcm", phantom(64, 60, signed=signed), bits_stored=12, slope=slope,
        intercept=intercept, transfer_syntax=syntax,
        voi_luts=[lut_item(first, np.arange(4096), 12, descriptor_vr=vr)],
    )  # fmt: skip
    grey = ours(film(path))
    assert np.ptp(grey) > 100
    assert np.abs(grey - dcmtk(path, "+Wl", "1")).max() <= 1


def test_that_a_lut_with_the_depth_as_declared_looks_as_in_dcmtk(tmp_path: Path) -> None:
    path = write_dicom(
        tmp_path / "film.dcm", phantom(64, 60), bits_stored=12,
        voi_luts=[lut_item(0, np.arange(4096), 16)],
    )  # fmt: skip
    radiograph = film(path)
    declared = ours(radiograph, radiograph.greyscale.voi_luts[0].as_declared)
    assert np.abs(declared - dcmtk(path, "+Wl", "1")).max() <= 1
    assert ours(radiograph).max() == 255


@pytest.mark.parametrize("relationship", ["LOG", "DISP"])
def test_that_an_angiogram_looks_as_in_dcmtk(relationship: str, tmp_path: Path) -> None:
    path = write_dicom(
        tmp_path / "film.dcm", phantom(64, 60), bits_stored=12, windows=[(1000, 1500)],
        modality_lut=lut_item(0, np.arange(4096)[::-1], 12), Modality="XA",
        SOPClassUID=XRayAngiographicImageStorage, PixelIntensityRelationship=relationship,
    )  # fmt: skip
    assert np.abs(ours(film(path)) - dcmtk(path, "+Wi", "1")).max() <= 1


@pytest.mark.parametrize("frame", [0, 1, 4])
def test_that_every_frame_looks_as_in_dcmtk(frame: int, tmp_path: Path) -> None:
    frames = np.stack([np.roll(phantom(48, 40), 5 * step, axis=0) for step in range(5)])
    path = write_dicom(
        tmp_path / "film.dcm", frames, frames=5, bits_stored=12, windows=[(2048, 4096)]
    )
    grey = ours(film(path, frame))
    assert np.abs(grey - dcmtk(path, "+Wi", "1", "+F", str(frame + 1))).max() <= 1


@pytest.mark.parametrize(("bits", "high_bit"), [(10, 9), (14, 13), (10, 15), (12, 12)])
@pytest.mark.parametrize("signed", [False, True])
def test_that_every_position_of_the_bits_in_their_cells_looks_as_in_dcmtk(
    bits: int, high_bit: int, signed: bool, tmp_path: Path
) -> None:
    center = 0 if signed else 2 ** (bits - 1)
    path = write_dicom(
        tmp_path / "film.dcm",
        phantom(64, 60, bits, signed=signed),
        bits_stored=bits,
        high_bit=high_bit,
        windows=[(center, 2**bits * 0.8)],
    )
    assert np.abs(ours(film(path)) - dcmtk(path, "+Wi", "1")).max() <= 1


@pytest.mark.parametrize("photometric", PHOTOMETRICS)
@pytest.mark.parametrize("limit", [None, 40])
def test_that_padding_is_black_and_the_image_around_it_is_as_in_dcmtk(
    photometric: str, limit: int | None, tmp_path: Path
) -> None:
    # DCMTK windows padding like the image; here it is background (PS3.3 C.7.5.1.1.2).
    pixels = np.clip(phantom(64, 60), 100, None)
    pixels[:9], pixels[:9, ::2] = 0, 40 if limit else 0
    tags: dict[str, Any] = {"PixelPaddingValue": 0}
    if limit:
        tags["PixelPaddingRangeLimit"] = limit
    path = write_dicom(
        tmp_path / "film.dcm", pixels, bits_stored=12, photometric=photometric,
        windows=[(2048, 4096)], **tags,
    )  # fmt: skip
    grey = ours(film(path))
    assert (grey[:9] == 0).all()
    assert np.abs(grey[9:] - dcmtk(path, "+Wi", "1")[9:]).max() <= 1


@pytest.mark.parametrize("photometric", PHOTOMETRICS)
@pytest.mark.parametrize("shape", ["", "INVERSE"])
@pytest.mark.parametrize("voi", ["window", "lut"])
def test_that_graphics_are_white_over_every_grey_scale_as_in_dcmtk(
    photometric: str, shape: str, voi: str, tmp_path: Path
) -> None:
    lut = lut_item(0, np.rint(4095 * np.linspace(0, 1, 4096) ** 2), 12)
    path = write_dicom(
        tmp_path / "film.dcm",
        phantom(64, 60),
        bits_stored=12,
        photometric=photometric,
        windows=[(2048, 4096)],
        voi_luts=[lut] if voi == "lut" else [],
        slope=1,
        intercept=0,
        **({"PresentationLUTShape": shape} if shape else {}),
    )
    add_plane(path, 0x6000, **{"0050": [3, 5]})
    add_plane(path, 0x6004, **{"0050": [40, 30]})
    grey = ours(film(path))
    assert np.abs(grey - dcmtk(path, "+Wl" if voi == "lut" else "+Wi", "1")).max() <= 1
    assert (grey == 255).sum() > 50
