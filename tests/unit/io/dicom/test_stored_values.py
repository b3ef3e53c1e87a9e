"""The summary of stored values describes the file before any transformation."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRBigEndian, JPEGLSLossless

from tests.builders import phantom, tiff_bytes, write_dicom, write_raster
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.readers import read_stored_values

REAL = [
    "CT_small.dcm", "MR_small_bigendian.dcm", "MR_small_RLE.dcm", "rtdose.dcm",
    "SC_rgb_rle_2frame.dcm", "RG1_UNCR.dcm", "RG3_UNCR.dcm", "JPEG-LL.dcm",
]  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_that_real_files_have_the_hash_of_the_array_in_pydicom(name: str) -> None:
    source = get_testdata_file(name, download=False)
    if source is None:
        pytest.skip("pydicom-data is not installed")
    array = pydicom.dcmread(source).pixel_array
    stored = read_stored_values(Path(str(source)))
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    assert stored.shape == array.shape
    assert stored.dtype == array.dtype.name
    assert (stored.minimum, stored.maximum) == (array.min(), array.max())
    assert stored.sha256 == hashlib.sha256(little.tobytes()).hexdigest()


@pytest.mark.parametrize("syntax", [ExplicitVRBigEndian, JPEGLSLossless])
def test_that_the_hash_does_not_depend_on_the_transfer_syntax(syntax: str, tmp_path: Path) -> None:
    pixels = phantom(bits=12)
    plain = read_stored_values(write_dicom(tmp_path / "plain.dcm", pixels, bits_stored=12))
    other = read_stored_values(
        write_dicom(tmp_path / "other.dcm", pixels, bits_stored=12, transfer_syntax=syntax)
    )
    assert other == plain
    assert plain.sha256 == hashlib.sha256(pixels.astype("<u2").tobytes()).hexdigest()


def test_that_signed_values_are_not_rescaled(tmp_path: Path) -> None:
    pixels = phantom(bits=8, signed=True)
    stored = read_stored_values(write_dicom(tmp_path / "film.dcm", pixels, slope=2, intercept=5))
    assert (stored.dtype, stored.minimum, stored.maximum) == ("int8", -128, 127)


def test_that_frames_are_hashed_in_order(tmp_path: Path) -> None:
    pixels = np.stack([phantom(bits=8), 255 - phantom(bits=8)])
    stored = read_stored_values(write_dicom(tmp_path / "film.dcm", pixels, frames=2))
    assert stored.shape == pixels.shape
    assert stored.sha256 == hashlib.sha256(pixels.tobytes()).hexdigest()


def test_that_colour_is_hashed_in_the_order_red_green_blue(tmp_path: Path) -> None:
    rgb = np.dstack([phantom(bits=8), 255 - phantom(bits=8), phantom(bits=8) // 2])
    stored = read_stored_values(write_raster(tmp_path / "film.png", rgb))
    assert stored.shape == rgb.shape
    assert stored.sha256 == hashlib.sha256(rgb.tobytes()).hexdigest()


def test_that_a_file_without_an_image_has_no_stored_values() -> None:
    with pytest.raises(UnreadableFilm) as caught:
        read_stored_values(Path(str(get_testdata_file("reportsi.dcm", download=False))))
    assert caught.value.code is StatusCode.NO_PIXELS


def test_that_pages_of_different_sizes_have_no_common_summary(tmp_path: Path) -> None:
    path = tmp_path / "film.tif"
    path.write_bytes(tiff_bytes(phantom(bits=8), phantom(bits=8).T))
    with pytest.raises(UnreadableFilm, match="differ in size"):
        read_stored_values(path)
    path.write_bytes(tiff_bytes(phantom(bits=8), phantom(bits=8)))
    assert read_stored_values(path).shape == (2, 48, 40)
