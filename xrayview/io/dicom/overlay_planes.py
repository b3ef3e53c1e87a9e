"""Overlay planes 60xx: one-bit graphics in their own data or in unused bits of the pixels.

Source: PS3.3 C.9.2; PS3.5 8.1.2 for the packing of bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from xrayview.domain.radiograph import OverlayPlane

GROUPS = range(0x6000, 0x6020, 2)
_ROWS, _COLUMNS, _FRAMES, _TYPE, _ORIGIN, _FIRST_FRAME = 0x10, 0x11, 0x15, 0x40, 0x50, 0x51
_BITS_ALLOCATED, _BIT_POSITION, _LABEL, _DATA = 0x100, 0x102, 0x1500, 0x3000
_ELEMENTS = (
    _ROWS, _COLUMNS, _FRAMES, _TYPE, _ORIGIN, _FIRST_FRAME, _BITS_ALLOCATED, _BIT_POSITION,
    _LABEL, _DATA,
)  # fmt: skip
TAGS = [group << 16 | element for group in GROUPS for element in _ELEMENTS]
"""The elements that are read, for all sixteen groups."""
MAX_PLANE_PIXELS = 200_000_000
"""A plane has its own size, and unpacked it takes eight times its bytes in the file."""

Bits = npt.NDArray[np.bool_]
UnusedBit = Callable[[int], Bits | None]
"""Gets one bit of every pixel cell, shape (rows, columns); None when it is not available."""


def overlay_planes(
    dataset: Dataset, frame: int, little_endian: bool, unused_bit: UnusedBit
) -> tuple[tuple[OverlayPlane, ...], tuple[str, ...]]:
    """The planes over a frame, by group, and notes about those that cannot be read.

    Args:
        dataset: with the elements `TAGS`.
        frame: of the image, from 0.
        little_endian: byte order of the words of OverlayData.
        unused_bit: for planes in the unused high bits of the pixels (retired, but still in use).
    """
    planes: list[OverlayPlane] = []
    notes: list[str] = []
    for group in _groups_in(dataset):
        elements = _Group(dataset, group)
        bits = elements.bits(frame, little_endian, unused_bit)
        if bits is None:
            notes.append(f"the overlay plane of group {group:04X} cannot be read")
        elif bits.size:
            row, column = elements.pair(_ORIGIN, (1, 1))
            planes.append(
                OverlayPlane(
                    bits_HW=bits,
                    origin=(row - 1, column - 1),
                    is_roi=elements.text(_TYPE) == "R",
                    group=group,
                    label=elements.text(_LABEL),
                )
            )
    return tuple(planes), tuple(notes)


def _groups_in(dataset: Dataset) -> Iterator[int]:
    """Groups that have data of their own, or a bit position in the pixels."""
    for group in GROUPS:
        if group << 16 | _DATA in dataset or group << 16 | _BIT_POSITION in dataset:
            yield group


class _Group:
    """The elements of one group."""

    def __init__(self, dataset: Dataset, group: int) -> None:
        self._dataset = dataset
        self._group = group

    def bits(self, frame: int, little_endian: bool, unused_bit: UnusedBit) -> Bits | None:
        """The plane over `frame`; empty when it belongs to other frames, None when broken."""
        first, frames = self._integer(_FIRST_FRAME, 1), self._integer(_FRAMES, 0)
        # A plane without a number of frames covers all of them.
        index = frame - (first - 1) if frames else 0
        if not 0 <= index < max(frames, 1):
            return np.empty((0, 0), np.bool_)
        data = self._value(_DATA)
        if not isinstance(data, bytes) or not data:
            position = self._integer(_BIT_POSITION, 0)
            return unused_bit(position) if self._integer(_BITS_ALLOCATED, 1) > 1 else None
        rows, columns = self._integer(_ROWS, 0), self._integer(_COLUMNS, 0)
        if rows <= 0 or columns <= 0 or rows * columns > MAX_PLANE_PIXELS:
            return None
        return _unpack(self._in_byte_order(data, little_endian), rows, columns, index)

    def pair(self, element: int, default: tuple[int, int]) -> tuple[int, int]:
        """The value as two integers, or the default."""
        value = self._value(element)
        try:
            first, second = (int(part) for part in value)  # type: ignore[attr-defined]
        except (TypeError, ValueError, OverflowError):
            return default
        return first, second

    def text(self, element: int) -> str:
        """The value as text, or empty."""
        value = self._value(element)
        return value.strip("\0 ") if isinstance(value, str) else ""

    def _integer(self, element: int, default: int) -> int:
        value = self._value(element)
        try:
            return int(value)  # type: ignore[call-overload, no-any-return]
        except (TypeError, ValueError, OverflowError):
            return default

    def _value(self, element: int) -> object:
        try:
            return self._dataset[self._group << 16 | element].value
        except Exception:  # absent or broken: pydicom converts on access and raises anything
            return None

    def _in_byte_order(self, data: bytes, little_endian: bool) -> bytes:
        vr = str(self._dataset[self._group << 16 | _DATA].VR)
        if little_endian or vr == "OB":
            return data
        return np.frombuffer(data[: len(data) // 2 * 2], np.uint16).byteswap().tobytes()


def _unpack(data: bytes, rows: int, columns: int, index: int) -> Bits | None:
    """One frame of packed bits, lowest bit first; rows are not padded."""
    first = index * rows * columns
    last = first + rows * columns
    if 8 * len(data) < last:
        return None
    packed = np.frombuffer(data, np.uint8)[first // 8 : (last + 7) // 8]
    bits = np.unpackbits(packed, bitorder="little")[first % 8 :][: rows * columns]
    return bits.reshape(rows, columns).view(np.bool_)
