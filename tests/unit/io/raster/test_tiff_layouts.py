"""TIFF in every layout keeps its values, or is refused by the name of its kind."""

from __future__ import annotations

import itertools
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.builders import Array, phantom, png_chunk, write_raster
from tests.tiff_files import COMPRESSIONS, Page, tiff_file
from xrayview.domain.radiograph import Radiograph
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.raster.luminance import COLOUR_NOTE, luminance
from xrayview.io.raster.structure import ALPHA_NOTE
from xrayview.io.raster.tiff_pixels import EXTRA_NOTE
from xrayview.io.readers import FileCache, read_film, read_header, read_stored_values

ROWS, COLUMNS = 53, 41
LAYOUTS: dict[str, dict[str, object]] = {
    "one strip": {},
    "strips": {"strip_rows": 7},
    "tiles": {"tile": (16, 32)},
}
TYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float16", "float32", "float64")


def film(path: Path, data: bytes, frame: int = 0) -> Radiograph:
    path.write_bytes(data)
    return read_film(replace(read_header(path, path.parent), frame=frame))


def grey(dtype: str = "uint16") -> Array:
    kind = np.dtype(dtype)
    values = phantom(ROWS, COLUMNS, 8 if kind.itemsize == 1 else 12).astype(np.int64)
    if kind.kind == "i":
        values -= 100 if kind.itemsize == 1 else 2000
        values = np.maximum(values, -128) if kind.itemsize == 1 else values
        values = np.minimum(values, 127) if kind.itemsize == 1 else values
    if kind.itemsize >= 4:
        values = values * 70_000
    return values.astype(dtype) if kind.kind != "f" else (values / 64).astype(dtype)


def rgb(dtype: str = "uint16") -> Array:
    one = grey(dtype)
    return np.stack([one, one[::-1], one[:, ::-1]], axis=-1)


# -- values ------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("dtype", TYPES)
def test_that_grey_keeps_its_values(
    tmp_path: Path, dtype: str, compression: str, layout: str
) -> None:
    stored = grey(dtype)
    has_predictor = compression in {"lzw", "deflate"}
    predictors = (1, 3) if stored.dtype.kind == "f" else (1, 2)
    for predictor, big_endian, big_tiff in itertools.product(
        predictors[: 1 + has_predictor], (False, True), (False, True)
    ):
        page = Page(stored, compression=compression, predictor=predictor, **LAYOUTS[layout])
        data = tiff_file(page, big_endian=big_endian, big_tiff=big_tiff)
        radiograph = film(tmp_path / "film.tif", data)
        expected = stored.astype(np.float32) if dtype == "float64" else stored
        np.testing.assert_array_equal(radiograph.pixels_HW, expected)
        assert radiograph.notes == radiograph.warnings == ()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int16", "float32", "float64"])
def test_that_colour_in_pixels_or_planes_becomes_luminance(
    tmp_path: Path, dtype: str, planar: bool, compression: str, layout: str
) -> None:
    stored = rgb(dtype)
    has_predictor = compression in {"lzw", "deflate"}
    predictors = (1, 3) if stored.dtype.kind == "f" else (1, 2)
    for predictor, big_endian in itertools.product(predictors[: 1 + has_predictor], (False, True)):
        page = Page(
            stored, compression=compression, planar=planar, predictor=predictor, **LAYOUTS[layout]
        )
        radiograph = film(tmp_path / "film.tif", tiff_file(page, big_endian=big_endian))
        np.testing.assert_array_equal(radiograph.pixels_HW, luminance(stored))
        assert radiograph.notes == (COLOUR_NOTE,)
    weights = stored.astype(float) @ [0.299, 0.587, 0.114]
    scale = 65536 if dtype == "uint32" else 1
    assert np.abs(radiograph.pixels_HW * float(scale) - weights).max() <= max(2 * scale, 0.01)


