"""PNG, JPEG and TIFF films: values, depth, orientation, colour, pages, refusals."""

from __future__ import annotations

import csv
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.builders import Array, phantom, png_chunk, tiff_bytes, write_raster
from xrayview.domain.radiograph import Radiograph
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.raster.luminance import COLOUR_NOTE
from xrayview.io.raster.png_jpeg_header import ANIMATED_NOTE
from xrayview.io.raster.structure import ALPHA_NOTE
from xrayview.io.readers import read_film, read_header, read_stored_values

LOSSLESS = ("film.png", "film.tif")
JPEG_ERROR = 12
"""Largest error in grey levels of a JPEG of the phantom at default quality."""


def read(path: Path) -> Radiograph:
    return read_film(read_header(path, path.parent))


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


# -- values ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("bits", [8, 16])
def test_that_grey_values_are_exact(tmp_path: Path, name: str, bits: int) -> None:
    grey = phantom(48, 40, bits)
    path = write_raster(tmp_path / name, grey)
    radiograph = read(path)
    np.testing.assert_array_equal(radiograph.pixels_HW, grey)
    assert radiograph.pixels_HW.dtype == grey.dtype
    assert radiograph.greyscale.photometric == "MONOCHROME2"
    assert radiograph.greyscale.bits_stored == bits
    assert radiograph.warnings == radiograph.notes == ()


def test_that_a_jpeg_is_read(tmp_path: Path) -> None:
    grey = phantom(48, 40, 8)
    radiograph = read(write_raster(tmp_path / "film.jpg", grey))
    assert np.abs(radiograph.pixels_HW.astype(int) - grey).max() <= JPEG_ERROR
    assert radiograph.warnings == radiograph.notes == ()


@pytest.mark.parametrize(("name", "kind"), [("a.png", "png"), ("a.jpg", "jpeg"), ("a.tif", "tiff")])
def test_that_the_header_has_format_and_size(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / "sub").mkdir()
    path = write_raster(tmp_path / "sub" / name, phantom(48, 40, 8))
    film = read_header(path, tmp_path)
    assert (film.format, film.rows, film.columns, film.frames) == (kind, 48, 40, 1)
    assert film.relative_path == f"sub/{name}"
    assert (film.modality, film.patient_id, film.transfer_syntax) == ("", "", "")
    assert read_film(film).ref == film


def test_that_content_and_not_the_name_decides_the_format(tmp_path: Path) -> None:
    png = write_raster(tmp_path / "film.png", phantom(48, 40, 8))
    renamed = png.rename(tmp_path / "film.dcm")
    assert read_header(renamed, tmp_path).format == "png"
    np.testing.assert_array_equal(read(renamed).pixels_HW, phantom(48, 40, 8))


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("big_tiff", [False, True])
@pytest.mark.parametrize(
    "dtype", ["uint8", "uint16", "int16", "uint32", "int32", "float32", "float64"]
)
def test_that_every_sample_type_of_a_tiff_keeps_its_values(
    tmp_path: Path, dtype: str, big_tiff: bool, big_endian: bool
) -> None:
    page = phantom(48, 40, 8).astype(dtype)
    if page.dtype.kind != "u":
        page = page - page.dtype.type(100)
    data = tiff_bytes(page, big_endian=big_endian, big_tiff=big_tiff)
    radiograph = read(write(tmp_path / "film.tif", data))
    np.testing.assert_array_equal(radiograph.pixels_HW, page)
    assert radiograph.pixels_HW.dtype == ("float32" if dtype == "float64" else dtype)
    assert radiograph.warnings == ()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_that_white_is_zero_is_displayed_correctly(tmp_path: Path, dtype: str) -> None:
    """The brightest pixel is where the file has its smallest value."""
    page = phantom(48, 40, 8).astype(dtype)
    data = tiff_bytes(page, white_is_zero=True)
    radiograph = read(write(tmp_path / "film.tif", data))
    shown = radiograph.modality_values()
    if radiograph.greyscale.photometric == "MONOCHROME1":
        shown = -shown
    assert np.array_equal(np.argsort(shown, axis=None), np.argsort(-page.astype(float), axis=None))


