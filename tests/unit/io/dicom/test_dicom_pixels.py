"""Decoding of DICOM pixels: every sign, depth, photometric interpretation and transfer syntax."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEGLSLossless,
    RLELossless,
)

from tests.builders import (
    ENCODABLE_SYNTAXES,
    NATIVE_SYNTAXES,
    Array,
    phantom,
    write_dicom,
    write_encapsulated,
)
from tests.htj2k_frame import HTJ2K_FRAME
from xrayview.domain.radiograph import Radiograph
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.dicom.transfer_syntax import TRANSFER_SYNTAXES, TransferSyntax, decoders_of
from xrayview.io.raster.luminance import COLOUR_NOTE
from xrayview.io.readers import read_film, read_header

SYNTAXES = (*NATIVE_SYNTAXES, *ENCODABLE_SYNTAXES)


def read(path: Path, frame: int = 0) -> Radiograph:
    return read_film(replace(read_header(path, path.parent), frame=frame))


def real_film(name: str) -> Path:
    found = get_testdata_file(name, download=False)
    assert isinstance(found, str), f"{name} is not in pydicom or pydicom-data"
    return Path(found)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_that_stored_values_are_exact(tmp_path: Path, bits: int, signed: bool, syntax: str) -> None:
    stored = phantom(bits=bits, signed=signed)
    path = write_dicom(
        tmp_path / "film.dcm",
        stored,
        photometric="MONOCHROME1",
        bits_stored=bits,
        transfer_syntax=syntax,
    )
    radiograph = read(path)
    np.testing.assert_array_equal(radiograph.pixels_HW, stored)
    # A `Radiograph` has signed 8-bit values as 16 bits.
    assert radiograph.pixels_HW.dtype == (np.int16 if stored.dtype == np.int8 else stored.dtype)
    assert radiograph.pixels_HW.flags.c_contiguous
    assert radiograph.warnings == ()
    assert radiograph.greyscale.bits_stored == bits
    assert radiograph.ref.transfer_syntax == syntax


@pytest.mark.parametrize("syntax", [*NATIVE_SYNTAXES, RLELossless], ids=lambda uid: uid.name)
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_that_bits_above_the_high_bit_are_not_part_of_the_value(
    tmp_path: Path, signed: bool, syntax: str
) -> None:
    stored = phantom(bits=12, signed=signed)
    overlay = np.uint16(0x8000) * (np.indices(stored.shape).sum(0) % 3 == 0).astype(np.uint16)
    words = (stored.view(np.uint16) & np.uint16(0x0FFF)) | overlay
    path = write_dicom(tmp_path / "film.dcm", words, bits_stored=16, transfer_syntax=syntax)
    rewrite(path, syntax, BitsStored=12, HighBit=11, PixelRepresentation=int(signed))
    np.testing.assert_array_equal(read(path).pixels_HW, stored)


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_that_values_may_be_in_the_high_bits(tmp_path: Path, signed: bool) -> None:
    stored = phantom(bits=12, signed=signed)
    path = write_dicom(tmp_path / "film.dcm", stored, bits_stored=12, high_bit=15)
    np.testing.assert_array_equal(read(path).pixels_HW, stored)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint32, np.int32])
def test_that_32_bit_and_float_samples_are_supported(tmp_path: Path, dtype: type) -> None:
    stored = (phantom(bits=16).astype(np.float64) * 3 - 1000.5 * (dtype != np.uint32)).astype(dtype)
    pixels_HW = read(write_dicom(tmp_path / "film.dcm", stored)).pixels_HW
    np.testing.assert_array_equal(
        pixels_HW, stored.astype(np.float32) if dtype is np.float64 else stored
    )


def test_that_a_film_with_nan_or_infinity_is_refused(tmp_path: Path) -> None:
    stored = phantom(bits=8).astype(np.float32)
    stored[3, 4] = np.nan
    with pytest.raises(UnreadableFilm) as caught:
        read(write_dicom(tmp_path / "film.dcm", stored))
    assert caught.value.code is StatusCode.DECODE_FAILED


# -- frames ------------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.name)
@pytest.mark.parametrize("bits", [8, 12])
@pytest.mark.parametrize("frame", [0, 1, 2])
def test_that_the_requested_frame_is_decoded(
    tmp_path: Path, frame: int, bits: int, syntax: str
) -> None:
    # An odd number of pixels, so that frames do not start at even bytes.
    stored = np.stack([np.roll(phantom(35, 33, bits), shift, 0) for shift in (0, 5, 11)])
    path = write_dicom(
        tmp_path / "film.dcm", stored, bits_stored=bits, frames=3, transfer_syntax=syntax
    )
    assert read_header(path, tmp_path).frames == 3
    radiograph = read(path, frame)
    np.testing.assert_array_equal(radiograph.pixels_HW, stored[frame])
    assert radiograph.ref.frame == frame


@pytest.mark.parametrize("has_offsets", [True, False])
@pytest.mark.parametrize("frame", [0, 1, 2])
def test_that_frames_in_several_fragments_are_found(
    tmp_path: Path, frame: int, has_offsets: bool
) -> None:
    stored = np.stack([np.roll(phantom(), shift, 0) for shift in (0, 5, 11)])
    path = write_dicom(
        tmp_path / "film.dcm", stored, frames=3, bits_stored=12, transfer_syntax=JPEGLSLossless
    )
    dataset = pydicom.dcmread(path)
    frames = list(generate_frames(dataset.PixelData, number_of_frames=3))
    dataset.PixelData = encapsulate(frames, fragments_per_frame=4, has_bot=has_offsets)
    dataset.save_as(path)
    np.testing.assert_array_equal(read(path, frame).pixels_HW, stored[frame])


def test_that_a_missing_frame_is_refused(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "film.dcm", np.stack([phantom()] * 2), frames=2)
    with pytest.raises(UnreadableFilm, match="frame 3 was requested, the file has 2"):
        read(path, 2)


# -- colour ------------------------------------------------------------------------------------

RGB_GREY = np.array([0.299, 0.587, 0.114])
ROUNDING = {8: 0.51, 16: 1.1}
"""OpenCV's weights have 14 bits, which gives errors of one step in 16-bit values."""


