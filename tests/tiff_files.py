"""TIFF files in every layout that TIFF 6.0 has, written from arrays and numbers alone.

tiff_file(Page(samples_HWS, bits=12))                  # packed, one strip
tiff_file(Page(rgb, planar=True, compression="lzw", tile=(16, 32), predictor=2))
tiff_file(Page(small, kind=1), Page(film))             # a thumbnail first
tiff_file(Page(small, kind=1, sub_pages=(Page(film),)))
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
COMPRESSIONS = {"none": 1, "lzw": 5, "deflate": 8, "packbits": 32773, "old deflate": 32946}


@dataclass(frozen=True)
class Page:
    """One page: `samples` is (rows, columns) or (rows, columns, samples)."""

    samples: Array
    bits: int = 0
    """Of a sample; 0 for those of the type."""
    compression: str = "none"
    planar: bool = False
    tile: tuple[int, int] | None = None
    strip_rows: int = 0
    predictor: int = 1
    photometric: int | None = None
    """Default: RGB for three samples and more, else black is zero."""
    extra: tuple[int, ...] = ()
    kind: int | None = None
    """NewSubfileType."""
    old_kind: int | None = None
    """SubfileType."""
    reversed_bits: bool = False
    orientation: int = 1
    sub_pages: tuple[Page, ...] = ()
    tags: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """Any other tag, as 16-bit integers."""


def tiff_file(*pages: Page, big_endian: bool = False, big_tiff: bool = False) -> bytes:
    """A TIFF with these pages."""
    return _Writer(big_endian, big_tiff).file(pages)


class _Writer:
    def __init__(self, big_endian: bool, big_tiff: bool) -> None:
        self._order = ">" if big_endian else "<"
        self._big = big_tiff
        self._pointer = "Q" if big_tiff else "L"
        self._out = bytearray()

    def file(self, pages: tuple[Page, ...]) -> bytes:
        pack = struct.pack
        mark = b"MM" if self._order == ">" else b"II"
        self._out += mark + (
            pack(f"{self._order}HHHQ", 43, 8, 0, 0)
            if self._big
            else pack(f"{self._order}HL", 42, 0)
        )
        link = len(self._out) - struct.calcsize(self._order + self._pointer)
        for page in pages:
            offset, following = self._page(page)
            struct.pack_into(self._order + self._pointer, self._out, link, offset)
            link = following
        return bytes(self._out)

    def _page(self, page: Page) -> tuple[int, int]:
        """Write a page; the positions of its directory and of the link to the next one."""
        samples = page.samples[..., None] if page.samples.ndim == 2 else page.samples
        rows, columns, count = samples.shape
        bits = page.bits or 8 * samples.dtype.itemsize
        height, width = page.tile or (page.strip_rows or rows, columns)
        segments = [
            self._compressed(self._packed(block, bits, page), page.compression, page)
            for block in _blocks(samples, page, height, width)
        ]
        offsets = []
        for segment in segments:
            offsets.append(len(self._out))
            self._out += segment + b"\0" * (len(segment) % 2)
        offsets_tag, counts_tag = (324, 325) if page.tile else (273, 279)
        photometric = page.photometric
        if photometric is None:
            photometric = 2 if count >= 3 else 1
        tags: dict[int, tuple[str, tuple[int, ...]]] = {
            256: ("L", (columns,)),
            257: ("L", (rows,)),
            258: ("H", (bits,) * count),
            259: ("H", (COMPRESSIONS[page.compression],)),
            262: ("H", (photometric,)),
            offsets_tag: (self._pointer, tuple(offsets)),
            274: ("H", (page.orientation,)),
            277: ("H", (count,)),
            counts_tag: ("L", tuple(map(len, segments))),
            284: ("H", (2 if page.planar else 1,)),
            339: ("H", ({"u": 1, "b": 1, "i": 2, "f": 3, "c": 6}[samples.dtype.kind],) * count),
        }
        if page.tile:
            tags |= {322: ("L", (width,)), 323: ("L", (height,))}
        else:
            tags[278] = ("L", (height,))
        if page.kind is not None:
            tags[254] = ("L", (page.kind,))
        if page.old_kind is not None:
            tags[255] = ("H", (page.old_kind,))
        if page.reversed_bits:
            tags[266] = ("H", (2,))
        if page.predictor != 1:
            tags[317] = ("H", (page.predictor,))
        if page.extra:
            tags[338] = ("H", page.extra)
        if page.sub_pages:
            tags[330] = (self._pointer, tuple(self._page(sub)[0] for sub in page.sub_pages))
        tags |= {tag: ("H", values) for tag, values in page.tags.items()}
        return self._directory(tags)

    def _directory(self, tags: dict[int, tuple[str, tuple[int, ...]]]) -> tuple[int, int]:
        inline_size = struct.calcsize(self._order + self._pointer)
        entries = b""
        for tag, (letter, values) in sorted(tags.items()):
            data = struct.pack(f"{self._order}{len(values)}{letter}", *values)
            if len(data) > inline_size:
                position = len(self._out)
                self._out += data + b"\0" * (len(data) % 2)
                data = struct.pack(self._order + self._pointer, position)
            kind = {"H": 3, "L": 4, "Q": 16}[letter]
            entries += struct.pack(f"{self._order}HH{self._pointer}", tag, kind, len(values))
            entries += data.ljust(inline_size, b"\0")
        offset = len(self._out)
        self._out += struct.pack(self._order + ("Q" if self._big else "H"), len(tags)) + entries
        link = len(self._out)
        self._out += struct.pack(self._order + self._pointer, 0)
        return offset, link

    def _packed(self, block: Array, bits: int, page: Page) -> bytes:
        """The bytes of a strip or tile, with its predictor and before its compression."""
        kind = block.dtype.kind
        if page.predictor == 3:
            return _float_differences(block)
        words = block.view(f"u{block.dtype.itemsize}") if kind in "if" else block
        if page.predictor == 2:
            before = np.zeros_like(words)
            before[:, 1:] = words[:, :-1]
            words = words - before
        if bits == 8 * block.dtype.itemsize:
            return words.astype(words.dtype.newbyteorder(self._order)).tobytes()
        bit_rows = (words[..., None] >> np.arange(bits)[::-1] & 1).astype(np.uint8)
        return np.packbits(bit_rows.reshape(len(block), -1), axis=1).tobytes()

    def _compressed(self, data: bytes, compression: str, page: Page) -> bytes:
        packed = {
            "none": lambda: data,
            "lzw": lambda: lzw(data),
            "deflate": lambda: zlib.compress(data),
            "old deflate": lambda: zlib.compress(data),
            "packbits": lambda: pack_bits(data),
        }[compression]()
        if page.reversed_bits:
            bits = np.unpackbits(np.frombuffer(packed, np.uint8)[:, None], axis=1)[:, ::-1]
            return np.packbits(bits, axis=1).tobytes()
        return packed


def _blocks(samples: Array, page: Page, height: int, width: int) -> Iterator[Array]:
    planes = np.moveaxis(samples, -1, 0)[..., None] if page.planar else samples[None]
    for plane in planes:
        for top in range(0, plane.shape[0], height):
            for left in range(0, plane.shape[1], width):
                block = plane[top : top + height, left : left + width]
                if page.tile:
                    missing = (height - block.shape[0], width - block.shape[1])
                    block = np.pad(block, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
                yield np.ascontiguousarray(block)


def _float_differences(block: Array) -> bytes:
    """Predictor 3 (TIFF Technical Note 3)."""
    rows, columns, samples = block.shape
    size = block.dtype.itemsize
    big_endian = block.astype(block.dtype.newbyteorder(">")).view(np.uint8)
    planes = big_endian.reshape(rows, columns * samples, size).swapaxes(1, 2).reshape(rows, -1)
    before = np.zeros_like(planes)
    before[:, samples:] = planes[:, :-samples]
    return (planes - before).tobytes()


def pack_bits(data: bytes) -> bytes:
    """PackBits of literal runs and repeats (TIFF 6.0, section 9)."""
    out = bytearray()
    i = 0
    while i < len(data):
        run = 1
        while i + run < len(data) and run < 128 and data[i + run] == data[i]:
            run += 1
        if run > 1:
            out += bytes([257 - run, data[i]])
        else:
            run = min(7, len(data) - i)
            out += bytes([run - 1]) + data[i : i + run]
        i += run
    return bytes(out)


def lzw(data: bytes) -> bytes:
    """LZW with codes of 9 to 12 bits, highest bit first (TIFF 6.0, section 13)."""
    bits: list[str] = []
    table: dict[bytes, int] = {}

    def reset() -> None:
        table.clear()
        table.update({bytes([i]): i for i in range(256)})

    def emit(code: int) -> None:
        # A code has one bit more as soon as entry 511, 1023 or 2047 is in the table; the entries
        # of the table begin with 258.
        size = 9 + sum(len(table) >= 2**n - 2 for n in (9, 10, 11))
        bits.append(f"{code:0{size}b}")

    reset()
    emit(256)
    prefix = b""
    for i in range(len(data)):
        longer = prefix + data[i : i + 1]
        if longer in table:
            prefix = longer
            continue
        emit(table[prefix])
        table[longer] = len(table) + 2
        if len(table) == 4093:
            emit(256)
            reset()
        prefix = data[i : i + 1]
    if prefix:
        emit(table[prefix])
    emit(257)
    stream = "".join(bits)
    stream += "0" * (-len(stream) % 8)
    return int(stream, 2).to_bytes(len(stream) // 8, "big")
