"""Elements whose VR is not one of the standard, as `--`, two zero bytes, `lo` or `ZZ`.

A VR decides whether the length that follows has 16 or 32 bits (PS3.5, 7.1.2), so a parser that
does not know it reads the rest of the file from a wrong position. Here the width is found by
looking at what would come next, and the VR is replaced while the file is read.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from contextlib import suppress
from io import BufferedReader, RawIOBase
from typing import BinaryIO

from pydicom.datadict import dictionary_has_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, VR

WITH_SHORT_LENGTH, WITH_LONG_LENGTH = b"ZZ", b"UN"
"""What an unknown VR is replaced by: pydicom reads a length of 16 bits after the first."""
MAX_DEPTH = 64

_VRS = frozenset(vr.value.encode() for vr in VR if len(vr.value) == 2)
_LONG = frozenset(vr.value.encode() for vr in EXPLICIT_VR_LENGTH_32)
_CHARACTER_SET = 0x00080005
_PIXEL_GROUP = 0x7FE0
_PER_FRAME_GROUPS = 0x52009230
_UNDEFINED_LENGTH = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD


class KnownVrs:
    """A stream of explicit VR elements in which every VR is known.

    Attributes:
        stream: the given one, or a view of it with other VRs.
        lost: positions of the values whose VR was unknown.
        patches: positions of unknown VRs, and what is read instead of them.
    """

    def __init__(
        self,
        stream: BinaryIO,
        stop: Callable[[int], bool],
        *,
        little_endian: bool,
        in_every_frame: bool = True,
    ) -> None:
        """Walk the elements from the current position, which is restored.

        Args:
            stream: of elements in explicit VR.
            stop: true for the tag that is not to be passed, as that of the pixels.
            little_endian: byte order of the stream.
            in_every_frame: walk the Per-Frame Functional Groups too, which may take longer than to
                decode a frame.
        """
        start = stream.tell()
        walk = _Walk(stream, stop, little_endian, in_every_frame)
        walk.elements(stream.seek(0, os.SEEK_END), start)
        stream.seek(start)
        self.lost = frozenset(walk.lost)
        self.patches = walk.patches
        self.stream = stream
        if walk.patches:
            self.stream = BufferedReader(_Patched(stream, walk.patches))
            self.stream.seek(start)


def lose_values(dataset: Dataset, lost: frozenset[int], depth: int = 0) -> None:
    """Make elements unreadable whose value is at a position of `lost`, and remove empty ones.

    Args:
        dataset: as it was read from `KnownVrs.stream`.
        lost: `KnownVrs.lost`.
        depth: levels of sequences to look into.
    """
    for tag in list(dataset.keys()) if lost else ():
        try:
            element: object = dataset.get_item(tag)
        except NotImplementedError:  # pydicom converts an empty value, which needs its VR
            del dataset[tag]
            continue
        if isinstance(element, RawDataElement) and element.value_tell in lost:
            dataset[tag] = element._replace(VR=WITH_SHORT_LENGTH.decode())
        elif depth > 0:
            with suppress(Exception):  # pydicom converts on access, and raises anything
                value = dataset[tag].value
                for item in value if isinstance(value, Sequence) else ():
                    lose_values(item, lost, depth - 1)


class _Lost(Exception):
    """The structure cannot be followed any further."""


class _Walk:
    """Finds unknown VRs, and the bytes to read instead of them."""

    def __init__(
        self,
        stream: BinaryIO,
        stop: Callable[[int], bool],
        little_endian: bool,
        in_every_frame: bool,
    ) -> None:
        order = "<" if little_endian else ">"
        self._stream = stream
        self._stop = stop
        self._passed = frozenset() if in_every_frame else frozenset({_PER_FRAME_GROUPS})
        self._head = struct.Struct(f"{order}HH2sH")
        self._length = struct.Struct(f"{order}L")
        self._start = 0
        self.patches: dict[int, bytes] = {}
        self.lost: set[int] = set()

    def elements(self, end: int, start: int) -> None:
        """Walk the top level, as far as it can be followed."""
        self._stream.seek(start)
        self._start = start
        with suppress(_Lost, struct.error):
            self._elements(end, MAX_DEPTH, top=True)

    def _elements(self, end: int, depth: int, *, implicit: bool = False, top: bool = False) -> None:
        """Walk to `end`, past the delimiter of an item of undefined length, or to `stop`."""
        if not depth:
            raise _Lost
        while (position := self._stream.tell()) + 8 <= end:
            head = self._stream.read(8)
            group, number, vr, short = self._head.unpack(head)
            tag = group << 16 | number
            if tag == _ITEM_END:
                return
            if top and self._stop(tag):
                if group == _PIXEL_GROUP and vr not in _VRS:
                    replacement = self._form(position, tag, head, end)[2]
                    self.patches |= {position + 4: replacement} if replacement else {}
                return
            if implicit:
                self._skip(self._length.unpack(head[4:])[0], b"", end, depth, implicit=True)
            elif vr in _LONG:
                self._skip(self._length.unpack(self._stream.read(4))[0], vr, end, depth, tag)
            elif vr in _VRS:
                self._stream.seek(short, os.SEEK_CUR)
            else:
                value, length, replacement = self._form(position, tag, head, end)
                if replacement and tag == _CHARACTER_SET:
                    # pydicom needs it for all other texts.
                    is_short = replacement == WITH_SHORT_LENGTH
                    self.patches[position + 4] = b"CS" if is_short else replacement
                elif replacement:
                    self.patches[position + 4] = replacement
                    self.lost.add(value)
                elif top and position == self._start:
                    raise _Lost  # pydicom reads all of such a file as implicit
                self._stream.seek(value)
                if length == _UNDEFINED_LENGTH:
                    self._items(end, depth, implicit=not replacement)
                else:
                    self._stream.seek(value + length)

    def _skip(
        self, length: int, vr: bytes, end: int, depth: int, tag: int = 0, *, implicit: bool = False
    ) -> None:
        """Pass a value with the stream at its start; walk it where it is a sequence."""
        value = self._stream.tell()
        if length == _UNDEFINED_LENGTH:
            # Implicit VR inside UN of undefined length: PS3.5, 6.2.2. Fragments have no elements.
            nested = implicit or vr in {b"SQ", b"UN"}
            self._items(end, depth, implicit=implicit or vr == b"UN", nested=nested)
            return
        if vr == b"SQ" and tag not in self._passed:
            with suppress(_Lost, struct.error):  # only this sequence cannot be followed
                self._items(min(value + length, end), depth)
        self._stream.seek(value + length)

    def _items(self, end: int, depth: int, *, implicit: bool = False, nested: bool = True) -> None:
        while (position := self._stream.tell()) + 8 <= end:
            head = self._stream.read(8)
            group, number = self._head.unpack(head)[:2]
            (length,) = self._length.unpack(head[4:])
            tag = group << 16 | number
            if tag == _SEQUENCE_END:
                return
            if tag != _ITEM:
                raise _Lost
            if length == _UNDEFINED_LENGTH:
                self._elements(end, depth - 1, implicit=implicit)
                continue
            if nested and not implicit:
                self._elements(min(position + 8 + length, end), depth - 1)
            self._stream.seek(position + 8 + length)

    def _form(self, position: int, tag: int, head: bytes, end: int) -> tuple[int, int, bytes]:
        """Position and length of the value of an element with an unknown VR, by what fits.

        The third value replaces the VR; it is empty where the element has none.

        Raises:
            _Lost: nothing fits.
        """
        vr, short = self._head.unpack(head)[2:]
        (implicit,) = self._length.unpack(head[4:])
        tail = self._stream.read(4)
        (long,) = self._length.unpack(tail) if len(tail) == 4 else (end,)
        # Every VR that the standard may still add has the long form (PS3.5, 6.2).
        forms = [(position + 12, long, WITH_LONG_LENGTH)] if short == 0 else []
        forms.append((position + 8, short, WITH_SHORT_LENGTH))
        # Without letters there may be no VR at all, as in files that are declared explicit.
        is_vr = vr.isalpha() or vr == b"\0\0"
        forms.insert(len(forms) if is_vr else 0, (position + 8, implicit, b""))
        ranks = [self._rank(value, length, end, tag) for value, length, _ in forms]
        if not any(ranks):
            raise _Lost
        return forms[ranks.index(max(ranks))]

    def _rank(self, value: int, length: int, end: int, tag: int) -> int:
        """How well the structure reads on after a value.

        3: a known VR or the end, 2: a tag of the standard, 1: a private one, 0: nothing plausible.
        """
        position = value + length
        if length == _UNDEFINED_LENGTH:
            self._stream.seek(value)
            item = self._stream.read(8)
            return 3 * (len(item) == 8 and self._head.unpack(item)[:2] == (0xFFFE, 0xE000))
        if position == end:
            return 3
        if position + 8 > end:
            return 0
        self._stream.seek(position)
        group, number, vr, _ = self._head.unpack(self._stream.read(8))
        after = group << 16 | number
        if after in {_ITEM_END, _SEQUENCE_END}:
            return 3
        if after <= tag:
            return 0
        if vr in _VRS:
            return 3
        return 2 if dictionary_has_tag(after) else group % 2


class _Patched(RawIOBase):
    """A view of a stream in which a few bytes are others."""

    def __init__(self, stream: BinaryIO, patches: dict[int, bytes]) -> None:
        self._stream = stream
        self._patches = {
            position + i: byte
            for position, replacement in patches.items()
            for i, byte in enumerate(replacement)
        }

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._stream.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        start = self._stream.tell()
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        for position, byte in self._patches.items():
            if start <= position < start + len(data):
                buffer[position - start] = byte
        return len(data)