def test_that_a_film_with_nan_or_infinity_is_refused(tmp_path: Path) -> None:
    page = phantom(48, 40, 8).astype(np.float32)
    page[2, 3] = np.inf
    with pytest.raises(UnreadableFilm, match="NaN or infinity") as caught:
        read(write(tmp_path / "film.tif", tiff_bytes(page)))
    assert caught.value.code is StatusCode.DECODE_FAILED


@pytest.mark.parametrize("big_tiff", [False, True])
@pytest.mark.parametrize("frame", [0, 1, 2])
def test_that_each_page_of_a_tiff_is_a_frame(tmp_path: Path, frame: int, big_tiff: bool) -> None:
    pages = [phantom(48, 40, 16), phantom(20, 30, 8), phantom(10, 12, 8).astype(np.float32)]
    path = write(tmp_path / "film.tif", tiff_bytes(*pages, big_tiff=big_tiff))
    film = read_header(path, tmp_path)
    assert film.frames == 3
    radiograph = read_film(replace(film, frame=frame))
    np.testing.assert_array_equal(radiograph.pixels_HW, pages[frame])
    assert (radiograph.ref.frame, radiograph.ref.frames) == (frame, 3)
    assert (radiograph.ref.rows, radiograph.ref.columns) == pages[frame].shape


@pytest.mark.parametrize("name", ["film.png", "film.jpg", "film.tif"])
def test_that_a_missing_page_is_refused(tmp_path: Path, name: str) -> None:
    film = read_header(write_raster(tmp_path / name, phantom(48, 40, 8)), tmp_path)
    with pytest.raises(UnreadableFilm, match="page 2 was requested, the file has 1"):
        read_film(replace(film, frame=1))


def test_that_a_loop_of_pages_terminates(tmp_path: Path) -> None:
    data = bytearray(tiff_bytes(phantom(48, 40, 8)))
    (first,) = struct.unpack_from("<L", data, 4)
    struct.pack_into("<L", data, len(data) - 4, first)
    assert read_header(write(tmp_path / "film.tif", bytes(data)), tmp_path).frames == 1


# -- colour ------------------------------------------------------------------------------------


def rgb_film(bits: int) -> Array:
    grey = phantom(48, 40, bits)
    return np.stack([grey, grey[::-1], grey[:, ::-1]], axis=-1)


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("bits", [8, 16])
def test_that_colour_becomes_luminance_with_a_note(tmp_path: Path, name: str, bits: int) -> None:
    rgb = rgb_film(bits)
    radiograph = read(write_raster(tmp_path / name, rgb))
    expected = rgb @ np.array([0.299, 0.587, 0.114])
    assert np.abs(radiograph.pixels_HW - expected).max() <= (0.51 if bits == 8 else 1.1)
    assert radiograph.pixels_HW.dtype == rgb.dtype
    assert radiograph.notes == (COLOUR_NOTE,)


@pytest.mark.parametrize("name", [*LOSSLESS, "film.jpg"])
def test_that_grey_pixels_of_a_colour_file_keep_their_value(tmp_path: Path, name: str) -> None:
    grey = phantom(48, 40, 8)
    pixels = read(write_raster(tmp_path / name, np.stack([grey] * 3, axis=-1))).pixels_HW
    assert np.abs(pixels.astype(int) - grey).max() <= (JPEG_ERROR if name.endswith("jpg") else 0)


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("bits", [8, 16])
def test_that_transparency_is_ignored_with_a_note(tmp_path: Path, name: str, bits: int) -> None:
    grey = phantom(48, 40, bits)
    alpha = grey[::-1, ::-1]
    path = write_raster(tmp_path / name, np.stack([grey, grey, grey, alpha], axis=-1))
    radiograph = read(path)
    np.testing.assert_array_equal(radiograph.pixels_HW, grey)
    assert radiograph.notes == (COLOUR_NOTE, ALPHA_NOTE)


