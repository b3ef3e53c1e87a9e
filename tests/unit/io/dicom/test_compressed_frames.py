"""Compressed frames with a wrong header, table or end, and pixels of single bits."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.encaps import generate_frames
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSLossless,
    RLELossless,
)

from tests.builders import ENCODABLE_SYNTAXES, Array, phantom, write_dicom, write_encapsulated
from xrayview.domain.radiograph import Radiograph
from xrayview.errors import UnreadableFilm
from xrayview.io.dicom import pixels
from xrayview.io.dicom.codestream import ONLY_END
from xrayview.io.dicom.fragments import IGNORED_TABLE
from xrayview.io.dicom.pixels import ALIGNED_NOTE
from xrayview.io.dicom.transfer_syntax import TRANSFER_SYNTAXES
from xrayview.io.readers import read_film, read_header, read_stored_values


def read(path: Path, frame: int = 0) -> Radiograph:
    return read_film(replace(read_header(path, path.parent), frame=frame))


def compressed(folder: Path, stored: Array, bits: int, syntax: str) -> bytes:
    """The code stream of a lossless frame of so many bits."""
    path = write_dicom(folder / "whole.dcm", stored, bits_stored=bits, transfer_syntax=syntax)
    (stream,) = generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=1)
    return stream


def jpeg(stored: Array) -> bytes:
    return cv2.imencode(".jpg", stored, (cv2.IMWRITE_JPEG_QUALITY, 100))[1].tobytes()


# -- depth -------------------------------------------------------------------------------------

NEAR = 3
"""Largest error in grey levels of a JPEG of the highest quality."""


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGExtended12Bit])
@pytest.mark.parametrize("stored_bits", [8, 12, 16])
@pytest.mark.parametrize("frame", [0, 1])
def test_that_a_jpeg_of_8_bits_is_shown_whatever_bits_allocated_says(
    tmp_path: Path, syntax: str, stored_bits: int, frame: int
) -> None:
    frames = [phantom(48, 40, 8), phantom(48, 40, 8)[::-1]]
    path = write_encapsulated(
        tmp_path / "film.dcm",
        [jpeg(picture) for picture in frames],
        frames[0].astype(np.uint16),
        transfer_syntax=syntax,
        bits_stored=stored_bits,
    )
    radiograph = read(path, frame)
    assert radiograph.pixels_HW.dtype == np.uint8
    assert np.abs(radiograph.pixels_HW.astype(int) - frames[frame]).max() <= NEAR
    assert radiograph.greyscale.bits_stored == 8
    assert radiograph.notes == (
        f"the header says {stored_bits} bits stored in 16, the compressed frame has 8",
    )
    assert read_stored_values(path).dtype == "uint8"


def test_that_a_colour_jpeg_is_shown_whatever_bits_allocated_says(tmp_path: Path) -> None:
    grey = phantom(48, 40, 8)
    path = write_encapsulated(
        tmp_path / "film.dcm",
        [jpeg(np.stack([grey] * 3, axis=-1))],
        np.stack([grey.astype(np.uint16)] * 3, axis=-1),
        transfer_syntax=JPEGBaseline8Bit,
        photometric="YBR_FULL_422",
    )
    assert np.abs(read(path).pixels_HW.astype(int) - grey).max() <= NEAR


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless])
@pytest.mark.parametrize(("bits", "allocated", "stored_bits"), [
    (12, 8, 8), (16, 8, 8), (12, 16, 8), (12, 16, 10), (10, 16, 8),
])  # fmt: skip
def test_that_no_bits_of_a_deeper_frame_are_lost(
    tmp_path: Path, syntax: str, bits: int, allocated: int, stored_bits: int, signed: bool
) -> None:
    stored = phantom(48, 40, bits, signed=signed)
    path = write_encapsulated(
        tmp_path / "film.dcm",
        [compressed(tmp_path, stored, bits, syntax)],
        np.zeros((48, 40), f"{'i' if signed else 'u'}{allocated // 8}"),
        transfer_syntax=syntax,
        bits_stored=stored_bits,
    )
    radiograph = read(path)
    np.testing.assert_array_equal(radiograph.pixels_HW, stored)
    assert radiograph.greyscale.bits_stored == bits
    assert f"the compressed frame has {bits}" in radiograph.notes[0]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(("bits", "allocated"), [(8, 16), (8, 32), (16, 8), (16, 32)])
def test_that_the_segments_of_an_rle_frame_say_its_depth(
    tmp_path: Path, bits: int, allocated: int, signed: bool
) -> None:
    stored = phantom(48, 40, bits, signed=signed)
    path = write_encapsulated(
        tmp_path / "film.dcm",
        [compressed(tmp_path, stored, bits, RLELossless)],
        np.zeros((48, 40), f"{'i' if signed else 'u'}{allocated // 8}"),
        transfer_syntax=RLELossless,
    )
    np.testing.assert_array_equal(read(path).pixels_HW, stored)


@pytest.mark.parametrize("syntax", ENCODABLE_SYNTAXES, ids=lambda uid: uid.name)
@pytest.mark.parametrize(("bits", "stored_bits"), [(12, 12), (16, 12), (12, 16)])
def test_that_a_depth_that_fits_the_header_is_not_noted(
    tmp_path: Path, syntax: str, bits: int, stored_bits: int
) -> None:
    stored = phantom(48, 40, 12)
    path = write_encapsulated(
        tmp_path / "film.dcm",
        [compressed(tmp_path, stored, bits, syntax)],
        stored,
        transfer_syntax=syntax,
        bits_stored=stored_bits,
    )
    radiograph = read(path)
    np.testing.assert_array_equal(radiograph.pixels_HW, stored)
    assert radiograph.notes == radiograph.warnings == ()
    assert radiograph.greyscale.bits_stored == stored_bits


# -- fragments ---------------------------------------------------------------------------------


def item(data: bytes) -> bytes:
    return struct.pack("<HHL", 0xFFFE, 0xE000, len(data)) + data


def offsets(*values: int) -> bytes:
    return item(struct.pack(f"<{len(values)}L", *values))


def write_fragments(path: Path, stored: Array, frames: list[list[bytes]], table: bytes) -> Path:
    """A film of JPEG-LS frames, each in fragments, after a table that may be anything."""
    many = len(frames) if len(frames) > 1 else None
    write_dicom(path, stored, bits_stored=12, frames=many, transfer_syntax=JPEGLSLossless)
    data = path.read_bytes()
    start = data.index(b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff") + 12
    body = b"".join(item(fragment) for frame in frames for fragment in frame)
    end = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    path.write_bytes(data[:start] + table + body + end)
    return path


def in_fragments(stream: bytes, count: int) -> list[bytes]:
    size = -(-len(stream) // count // 2) * 2
    return [stream[i : i + size].ljust(2, b"\0") for i in range(0, len(stream), size)]


USELESS = {
    "past the end": offsets(123456),
    "not from 0": offsets(8),
    "too many": offsets(0, 4, 8),
    "all the same": offsets(0, 0),
    "of 64 bits": item(struct.pack("<Q", 0)),
    "of each fragment": offsets(0, 1000),
    "not of whole numbers": item(b"\x01\0"),
    "of another file": offsets(77, 0xFFFFFFFF),
}


@pytest.mark.parametrize("table", USELESS)
@pytest.mark.parametrize("fragments", [1, 3])
def test_that_all_fragments_form_a_single_frame_whatever_its_table_says(
    tmp_path: Path, table: str, fragments: int
) -> None:
    stored = phantom()
    stream = compressed(tmp_path, stored, 12, JPEGLSLossless)
    frames = [in_fragments(stream, fragments)]
    path = write_fragments(tmp_path / "film.dcm", stored, frames, USELESS[table])
    radiograph = read(path)
    np.testing.assert_array_equal(radiograph.pixels_HW, stored)
    noted = table != "not of whole numbers"
    assert (IGNORED_TABLE in radiograph.notes) is noted
    assert radiograph.warnings == ()


@pytest.mark.parametrize("table", [b"", item(b""), offsets(0)], ids=["missing", "empty", "right"])
@pytest.mark.parametrize("fragments", [1, 3])
def test_that_a_usual_or_missing_table_is_not_noted(
    tmp_path: Path, table: bytes, fragments: int
) -> None:
    stored = phantom()
    stream = compressed(tmp_path, stored, 12, JPEGLSLossless)
    frames = [in_fragments(stream, fragments)]
    radiograph = read(write_fragments(tmp_path / "film.dcm", stored, frames, table))
    np.testing.assert_array_equal(radiograph.pixels_HW, stored)
    assert radiograph.notes == radiograph.warnings == ()


@pytest.mark.parametrize("table", USELESS)
@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("frame", [0, 1, 2])
def test_that_frames_are_found_without_a_table_that_fits(
    tmp_path: Path, table: str, fragments: int, frame: int
) -> None:
    stored = np.stack([np.roll(phantom(), shift, 0) for shift in (0, 5, 11)])
    streams = [compressed(tmp_path, picture, 12, JPEGLSLossless) for picture in stored]
    frames = [in_fragments(stream, fragments) for stream in streams]
    path = write_fragments(tmp_path / "film.dcm", stored, frames, USELESS[table])
    np.testing.assert_array_equal(read(path, frame).pixels_HW, stored[frame])


# -- the end of JPEG 2000 ----------------------------------------------------------------------


def j2k(folder: Path, stored: Array) -> bytes:
    stream = compressed(folder, stored, 12, JPEG2000Lossless)
    return stream[: stream.rindex(b"\xff\xd9") + 2]


@pytest.mark.parametrize("rest", [b"", b"\0", b"\xff", b"\0\0\0"])
def test_that_a_jpeg_2000_frame_that_lacks_only_its_end_marker_is_shown_with_a_warning(
    tmp_path: Path, rest: bytes
) -> None:
    stored = np.random.default_rng(0).integers(0, 4096, (64, 60), np.uint16)
    stream = j2k(tmp_path, stored)[:-2] + rest
    path = write_encapsulated(
        tmp_path / "film.dcm", [stream], stored, transfer_syntax=JPEG2000Lossless, bits_stored=12
    )
    radiograph = read(path)
    np.testing.assert_array_equal(radiograph.pixels_HW, stored)
    assert radiograph.warnings == (ONLY_END,)


@pytest.mark.parametrize("missing", [4, 100, 3000])
def test_that_a_jpeg_2000_frame_that_lacks_data_is_not_completed(
    tmp_path: Path, missing: int
) -> None:
    stored = np.random.default_rng(0).integers(0, 4096, (64, 60), np.uint16)
    stream = j2k(tmp_path, stored)[:-missing]
    path = write_encapsulated(
        tmp_path / "film.dcm", [stream], stored, transfer_syntax=JPEG2000Lossless, bits_stored=12
    )
    with pytest.raises(UnreadableFilm, match="incomplete: the compressed frame has no end marker"):
        read(path)


# -- a second decoder --------------------------------------------------------------------------


def sampled(stream: bytes) -> bytes:
    """JPEG-LS with sampling factors of 2 x 2 for its only component, which CharLS 2 rejects."""
    assert stream.count(b"\x01\x01\x11\x00") == 1
    return stream.replace(b"\x01\x01\x11\x00", b"\x01\x01\x22\x00")


def with_preset(stream: bytes) -> bytes:
    """JPEG-LS with a preset segment of an id that CharLS 2 rejects."""
    return stream[:2] + b"\xff\xf8\x00\x0d\x05" + bytes(10) + stream[2:]


@pytest.mark.parametrize("change", [sampled, with_preset])
def test_that_gdcm_reads_a_jpeg_ls_frame_that_charls_refuses(
    tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    stored = phantom()
    stream = change(compressed(tmp_path, stored, 12, JPEGLSLossless))
    path = write_encapsulated(
        tmp_path / "film.dcm", [stream], stored, transfer_syntax=JPEGLSLossless, bits_stored=12
    )
    radiograph = read(path)
    np.testing.assert_array_equal(radiograph.pixels_HW, stored)
    assert radiograph.notes == ("decoded by gdcm, after pyjpegls refused it",)


def test_that_no_decoder_is_tried_on_a_truncated_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = phantom()
    stream = sampled(compressed(tmp_path, stored, 12, JPEGLSLossless))[:-40]
    path = write_encapsulated(
        tmp_path / "film.dcm", [stream], stored, transfer_syntax=JPEGLSLossless, bits_stored=12
    )
    monkeypatch.setattr(pixels, "_as_array", lambda *_: pytest.fail("a decoder was tried"))
    with pytest.raises(UnreadableFilm, match="incomplete"):
        read(path)


def test_that_a_jpeg_ls_frame_with_missing_data_before_its_end_is_refused(tmp_path: Path) -> None:
    stored = np.random.default_rng(0).integers(0, 4096, (64, 60), np.uint16)
    stream = compressed(tmp_path, stored, 12, JPEGLSLossless)
    path = write_encapsulated(
        tmp_path / "film.dcm",
        [stream[:2000] + b"\xff\xd9"],
        stored,
        transfer_syntax=JPEGLSLossless,
        bits_stored=12,
    )
    with pytest.raises(UnreadableFilm):
        read(path)


def test_that_only_jpeg_ls_has_a_second_try() -> None:
    """The others have one decoder, or a second one that is more permissive."""
    names = {row.name for row in TRANSFER_SYNTAXES.values() if row.tries_all}
    assert names == {"JPEG-LS Lossless", "JPEG-LS Near-Lossless"}


# -- single bits -------------------------------------------------------------------------------


def bit_film(
    path: Path, frames: Array, syntax: str = ExplicitVRLittleEndian, *, aligned: bool = False
) -> Path:
    """A film of one bit a pixel, its frames packed one after the other (PS3.5, 8.1.1)."""
    write_dicom(path, frames.astype(np.uint8), frames=len(frames), transfer_syntax=syntax)
    dataset = pydicom.dcmread(path)
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = 0
    packed = (
        b"".join(np.packbits(frame, bitorder="little").tobytes() for frame in frames)
        if aligned
        else np.packbits(frames, bitorder="little").tobytes()
    )
    packed += b"\0" * (len(packed) % 2)
    if syntax == ExplicitVRBigEndian:
        packed = np.frombuffer(packed, "<u2").byteswap().tobytes()
    dataset.PixelData = packed
    dataset["PixelData"].VR = "OW"
    dataset.save_as(path)
    return path


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]
)
@pytest.mark.parametrize("size", [(5, 3), (48, 40), (9, 7), (1, 1), (33, 31)])
@pytest.mark.parametrize("count", [1, 2, 3, 11])
def test_that_frames_of_single_bits_follow_one_another_without_gaps(
    tmp_path: Path, syntax: str, size: tuple[int, int], count: int
) -> None:
    frames = np.random.default_rng(0).integers(0, 2, (count, *size), np.uint8)
    path = bit_film(tmp_path / "film.dcm", frames, syntax)
    for i, frame in enumerate(frames):
        radiograph = read(path, i)
        np.testing.assert_array_equal(radiograph.pixels_HW, frame)
        assert radiograph.warnings == radiograph.notes == ()


def test_that_frames_of_single_bits_that_begin_with_a_byte_are_found_by_the_length(
    tmp_path: Path,
) -> None:
    frames = np.random.default_rng(0).integers(0, 2, (5, 9, 9), np.uint8)
    path = bit_film(tmp_path / "film.dcm", frames, aligned=True)
    for i, frame in enumerate(frames):
        radiograph = read(path, i)
        np.testing.assert_array_equal(radiograph.pixels_HW, frame)
        assert radiograph.notes == (ALIGNED_NOTE,)


def test_that_a_missing_frame_of_single_bits_is_a_warning(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 2, (5, 9, 7), np.uint8)
    path = bit_film(tmp_path / "film.dcm", frames)
    path.write_bytes(path.read_bytes()[:-10])
    assert read(path, 2).warnings == ("incomplete: 3 of 5 frames are in the file",)
    with pytest.raises(UnreadableFilm, match="incomplete"):
        read(path, 3)
