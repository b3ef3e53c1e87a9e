"""False headers, decompression bombs and truncated films are refused early, with the reason."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from tests.builders import phantom, write_dicom, write_encapsulated, write_raster
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io import readers
from xrayview.io.readers import read_film, read_header

PIXEL_DATA_TAG = b"\xe0\x7f\x10\x00"
MIB = 1024**2


def refused(read: Callable[[], object]) -> UnreadableFilm:
    with pytest.raises(UnreadableFilm) as caught:
        read()
    assert caught.value.why
    assert caught.value.hint
    return caught.value


def test_that_a_film_larger_than_the_limit_is_refused_by_its_header(tmp_path: Path) -> None:
    film = read_header(write_dicom(tmp_path / "film.dcm", phantom(100, 100)), tmp_path)
    assert read_film(film, max_megapixels=0.01).pixels_HW.shape == (100, 100)
    error = refused(lambda: read_film(film, max_megapixels=0.0099))
    assert error.code is StatusCode.TOO_LARGE


@pytest.mark.parametrize("tags", [{"Rows": 65535, "Columns": 65535}, {"NumberOfFrames": 10**6}])
def test_that_a_header_that_claims_gigabytes_allocates_nothing(
    tmp_path: Path, tags: dict[str, int]
) -> None:
    film = read_header(write_dicom(tmp_path / "film.dcm", phantom(), **tags), tmp_path)
    tracemalloc.start()
    with suppress(UnreadableFilm):
        read_film(film)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * MIB


def test_that_missing_frames_are_a_warning_when_the_requested_one_is_present(
    tmp_path: Path,
) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom(), NumberOfFrames=10**6)
    radiograph = read_film(read_header(path, tmp_path))
    assert radiograph.warnings == ("incomplete: 1 of 1000000 frames are in the file",)
    assert (radiograph.pixels_HW == phantom()).all()


def deflated(path: Path, *parts: bytes) -> Path:
    """Write a deflated film whose data set is `parts` after the header of a real one."""
    write_dicom(path, phantom(), transfer_syntax=DeflatedExplicitVRLittleEndian)
    data = path.read_bytes()
    start = 144 + struct.unpack_from("<L", data, 140)[0]
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = b"".join(packer.compress(part) for part in parts) + packer.flush()
    path.write_bytes(data[:start] + body)
    return path


def image_pixel_module(frames: int = 1) -> bytes:
    """The elements of 48 x 40 pixels of 16 bits."""
    count = f"{frames} "[: len(str(frames)) + len(str(frames)) % 2].encode()
    values = (
        (0x0002, 1), (0x0010, 48), (0x0011, 40), (0x0100, 16), (0x0101, 16), (0x0103, 0),
    )  # fmt: skip
    elements = [struct.pack("<HH2sHH", 0x0028, number, b"US", 2, value) for number, value in values]
    elements.insert(1, struct.pack("<HH2sH", 0x0028, 0x0008, b"IS", len(count)) + count)
    elements.insert(1, struct.pack("<HH2sH", 0x0028, 0x0004, b"CS", 12) + b"MONOCHROME2 ")
    return b"".join(elements)


@pytest.mark.parametrize(
    "element",
    [
        struct.pack("<4s2sHL", PIXEL_DATA_TAG, b"OW", 0, 3840),
        struct.pack("<HH2sHL", 0x0009, 0x1001, b"OB", 0, 0xFFFFFFF0),
        struct.pack("<4s2sHL", PIXEL_DATA_TAG, b"OW", 0, 100 * MIB),
        struct.pack("<4s2sHL", PIXEL_DATA_TAG, b"OW", 0, 0xFFFFFFFF),
    ],
    ids=["behind the pixels", "in a private element", "in too long pixels", "without a length"],
)
def test_that_a_deflate_bomb_is_refused_before_it_inflates(tmp_path: Path, element: bytes) -> None:
    header = image_pixel_module()
    zeros = bytes(MIB)
    path = deflated(tmp_path / "bomb.dcm", header + element, *[zeros] * 100)
    assert path.stat().st_size < MIB
    tracemalloc.start()
    error = refused(lambda: read_film(read_header(path, tmp_path)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert error.code is StatusCode.TOO_LARGE
    assert peak < 32 * MIB


@pytest.mark.parametrize("frames", [1, 3, 10])
@pytest.mark.parametrize("more", [0, 2, 1000])
def test_that_a_deflated_film_has_what_its_rows_columns_and_frames_need(
    tmp_path: Path, frames: int, more: int
) -> None:
    size = 48 * 40 * 2 * frames + more
    pixels = struct.pack("<4s2sHL", PIXEL_DATA_TAG, b"OW", 0, size) + phantom().tobytes() * frames
    path = deflated(tmp_path / "film.dcm", image_pixel_module(frames) + pixels + bytes(more))
    film = read_header(path, tmp_path)
    assert (read_film(replace(film, frame=frames - 1)).pixels_HW == phantom()).all()


def test_that_a_file_above_the_limit_is_refused_without_reading_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = read_header(write_dicom(tmp_path / "film.dcm", phantom()), tmp_path)
    monkeypatch.setattr(readers, "MAX_FILE_BYTES", film.file_size - 1)
    assert refused(lambda: read_film(film)).code is StatusCode.TOO_LARGE


def nested(depth: int, *, defined_length: bool) -> bytes:
    tag = struct.pack("<HH2sH", 0x0040, 0xA730, b"SQ", 0)
    if not defined_length:
        item = struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
        ends = struct.pack("<HHLHHL", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
        return (tag + b"\xff" * 4 + item) * depth + ends * depth
    inner = b""
    for _ in range(depth):
        item = struct.pack("<HHL", 0xFFFE, 0xE000, len(inner)) + inner
        inner = tag + struct.pack("<L", len(item)) + item
    return inner


@pytest.mark.parametrize("defined_length", [True, False])
@pytest.mark.parametrize("depth", [1, 64, 3000, 20000])
def test_that_sequences_of_any_depth_are_read_or_refused(
    tmp_path: Path, depth: int, defined_length: bool
) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom())
    data = path.read_bytes()
    at = data.index(PIXEL_DATA_TAG)
    path.write_bytes(data[:at] + nested(depth, defined_length=defined_length) + data[at:])
    if depth <= 64 or defined_length:
        assert (read_film(read_header(path, tmp_path)).pixels_HW == phantom()).all()
    else:
        error = refused(lambda: read_header(path, tmp_path))
        assert error.code is StatusCode.DECODE_FAILED
        assert "nested too deeply" in error.why


def test_that_a_jpeg_of_thousands_of_scans_is_not_decoded(tmp_path: Path) -> None:
    frame = (
        b"\xff\xd8\xff\xc2\x00\x0b\x08"
        + struct.pack(">HH", 48, 40)
        + b"\x01\x01\x11\x00"
        + b"\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00\x00" * 5000
        + b"\xff\xd9"
    )
    path = write_encapsulated(
        tmp_path / "film.dcm", [frame], phantom(bits=8), transfer_syntax=JPEGBaseline8Bit
    )
    error = refused(lambda: read_film(read_header(path, tmp_path)))
    assert error.code is StatusCode.TOO_LARGE
    assert "5000 scans" in error.why


# -- truncated files ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", DeflatedExplicitVRLittleEndian]
)
def test_that_an_uncompressed_film_is_complete_or_refused_wherever_it_is_cut(
    tmp_path: Path, syntax: str
) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom(), transfer_syntax=syntax)
    data = path.read_bytes()
    codes = set()
    for end in [*range(0, 700, 7), len(data) - 400, len(data) - 200]:
        path.write_bytes(data[:end])
        codes.add(refused(lambda: read_film(read_header(path, tmp_path))).code)
    assert codes <= {StatusCode.NOT_AN_IMAGE, StatusCode.NO_PIXELS, StatusCode.DECODE_FAILED}


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless, RLELossless])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_that_a_truncated_compressed_film_is_never_read_without_a_warning(
    tmp_path: Path, syntax: str, share: float
) -> None:
    noise = np.random.default_rng(0).integers(0, 4096, (64, 64), np.uint16)
    path = write_dicom(tmp_path / "film.dcm", noise, bits_stored=12, transfer_syntax=syntax)
    data = path.read_bytes()
    start = data.index(PIXEL_DATA_TAG)
    path.write_bytes(data[: start + int((len(data) - start) * share)])
    try:
        warnings = read_film(read_header(path, tmp_path)).warnings
    except UnreadableFilm as error:
        warnings = (error.why,)
    assert any(line.startswith("incomplete: ") for line in warnings)


def test_that_a_deflated_film_without_its_end_is_read_with_a_warning(
    tmp_path: Path,
) -> None:
    path = write_dicom(
        tmp_path / "film.dcm", phantom(), transfer_syntax=DeflatedExplicitVRLittleEndian
    )
    path.write_bytes(path.read_bytes()[:-2])
    radiograph = read_film(read_header(path, tmp_path))
    assert radiograph.warnings == ("incomplete: the deflated data has no end",)
    assert (radiograph.pixels_HW == phantom()).all()


def test_that_a_film_without_the_end_of_its_fragments_is_read_with_a_warning(
    tmp_path: Path,
) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom(), transfer_syntax=RLELossless)
    path.write_bytes(path.read_bytes()[:-8])
    radiograph = read_film(read_header(path, tmp_path))
    assert radiograph.warnings == ("incomplete: the pixel data has no end",)
    assert (radiograph.pixels_HW == phantom()).all()


def test_that_a_jpeg_with_noise_between_its_segments_is_not_decoded(tmp_path: Path) -> None:
    frame = write_raster(tmp_path / "film.jpg", phantom(bits=8)).read_bytes()
    tables = frame.index(b"\xff\xc4")
    path = write_encapsulated(
        tmp_path / "film.dcm",
        [frame[:tables] + bytes(29) + frame[tables:]],
        phantom(bits=8),
        transfer_syntax=JPEGBaseline8Bit,
    )
    error = refused(lambda: read_film(read_header(path, tmp_path)))
    assert error.why == "the segments of the compressed frame are broken"


def test_that_a_panic_of_a_decoder_affects_only_the_film(tmp_path: Path) -> None:
    """pylibjpeg-rle, written in Rust, panics when a segment decompresses to more than the frame."""
    path = write_dicom(tmp_path / "film.dcm", phantom(), transfer_syntax=RLELossless)
    dataset = dcmread(path)
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    dataset.PixelData = encapsulate([frame[:64] + b"\x81" + frame[65:]])
    dataset.save_as(path)
    error = refused(lambda: read_film(read_header(path, tmp_path)))
    assert error.code is StatusCode.DECODE_FAILED


@pytest.mark.parametrize(("index", "value"), [(4, 227), (4, 0), (9, 3)])
def test_that_a_jpeg_with_invalid_precision_or_samples_is_not_decoded(
    tmp_path: Path, index: int, value: int
) -> None:
    frame = bytearray(write_raster(tmp_path / "film.jpg", phantom(bits=8)).read_bytes())
    frame[frame.index(b"\xff\xc0") + index] = value
    path = write_encapsulated(
        tmp_path / "film.dcm", [frame], phantom(bits=8), transfer_syntax=JPEGBaseline8Bit
    )
    assert "bits" in refused(lambda: read_film(read_header(path, tmp_path))).why