def coloured(bits: int = 8) -> Array:
    grey = phantom(40, 36, bits)
    return np.stack([grey, grey[::-1], grey[:, ::-1]], axis=-1)


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("syntax", NATIVE_SYNTAXES, ids=lambda uid: uid.name)
def test_that_rgb_becomes_luminance_with_a_note(
    tmp_path: Path, syntax: str, bits: int, planar: int
) -> None:
    rgb = coloured(bits)
    path = write_dicom(
        tmp_path / "film.dcm", rgb, photometric="RGB", planar=planar, transfer_syntax=syntax
    )
    radiograph = read(path)
    assert radiograph.pixels_HW.dtype == rgb.dtype
    assert np.abs(radiograph.pixels_HW - rgb @ RGB_GREY).max() <= ROUNDING[bits]
    assert COLOUR_NOTE in radiograph.notes
    assert radiograph.greyscale.photometric == "MONOCHROME2"
    assert radiograph.greyscale.bits_stored == bits


def test_that_the_luminance_of_ybr_full_is_its_y_channel(tmp_path: Path) -> None:
    ybr = coloured()
    radiograph = read(write_dicom(tmp_path / "film.dcm", ybr, photometric="YBR_FULL"))
    np.testing.assert_array_equal(radiograph.pixels_HW, ybr[..., 0])


def test_that_grey_pixels_of_a_colour_film_keep_their_value(tmp_path: Path) -> None:
    grey = phantom(bits=16)
    rgb = np.stack([grey] * 3, axis=-1)
    np.testing.assert_array_equal(
        read(write_dicom(tmp_path / "film.dcm", rgb, photometric="RGB")).pixels_HW, grey
    )