@pytest.mark.parametrize("planar", [False, True])
def test_that_stored_values_are_those_of_the_planes(tmp_path: Path, planar: bool) -> None:
    stored = rgb("float32")
    path = tmp_path / "film.tif"
    path.write_bytes(tiff_file(Page(stored, planar=planar)))
    values = read_stored_values(path)
    assert (values.shape, values.dtype) == ((ROWS, COLUMNS, 3), "float32")
    assert (values.minimum, values.maximum) == (stored.min(), stored.max())


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("bits", [1, 2, 4, 6, 10, 12, 14, 20])
@pytest.mark.parametrize("compression", ["none", "lzw", "deflate", "packbits"])
def test_that_packed_samples_keep_their_values(
    tmp_path: Path, bits: int, compression: str, layout: str
) -> None:
    """TIFF 6.0, BitsPerSample: 12 bits are 0 to 4095, not shifted up to 65520."""
    one = phantom(ROWS, COLUMNS, bits)
    predictors = (1, 2) if compression in {"lzw", "deflate"} else (1,)
    for predictor, big_endian, planar in itertools.product(
        predictors, (False, True), (False, True)
    ):
        options = {"compression": compression, "predictor": predictor, **LAYOUTS[layout]}
        data = tiff_file(Page(one, bits=bits, **options), big_endian=big_endian)
        radiograph = film(tmp_path / "grey.tif", data)
        np.testing.assert_array_equal(radiograph.pixels_HW, one)
        assert radiograph.greyscale.bits_stored == min(bits, 16)
        three = np.stack([one, one[::-1], one[:, ::-1]], axis=-1)
        data = tiff_file(Page(three, bits=bits, planar=planar, **options), big_endian=big_endian)
        colour = film(tmp_path / "colour.tif", data)
        np.testing.assert_array_equal(colour.pixels_HW, luminance(three, bits))


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("compression", ["none", "lzw", "deflate", "packbits"])
def test_that_bytes_may_have_their_first_bit_last(
    tmp_path: Path, bits: int, compression: str
) -> None:
    stored = phantom(ROWS, COLUMNS, bits)
    page = Page(stored, bits=bits, compression=compression, reversed_bits=True)
    np.testing.assert_array_equal(film(tmp_path / "a.tif", tiff_file(page)).pixels_HW, stored)


def test_that_signed_packed_samples_keep_their_sign(tmp_path: Path) -> None:
    stored = phantom(ROWS, COLUMNS, 12, signed=True)
    data = tiff_file(Page(stored, bits=12))
    np.testing.assert_array_equal(film(tmp_path / "a.tif", data).pixels_HW, stored)


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_that_integers_of_64_bits_are_read_where_32_hold_them(tmp_path: Path, dtype: str) -> None:
    stored = grey("uint32").astype(dtype)
    radiograph = film(tmp_path / "film.tif", tiff_file(Page(stored)))
    np.testing.assert_array_equal(radiograph.pixels_HW, stored)
    assert radiograph.pixels_HW.dtype.itemsize == 4
    error = refusal(tmp_path, tiff_file(Page(stored * 2**40)))
    assert error.why == "a TIFF with 64-bit integers"


@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("bits", [1, 4, 8, 12, 16])
def test_that_zero_may_be_white(tmp_path: Path, bits: int, photometric: int) -> None:
    stored = phantom(ROWS, COLUMNS, bits)
    radiograph = film(
        tmp_path / "a.tif", tiff_file(Page(stored, bits=bits, photometric=photometric))
    )
    np.testing.assert_array_equal(radiograph.pixels_HW, stored)
    assert radiograph.greyscale.inverted is (photometric == 0)


# -- further samples ---------------------------------------------------------------------------


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "float32"])
@pytest.mark.parametrize("extra", [(0,), (1,), (2,), ()])
def test_that_grey_with_transparency_keeps_its_depth(
    tmp_path: Path, dtype: str, planar: bool, extra: tuple[int, ...]
) -> None:
    one = grey(dtype)
    page = Page(np.stack([one, one[::-1]], axis=-1), planar=planar, extra=extra, photometric=1)
    radiograph = film(tmp_path / "film.tif", tiff_file(page))
    np.testing.assert_array_equal(radiograph.pixels_HW, one)
    assert radiograph.pixels_HW.dtype == one.dtype
    assert radiograph.notes == (ALPHA_NOTE,)


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize(("extra", "notes"), [
    ((1,), (ALPHA_NOTE,)), ((2,), (ALPHA_NOTE,)), ((0, 0), (EXTRA_NOTE,)),
    ((2, 0), (ALPHA_NOTE, EXTRA_NOTE)),
])  # fmt: skip
def test_that_colour_is_not_multiplied_by_transparency(
    tmp_path: Path, dtype: str, planar: bool, extra: tuple[int, ...], notes: tuple[str, ...]
) -> None:
    colours = rgb(dtype)
    others = np.stack([grey(dtype)] * len(extra), axis=-1)
    page = Page(np.concatenate([colours, others], axis=-1), planar=planar, extra=extra)
    radiograph = film(tmp_path / "film.tif", tiff_file(page))
    np.testing.assert_array_equal(radiograph.pixels_HW, luminance(colours))
    assert radiograph.notes == (COLOUR_NOTE, *notes)


