"""The structure of TIFF and BigTIFF files, and of the TIFF inside an EXIF block."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, replace
from io import BytesIO
from typing import BinaryIO

from xrayview.errors import UnreadableFilm
from xrayview.io.raster.structure import RasterHeader, invalid_header, read_exactly

TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

MAX_TIFF_PAGES = 10_000
_PAST_ANY_FILE = 1 << 40
"""Larger than any file: a BigTIFF offset may be too large to seek to."""
_ALL_ROWS = (1 << 32) - 1
_MOST_SUB_PAGES = 64
_MOST_SAMPLES = 4096

# TIFF 6.0, section 8, and BigTIFF: the struct format of each integer field type.
_TIFF_TYPES = {1: "B", 3: "H", 4: "L", 6: "b", 7: "B", 8: "h", 9: "l", 13: "L", 16: "Q", 18: "Q"}
_ORIENTATION = 274
_NEW_SUBFILE_TYPE, _SUBFILE_TYPE, _SUB_PAGES = 254, 255, 330
_REDUCED, _MASK = 1, 4
"""Bits of NewSubfileType."""
_OLD_REDUCED = 2
COLOUR_SAMPLES = {2: 3, 5: 4, 6: 3, 8: 3}
"""Samples per pixel of RGB, CMYK, YCbCr and L*a*b*; one more is transparency or unknown."""
_OFFSETS, _COUNTS = (273, 324), (279, 325)


@dataclass(frozen=True)
class Ifd:
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


@dataclass(frozen=True)
class TiffPage(RasterHeader):
    """One page: how its samples are stored, and where (TIFF 6.0)."""

    order: str = "<"
    """Byte order as in `struct`."""
    compression: int = 1
    photometric: int = 1
    predictor: int = 1
    is_planar: bool = False
    """PlanarConfiguration is 2: one plane after the other."""
    is_reversed: bool = False
    """FillOrder is 2: the first bit of a byte is its lowest."""
    depths: tuple[int, ...] = (1,)
    """BitsPerSample of every sample."""
    sample_formats: tuple[int, ...] = (1,)
    extra_samples: tuple[int, ...] = ()
    subsampling: tuple[int, int] = (1, 1)
    """Of the chroma of YCbCr."""
    colour_map: tuple[int, ...] = ()
    fax_options: tuple[int, int] = (0, 0)
    """T4Options and T6Options."""
    jpeg_tables: tuple[int, int] = (0, 0)
    """Position and length."""
    tile: tuple[int, int] | None = None
    """Rows and columns of a tile; None for strips."""
    strip_rows: int = 0
    segments: tuple[tuple[int, int], ...] = ()
    """Position and length of each strip or tile."""

    @property
    def segment_size(self) -> tuple[int, int]:
        """Rows and columns of a strip or tile; the last strip may have fewer rows."""
        return self.tile or (self.strip_rows, self.stored_columns)


def tiff_header(stream: BinaryIO) -> TiffPage:
    """Read the first page of a TIFF or BigTIFF and find the others (TIFF 6.0, section 2)."""
    pages = _pages(stream)
    return replace(tiff_page(stream, pages[0]), pages=pages)


def tiff_page(stream: BinaryIO, offset: int) -> TiffPage:
    """Read the directory at `offset`, from `RasterHeader.pages`."""
    order, big, _ = _tiff_start(stream)
    page, _ = _read_ifd(stream, order, big, offset)

    def first(tag: int, default: int = 0) -> int:
        return page.first(stream, tag, default)

    rows, columns = first(257), first(256)
    samples = max(first(277, 1), 1)
    if samples > _MOST_SAMPLES:
        raise invalid_header(f"a TIFF with {samples} samples per pixel")
    photometric = first(262, 1)
    orientation = first(_ORIENTATION, 1)
    depths = page.values(stream, 258) or (1,)
    tile = (first(323), first(322)) if 322 in page.entries or 324 in page.entries else None
    horizontal, vertical, *_ = *page.values(stream, 530), 2, 2
    _, tables_length, tables_at = page.entries.get(347, (0, 0, 0))
    return TiffPage(
        stored_rows=rows,
        stored_columns=columns,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        pages=(offset,),
        bits=depths[0],
        samples=samples,
        alpha=samples > COLOUR_SAMPLES.get(photometric, 1),
        order=order,
        compression=first(259, 1),
        photometric=photometric,
        predictor=first(317, 1),
        is_planar=first(284, 1) == 2 and samples > 1,
        is_reversed=first(266, 1) == 2,
        depths=(depths * samples)[:samples] if len(depths) == 1 else depths,
        sample_formats=page.values(stream, 339) or (1,),
        extra_samples=page.values(stream, 338),
        subsampling=(horizontal, vertical) if photometric == 6 else (1, 1),
        colour_map=page.values(stream, 320) if photometric == 3 else (),
        fax_options=(first(292), first(293)),
        jpeg_tables=(tables_at, tables_length),
        tile=tile,
        strip_rows=max(min(first(278, _ALL_ROWS), rows), 1),
        segments=_segments(stream, page),
    )


def _segments(stream: BinaryIO, page: Ifd) -> tuple[tuple[int, int], ...]:
    offsets = next(filter(None, (page.values(stream, tag) for tag in _OFFSETS)), ())
    counts = next(filter(None, (page.values(stream, tag) for tag in _COUNTS)), ())
    # StripByteCounts may be absent in old single-strip files.
    counts += (0,) * (len(offsets) - len(counts))
    return tuple(zip(offsets, counts, strict=False))


def _pages(stream: BinaryIO) -> tuple[int, ...]:
    """The directories of pages that are films, each once and at least one.

    Reduced copies of a page and masks are not (NewSubfileType, TIFF 6.0 section 8). Where all
    directories in the chain are such, as in DNG, the film may be a sub-page (TIFF Tech Note 1).
    """
    order, big, offset = _tiff_start(stream)
    films: list[int] = []
    others: list[int] = []
    sub_pages: list[int] = []
    seen = {0}
    while offset not in seen and len(seen) <= MAX_TIFF_PAGES:
        seen.add(offset)
        try:
            page, following = _read_ifd(stream, order, big, offset)
        except UnreadableFilm:
            if not films and not others:
                raise
            break
        (films if _is_film(stream, page) else others).append(offset)
        if not films and _SUB_PAGES in page.entries:
            sub_pages += page.values(stream, _SUB_PAGES, _MOST_SUB_PAGES)
        offset = following
    found = films or _films_among(stream, order, big, sub_pages) or others
    if not found:
        raise invalid_header("the TIFF has no page")
    return tuple(found)


def _films_among(stream: BinaryIO, order: str, big: bool, offsets: list[int]) -> list[int]:
    films = []
    for offset in offsets:
        try:
            page, _ = _read_ifd(stream, order, big, offset)
        except UnreadableFilm:
            continue
        if _is_film(stream, page):
            films.append(offset)
    return films


def _is_film(stream: BinaryIO, page: Ifd) -> bool:
    kind = page.first(stream, _NEW_SUBFILE_TYPE) if _NEW_SUBFILE_TYPE in page.entries else 0
    old = page.first(stream, _SUBFILE_TYPE) if _SUBFILE_TYPE in page.entries else 0
    return not kind & (_REDUCED | _MASK) and old != _OLD_REDUCED


def tiff_is_complete(stream: BinaryIO) -> bool:
    """True when every strip and tile of the first page lies inside the file."""
    return page_is_complete(tiff_header(stream), stream.seek(0, os.SEEK_END))


def page_is_complete(page: TiffPage, file_size: int) -> bool:
    """True when every strip and tile of a page lies inside the file."""
    return bool(page.segments) and all(start + size <= file_size for start, size in page.segments)


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


def _read_ifd(stream: BinaryIO, order: str, big: bool, offset: int) -> tuple[Ifd, int]:
    """The directory at `offset`, and the position of the one after it (0 after the last)."""
    stream.seek(min(offset, _PAST_ANY_FILE))
    start = struct.Struct(order + ("Q" if big else "H"))
    (count,) = start.unpack(read_exactly(stream, start.size))
    if count > 65535:
        raise invalid_header("a TIFF directory has an impossible length")
    layout = struct.Struct(order + ("HHQ8s" if big else "HHL4s"))
    position = stream.tell()
    block = read_exactly(stream, count * layout.size)
    entries: dict[int, tuple[int, int, int]] = {}
    for i, (tag, kind, values, inline) in enumerate(layout.iter_unpack(block)):
        size = values * struct.calcsize(order + _TIFF_TYPES.get(kind, "B"))
        at = position + (i + 1) * layout.size - len(inline)
        if size > len(inline):
            at = int.from_bytes(inline, "little" if order == "<" else "big")
        entries[tag] = (kind, values, min(at, _PAST_ANY_FILE))
    link = struct.Struct(order + ("Q" if big else "L"))
    data = stream.read(link.size)
    return Ifd(order, entries), link.unpack(data)[0] if len(data) == link.size else 0


def exif_orientation(tiff: bytes) -> int:
    """The orientation in an EXIF block, which is a TIFF; 1 when there is no valid one."""
    stream = BytesIO(tiff)
    try:
        page, _ = _read_ifd(stream, *_tiff_start(stream))
        value = page.first(stream, _ORIENTATION, 1)
    except UnreadableFilm:
        return 1
    return value if 1 <= value <= 8 else 1