def test_that_a_palette_becomes_luminance(tmp_path: Path) -> None:
    stored = phantom(bits=8)
    ramps = {"Red": np.arange(256), "Green": np.arange(256)[::-1], "Blue": np.full(256, 60)}
    tags = {}
    for colour, ramp in ramps.items():
        tags[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tags[f"{colour}PaletteColorLookupTableData"] = (ramp * 257).astype("<u2").tobytes()
    path = write_dicom(tmp_path / "film.dcm", stored, photometric="PALETTE COLOR", **tags)
    expected = sum(
        weight * ramp[stored] * 257 for weight, ramp in zip(RGB_GREY, ramps.values(), strict=True)
    )
    radiograph = read(path)
    assert np.abs(radiograph.pixels_HW - expected).max() <= ROUNDING[16]
    assert COLOUR_NOTE in radiograph.notes


def test_that_a_palette_film_without_palette_is_refused(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom(bits=8), photometric="PALETTE COLOR")
    with pytest.raises(UnreadableFilm, match="palette"):
        read(path)


# -- real films --------------------------------------------------------------------------------

REAL_GREY_FILMS = (
    "CT_small.dcm",  # explicit little endian, signed, with a preamble that is a TIFF header
    "MR_small_implicit.dcm",
    "MR_small_bigendian.dcm",
    "image_dfl.dcm",  # deflated
    "MR_small_RLE.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "MR_small_jp2klossless.dcm",
    "J2K_pixelrep_mismatch.dcm",
    "693_J2KI.dcm",  # lossy JPEG 2000, 14 bits, signed
    "JPEG2000.dcm",
    "JPEGLSNearLossless_08.dcm",
    "JPEGLSNearLossless_16.dcm",
    "JPEG-LL.dcm",  # JPEG lossless, process 14
    "JPGLosslessP14SV1_1s_1f_8b.dcm",
    "emri_small_RLE.dcm",  # 10 frames
    "emri_small_jpeg_2k_lossless.dcm",
    "emri_small_jpeg_ls_lossless.dcm",
    "liver_1frame.dcm",  # one bit
    "rtdose_1frame.dcm",  # 32 bits
    "RG1_UNCR.dcm",  # a chest
    "RG1_J2KR.dcm",
    "RG3_J2KI.dcm",
    "mlut_18.dcm",
    "vlut_04.dcm",
    "examples_overlay.dcm",
)


@pytest.mark.parametrize("name", REAL_GREY_FILMS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_that_a_real_film_has_the_same_values_as_in_pydicom(name: str) -> None:
    path = real_film(name)
    radiograph = read(path)
    expected = pydicom.dcmread(path).pixel_array
    first = expected[0] if radiograph.ref.frames > 1 else expected
    np.testing.assert_array_equal(radiograph.pixels_HW, first)
    assert radiograph.warnings == ()


REAL_COLOUR_FILMS = (
    "SC_rgb_jpeg_dcmtk.dcm",  # JPEG baseline, YBR_FULL
    "SC_rgb_dcmtk_+eb+cr.dcm",  # JPEG baseline, RGB
    "SC_rgb_rle.dcm",
    "SC_rgb_rle_16bit.dcm",
    "SC_rgb_gdcm_KY.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "SC_rgb_jls_lossy_line.dcm",
    "SC_rgb_small_odd_big_endian.dcm",
    "examples_ybr_color.dcm",  # 30 frames, JPEG baseline
    "examples_jpeg2k.dcm",
    "US1_J2KR.dcm",
)


@pytest.mark.parametrize("name", REAL_COLOUR_FILMS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_that_a_real_colour_film_has_the_luminance_of_its_rgb_in_pydicom(name: str) -> None:
    path = real_film(name)
    radiograph = read(path)
    rgb = pydicom.dcmread(path).pixel_array
    first = rgb[0] if radiograph.ref.frames > 1 else rgb
    # pydicom clips when it converts YBR to RGB, which the luminance does not need.
    difference = np.abs(radiograph.pixels_HW - first @ RGB_GREY)
    assert np.median(difference) <= 0.6
    assert np.percentile(difference, 99) <= 1.5
    assert COLOUR_NOTE in radiograph.notes


def test_that_12_bit_jpeg_extended_has_the_same_values_as_in_dcmtk() -> None:
    pixels = read(real_film("JPGExtended.dcm")).pixels_HW
    assert (pixels[420, 140], pixels[230, 120], int(pixels.sum())) == (244, 95, 3767007)


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, "1.2.840.10008.1.2.4.203"])
def test_that_high_throughput_jpeg_2000_is_decoded(tmp_path: Path, syntax: str) -> None:
    stored = phantom(bits=12)
    path = write_encapsulated(
        tmp_path / "film.dcm", [HTJ2K_FRAME], stored, bits_stored=12, transfer_syntax=syntax
    )
    np.testing.assert_array_equal(read(path).pixels_HW, stored)


# -- films that cannot be decoded --------------------------------------------------------------


@pytest.mark.parametrize("syntax", TRANSFER_SYNTAXES.values(), ids=lambda row: row.name)
def test_that_the_dependencies_decode_every_transfer_syntax(syntax: TransferSyntax) -> None:
    decoder, plugins = decoders_of(syntax)
    assert set(plugins) <= set(decoder.available_plugins) or not syntax.is_encapsulated


def test_that_the_error_of_a_missing_decoder_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom(), transfer_syntax=JPEGLSLossless)
    row = TRANSFER_SYNTAXES[JPEGLSLossless]
    bare = replace(row, plugins=(("not-installed", "pip install pyjpegls"),))
    monkeypatch.setitem(TRANSFER_SYNTAXES, JPEGLSLossless, bare)
    with pytest.raises(UnreadableFilm) as caught:
        read(path)
    assert caught.value.code is StatusCode.UNSUPPORTED_SYNTAX
    assert caught.value.hint == "pip install pyjpegls"


