"""The structure of PNG, JPEG and TIFF files: size, orientation and completeness, no pixels.

Only as much is parsed as a film needs before its decoder may run: how large it claims to be,
which way up it is, and whether it is all there.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from xrayview.errors import StatusCode, UnreadableFilm

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8\xff"
TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

MAX_TIFF_PAGES = 10_000
_PAST_ANY_FILE = 1 << 40
"""Where a BigTIFF may point that no file system lets one seek to."""

# SOF0..SOF15 without DHT (C4), JPG (C8) and DAC (CC): ITU-T T.81, table B.1; JPEG-LS: T.87.
_JPEG_SOF = (frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}) | {0xF7}
_JPEG_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_SOS, _JPEG_EOI, _JPEG_APP1 = 0xDA, 0xD9, 0xE1

# TIFF 6.0, section 8, and BigTIFF: bytes and struct letter per field type.
_TIFF_TYPES = {1: "B", 3: "H", 4: "L", 13: "L", 16: "Q", 18: "Q"}
_ORIENTATION, _WHITE_IS_ZERO = 274, 0
_COLOUR_SAMPLES = {2: 3, 5: 4, 6: 3, 8: 3}
"""Samples of RGB, CMYK, YCbCr and L*a*b*; one more is transparency."""
_OFFSETS, _COUNTS = (273, 324), (279, 325)


@dataclass(frozen=True)
class RasterHeader:
    """What a raster file says of its first page, as stored (before orientation)."""

    stored_rows: int
    stored_columns: int
    orientation: int = 1
    """EXIF / TIFF orientation, 1..8."""
    pages: int = 1
    alpha: bool = False
    white_is_zero: bool = False

    @property
    def rows(self) -> int:
        """Rows of the film once it is turned the way its orientation says."""
        return self.stored_columns if self.orientation >= 5 else self.stored_rows

    @property
    def columns(self) -> int:
        """Columns of the film once it is turned the way its orientation says."""
        return self.stored_rows if self.orientation >= 5 else self.stored_columns


def _broken(what: str) -> UnreadableFilm:
    return UnreadableFilm(
        "The header is incomplete",
        code=StatusCode.DECODE_FAILED,
        why=what,
        hint="The file was probably cut short; copy or export it again.",
    )


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise _broken("the file ends inside its header")
    return data


# -- PNG ---------------------------------------------------------------------------------------


def png_header(stream: BinaryIO) -> RasterHeader:
    """Read a PNG's chunks up to the pixels (PNG 3rd edition, 11.2.1, 11.3.2.1, 11.3.4.4)."""
    stream.seek(len(PNG_SIGNATURE))
    rows = columns = colour_type = 0
    orientation, alpha = 1, False
    for name, length in _png_chunks(stream):
        if name == b"IHDR":
            columns, rows, _, colour_type = struct.unpack(">LLBB", _exactly(stream, 10))
        elif name == b"eXIf" and length <= 65536:
            orientation = _exif_orientation(_exactly(stream, length))
        elif name == b"tRNS":
            alpha = True
        elif name in {b"IDAT", b"IEND"}:
            break
    if not rows:
        raise _broken("a PNG without an IHDR chunk")
    return RasterHeader(rows, columns, orientation, alpha=alpha or colour_type in {4, 6})