def png(colour_type: int, depth: int, rows: bytes, *chunks: bytes, size: Any = (48, 40)) -> bytes:
    head = struct.pack(">LLBBBBB", size[1], size[0], depth, colour_type, 0, 0, 0)
    return b"".join(
        (b"\x89PNG\r\n\x1a\n", png_chunk(b"IHDR", head), *chunks,
         png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND", b""))
    )  # fmt: skip


def scanlines(samples: Array) -> bytes:
    return b"".join(b"\0" + row.tobytes() for row in samples)


def test_that_grey_with_transparency_is_read(tmp_path: Path) -> None:
    grey = phantom(48, 40, 8)
    pairs = np.stack([grey, grey[::-1]], axis=-1)
    radiograph = read(write(tmp_path / "film.png", png(4, 8, scanlines(pairs))))
    np.testing.assert_array_equal(radiograph.pixels_HW, grey)
    assert ALPHA_NOTE in radiograph.notes


@pytest.mark.parametrize("bits", [8, 16])
def test_that_grey_with_transparency_is_not_called_colour(tmp_path: Path, bits: int) -> None:
    grey = phantom(48, 40, bits)
    pairs = np.stack([grey, grey[::-1]], axis=-1).astype(f">u{bits // 8}")
    radiograph = read(write(tmp_path / "film.png", png(4, bits, scanlines(pairs))))
    np.testing.assert_array_equal(radiograph.pixels_HW, grey)
    assert radiograph.notes == (ALPHA_NOTE,)


# -- animations --------------------------------------------------------------------------------


def animated(still: bytes, pictures: int, announced: int, *, still_is_first: bool) -> bytes:
    """A PNG with an animation of inverted data, of which `announced` pictures are announced."""
    at = still.index(b"IDAT") - 4
    (length,) = struct.unpack_from(">L", still, at)
    data = still[at + 8 : at + 8 + length]
    size = struct.unpack_from(">LL", still, 16)
    control = iter(range(100))

    def frame() -> bytes:
        head = struct.pack(">LLLLLHHBB", next(control), *size, 0, 0, 1, 10, 0, 0)
        return png_chunk(b"fcTL", head)

    parts = [still[:at], png_chunk(b"acTL", struct.pack(">LL", announced, 0))]
    parts += [frame()] if still_is_first else []
    parts += [png_chunk(b"IDAT", data)]
    for _ in range(pictures):
        parts += [frame(), png_chunk(b"fdAT", struct.pack(">L", next(control)) + data)]
    return b"".join([*parts, still[at + 12 + length :]])


@pytest.mark.parametrize("still_is_first", [False, True])
@pytest.mark.parametrize(("pictures", "announced"), [(0, 0), (0, 1), (0, 2), (1, 2), (2, 3)])
@pytest.mark.parametrize("kind", ["grey 8", "grey 16", "rgb 8", "rgb 16", "rgba 8"])
def test_that_the_still_picture_of_an_animation_is_the_film(
    tmp_path: Path, kind: str, pictures: int, announced: int, still_is_first: bool
) -> None:
    """OpenCV gave a black picture, or the channels in another order."""
    colours, bits = kind.split()
    grey = phantom(48, 40, int(bits))
    channels = {"grey": 0, "rgb": 3, "rgba": 4}[colours]
    samples = grey
    if channels:
        samples = np.stack([grey, grey[::-1], grey[:, ::-1], grey][:channels], axis=-1)
    still = write_raster(tmp_path / "still.png", samples).read_bytes()
    expected = read(tmp_path / "still.png")
    data = animated(still, pictures, announced, still_is_first=still_is_first)
    path = write(tmp_path / "film.png", data)
    radiograph = read(path)
    np.testing.assert_array_equal(radiograph.pixels_HW, expected.pixels_HW)
    assert radiograph.ref.frames == 1
    assert (ANIMATED_NOTE in radiograph.notes) is (announced > 1)
    assert read_stored_values(path).sha256 == read_stored_values(tmp_path / "still.png").sha256


def test_that_a_palette_becomes_luminance(tmp_path: Path) -> None:
    grey = phantom(48, 40, 8)
    palette = np.stack([np.arange(256)[::-1]] * 3, axis=-1).astype(np.uint8)
    data = png(3, 8, scanlines(grey), png_chunk(b"PLTE", palette.tobytes()))
    radiograph = read(write(tmp_path / "film.png", data))
    np.testing.assert_array_equal(radiograph.pixels_HW, 255 - grey)
    assert COLOUR_NOTE in radiograph.notes


# -- orientation -------------------------------------------------------------------------------

TURNED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].T,
    8: lambda a: np.rot90(a),
}
"""From stored to displayed pixels, by EXIF orientation (EXIF 2.3, 4.6.4 A)."""


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("name", ["film.jpg", "film.png", "film.tif"])
def test_that_all_eight_orientations_are_applied(
    tmp_path: Path, name: str, orientation: int
) -> None:
    stored = phantom(48, 32, 8)
    path = tmp_path / name
    if name.endswith("tif"):
        write(path, tiff_bytes(stored, orientation=orientation))
    else:
        write_raster(path, stored, orientation=orientation)
    film = read_header(path, tmp_path)
    expected = TURNED[orientation](stored)
    assert (film.rows, film.columns) == expected.shape
    pixels = read_film(film).pixels_HW
    assert np.abs(pixels.astype(int) - expected).max() <= JPEG_ERROR
    assert pixels.flags.c_contiguous


