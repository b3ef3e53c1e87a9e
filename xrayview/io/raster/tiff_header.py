"""The structure of TIFF and BigTIFF files, and of the TIFF inside an EXIF block."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from xrayview.errors import UnreadableFilm
from xrayview.io.raster.structure import RasterHeader, invalid_header, read_exactly

TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

MAX_TIFF_PAGES = 10_000
_PAST_ANY_FILE = 1 << 40
"""Larger than any file: a BigTIFF offset may be too large to seek to."""

# TIFF 6.0, section 8, and BigTIFF: the struct format of each integer field type.
_TIFF_TYPES = {1: "B", 3: "H", 4: "L", 13: "L", 16: "Q", 18: "Q"}
_ORIENTATION, _WHITE_IS_ZERO = 274, 0
_COLOUR_SAMPLES = {2: 3, 5: 4, 6: 3, 8: 3}
"""Samples per pixel of RGB, CMYK, YCbCr and L*a*b*; an extra one is transparency."""
_OFFSETS, _COUNTS = (273, 324), (279, 325)


@dataclass(frozen=True)
class _Ifd:
    """One TIFF directory: for each tag its field type, count, and the position of its values."""

    order: str
    entries: dict[int, tuple[int, int, int]]

    def values(self, stream: BinaryIO, tag: int, limit: int = 1_000_000) -> tuple[int, ...]:
        """The integers of a tag; empty when it is absent, not of integers, or too long."""
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
    """Read the first directory of a TIFF or BigTIFF and find its pages (TIFF 6.0, section 2)."""
    order, big, offset = _tiff_start(stream)
    page = _read_ifd(stream, order, big, offset)
    orientation = page.first(stream, _ORIENTATION, 1)
    photometric = page.first(stream, 262, 1)
    return RasterHeader(
        stored_rows=page.first(stream, 257),
        stored_columns=page.first(stream, 256),
        orientation=orientation if 1 <= orientation <= 8 else 1,
        pages=_page_offsets(stream, order, big, offset),
        alpha=page.first(stream, 277, 1) > _COLOUR_SAMPLES.get(photometric, 1),
        white_is_zero=photometric == _WHITE_IS_ZERO,
    )


def tiff_page(data: bytes, offset: int) -> bytes:
    """The same file with the page at `offset`, from `RasterHeader.pages`, as its only one.

    `cv2.imdecodemulti` with a range gives equal pixels, but walks all pages before the one it
    decodes, each in time proportional to its index: seconds for the last of 10,000 pages.
    """
    order, big, _ = _tiff_start(BytesIO(data))
    pointer = struct.Struct(order + ("Q" if big else "L"))
    page = bytearray(data)
    pointer.pack_into(page, 8 if big else 4, offset)
    next_link = _next_link_at(BytesIO(data), order, big, offset)
    if next_link + pointer.size <= len(page):
        pointer.pack_into(page, next_link, 0)
    return bytes(page)


def _page_offsets(stream: BinaryIO, order: str, big: bool, offset: int) -> tuple[int, ...]:
    """Follow the links from directory to directory, each once, without reading their fields."""
    offsets = [offset]
    seen = {0, offset}
    pointer = struct.Struct(order + ("Q" if big else "L"))
    while len(offsets) < MAX_TIFF_PAGES:
        try:
            stream.seek(_next_link_at(stream, order, big, offsets[-1]))
        except UnreadableFilm:
            return tuple(offsets[:-1])
        link = stream.read(pointer.size)
        offset = pointer.unpack(link)[0] if len(link) == pointer.size else 0
        if offset in seen:
            break
        seen.add(offset)
        offsets.append(offset)
    return tuple(offsets)


def _next_link_at(stream: BinaryIO, order: str, big: bool, offset: int) -> int:
    """The position of the link to the directory after the one at `offset`."""
    fields = _field_count(stream, order, big, offset)
    return stream.tell() + fields * (20 if big else 12)


def tiff_is_complete(stream: BinaryIO) -> bool:
    """True when every strip and tile of the first page lies inside the file."""
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
    head = read_exactly(stream, 8)
    order = "<" if head[:2] == b"II" else ">"
    big = struct.unpack(f"{order}H", head[2:4])[0] == 43
    if big:
        (offset,) = struct.unpack(f"{order}Q", read_exactly(stream, 8))
    else:
        (offset,) = struct.unpack(f"{order}L", head[4:8])
    return order, big, offset


def _field_count(stream: BinaryIO, order: str, big: bool, offset: int) -> int:
    """The number of fields of the directory at `offset`, with the stream at the first one."""
    stream.seek(min(offset, _PAST_ANY_FILE))
    start = struct.Struct(order + ("Q" if big else "H"))
    (count,) = start.unpack(read_exactly(stream, start.size))
    if count > 65535:
        raise invalid_header("a TIFF directory has an impossible length")
    return int(count)


def _read_ifd(stream: BinaryIO, order: str, big: bool, offset: int) -> _Ifd:
    layout = struct.Struct(order + ("HHQ8s" if big else "HHL4s"))
    entries: dict[int, tuple[int, int, int]] = {}
    for _ in range(_field_count(stream, order, big, offset)):
        start = stream.tell()
        tag, kind, count, inline = layout.unpack(read_exactly(stream, layout.size))
        size = count * struct.calcsize(order + _TIFF_TYPES.get(kind, "B"))
        position = start + layout.size - len(inline)
        if size > len(inline):
            position = int.from_bytes(inline, "little" if order == "<" else "big")
        entries[tag] = (kind, count, min(position, _PAST_ANY_FILE))
    return _Ifd(order, entries)


def exif_orientation(tiff: bytes) -> int:
    """The orientation in an EXIF block, which is a TIFF; 1 when there is no valid one."""
    stream = BytesIO(tiff)
    try:
        value = _read_ifd(stream, *_tiff_start(stream)).first(stream, _ORIENTATION, 1)
    except UnreadableFilm:
        return 1
    return value if 1 <= value <= 8 else 1
