"""The pixels of a copy: every displayed value is kept, and nothing is hidden beside them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_fragments, get_frame, parse_basic_offsets
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from tests.builders import NATIVE_SYNTAXES, Array, phantom, write_dicom, write_encapsulated
from tests.htj2k_frame import HTJ2K_FRAME
from xrayview.errors import IdentityRemains
from xrayview.io.deidentify.code_streams import without_metadata
from xrayview.io.deidentify.copy import DeidentifiedCopy, Pseudonyms, deidentify
from xrayview.io.deidentify.pixel_data import CLEARED, CUT
from xrayview.io.readers import read_film, read_header

NAMES = Pseudonyms(b"0123456789abcdef0123456789abcdef")
SECRET = b"Secretson, Maryanne"
TAGS = {"PatientName": "Secretson^Maryanne", "PatientID": "ZQ98765"}


def copied(path: Path, **options: Any) -> tuple[Dataset, DeidentifiedCopy]:
    """The copy of a film, after a check that it is shown as its source."""
    copy = deidentify(path, "", NAMES, **options)
    written = path.with_name("copy.dcm")
    written.write_bytes(copy.file)
    for frame in range(int(pydicom.dcmread(path).get("NumberOfFrames") or 1)):
        before, after = (
            read_film(read_header(p, p.parent).at_frame(frame)) for p in (path, written)
        )
        np.testing.assert_array_equal(after.pixels_HW, before.pixels_HW)
        assert after.greyscale.windows == before.greyscale.windows
    return pydicom.dcmread(BytesIO(copy.file)), copy


def changed(path: Path, **tags: object) -> Path:
    dataset = pydicom.dcmread(path)
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
    return path


# Bits outside the stored value


@pytest.mark.parametrize("syntax", NATIVE_SYNTAXES, ids=lambda uid: uid.name)
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize(("stored", "high"), [(12, 11), (12, 13), (10, 15), (16, 15)])
def test_that_bits_outside_the_stored_value_are_cleared(
    tmp_path: Path, stored: int, high: int, signed: bool, syntax: UID
) -> None:
    drawn = np.random.default_rng(1).integers(0, 1 << 16, (48, 40), np.uint16)
    path = write_dicom(tmp_path / "film.dcm", drawn, transfer_syntax=syntax, **TAGS)
    changed(path, BitsStored=stored, HighBit=high, PixelRepresentation=int(signed))
    dataset, copy = copied(path)
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    cells = np.frombuffer(dataset.PixelData, f"{order}u2")
    outside = 0xFFFF & ~(((1 << stored) - 1) << (high + 1 - stored))
    if signed:
        above = cells.astype("u2").view("i2") >> high
        assert set(np.unique(above)) <= {0, -1}
        outside &= (1 << high) - 1
    assert not (cells & outside).any()
    assert copy.notes == ((CLEARED,) if stored < 16 else ())


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_that_bits_of_pixels_in_one_byte_are_cleared(tmp_path: Path, syntax: UID) -> None:
    drawn = np.random.default_rng(1).integers(0, 256, (47, 41), np.uint8)
    path = write_dicom(tmp_path / "film.dcm", drawn, transfer_syntax=syntax, **TAGS)
    changed(path, BitsStored=6, HighBit=5)
    dataset, copy = copied(path)
    assert not (np.frombuffer(dataset.PixelData, np.uint8) >> 6).any()
    assert len(dataset.PixelData) == 47 * 41 + 1
    assert copy.notes == (CLEARED,)


@pytest.mark.parametrize("extended", [False, True])
def test_that_signed_pixels_stay_as_they_are_with_and_without_sign_extension(
    tmp_path: Path, extended: bool
) -> None:
    pixels = phantom(bits=12, signed=True)
    words = pixels.view(np.uint16) if extended else pixels.view(np.uint16) & np.uint16(0x0FFF)
    path = write_dicom(tmp_path / "film.dcm", words, **TAGS)
    changed(path, BitsStored=12, HighBit=11, PixelRepresentation=1)
    dataset, copy = copied(path)
    assert dataset.PixelData == words.tobytes()
    assert copy.notes == ()


def test_that_overlay_planes_go_with_their_bits(tmp_path: Path) -> None:
    drawn = phantom(bits=12) | np.uint16(1 << 12)
    path = write_dicom(tmp_path / "film.dcm", drawn, **TAGS)
    dataset = pydicom.dcmread(path)
    dataset.BitsStored, dataset.HighBit = 12, 11
    for group in (0x6000, 0x6002):
        dataset.add_new(group << 16 | 0x0010, "US", 48)
        dataset.add_new(group << 16 | 0x0011, "US", 40)
        dataset.add_new(group << 16 | 0x0100, "US", 16)
        dataset.add_new(group << 16 | 0x0102, "US", 12)
        dataset.add_new(group << 16 | 0x0022, "LO", "Secretson")
    dataset.save_as(path)
    after, copy = copied(path)
    assert not [element for element in after if element.tag.group & 0xFF00 == 0x6000]
    assert not (after.pixel_array >> 12).any()
    assert b"Secretson" not in copy.file


def test_that_bytes_after_the_last_frame_are_removed(tmp_path: Path) -> None:
    pixels = phantom()
    path = write_dicom(tmp_path / "film.dcm", pixels, **TAGS)
    changed(path, PixelData=pixels.tobytes() + SECRET + b"!")
    dataset, copy = copied(path)
    assert dataset.PixelData == pixels.tobytes()
    assert copy.notes == (CUT,)


def test_that_pixels_of_items_and_second_pixels_are_removed(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom(), **TAGS)
    dataset = pydicom.dcmread(path)
    item = Dataset()
    item.add_new("PixelData", "OW", SECRET + b"!")
    dataset.SourceImageSequence = [item]
    dataset.add_new("ExtendedOffsetTable", "OV", SECRET + b"!" * 5)
    dataset.save_as(path)
    after, copy = copied(path)
    assert "PixelData" not in after.SourceImageSequence[0]
    assert SECRET not in copy.file


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless, RLELossless])
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_that_a_lossless_film_with_hidden_bits_is_refused_with_the_reason(
    tmp_path: Path, syntax: UID, signed: bool
) -> None:
    pixels = phantom(bits=12)
    pixels[5:9, 5:9] |= 1 << 13
    path = write_dicom(tmp_path / "film.dcm", pixels, transfer_syntax=syntax, **TAGS)
    changed(path, BitsStored=12, HighBit=11, PixelRepresentation=int(signed))
    with pytest.raises(IdentityRemains, match="compressing the film again") as raised:
        deidentify(path, "", NAMES)
    assert raised.value.element == "PixelData"
    _, copy = copied(path, allowed=frozenset({"PixelData"}))
    assert copy.notes == ()


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless, RLELossless])
def test_that_a_deep_code_stream_without_hidden_bits_is_copied(tmp_path: Path, syntax: UID) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom(bits=12), transfer_syntax=syntax, **TAGS)
    changed(path, BitsStored=12, HighBit=11)
    copied(path)
    signed = phantom(bits=12, signed=True)
    path = write_dicom(tmp_path / "signed.dcm", signed, transfer_syntax=syntax, **TAGS)
    changed(path, BitsStored=12, HighBit=11)
    copied(path)


# Compressed frames


def jpeg_frame(pixels: Array) -> bytes:
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def frame_of(tmp_path: Path, syntax: UID) -> tuple[bytes, Array]:
    """A compressed frame, and pixels of its size and type."""
    if syntax == JPEGBaseline8Bit:
        pixels = phantom(bits=8)
        return jpeg_frame(pixels), pixels
    pixels = phantom()
    path = write_dicom(tmp_path / "plain.dcm", pixels, transfer_syntax=syntax, bits_stored=12)
    return get_frame(pydicom.dcmread(path).PixelData, 0, number_of_frames=1), pixels


def write_frames(
    path: Path, frames: Sequence[bytes], pixels: Array, syntax: UID, **tags: object
) -> Path:
    return write_encapsulated(path, frames, pixels, transfer_syntax=syntax, **{**TAGS, **tags})


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def after_start(part: bytes) -> Callable[[bytes], bytes]:
    return lambda frame: frame[:2] + part + frame[2:]


def before_scan(part: bytes) -> Callable[[bytes], bytes]:
    def put(frame: bytes) -> bytes:
        at = frame.index(b"\xff\xda")
        return frame[:at] + part + frame[at:]

    return put


def after_end(frame: bytes) -> bytes:
    return frame.rstrip(b"\0") + SECRET


EXIF = b"Exif\0\0MM\0*\0\0\0\x08" + SECRET
HIDDEN: dict[str, Callable[[bytes], bytes]] = {
    "comment": after_start(segment(0xFE, SECRET)),
    "comment before the scan": before_scan(segment(0xFE, SECRET)),
    **{f"APP{n}": after_start(segment(0xE0 + n, SECRET)) for n in range(16)},
    "Exif": after_start(segment(0xE1, EXIF)),
    "XMP": after_start(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>" + SECRET + b"</x>")),
    "ICC": after_start(segment(0xE2, b"ICC_PROFILE\0\1\1" + SECRET.decode().encode("utf-16-be"))),
    "thumbnail": after_start(segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\x02\x03" + SECRET[:18])),
    "after the end": after_end,
    "a second image": lambda frame: frame + jpeg_frame(phantom(bits=8)) + SECRET,
}  # fmt: skip


@pytest.mark.parametrize("kind", HIDDEN)
@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGLSLossless], ids=lambda uid: uid.name)
def test_that_metadata_of_a_jpeg_is_removed_without_touching_its_data(
    tmp_path: Path, syntax: UID, kind: str
) -> None:
    frame, pixels = frame_of(tmp_path, syntax)
    path = write_frames(tmp_path / "film.dcm", [HIDDEN[kind](frame)], pixels, syntax)
    dataset, copy = copied(path)
    for secret in ("Secretson", "Maryanne"):
        assert secret.encode() not in copy.file
        assert secret.encode("utf-16-be") not in copy.file
    kept = get_frame(dataset.PixelData, 0, number_of_frames=1)
    scan = frame[frame.index(b"\xff\xda") : frame.rindex(b"\xff\xd9")]
    assert scan in kept
    assert b"JFIF" not in kept


def test_that_the_colours_of_a_jpeg_stay(tmp_path: Path) -> None:
    grey = phantom(bits=8)
    colour = np.stack([grey, grey[::-1], grey[:, ::-1]], -1)
    frame = after_start(segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01" + SECRET))(jpeg_frame(colour))
    path = write_frames(
        tmp_path / "film.dcm", [frame], colour, JPEGBaseline8Bit, photometric="YBR_FULL_422"
    )
    _, copy = copied(path)
    assert b"Secretson" not in copy.file


def test_that_a_name_in_the_data_of_a_scan_stops_the_copy(tmp_path: Path) -> None:
    frame, pixels = frame_of(tmp_path, JPEGBaseline8Bit)
    end = frame.rindex(b"\xff\xd9")
    hidden = frame[:end] + SECRET.upper() + frame[end:]
    path = write_frames(tmp_path / "film.dcm", [hidden], pixels, JPEGBaseline8Bit)
    with pytest.raises(IdentityRemains, match="PixelData") as raised:
        deidentify(path, "", NAMES)
    assert "Secretson" not in str(raised.value)


def main_header(frame: bytes) -> bytes:
    """A comment behind the first segment of a JPEG 2000 frame."""
    at = 4 + int.from_bytes(frame[4:6])
    return frame[:at] + segment(0x64, b"\0\x01" + SECRET) + frame[at:]


def tile_header(frame: bytes) -> bytes:
    """A comment in the header of the first tile part, whose length grows."""
    at = frame.index(b"\xff\x90")
    comment = segment(0x64, b"\0\x01" + SECRET)
    length = int.from_bytes(frame[at + 6 : at + 10])
    size = (length + len(comment) if length else 0).to_bytes(4)
    return frame[: at + 6] + size + frame[at + 10 : at + 12] + comment + frame[at + 12 :]


def boxed(frame: bytes) -> bytes:
    """The frame in the boxes of a JP2 file, one of which has text."""
    boxes = [
        (b"jP  ", b"\r\n\x87\n"),
        (b"ftyp", b"jp2 \0\0\0\0jp2 "),
        (b"xml ", SECRET),
        (b"jp2h", struct.pack(">L4sLLHBBBB", 22, b"ihdr", 48, 40, 1, 11, 7, 0, 0)
         + struct.pack(">L4sBBBL", 15, b"colr", 1, 0, 0, 17)),
        (b"jp2c", frame.rstrip(b"\0")),
        (b"uuid", SECRET),
    ]  # fmt: skip
    return b"".join(struct.pack(">L4s", len(data) + 8, name) + data for name, data in boxes)


@pytest.mark.parametrize("hide", [main_header, tile_header, after_end, boxed])
@pytest.mark.parametrize("syntax", [JPEG2000Lossless, HTJ2KLossless], ids=lambda uid: uid.name)
def test_that_metadata_of_jpeg_2000_is_removed(
    tmp_path: Path, syntax: UID, hide: Callable[[bytes], bytes]
) -> None:
    if syntax == HTJ2KLossless:
        frame, pixels = HTJ2K_FRAME, phantom(bits=8)
        size = struct.unpack(">LL", frame[8:16])
        pixels = np.zeros(size[::-1], np.uint8 if frame[42] < 8 else np.uint16)
    else:
        frame, pixels = frame_of(tmp_path, syntax)
    path = write_frames(tmp_path / "film.dcm", [hide(frame)], pixels, syntax)
    _, copy = copied(path)
    assert b"Secretson" not in copy.file


def rle_with(*, gap: bytes = b"", end: bytes = b"", unused: int = 0) -> Callable[[bytes], bytes]:
    """An RLE frame with bytes before and after its segments, and in its unused offsets."""

    def put(frame: bytes) -> bytes:
        count, *offsets = struct.unpack("<16L", frame[:64])
        moved = [offset + len(gap) if offset else unused for offset in offsets]
        return struct.pack("<16L", count, *moved) + gap + frame[64:] + end

    return put


@pytest.mark.parametrize(
    "hide",
    [
        rle_with(gap=SECRET + b"!"),
        rle_with(end=SECRET + b"!"),
        rle_with(unused=int.from_bytes(b"Secr", "little")),
    ],
)
def test_that_what_no_decoder_reads_of_rle_is_removed(
    tmp_path: Path, hide: Callable[[bytes], bytes]
) -> None:
    frame, pixels = frame_of(tmp_path, RLELossless)
    clean = without_metadata(hide(frame), RLELossless, 1, pixels.size)
    assert clean.rstrip(b"\0") == frame.rstrip(b"\0")


def test_that_extra_fragments_and_a_false_offset_table_are_removed(tmp_path: Path) -> None:
    frame, pixels = frame_of(tmp_path, JPEGBaseline8Bit)
    path = write_frames(tmp_path / "film.dcm", [frame], pixels, JPEGBaseline8Bit)
    extra = b"\xfe\xff\x00\xe0" + (len(SECRET) + 1).to_bytes(4, "little") + SECRET + b"\0"
    dataset = pydicom.dcmread(path)
    dataset.PixelData += extra
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)
    assert SECRET in path.read_bytes()
    after, copy = copied(path)
    assert b"Secretson" not in copy.file
    stream = BytesIO(after.PixelData)
    parse_basic_offsets(stream)
    assert len(list(generate_fragments(stream))) == 1


def test_that_all_frames_are_cleaned_and_found_by_their_offsets(tmp_path: Path) -> None:
    pixels = [np.roll(phantom(bits=8), shift) for shift in (0, 5, 11)]
    frames = [HIDDEN["comment"](jpeg_frame(frame)) for frame in pixels]
    path = write_frames(tmp_path / "film.dcm", frames, pixels[0], JPEGBaseline8Bit)
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate(frames, has_bot=True)
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path)
    after, copy = copied(path)
    assert b"Secretson" not in copy.file
    assert len(parse_basic_offsets(after.PixelData)) == 3


def test_that_a_clean_compressed_film_is_copied_bit_for_bit(tmp_path: Path) -> None:
    for syntax in (JPEGLSLossless, RLELossless):
        path = write_dicom(
            tmp_path / "film.dcm", phantom(), bits_stored=12, transfer_syntax=syntax, **TAGS
        )
        dataset, _ = copied(path)
        assert dataset.PixelData == pydicom.dcmread(path).PixelData