def _png_chunks(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Yield name and length of each chunk, positioned at its data."""
    while len(head := stream.read(8)) == 8:
        length, name = struct.unpack(">L4s", head)
        data = stream.tell()
        yield name, length
        stream.seek(data + length + 4)


def png_is_complete(stream: BinaryIO) -> bool:
    """True when the closing IEND chunk lies inside the file."""
    end = stream.seek(0, os.SEEK_END)
    stream.seek(len(PNG_SIGNATURE))
    return any(
        name == b"IEND" and stream.tell() + length <= end for name, length in _png_chunks(stream)
    )


# -- JPEG --------------------------------------------------------------------------------------


def jpeg_header(stream: BinaryIO) -> RasterHeader:
    """Read a JPEG's segments up to the frame header (ITU-T T.81, B.2.2; EXIF 2.3, 4.5.2)."""
    stream.seek(2)
    orientation = 1
    for marker, length in _jpeg_segments(stream):
        if marker in _JPEG_SOF:
            _, rows, columns = struct.unpack(">BHH", _exactly(stream, 5))
            return RasterHeader(rows, columns, orientation)
        if marker == _JPEG_APP1 and length > 6:
            payload = _exactly(stream, length)
            if payload.startswith(b"Exif\0\0"):
                orientation = _exif_orientation(payload[6:])
        elif marker in {_JPEG_SOS, _JPEG_EOI}:
            break
    raise _broken("a JPEG without a frame header")


def _jpeg_segments(stream: BinaryIO) -> Iterator[tuple[int, int]]:
    """Yield marker and payload length of each segment, positioned at its payload."""
    while (byte := stream.read(1)) == b"\xff":
        while byte == b"\xff":
            byte = stream.read(1)
        if not byte:
            return
        marker = byte[0]
        if marker in _JPEG_STANDALONE:
            continue
        if marker == _JPEG_EOI:
            yield marker, 0
            return
        (length,) = struct.unpack(">H", _exactly(stream, 2))
        if length < 2:
            raise _broken("a JPEG segment of impossible length")
        payload = stream.tell()
        yield marker, length - 2
        stream.seek(payload + length - 2)


def jpeg_is_complete(stream: BinaryIO) -> bool:
    """True when an end-of-image marker follows the first scan.

    Entropy-coded data stuffs every FF, and a thumbnail's marker lies in a segment before.
    """
    stream.seek(2)
    try:
        if any(marker == _JPEG_SOS for marker, _ in _jpeg_segments(stream)):
            return b"\xff\xd9" in stream.read()
    except UnreadableFilm:
        pass
    return False


# -- TIFF --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Ifd:
    """One TIFF directory: for each tag its field type, count and where its values lie."""

    order: str
    entries: dict[int, tuple[int, int, int]]
    next_offset: int

    def values(self, stream: BinaryIO, tag: int, limit: int = 1_000_000) -> tuple[int, ...]:
        """The integers of a tag; empty when it is absent, of another type or absurdly long."""
        kind, count, position = self.entries.get(tag, (0, 0, 0))
        letter = _TIFF_TYPES.get(kind)
        if letter is None or count > limit:
            return ()
        stream.seek(position)
        layout = struct.Struct(f"{self.order}{count}{letter}")
        data = stream.read(layout.size)
        return tuple(layout.unpack(data)) if len(data) == layout.size else ()

    def first(self, stream: BinaryIO, tag: int, default: int = 0) -> int:
        """The first integer of a tag."""
        return next(iter(self.values(stream, tag)), default)


def tiff_header(stream: BinaryIO) -> RasterHeader:
    """Read the first directory of a TIFF or BigTIFF and count the pages (TIFF 6.0, section 2)."""
    order, big, offset = _tiff_start(stream)
    page = _read_ifd(stream, order, big, offset)
    pages, seen, following = 1, {offset}, page.next_offset
    while following and following not in seen and pages < MAX_TIFF_PAGES:
        seen.add(following)
        try:
            following = _read_ifd(stream, order, big, following).next_offset
        except UnreadableFilm:
            break
        pages += 1
    orientation = page.first(stream, _ORIENTATION, 1)
    photometric = page.first(stream, 262, 1)
    return RasterHeader(
        stored_rows=page.first(stream, 257),
        stored_columns=page.first(stream, 256),
        orientation=orientation if 1 <= orientation <= 8 else 1,
        pages=pages,
        alpha=page.first(stream, 277, 1) > _COLOUR_SAMPLES.get(photometric, 1),
        white_is_zero=photometric == _WHITE_IS_ZERO,
    )


def tiff_is_complete(stream: BinaryIO) -> bool:
    """True when every strip or tile of the first page lies inside the file."""
    page = _read_ifd(stream, *_tiff_start(stream))
    end = stream.seek(0, os.SEEK_END)
    offsets = next(filter(None, (page.values(stream, tag) for tag in _OFFSETS)), ())
    counts = next(filter(None, (page.values(stream, tag) for tag in _COUNTS)), ())
    if not offsets:
        return False
    # StripByteCounts may be absent in old single-strip files.
    counts = counts or (0,) * len(offsets)
    return all(start + size <= end for start, size in zip(offsets, counts, strict=False))


def _tiff_start(stream: BinaryIO) -> tuple[str, bool, int]:
    stream.seek(0)
    head = _exactly(stream, 8)
    order = "<" if head[:2] == b"II" else ">"
    big = struct.unpack(f"{order}H", head[2:4])[0] == 43
    if big:
        (offset,) = struct.unpack(f"{order}Q", _exactly(stream, 8))
    else:
        (offset,) = struct.unpack(f"{order}L", head[4:8])
    return order, big, offset


def _read_ifd(stream: BinaryIO, order: str, big: bool, offset: int) -> _Ifd:
    count_layout, entry_layout, pointer = ("Q", "HHQ8s", "Q") if big else ("H", "HHL4s", "L")
    stream.seek(min(offset, _PAST_ANY_FILE))
    start = struct.Struct(f"{order}{count_layout}")
    (count,) = start.unpack(_exactly(stream, start.size))
    layout = struct.Struct(f"{order}{entry_layout}")
    if count > 65535:
        raise _broken("a TIFF directory of impossible length")
    entries: dict[int, tuple[int, int, int]] = {}
    for _ in range(count):
        position = stream.tell()
        tag, kind, values, inline = layout.unpack(_exactly(stream, layout.size))
        size = values * struct.calcsize(order + _TIFF_TYPES.get(kind, "B"))
        if size <= len(inline):
            where = position + layout.size - len(inline)
        else:
            (where,) = struct.unpack(f"{order}{pointer}", inline)
        entries[tag] = (kind, values, min(where, _PAST_ANY_FILE))
    following = stream.read(struct.calcsize(f"{order}{pointer}"))
    end = struct.calcsize(f"{order}{pointer}")
    next_offset = struct.unpack(f"{order}{pointer}", following)[0] if len(following) == end else 0
    return _Ifd(order, entries, next_offset)


def _exif_orientation(tiff: bytes) -> int:
    """Orientation of an EXIF block, which is a TIFF; 1 where it says nothing usable."""
    stream = BytesIO(tiff)
    try:
        value = _read_ifd(stream, *_tiff_start(stream)).first(stream, _ORIENTATION, 1)
    except UnreadableFilm:
        return 1
    return value if 1 <= value <= 8 else 1
