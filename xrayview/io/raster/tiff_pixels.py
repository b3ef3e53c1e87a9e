"""Samples of a TIFF page, from strips and tiles to rows and columns (TIFF 6.0).

OpenCV 5 reads planes of more than 8 bits as interleaved, multiplies samples of 10 to 14 bits, drops
16-bit grey to 8 bits beside transparency, and takes damaged strips of 8 bits without an error. So
the layout is read here; libtiff, by way of Pillow, only undoes LZW, PackBits and fax compression,
and OpenCV decodes JPEG.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.raster.png_jpeg_header import jpeg_is_complete
from xrayview.io.raster.structure import ALPHA_NOTE, Picture, not_supported, oriented
from xrayview.io.raster.tiff_header import COLOUR_SAMPLES, TiffPage

EXTRA_NOTE = "further samples of each pixel are ignored"
NO_CHROMA_NOTE = "the luma of a YCbCr film is shown"

_NONE, _LZW, _JPEG, _PACK_BITS = 1, 5, 7, 32773
_FAX = frozenset({2, 3, 4})
_DEFLATE = frozenset({8, 32946})
_COMPRESSIONS = {
    6: "old-style JPEG", 9: "JBIG", 10: "JBIG", 32766: "NeXT", 32771: "word-aligned fax",
    32809: "ThunderScan", 33003: "JPEG 2000", 33004: "JPEG 2000", 33005: "JPEG 2000",
    34661: "JBIG", 34676: "SGI LogLuv", 34677: "SGI LogLuv", 34712: "JPEG 2000", 34887: "LERC",
    34892: "lossy JPEG of DNG", 34925: "LZMA", 34926: "Zstandard", 34927: "WebP", 34933: "PNG",
    34934: "JPEG XR", 22610: "JPEG XR", 50000: "Zstandard", 50001: "WebP", 50002: "JPEG XL",
    52546: "JPEG XL",
}  # fmt: skip
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_PHOTOMETRICS = {
    4: "a transparency mask", 5: "CMYK", 8: "CIE L*a*b*", 9: "ICC L*a*b*", 10: "ITU L*a*b*",
    32803: "a colour filter array (camera raw)", 32844: "LogL", 32845: "LogLuv",
    34892: "linear raw of DNG", 51177: "a depth map",
}  # fmt: skip
_UNSIGNED, _SIGNED, _FLOAT, _VOID = 1, 2, 3, 4
_COMPLEX = frozenset({5, 6})
_DIFFERENCES, _FLOAT_DIFFERENCES = 2, 3
_MOST_BYTES_AT_ONCE = 1 << 26
_MOST_BYTES_OF_A_SEGMENT = 1 << 31
_ROWS_AT_ONCE = 256
_ALPHA = frozenset({1, 2})
_EIGHT_BITS = 256
_JPEG_TABLES = 347


def check_supported(page: TiffPage) -> None:
    """Refuse valid files of a kind that is not read.

    Raises:
        UnreadableFilm: UNSUPPORTED_SYNTAX, with the name of the kind.
    """
    depth, sample_format = page.depths[0], page.sample_formats[0]
    known = {_NONE, _LZW, _JPEG, _PACK_BITS} | _FAX | _DEFLATE
    if page.compression not in known:
        name = _COMPRESSIONS.get(page.compression, f"compression {page.compression}")
        raise not_supported(f"a TIFF compressed with {name}")
    if page.photometric in _PHOTOMETRICS or page.photometric not in {0, 1, 2, 3, 6}:
        name = _PHOTOMETRICS.get(page.photometric, f"photometric interpretation {page.photometric}")
        raise not_supported(f"a TIFF with {name}")
    if sample_format in _COMPLEX:
        raise not_supported("a TIFF with complex numbers")
    if len(set(page.depths)) > 1 or len(set(page.sample_formats)) > 1:
        raise not_supported("a TIFF whose samples differ in depth or type")
    is_float = sample_format == _FLOAT
    # Writers disagree about the byte order of 24 bits.
    if depth not in ({16, 32, 64} if is_float else {*range(1, 33), 64} - {24}):
        raise not_supported(f"a TIFF with {depth}-bit {'floats' if is_float else 'integers'}")
    if page.compression == _JPEG and depth != 8:
        raise not_supported(f"a TIFF compressed with JPEG of {depth} bits")
    if page.compression in _FAX and (depth, page.samples) != (1, 1):
        raise not_supported("a TIFF with fax compression of more than one bit")
    if page.photometric == _YCBCR and page.compression != _JPEG and page.subsampling != (1, 1):
        raise not_supported("a TIFF with subsampled YCbCr")
    if page.predictor not in {1, _DIFFERENCES, _FLOAT_DIFFERENCES} or (
        page.predictor == _FLOAT_DIFFERENCES and not is_float
    ):
        raise not_supported(f"a TIFF with predictor {page.predictor}")


def decode_page(data: bytes, page: TiffPage) -> Picture:
    """Decode one page; what is not shown is in its notes.

    Args:
        data: the whole file.
        page: complete and supported.

    Raises:
        UnreadableFilm: DECODE_FAILED; UNSUPPORTED_SYNTAX for 64-bit integers that need 64 bits.
    """
    colours = 1 if page.photometric == _YCBCR else COLOUR_SAMPLES.get(page.photometric, 1)
    if page.compression == _JPEG:
        samples = _decoded_jpeg(data, page)
    else:
        samples = _narrowed(_decoded(data, page, colours))
    notes = _notes(page)
    depth = page.depths[0]
    if page.photometric == _PALETTE:
        samples = _through_palette(samples[..., 0], page)
        depth = 8 * samples.dtype.itemsize
    grey_or_colour = samples[..., 0] if samples.shape[2] < 3 else samples[..., :3]
    return Picture(
        oriented(grey_or_colour, page.orientation),
        bits=min(depth, 8 * samples.dtype.itemsize),
        is_inverted=page.photometric == _WHITE_IS_ZERO,
        notes=notes,
    )


def stored_samples(data: bytes, page: TiffPage) -> npt.NDArray[Any]:
    """All samples of a page, oriented: (rows, columns) or (rows, columns, samples).

    Raises:
        UnreadableFilm: as `decode_page`.
    """
    if page.compression == _JPEG:
        samples = _decoded_jpeg(data, page)
    else:
        samples = _narrowed(_decoded(data, page, page.samples))
    if page.photometric == _PALETTE:
        samples = _through_palette(samples[..., 0], page)
    return oriented(samples[..., 0] if samples.shape[2] == 1 else samples, page.orientation)


def _notes(page: TiffPage) -> tuple[str, ...]:
    is_luma = page.photometric == _YCBCR and page.compression != _JPEG
    notes = (NO_CHROMA_NOTE,) if is_luma else ()
    extra = page.samples - COLOUR_SAMPLES.get(page.photometric, 1)
    if extra <= 0:
        return notes
    # A single sample without a meaning is mostly transparency.
    is_alpha = bool(_ALPHA & set(page.extra_samples)) or extra == 1
    return (*notes, *((ALPHA_NOTE,) if is_alpha else ()), *((EXTRA_NOTE,) if extra > 1 else ()))


# -- the layout --------------------------------------------------------------------------------


def _decoded(data: bytes, page: TiffPage, wanted: int) -> npt.NDArray[Any]:
    """The first `wanted` samples of every pixel, (rows, columns, samples)."""
    rows, columns = page.stored_rows, page.stored_columns
    height, width = page.segment_size
    if height <= 0 or width <= 0 or height * _row_bytes(page) > _MOST_BYTES_OF_A_SEGMENT:
        raise _broken("its tiles have an impossible size")
    down, across = -(-rows // height), -(-columns // width)
    planes, per_plane = (min(page.samples, wanted), 1) if page.is_planar else (1, page.samples)
    if len(page.segments) < planes * down * across:
        raise _broken("incomplete: strips or tiles are missing")
    picture = np.zeros((rows, columns, planes * per_plane), _sample_type(page))
    for plane in range(planes):
        first = plane * down * across
        heights = [
            height if page.tile else min(height, rows - top) for top in range(0, rows, height)
        ]
        segments = page.segments[first : first + down * across]
        blocks = _blocks(data, page, segments, [h for h in heights for _ in range(across)])
        for i, block in enumerate(blocks):
            values = _values(block, page, per_plane)
            top, left = i // across * height, i % across * width
            part = picture[top : top + height, left : left + width, plane : plane + per_plane]
            part[...] = values[: part.shape[0], : part.shape[1]]
    return picture[..., :wanted]


def _row_bytes(page: TiffPage) -> int:
    per_plane = 1 if page.is_planar else page.samples
    return -(-page.segment_size[1] * per_plane * page.depths[0] // 8)


def _blocks(
    data: bytes, page: TiffPage, segments: tuple[tuple[int, int], ...], heights: list[int]
) -> Iterator[npt.NDArray[np.uint8]]:
    """The bytes of each strip or tile without its compression, (rows, bytes of a row)."""
    row_bytes = _row_bytes(page)
    if page.compression in {_LZW, _PACK_BITS} | _FAX:
        yield from _by_libtiff(data, page, segments, heights)
        return
    for (start, count), height in zip(segments, heights, strict=True):
        size = height * row_bytes
        if page.compression == _NONE:
            # The count is often wrong, and not needed.
            plain = data[start : start + size]
        else:
            full = page.segment_size[0] * row_bytes
            plain = _inflated(_raw(data, page, start, count), size, full)
        if len(plain) < size:
            raise _broken(f"incomplete: {len(plain)} of {size} bytes of a strip are in the file")
        block = np.frombuffer(plain, np.uint8)
        if page.is_reversed and page.compression == _NONE:
            block = _REVERSED[block]
        yield block.reshape(height, row_bytes)


def _raw(data: bytes, page: TiffPage, start: int, count: int) -> bytes:
    """The bytes of a strip or tile in the file, with the highest bit first."""
    raw = data[start : start + count] if count else data[start:]
    return _REVERSED[np.frombuffer(raw, np.uint8)].tobytes() if page.is_reversed else raw


_REVERSED = np.packbits(
    np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)[:, ::-1], axis=1
)[:, 0]
"""Each byte with its bits in the other order."""


def _inflated(raw: bytes, size: int, full: int) -> bytes:
    """The first `size` bytes; some writers give the last strip the `full` size of the others."""
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(raw, size)
        # The checksum follows the last byte.
        rest = b"" if inflater.eof else inflater.decompress(inflater.unconsumed_tail, full + 1)
    except zlib.error as error:
        raise _broken("the compressed data of a strip is damaged") from error
    if len(plain) + len(rest) > full:
        raise _broken("the compressed data of a strip is damaged")
    if not inflater.eof:
        raise _broken("incomplete: the compressed data of a strip has no end")
    return plain


def _by_libtiff(
    data: bytes, page: TiffPage, segments: tuple[tuple[int, int], ...], heights: list[int]
) -> Iterator[npt.NDArray[np.uint8]]:
    """Undo the compression of many strips or tiles at once, as strips of a grey picture."""
    row_bytes, columns = _row_bytes(page), page.segment_size[1]
    is_fax = page.compression in _FAX
    step = max(_MOST_BYTES_AT_ONCE // max(heights[0] * row_bytes, 1), 1)
    for first in range(0, len(segments), step):
        chosen, rows = segments[first : first + step], heights[first : first + step]
        tags: dict[int, tuple[int, ...]] = {
            256: (columns if is_fax else row_bytes,), 257: (sum(rows),),
            258: (1 if is_fax else 8,), 259: (page.compression,), 262: (_BLACK_IS_ZERO,),
            277: (1,), 278: (rows[0],),
        }  # fmt: skip
        if is_fax:
            tags |= {292: page.fax_options[:1], 293: page.fax_options[1:]}
        strips = [_raw(data, page, start, count) for start, count in chosen]
        try:
            with _any_size(), Image.open(BytesIO(_tiff(tags, strips)), formats=["TIFF"]) as picture:
                plain = np.asarray(picture)
        except (OSError, SyntaxError, ValueError) as error:
            raise _broken("the compressed data of a strip is damaged") from error
        if is_fax:
            plain = np.packbits(plain, axis=1)
        for top, height in zip(np.cumsum([0, *rows]).tolist(), rows, strict=False):
            yield plain[top : top + height]


@contextmanager
def _any_size() -> Iterator[None]:
    """Let Pillow open a picture of any size: that of the film has been checked."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _tiff(tags: dict[int, tuple[int, ...]], segments: list[bytes], tables: bytes = b"") -> bytes:
    """A little endian TIFF with one page.

    Args:
        tags: integers by tag, without the positions and lengths of strips or tiles.
        segments: what these have in the file.
        tables: the JPEG tables.
    """
    offsets_tag, counts_tag = (324, 325) if 322 in tags else (273, 279)
    entries = len(tags) + 2 + bool(tables)
    after_directory = 8 + 2 + 12 * entries + 4
    arrays = {tag: struct.pack(f"<{len(values)}L", *values) for tag, values in tags.items()}
    ends = np.cumsum([len(segment) for segment in segments])
    # All arrays that do not fit into their entry, then the tables, then the segments.
    size = sum(len(array) for array in arrays.values() if len(array) > 4)
    size += 8 * len(segments) * (len(segments) > 1) + len(tables)
    starts = after_directory + size + ends - np.diff(ends, prepend=0)
    arrays[offsets_tag] = starts.astype("<u4").tobytes()
    arrays[counts_tag] = np.diff(ends, prepend=0).astype("<u4").tobytes()
    directory, values = b"", b""
    for tag in sorted({*arrays, *([_JPEG_TABLES] if tables else [])}):
        array = tables if tag == _JPEG_TABLES else arrays[tag]
        kind, count = (7, len(array)) if tag == _JPEG_TABLES else (4, len(array) // 4)
        inline = array
        if len(array) > 4:
            inline = struct.pack("<L", after_directory + len(values))
            values += array
        directory += struct.pack("<HHL", tag, kind, count) + inline
    head = struct.pack("<2sHLH", b"II", 42, 8, entries)
    return b"".join((head, directory, bytes(4), values, *segments))


# -- samples -----------------------------------------------------------------------------------


def _sample_type(page: TiffPage) -> np.dtype[Any]:
    depth = page.depths[0]
    size = next(size for size in (1, 2, 4, 8) if depth <= 8 * size)
    letter = {_SIGNED: "i", _FLOAT: "f"}.get(page.sample_formats[0], "u")
    return np.dtype(f"{letter}{size}") if letter != "f" else np.dtype(f"f{max(size, 4)}")


def _values(block: npt.NDArray[np.uint8], page: TiffPage, per_plane: int) -> npt.NDArray[Any]:
    """The samples of a strip or tile, (rows, columns, samples)."""
    depth, sample_format = page.depths[0], page.sample_formats[0]
    width = page.segment_size[1]
    # libtiff has predictors for these compressions only.
    predictor = page.predictor if page.compression in {_LZW} | _DEFLATE else 1
    if predictor == _FLOAT_DIFFERENCES:
        return _floats_from_differences(block, page, per_plane)
    if depth in {8, 16, 32, 64}:
        words = np.ascontiguousarray(block).view(f"{page.order}u{depth // 8}")
        values = words.astype(words.dtype.newbyteorder("=")).reshape(-1, width, per_plane)
    else:
        values = _unpacked(block, depth, width * per_plane).reshape(-1, width, per_plane)
    if predictor == _DIFFERENCES:
        values = np.cumsum(values, axis=1, dtype=values.dtype)
        if depth not in {8, 16, 32, 64}:
            values &= values.dtype.type((1 << depth) - 1)
    if sample_format == _FLOAT:
        return values.view(f"f{depth // 8}")
    if sample_format == _SIGNED:
        unused = 8 * values.dtype.itemsize - depth
        return np.asarray((values << unused).view(f"i{values.dtype.itemsize}") >> unused)
    return values


def _unpacked(
    block: npt.NDArray[np.uint8], depth: int, count: int
) -> npt.NDArray[np.unsignedinteger[Any]]:
    """`count` values of 1 to 31 bits in each row, highest bit first, rows padded to bytes."""
    first_bits = np.arange(count) * depth
    first_bytes, shifts = first_bits // 8, 64 - depth - first_bits % 8
    size = 1 if depth <= 8 else 2 if depth <= 16 else 4
    values = np.empty((len(block), count), f"u{size}")
    mask = np.uint64((1 << depth) - 1)
    for top in range(0, len(block), _ROWS_AT_ONCE):
        rows = np.pad(block[top : top + _ROWS_AT_ONCE], ((0, 0), (0, 8)))
        window = np.zeros((len(rows), count), np.uint64)
        for i in range((depth + 14) // 8):
            window |= rows[:, first_bytes + i].astype(np.uint64) << np.uint64(56 - 8 * i)
        values[top : top + _ROWS_AT_ONCE] = window >> shifts.astype(np.uint64) & mask
    return values


def _floats_from_differences(
    block: npt.NDArray[np.uint8], page: TiffPage, per_plane: int
) -> npt.NDArray[Any]:
    """Undo predictor 3: differences of bytes, the highest bytes of a row first (Tech Note 3)."""
    size = page.depths[0] // 8
    width = page.segment_size[1]
    differences = block.reshape(len(block), -1, per_plane)
    planes = np.cumsum(differences, axis=1, dtype=np.uint8).reshape(len(block), size, -1)
    floats = np.ascontiguousarray(planes.swapaxes(1, 2)).view(f">f{size}")
    return floats.astype(f"f{size}").reshape(-1, width, per_plane)


def _narrowed(samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """64-bit integers as 32-bit ones, which must hold them."""
    if samples.dtype.kind not in "iu" or samples.dtype.itemsize < 8:
        return samples
    narrow = np.dtype(f"{samples.dtype.kind}4")
    limits = np.iinfo(narrow)
    if samples.size and (samples.min() < limits.min or samples.max() > limits.max):
        raise not_supported("a TIFF with 64-bit integers")
    return samples.astype(narrow)


def _through_palette(indices: npt.NDArray[Any], page: TiffPage) -> npt.NDArray[Any]:
    """RGB of 16 bits, or of 8 bits where the palette has no more (TIFF 6.0, section 5)."""
    count = 1 << page.depths[0]
    table = np.array(page.colour_map, np.uint32)
    if table.size != 3 * count:
        raise _broken("its colour palette is missing or broken")
    colours = table.reshape(3, count).T.astype(np.uint16)
    if (colours % (_EIGHT_BITS + 1) == 0).all() or (colours % _EIGHT_BITS == 0).all():
        colours = (colours >> 8).astype(np.uint8)
    elif colours.max() < _EIGHT_BITS:  # against the standard, but common
        colours = colours.astype(np.uint8)
    return np.asarray(colours[indices])


# -- JPEG --------------------------------------------------------------------------------------


def _decoded_jpeg(data: bytes, page: TiffPage) -> npt.NDArray[Any]:
    """Grey or RGB of 8 bits."""
    segments = [data[start : start + count] for start, count in page.segments]
    if not all(jpeg_is_complete(BytesIO(segment)) for segment in segments):
        raise _broken("incomplete: the JPEG of a strip or tile has no end")
    photometric = max(page.photometric, _BLACK_IS_ZERO)  # OpenCV would invert the values
    tags: dict[int, tuple[int, ...]] = {
        256: (page.stored_columns,), 257: (page.stored_rows,), 258: page.depths, 259: (_JPEG,),
        262: (photometric,), 277: (page.samples,), 284: (2 if page.is_planar else 1,),
    }  # fmt: skip
    height, width = page.segment_size
    tags |= {322: (width,), 323: (height,)} if page.tile else {278: (height,)}
    if page.photometric == _YCBCR:
        tags[530] = page.subsampling
    if page.extra_samples:
        tags[338] = page.extra_samples
    start, length = page.jpeg_tables
    whole = _tiff(tags, segments, data[start : start + length] if length > 4 else b"")
    try:
        decoded: npt.NDArray[Any] | None = cv2.imdecode(
            np.frombuffer(whole, np.uint8), cv2.IMREAD_UNCHANGED
        )
    except cv2.error:
        decoded = None
    if decoded is None or decoded.shape[:2] != (page.stored_rows, page.stored_columns):
        raise _broken("the decoder failed on its data")
    samples: npt.NDArray[Any] = decoded.reshape(*decoded.shape[:2], -1)
    return samples[..., 2::-1] if samples.shape[2] >= 3 else samples


def _broken(why: str) -> UnreadableFilm:
    return UnreadableFilm(
        "The TIFF cannot be decoded",
        code=StatusCode.DECODE_FAILED,
        why=why,
        hint="Copy or export it again from the source.",
    )