@pytest.mark.parametrize("uid", ["1.2.840.10008.1.2.4.100", "1.2.3.4"])
def test_that_an_unknown_transfer_syntax_is_refused_by_name(tmp_path: Path, uid: str) -> None:
    path = write_encapsulated(
        tmp_path / "film.dcm", [b"not a frame"], phantom(), transfer_syntax=uid
    )
    with pytest.raises(UnreadableFilm, match=uid) as caught:
        read_header(path, tmp_path)
    assert caught.value.code is StatusCode.UNSUPPORTED_SYNTAX


@pytest.mark.parametrize(
    "attribute",
    ["Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "PixelRepresentation",
     "PhotometricInterpretation"],
)  # fmt: skip
def test_that_a_missing_attribute_is_named_and_not_guessed(tmp_path: Path, attribute: str) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom(), **{attribute: None})
    with pytest.raises(UnreadableFilm, match=attribute) as caught:
        read(path)
    assert caught.value.code is StatusCode.DECODE_FAILED


@pytest.mark.parametrize(
    "tags",
    [{"BitsStored": 17}, {"SamplesPerPixel": 2}, {"PhotometricInterpretation": "HSV"}],
    ids=str,
)
def test_that_invalid_attributes_are_refused(tmp_path: Path, tags: dict[str, object]) -> None:
    with pytest.raises(UnreadableFilm) as caught:
        read(write_dicom(tmp_path / "film.dcm", phantom(bits=16), **tags))
    assert caught.value.code is StatusCode.DECODE_FAILED


def test_that_a_frame_whose_size_differs_from_the_header_is_not_decoded(
    tmp_path: Path,
) -> None:
    path = write_encapsulated(
        tmp_path / "film.dcm",
        [HTJ2K_FRAME],
        phantom(16, 16),
        bits_stored=12,
        transfer_syntax=HTJ2KLossless,
    )
    with pytest.raises(UnreadableFilm, match="16 x 16, the compressed frame 48 x 40"):
        read(path)


def rewrite(path: Path, syntax: str, **tags: object) -> None:
    """Change attributes of a written film without changing its pixel data."""
    dataset = pydicom.dcmread(path)
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
