"""The structure of TIFF and BigTIFF files, and of the TIFF inside an EXIF block."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from xrayview.errors import UnreadableFilm
from xrayview.io.raster.structure import RasterHeader, broken, exactly

TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

MAX_TIFF_PAGES = 10_000
_PAST_ANY_FILE = 1 << 40
"""Where a BigTIFF may point that no file system lets one seek to."""

# TIFF 6.0, section 8, and BigTIFF: bytes and struct letter per field type.
_TIFF_TYPES = {1: "B", 3: "H", 4: "L", 13: "L", 16: "Q", 18: "Q"}
_ORIENTATION, _WHITE_IS_ZERO = 274, 0
_COLOUR_SAMPLES = {2: 3, 5: 4, 6: 3, 8: 3}
"""Samples of RGB, CMYK, YCbCr and L*a*b*; one more is transparency."""
_OFFSETS, _COUNTS = (273, 324), (279, 325)


@dataclass(frozen=True)
class _Ifd:
    """One TIFF directory: for each tag its field type, count and where its values lie."""

    order: str
    entries: dict[int, tuple[int, int, int]]

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
    orientation = page.first(stream, _ORIENTATION, 1)
    photometric = page.first(stream, 262, 1)
    return RasterHeader(
        stored_rows=page.first(stream, 257),
        stored_columns=page.first(stream, 256),
        orientation=orientation if 1 <= orientation <= 8 else 1,
        pages=len(_page_offsets(stream, order, big, offset)),
        alpha=page.first(stream, 277, 1) > _COLOUR_SAMPLES.get(photometric, 1),
        white_is_zero=photometric == _WHITE_IS_ZERO,
    )


def tiff_page(data: bytes, page: int) -> bytes:
    """The same file with `page`, counted from 0, as its first and so the one that is decoded.

    Raises:
        IndexError: there is no such page.
    """
    order, big, offset = _tiff_start(BytesIO(data))
    offsets = _page_offsets(BytesIO(data), order, big, offset)
    start, pointer = (8, "Q") if big else (4, "L")
    link = struct.pack(order + pointer, offsets[page])
    return data[:start] + link + data[start + len(link) :]


def _page_offsets(stream: BinaryIO, order: str, big: bool, offset: int) -> tuple[int, ...]:
    """Follow the links between directories, each once, without reading their fields."""
    offsets = [offset]
    seen = {0, offset}
    pointer = struct.Struct(order + ("Q" if big else "L"))
    while len(offsets) < MAX_TIFF_PAGES:
        try:
            fields = _field_count(stream, order, big, offsets[-1])
        except UnreadableFilm:
            return tuple(offsets[:-1])
        stream.seek(fields * (20 if big else 12), os.SEEK_CUR)
        following = stream.read(pointer.size)
        offset = pointer.unpack(following)[0] if len(following) == pointer.size else 0
        if offset in seen:
            break
        seen.add(offset)
        offsets.append(offset)
    return tuple(offsets)


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
    head = exactly(stream, 8)
    order = "<" if head[:2] == b"II" else ">"
    big = struct.unpack(f"{order}H", head[2:4])[0] == 43
    if big:
        (offset,) = struct.unpack(f"{order}Q", exactly(stream, 8))
    else:
        (offset,) = struct.unpack(f"{order}L", head[4:8])
    return order, big, offset


def _field_count(stream: BinaryIO, order: str, big: bool, offset: int) -> int:
    """The number of fields of the directory at `offset`, positioned at the first."""
    stream.seek(min(offset, _PAST_ANY_FILE))
    start = struct.Struct(order + ("Q" if big else "H"))
    (count,) = start.unpack(exactly(stream, start.size))
    if count > 65535:
        raise broken("a TIFF directory of impossible length")
    return int(count)


def _read_ifd(stream: BinaryIO, order: str, big: bool, offset: int) -> _Ifd:
    layout = struct.Struct(order + ("HHQ8s" if big else "HHL4s"))
    entries: dict[int, tuple[int, int, int]] = {}
    for _ in range(_field_count(stream, order, big, offset)):
        position = stream.tell()
        tag, kind, values, inline = layout.unpack(exactly(stream, layout.size))
        size = values * struct.calcsize(order + _TIFF_TYPES.get(kind, "B"))
        where = position + layout.size - len(inline)
        if size > len(inline):
            where = int.from_bytes(inline, "little" if order == "<" else "big")
        entries[tag] = (kind, values, min(where, _PAST_ANY_FILE))
    return _Ifd(order, entries)


def exif_orientation(tiff: bytes) -> int:
    """Orientation of an EXIF block, which is a TIFF; 1 where it says nothing usable."""
    stream = BytesIO(tiff)
    try:
        value = _read_ifd(stream, *_tiff_start(stream)).first(stream, _ORIENTATION, 1)
    except UnreadableFilm:
        return 1
    return value if 1 <= value <= 8 else 1