@pytest.mark.parametrize("orientation", [3, 6])
def test_that_an_orientation_after_the_pixels_of_a_png_is_applied(
    tmp_path: Path, orientation: int
) -> None:
    stored = phantom(48, 32, 8)
    data = write_raster(tmp_path / "film.png", stored, orientation=orientation).read_bytes()
    start = data.index(b"eXIf") - 4
    end = start + 12 + struct.unpack_from(">L", data, start)[0]
    moved = data[:start] + data[end:-12] + data[start:end] + data[-12:]
    film = read_header(write(tmp_path / "film.png", moved), tmp_path)
    pixels = read_film(film).pixels_HW
    assert pixels.shape == (film.rows, film.columns)
    np.testing.assert_array_equal(pixels, TURNED[orientation](stored))


def exif(orientation: int) -> bytes:
    return struct.pack("<2sHLHHHLHHL", b"II", 42, 8, 1, 274, 3, 1, orientation, 0, 0)


def profile(payload: bytes) -> bytes:
    """An EXIF block as ImageMagick writes it into a text chunk."""
    digits = payload.hex()
    lines = "\n".join(digits[i : i + 72] for i in range(0, len(digits), 72))
    return f"\nexif\n{len(payload):8}\n{lines}\n".encode("ascii")


RAW_PROFILES = {
    "tEXt": lambda key, text: png_chunk(b"tEXt", key + b"\0" + text),
    "zTXt": lambda key, text: png_chunk(b"zTXt", key + b"\0\0" + zlib.compress(text)),
    "iTXt": lambda key, text: png_chunk(b"iTXt", key + b"\0\0\0en\0\0" + text),
    "compressed iTXt": lambda key, text: png_chunk(
        b"iTXt", key + b"\0\1\0\0\0" + zlib.compress(text)
    ),
}
KEYWORDS = [b"Raw profile type exif", b"Raw profile type APP1"]


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("kind", RAW_PROFILES)
@pytest.mark.parametrize("keyword", KEYWORDS)
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
@pytest.mark.parametrize("at_end", [False, True])
def test_that_the_orientation_in_the_raw_profile_of_a_png_is_applied(
    tmp_path: Path, orientation: int, kind: str, keyword: bytes, prefix: bytes, at_end: bool
) -> None:
    stored = phantom(48, 32, 16)
    data = write_raster(tmp_path / "film.png", stored).read_bytes()
    chunk = RAW_PROFILES[kind](keyword, profile(prefix + exif(orientation)))
    data = data[:-12] + chunk + data[-12:] if at_end else data[:33] + chunk + data[33:]
    film = read_header(write(tmp_path / "film.png", data), tmp_path)
    expected = TURNED[orientation](stored)
    assert (film.rows, film.columns) == expected.shape
    np.testing.assert_array_equal(read_film(film).pixels_HW, expected)


