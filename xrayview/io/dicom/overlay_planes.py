"""Overlay planes 60xx: graphics one bit deep, apart from the pixels or in their unused bits.

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
"""All that is read of the sixteen groups."""
MAX_PLANE_PIXELS = 200_000_000
"""A plane has a size of its own: unpacked it needs eight times the bytes in the file."""

Bits = npt.NDArray[np.bool_]
UnusedBit = Callable[[int], Bits | None]
"""The bit at a position of every pixel cell, (rows, columns); None where it cannot be had."""


def overlay_planes(
    dataset: Dataset, frame: int, little_endian: bool, unused_bit: UnusedBit
) -> tuple[tuple[OverlayPlane, ...], tuple[str, ...]]:
    """The planes that lie over a frame, by group, and notes of those that cannot be read.

    Args:
        dataset: with the elements `TAGS`.
        frame: of the image, from 0.
        little_endian: how words of OverlayData were written.
        unused_bit: for planes in the unused high bits of the pixels (retired, still seen).
    """
    planes: list[OverlayPlane] = []
    notes: list[str] = []
    for group in _present(dataset):
        element = _Group(dataset, group)
        bits = element.bits(frame, little_endian, unused_bit)
        if bits is None:
            notes.append(f"the overlay plane of group {group:04X} cannot be read")
        elif bits.size:
            row, column = element.numbers(_ORIGIN, (1, 1))
            planes.append(
                OverlayPlane(
                    bits_HW=bits,
                    origin=(row - 1, column - 1),
                    is_roi=element.text(_TYPE) == "R",
                    group=group,
                    label=element.text(_LABEL),
                )
            )
    return tuple(planes), tuple(notes)


def _present(dataset: Dataset) -> Iterator[int]:
    """A group is there with its data, or with a place for it among the bits of a pixel."""
    for group in GROUPS:
        if group << 16 | _DATA in dataset or group << 16 | _BIT_POSITION in dataset:
            yield group


class _Group:
    """The elements of one group."""

    def __init__(self, dataset: Dataset, group: int) -> None:
        self._dataset = dataset
        self._group = group

    def bits(self, frame: int, little_endian: bool, unused_bit: UnusedBit) -> Bits | None:
        """The plane over `frame`; empty when it lies over other frames, None when broken."""
        first, frames = self._number(_FIRST_FRAME, 1), self._number(_FRAMES, 0)
        # A plane that names no frames lies over all of them.
        index = frame - (first - 1) if frames else 0
        if not 0 <= index < max(frames, 1):
            return np.empty((0, 0), np.bool_)
        data = self._value(_DATA)
        if not isinstance(data, bytes) or not data:
            position = self._number(_BIT_POSITION, 0)
            return unused_bit(position) if self._number(_BITS_ALLOCATED, 1) > 1 else None
        rows, columns = self._number(_ROWS, 0), self._number(_COLUMNS, 0)
        if rows <= 0 or columns <= 0 or rows * columns > MAX_PLANE_PIXELS:
            return None
        return _unpacked(self._in_order(data, little_endian), rows, columns, index)

    def numbers(self, element: int, default: tuple[int, int]) -> tuple[int, int]:
        """A pair; the default where there is none."""
        value = self._value(element)
        try:
            first, second = (int(part) for part in value)  # type: ignore[attr-defined]
        except (TypeError, ValueError, OverflowError):
            return default
        return first, second

    def text(self, element: int) -> str:
        """A text; empty where there is none."""
        value = self._value(element)
        return value.strip("\0 ") if isinstance(value, str) else ""

    def _number(self, element: int, default: int) -> int:
        value = self._value(element)
        try:
            return int(value)  # type: ignore[call-overload, no-any-return]
        except (TypeError, ValueError, OverflowError):
            return default

    def _value(self, element: int) -> object:
        try:
            return self._dataset[self._group << 16 | element].value
        except Exception:  # absent, or broken: pydicom converts on access and raises anything
            return None

    def _in_order(self, data: bytes, little_endian: bool) -> bytes:
        vr = str(self._dataset[self._group << 16 | _DATA].VR)
        if little_endian or vr == "OB":
            return data
        return np.frombuffer(data[: len(data) // 2 * 2], np.uint16).byteswap().tobytes()


def _unpacked(data: bytes, rows: int, columns: int, index: int) -> Bits | None:
    """One frame of packed bits, the first pixel in the lowest bit; rows are not padded."""
    first = index * rows * columns
    last = first + rows * columns
    if 8 * len(data) < last:
        return None
    packed = np.frombuffer(data, np.uint8)[first // 8 : (last + 7) // 8]
    bits = np.unpackbits(packed, bitorder="little")[first % 8 :][: rows * columns]
    return bits.reshape(rows, columns).view(np.bool_)