def test_that_the_first_channel_of_several_without_colour_is_the_film(tmp_path: Path) -> None:
    channels = np.stack([grey(), grey()[::-1], grey()[:, ::-1]], axis=-1)
    radiograph = film(tmp_path / "a.tif", tiff_file(Page(channels, photometric=1, planar=True)))
    np.testing.assert_array_equal(radiograph.pixels_HW, grey())
    assert EXTRA_NOTE in radiograph.notes


@pytest.mark.parametrize("bits", [2, 4, 8, 16])
@pytest.mark.parametrize("scale", [1, 256, 257])
def test_that_a_palette_is_applied(tmp_path: Path, bits: int, scale: int) -> None:
    stored = phantom(ROWS, COLUMNS, bits)
    colours = np.random.default_rng(0).integers(0, 256, (3, 2**bits))
    colours[:, -1] = 255
    table = (colours * scale).ravel()
    page = Page(stored, bits=bits, photometric=3, tags={320: tuple(table.tolist())})
    radiograph = film(tmp_path / "film.tif", tiff_file(page))
    expected = luminance(np.moveaxis(colours.astype(np.uint8)[:, stored], 0, -1))
    np.testing.assert_array_equal(radiograph.pixels_HW, expected)
    assert radiograph.notes == (COLOUR_NOTE,)


@pytest.mark.parametrize("bits", [12, 16])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_that_the_orientation_of_every_depth_is_applied(
    tmp_path: Path, orientation: int, bits: int
) -> None:
    stored = phantom(ROWS, COLUMNS, bits)
    data = tiff_file(Page(stored, bits=bits, orientation=orientation))
    usual = tiff_file(Page(stored.astype(np.uint32), orientation=orientation))
    np.testing.assert_array_equal(
        film(tmp_path / "a.tif", data).pixels_HW, film(tmp_path / "b.tif", usual).pixels_HW
    )


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt"])
def test_that_fax_compression_is_read(tmp_path: Path, compression: str) -> None:
    bits = phantom(ROWS, COLUMNS, 8) > 99
    Image.fromarray(bits).save(tmp_path / "film.tif", compression=compression)
    radiograph = read_film(read_header(tmp_path / "film.tif", tmp_path))
    shown = radiograph.pixels_HW != radiograph.greyscale.inverted
    np.testing.assert_array_equal(shown, bits)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_that_jpeg_in_tiff_is_read(tmp_path: Path, mode: str) -> None:
    one = phantom(ROWS, COLUMNS, 8)
    picture = Image.fromarray(one).convert(mode)
    picture.save(tmp_path / "film.tif", compression="jpeg", quality=100)
    radiograph = read_film(read_header(tmp_path / "film.tif", tmp_path))
    assert np.abs(radiograph.pixels_HW.astype(int) - one).max() <= 12


# -- pages -------------------------------------------------------------------------------------

SMALL = grey()[::4, ::4]


@pytest.mark.parametrize("big_tiff", [False, True])
@pytest.mark.parametrize("mark", [{"kind": 1}, {"kind": 4}, {"kind": 5}, {"old_kind": 2}], ids=str)
@pytest.mark.parametrize("first", [False, True])
def test_that_reduced_copies_and_masks_are_not_films(
    tmp_path: Path, mark: dict[str, int], first: bool, big_tiff: bool
) -> None:
    copies = [Page(SMALL, **mark), Page(SMALL[::2, ::2], **mark)]
    pages = [*copies, Page(grey(), kind=0)] if first else [Page(grey()), *copies]
    radiograph = film(tmp_path / "film.tif", tiff_file(*pages, big_tiff=big_tiff))
    assert radiograph.ref.frames == 1
    np.testing.assert_array_equal(radiograph.pixels_HW, grey())
    assert read_stored_values(tmp_path / "film.tif").shape == (ROWS, COLUMNS)


def test_that_pages_between_thumbnails_are_frames(tmp_path: Path) -> None:
    pages = [grey(), grey()[::-1], grey()[:, ::-1]]
    parts = [part for page in pages for part in (Page(SMALL, kind=1), Page(page, kind=2))]
    for i, page in enumerate(pages):
        radiograph = film(tmp_path / "film.tif", tiff_file(*parts), frame=i)
        assert radiograph.ref.frames == 3
        np.testing.assert_array_equal(radiograph.pixels_HW, page)