def test_that_exif_comes_before_the_raw_profile_of_a_png(tmp_path: Path) -> None:
    stored = phantom(48, 32, 8)
    data = write_raster(tmp_path / "film.png", stored, orientation=3).read_bytes()
    chunk = RAW_PROFILES["zTXt"](KEYWORDS[0], profile(exif(6)))
    radiograph = read(write(tmp_path / "film.png", data[:33] + chunk + data[33:]))
    np.testing.assert_array_equal(radiograph.pixels_HW, TURNED[3](stored))


@pytest.mark.parametrize(
    "text",
    [b"", b"no profile", b"\nexif\n 8\nxyz", b"\nexif\n 4\n4949", b"\xff" * 40, bytes(100)],
)
@pytest.mark.parametrize("kind", [*RAW_PROFILES, "broken zTXt"])
def test_that_a_broken_profile_is_ignored(tmp_path: Path, kind: str, text: bytes) -> None:
    stored = phantom(48, 32, 8)
    data = write_raster(tmp_path / "film.png", stored).read_bytes()
    if kind in RAW_PROFILES:
        chunk = RAW_PROFILES[kind](KEYWORDS[0], text)
    else:
        chunk = png_chunk(b"zTXt", KEYWORDS[0] + b"\0\0" + text)
    radiograph = read(write(tmp_path / "film.png", data[:33] + chunk + data[33:]))
    np.testing.assert_array_equal(radiograph.pixels_HW, stored)


def test_that_a_profile_that_inflates_without_end_is_ignored(tmp_path: Path) -> None:
    stored = phantom(48, 32, 8)
    data = write_raster(tmp_path / "film.png", stored).read_bytes()
    chunk = RAW_PROFILES["zTXt"](KEYWORDS[0], bytes(50_000_000))
    radiograph = read(write(tmp_path / "film.png", data[:33] + chunk + data[33:]))
    np.testing.assert_array_equal(radiograph.pixels_HW, stored)


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
@pytest.mark.parametrize("orientation", TURNED)
def test_that_the_orientation_of_deep_tiffs_is_applied(
    tmp_path: Path, orientation: int, dtype: str
) -> None:
    stored = phantom(48, 32, 8).astype(dtype)
    path = write(tmp_path / "film.tif", tiff_bytes(stored, orientation=orientation))
    np.testing.assert_array_equal(read(path).pixels_HW, TURNED[orientation](stored))


@pytest.mark.parametrize("orientation", [0, 9, 255])
def test_that_an_invalid_orientation_is_ignored(tmp_path: Path, orientation: int) -> None:
    path = write_raster(tmp_path / "film.jpg", phantom(48, 32, 8), orientation=orientation)
    assert read(path).pixels_HW.shape == (48, 32)


def test_that_the_orientation_of_a_film_with_transparency_is_applied_once(tmp_path: Path) -> None:
    grey = phantom(48, 32, 8)
    path = write_raster(tmp_path / "a.png", np.stack([grey] * 4, axis=-1), orientation=6)
    np.testing.assert_array_equal(read(path).pixels_HW, TURNED[6](grey))


# -- refused or incomplete ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["film.png", "film.jpg", "film.tif"])
def test_that_a_film_larger_than_the_limit_is_refused_by_its_header(
    tmp_path: Path, name: str
) -> None:
    path = write_raster(tmp_path / name, phantom(100, 100, 8))
    film = read_header(path, tmp_path)
    assert read_film(film, max_megapixels=0.01).pixels_HW.shape == (100, 100)
    with pytest.raises(UnreadableFilm) as caught:
        read_film(film, max_megapixels=0.0099)
    assert caught.value.code is StatusCode.TOO_LARGE