def test_that_a_file_of_reduced_copies_only_is_still_read(tmp_path: Path) -> None:
    radiograph = film(tmp_path / "film.tif", tiff_file(Page(SMALL, kind=1), Page(SMALL, kind=1)))
    assert radiograph.ref.frames == 2


def test_that_reduced_copies_in_sub_pages_are_not_films(tmp_path: Path) -> None:
    page = Page(grey(), sub_pages=(Page(SMALL, kind=1), Page(SMALL[::2, ::2], kind=1)))
    radiograph = film(tmp_path / "film.tif", tiff_file(page))
    assert radiograph.ref.frames == 1
    np.testing.assert_array_equal(radiograph.pixels_HW, grey())


def test_that_the_film_may_be_a_sub_page_of_its_thumbnail(tmp_path: Path) -> None:
    page = Page(SMALL, kind=1, sub_pages=(Page(grey(), kind=0), Page(SMALL, kind=1)))
    radiograph = film(tmp_path / "film.tif", tiff_file(page))
    assert radiograph.ref.frames == 1
    np.testing.assert_array_equal(radiograph.pixels_HW, grey())


def test_that_the_directories_are_walked_once_for_all_pages(tmp_path: Path) -> None:
    """Reading a page again and again walked all directories and copied the file each time."""
    path = tmp_path / "film.tif"
    small = np.zeros((4, 4), np.uint8)
    count = 3000
    path.write_bytes(tiff_file(*(Page(small + i % 256) for i in range(count))))
    header = read_header(path, tmp_path)
    assert header.frames == count
    cache = FileCache()
    read_film(header, cache=cache)

    def seconds(frames: range) -> float:
        start = time.perf_counter()
        for i in frames:
            assert read_film(replace(header, frame=i), cache=cache).pixels_HW[0, 0] == i % 256
        return time.perf_counter() - start

    early, late = seconds(range(100)), seconds(range(count - 100, count))
    assert late < 5 * early + 0.1
    assert early < 1
    cache.release()


# -- refused by name ---------------------------------------------------------------------------


def refusal(folder: Path, data: bytes, name: str = "film.tif") -> UnreadableFilm:
    path = folder / name
    path.write_bytes(data)
    with pytest.raises(UnreadableFilm) as caught:
        read_film(read_header(path, folder))
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("compression", "name"),
    [
        (6, "old-style JPEG"), (34887, "LERC"), (50001, "WebP"), (34927, "WebP"),
        (50002, "JPEG XL"), (34712, "JPEG 2000"), (34925, "LZMA"), (50000, "Zstandard"),
        (34676, "SGI LogLuv"), (22610, "JPEG XR"), (33003, "JPEG 2000"),
        (12345, "compression 12345"),
    ],
)  # fmt: skip
def test_that_an_unsupported_compression_is_called_by_its_name(
    tmp_path: Path, compression: int, name: str
) -> None:
    error = refusal(tmp_path, tiff_file(Page(grey("uint8"), tags={259: (compression,)})))
    assert error.code is StatusCode.UNSUPPORTED_SYNTAX
    assert error.what == "This kind of picture is not supported"
    assert name in error.why


@pytest.mark.parametrize(
    ("photometric", "name"),
    [(5, "CMYK"), (8, "L*a*b*"), (32803, "colour filter array"), (34892, "linear raw"), (4, "mask"),
     (32845, "LogLuv")],
)  # fmt: skip
def test_that_an_unsupported_kind_of_colour_is_called_by_its_name(
    tmp_path: Path, photometric: int, name: str
) -> None:
    error = refusal(tmp_path, tiff_file(Page(grey("uint8"), photometric=photometric)))
    assert error.code is StatusCode.UNSUPPORTED_SYNTAX
    assert name in error.why


@pytest.mark.parametrize(
    ("page", "name"),
    [
        (Page(grey("float32").astype(np.complex64)), "complex"),
        (Page(rgb("uint16"), tags={258: (5, 6, 5)}), "differ in depth"),
        (Page(grey("uint32"), tags={258: (24,)}), "24-bit integers"),
        (Page(grey("float32"), tags={258: (24,)}), "24-bit floats"),
        (Page(grey("uint16"), compression="lzw", predictor=3), "predictor 3"),
        (Page(rgb("uint8"), photometric=6, tags={530: (2, 2)}), "subsampled"),
    ],
)
def test_that_unsupported_samples_are_called_by_their_name(
    tmp_path: Path, page: Page, name: str
) -> None:
    data = tiff_file(replace(page, predictor=1)) if "predictor" in name else tiff_file(page)
    if "predictor" in name:
        data = tiff_file(replace(page, predictor=1, tags={317: (3,)}))
    error = refusal(tmp_path, data)
    assert error.code is StatusCode.UNSUPPORTED_SYNTAX
    assert name in error.why


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"GIF89a", "GIF"),
        (b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "BMP"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "WebP"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIF"),
        (b"\0\0\0\x1cftypavif", "AVIF"),
        (b"\xff\x0a\xfa\x1f", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\xff\x4f\xff\x51\0\x29", "JPEG 2000"),
        (b"8BPS\0\x01", "Photoshop"),
        (b"P5\n40 48\n255\n", "PNM"),
        (bytes(344) + b"n+1\0", "NIfTI"),
        (b"NRRD0004\n", "NRRD"),
    ],
)
def test_that_another_picture_format_is_called_by_its_name(
    tmp_path: Path, head: bytes, name: str
) -> None:
    error = refusal(tmp_path, head + bytes(600), "film.png")
    assert error.code is StatusCode.NOT_AN_IMAGE
    assert error.what == "The format is not supported"
    assert name in error.why


@pytest.mark.parametrize("head", [b"BM and other letters ", b"P5 is a text", b"ftyp", b""])
def test_that_other_content_is_not_taken_for_a_picture(tmp_path: Path, head: bytes) -> None:
    assert refusal(tmp_path, head, "film.png").what == "Not a film"


@pytest.mark.parametrize(
    ("marker", "bits", "name"),
    [(0xC1, 12, "12 bits"), (0xC3, 16, "16 bits"), (0xF7, 8, "JPEG-LS"), (0xC5, 8, "hierarchical")],
)
def test_that_an_unsupported_jpeg_is_called_by_its_name(
    tmp_path: Path, marker: int, bits: int, name: str
) -> None:
    data = write_raster(tmp_path / "a.jpg", phantom(bits=8)).read_bytes()
    at = data.index(b"\xff\xc0")
    data = data[: at + 1] + bytes([marker]) + data[at + 2 : at + 4] + bytes([bits]) + data[at + 5 :]
    error = refusal(tmp_path, data, "film.jpg")
    assert error.code is StatusCode.UNSUPPORTED_SYNTAX
    assert name in error.why