def test_that_a_header_of_65535_squared_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = write(tmp_path / "film.png", png(0, 16, b"\0" * 100, size=(65535, 65535)))
    with pytest.raises(UnreadableFilm) as caught:
        read(path)
    assert caught.value.code is StatusCode.TOO_LARGE


def test_that_a_jpeg_of_thousands_of_scans_is_not_decoded(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "film.jpg", phantom(48, 40, 8))
    data = path.read_bytes()
    scan = data[data.index(b"\xff\xda") : -2]
    path.write_bytes(data[:-2] + scan * 1000 + data[-2:])
    with pytest.raises(UnreadableFilm, match="1001 scans") as caught:
        read(path)
    assert caught.value.code is StatusCode.TOO_LARGE


@pytest.mark.parametrize("progressive", [0, 1])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("filler", [b"", b"\0" * 4096], ids=["truncated", "truncated and padded"])
def test_that_a_truncated_jpeg_is_refused(
    tmp_path: Path, progressive: int, share: float, filler: bytes
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (128, 128), np.uint8)
    options = (cv2.IMWRITE_JPEG_PROGRESSIVE, progressive)
    data = cv2.imencode(".jpg", noise, options)[1].tobytes()
    assert refusal(write(tmp_path / "film.jpg", data[: int(len(data) * share)] + filler)).why


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", LOSSLESS)
def test_that_a_truncated_png_or_tiff_is_refused(tmp_path: Path, name: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 65536, (64, 64), np.uint16)
    path = write_raster(tmp_path / name, noise)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert refusal(path).why


def test_that_a_tiff_with_pixels_after_its_end_is_refused(tmp_path: Path) -> None:
    """If the directory comes first, only pixels are missing, which OpenCV would fill in."""
    page = np.random.default_rng(0).integers(0, 65536, (64, 64), np.uint16)
    data = tiff_bytes(page)
    directory = struct.unpack_from("<L", data, 4)[0]
    moved = bytearray(data[:4] + struct.pack("<L", 8) + data[directory:])
    pixels = moved.index(struct.pack("<HHLL", 273, 4, 1, 8)) + 8
    struct.pack_into("<L", moved, pixels, len(moved))
    whole = write(tmp_path / "whole.tif", bytes(moved) + page.tobytes())
    np.testing.assert_array_equal(read(whole).pixels_HW, page)
    cut = write(tmp_path / "cut.tif", bytes(moved) + page.tobytes()[:-1000])
    assert refusal(cut).why == "incomplete: the file ends before its pixels do"


def test_that_data_after_the_end_of_a_jpeg_is_ignored(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "film.jpg", phantom(48, 40, 8))
    path.write_bytes(path.read_bytes() + b"\xff\xda trailing notes")
    assert read(path).pixels_HW.shape == (48, 40)


def test_that_the_end_of_a_thumbnail_does_not_complete_a_truncated_jpeg(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "film.jpg", phantom(48, 40, 8))
    data = path.read_bytes()
    thumbnail = b"\xff\xe2" + struct.pack(">H", len(data) + 2) + data
    path.write_bytes(data[:2] + thumbnail + data[2:-2] + b"\0\0")
    assert refusal(path).why == "incomplete: the file ends before its pixels do"


def refusal(path: Path) -> UnreadableFilm:
    with pytest.raises(UnreadableFilm) as caught:
        read(path)
    assert caught.value.code is StatusCode.DECODE_FAILED
    assert caught.value.hint
    return caught.value


# -- real films --------------------------------------------------------------------------------


@pytest.mark.films
def test_that_the_development_films_have_their_listed_size(films_dir: Path) -> None:
    with (films_dir / "labels.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))[::40]
    assert len(rows) > 100
    for row in rows:
        film = read_header(films_dir / row["path"], films_dir)
        assert (film.columns, film.rows) == (int(row["width"]), int(row["height"]))
        assert read_film(film).pixels_HW.shape == (film.rows, film.columns)