# -- damage ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("compression", ["lzw", "deflate", "packbits"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_that_a_strip_without_its_end_is_refused(
    tmp_path: Path, layout: str, compression: str, dtype: str
) -> None:
    """OpenCV fills in what a damaged strip of 8 bits does not have."""
    noise = np.random.default_rng(0).integers(0, 256, (ROWS, COLUMNS)).astype(dtype)
    whole = tiff_file(Page(noise, compression=compression, **LAYOUTS[layout]))
    path = tmp_path / "film.tif"
    path.write_bytes(whole)
    assert read_film(read_header(path, tmp_path)).pixels_HW.shape == noise.shape
    # The lengths of the strips, which precede the directory's end, are made a half.
    directory = struct.unpack_from("<L", whole, 4)[0]
    entries = [
        struct.unpack_from("<HHLL", whole, directory + 2 + 12 * i)
        for i in range(struct.unpack_from("<H", whole, directory)[0])
    ]
    count, value = next((n, v) for tag, _, n, v in entries if tag in {279, 325})
    data = bytearray(whole)
    at = value if count > 1 else next(
        directory + 2 + 12 * i + 8 for i, entry in enumerate(entries) if entry[0] in {279, 325}
    )  # fmt: skip
    length = struct.unpack_from("<L", data, at)[0]
    struct.pack_into("<L", data, at, length // 2)
    assert refusal(tmp_path, bytes(data)).code is StatusCode.DECODE_FAILED


def test_that_a_checksum_that_does_not_fit_refuses_the_film(tmp_path: Path) -> None:
    data = bytearray(tiff_file(Page(grey("uint8"), compression="deflate")))
    data[500] ^= 0xFF
    assert refusal(tmp_path, bytes(data)).code is StatusCode.DECODE_FAILED


def test_that_the_end_of_a_jpeg_in_tiff_is_required(tmp_path: Path) -> None:
    path = tmp_path / "film.tif"
    Image.fromarray(phantom(ROWS, COLUMNS, 8)).save(path, compression="jpeg")
    data = path.read_bytes()
    end = data.index(b"\xff\xd9")  # the tables come later
    error = refusal(tmp_path, data[:end] + b"\0\0" + data[end + 2 :])
    assert error.why.startswith("incomplete")


@pytest.mark.parametrize("big_tiff", [False, True])
def test_that_a_file_without_a_page_is_refused(tmp_path: Path, big_tiff: bool) -> None:
    data = bytearray(tiff_file(Page(grey()), big_tiff=big_tiff))
    at, size = (8, 8) if big_tiff else (4, 4)
    data[at : at + size] = bytes(size)
    assert refusal(tmp_path, bytes(data)).why == "the TIFF has no page"


def test_that_missing_strips_are_refused(tmp_path: Path) -> None:
    stored = grey()
    data = tiff_file(Page(stored, strip_rows=7, tags={273: (8, 8)}))
    assert refusal(tmp_path, data).why.startswith("incomplete")


# -- memory ------------------------------------------------------------------------------------

DIGESTS = """
import hashlib, sys
from pathlib import Path
from xrayview.errors import UnreadableFilm
from xrayview.io.readers import read_film, read_header, read_stored_values
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        pixels = read_film(read_header(path, path.parent)).pixels_HW
        line = hashlib.sha256(pixels.tobytes()).hexdigest() + read_stored_values(path).sha256
    except UnreadableFilm as error:
        line = str(error)
    print(path.name, line)
"""


def every_raster_file() -> Iterator[tuple[str, bytes]]:
    for dtype, compression, (layout, options), planar in itertools.product(
        ("uint8", "uint16", "float32"), COMPRESSIONS, LAYOUTS.items(), (False, True)
    ):
        name = f"{dtype} {compression} {layout}"
        one, three = grey(dtype), rgb(dtype)
        if not planar:
            yield f"grey {name}.tif", tiff_file(Page(one, compression=compression, **options))
        for kind, samples in (
            ("rgb", three),
            ("rgba", np.concatenate([three, one[..., None]], axis=-1)),
            ("grey alpha", np.stack([one, one[::-1]], axis=-1)),
        ):
            page = Page(samples, compression=compression, planar=planar, **options)
            yield f"{kind} {name} {planar}.tif", tiff_file(page)
    for bits in (1, 4, 10, 12, 14):
        yield f"packed {bits}.tif", tiff_file(Page(phantom(ROWS, COLUMNS, bits), bits=bits))
    for mode, compression in (("L", "jpeg"), ("RGB", "jpeg"), ("1", "group4"), ("1", "group3")):
        out = BytesIO()
        Image.fromarray(phantom(ROWS, COLUMNS, 8)).convert(mode).save(
            out, "TIFF", compression=compression
        )
        yield f"{mode} {compression}.tif", out.getvalue()
    colours = rgb("uint8")
    for suffix, pictures in {
        ".png": (grey("uint8"), grey(), colours, rgb()),
        ".jpg": (grey("uint8"), colours),
    }.items():
        for i, picture in enumerate(pictures):
            yield f"{i}{suffix}", cv2.imencode(suffix, picture)[1].tobytes()
    still = cv2.imencode(".png", colours)[1].tobytes()
    announced = png_chunk(b"acTL", struct.pack(">LL", 2, 0))
    yield "animated.png", still[:33] + announced + still[33:]
    half = tiff_file(Page(grey("uint8"), compression="lzw"))
    yield "cut.tif", half[: len(half) // 2]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="MALLOC_PERTURB_ is of glibc")
def test_that_no_pixel_is_uninitialised_memory(tmp_path: Path) -> None:
    """Two runs agree although new memory has other contents in each."""
    films = tmp_path / "films"
    films.mkdir()
    for name, data in every_raster_file():
        (films / name).write_bytes(data)
    root = Path(__file__).parents[4]
    runs = [
        subprocess.run(
            [sys.executable, "-c", DIGESTS, str(films)],
            env=os.environ | {"MALLOC_PERTURB_": content, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout.splitlines()
        for content in ("1", "170")
    ]
    assert len(runs[0]) == len(list(films.iterdir())) > 200
    assert runs[0] == runs[1]
