"""Read the header of an ordinary DICOM file in one pass; any other file is left to pydicom.

Ordinary means: DICM after the preamble, little endian and not deflated, values of ASCII text and
plain numbers, and pixels at the end. pydicom creates an object for each element, which takes most
of the time of listing a folder.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from functools import lru_cache
from io import RawIOBase

from xrayview.io.dicom.dataset import (
    DEFLATED,
    EXPLICIT_BE,
    IMPLICIT_LE,
    PIXEL_KEYWORDS,
    UNDEFINED_LENGTH,
)

# PS3.5, 7.1.2: VRs with a 32-bit length after two reserved bytes.
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_VRS = _LONG | _SHORT
_EXPLICIT = struct.Struct("<4s2sH").unpack_from
_IMPLICIT = struct.Struct("<4sL").unpack_from
_LENGTH = struct.Struct("<L").unpack_from
_PREAMBLE = 128
_DEEPEST = 16
_LONGEST = 65536
CHUNK_BYTES = 16 * 1024
"""Read at once; most headers are shorter."""
_CHUNK_GROWTH, _MAX_CHUNK_BYTES = 16, 4 * 1024**2
"""For a sequence whose end must be found inside one chunk; a longer one is left to pydicom."""

Tag = bytes
"""Group and element as the bytes of a little endian file."""
Element = tuple[bytes, bytes]
"""VR (empty in implicit VR) and value, as the bytes of the file."""


class NeedsPydicom(Exception):
    """The file is not ordinary and must be read by pydicom."""


def tag_bytes(tag: int) -> Tag:
    """The tag `group << 16 | element` as the bytes of a little endian file."""
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF)


_META_GROUP = b"\x02\x00"
_TRANSFER_SYNTAX = tag_bytes(0x00020010)
_ITEM, _ITEM_END, _SEQUENCE_END = (tag_bytes(t) for t in (0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD))
_PIXELS = frozenset(tag_bytes(tag) for tag in PIXEL_KEYWORDS)
_ENDS = _PIXELS | {_ITEM, _ITEM_END, _SEQUENCE_END}


def header_elements(
    head: bytes, file: RawIOBase, tags: Collection[Tag]
) -> tuple[str, dict[Tag, Element]]:
    """Read the transfer syntax, and those of `tags` that come before the pixels.

    Args:
        head: the first CHUNK_BYTES of the file.
        file: the whole file, for a header that is longer.
        tags: elements of the data set's top level to read.

    Raises:
        NeedsPydicom: the file is not ordinary, or it has no pixels.
    """
    data, size, chunk_start = head, CHUNK_BYTES, 0
    if data[_PREAMBLE : _PREAMBLE + 4] != b"DICM":
        raise NeedsPydicom
    syntax, start = _syntax(data)
    if syntax in {"", EXPLICIT_BE, DEFLATED}:
        raise NeedsPydicom
    elements = _Elements(tags, implicit=syntax == IMPLICIT_LE)
    while not elements.parse(data, start):
        if elements.stop:
            chunk_start, size = chunk_start + elements.stop, CHUNK_BYTES
        elif len(data) == size < _MAX_CHUNK_BYTES:
            size *= _CHUNK_GROWTH
        else:
            raise NeedsPydicom
        file.seek(chunk_start)
        data, start = file.read(size) or b"", 0
    return syntax, elements.found


def _syntax(data: bytes) -> tuple[str, int]:
    """The value of TransferSyntaxUID, and the position of the data set.

    Group 0002 is explicit VR in every file (PS3.10, 7.1).
    """
    syntax = b""
    start = _PREAMBLE + 4
    try:
        while data.startswith(_META_GROUP, start):
            tag, _, length, value = _element_header(data, start, implicit=False)
            start = value + length
            if tag == _TRANSFER_SYNTAX:
                syntax = data[value:start]
    except struct.error as error:
        raise NeedsPydicom from error
    if not syntax.isascii() or b"\\" in syntax:
        raise NeedsPydicom
    return syntax.decode("ascii").strip("\0 "), start


class _Elements:
    """Collects elements of a data set's top level, one chunk of the file at a time."""

    def __init__(self, tags: Collection[Tag], *, implicit: bool) -> None:
        self.found: dict[Tag, Element] = {}
        self.stop = 0
        """Position in the last chunk of the first element that is not completely inside it."""
        self._requested = tags
        self._implicit = implicit

    def parse(self, data: bytes, start: int) -> bool:
        """Parse a chunk from `start` on; True when the pixels are reached.

        Raises:
            NeedsPydicom: the file is not ordinary.
        """
        implicit, requested, found = self._implicit, self._requested, self.found
        if implicit and not found and data[start + 4 : start + 6] in _VRS:
            raise NeedsPydicom  # declared implicit, but explicit
        end = start
        try:
            while True:
                start = end
                # Inlined from _element_header, whose calls would take half of the loop's time.
                if implicit:
                    tag, length = _IMPLICIT(data, start)
                    value, vr = start + 8, b""
                else:
                    tag, vr, length = _EXPLICIT(data, start)
                    value = start + 8
                    if vr not in _SHORT:
                        if vr not in _LONG:
                            raise NeedsPydicom
                        (length,) = _LENGTH(data, value)
                        value += 4
                end = value + length
                if tag in requested:
                    if length > _LONGEST:
                        raise NeedsPydicom
                    if end > len(data):
                        break
                    found[tag] = vr, data[value:end]
                elif tag in _ENDS:
                    if tag in _PIXELS:
                        return True
                    raise NeedsPydicom
                elif length == UNDEFINED_LENGTH:
                    if not (implicit or vr == b"SQ"):
                        raise NeedsPydicom
                    end = _end_of_sequence(data, value, implicit, _DEEPEST)
        except struct.error:
            pass  # the chunk ends here
        self.stop = start
        return False


def _element_header(data: bytes, start: int, implicit: bool) -> tuple[Tag, bytes, int, int]:
    """Tag, VR and length of an element, and the position of its value.

    Raises:
        NeedsPydicom: an unknown VR.
        struct.error: the chunk ends.
    """
    if implicit:
        tag, length = _IMPLICIT(data, start)
        return tag, b"", length, start + 8
    tag, vr, length = _EXPLICIT(data, start)
    if vr in _SHORT:
        return tag, vr, length, start + 8
    if vr not in _LONG:
        raise NeedsPydicom
    return tag, vr, _LENGTH(data, start + 8)[0], start + 12


def _end_of_sequence(data: bytes, start: int, implicit: bool, depth: int) -> int:
    """The end of a sequence of undefined length (PS3.5, 7.5.2).

    Raises:
        NeedsPydicom: it is nested too deeply, or not a sequence of items.
        struct.error: the chunk ends.
    """
    if not depth:
        raise NeedsPydicom
    while True:
        tag, length = _IMPLICIT(data, start)
        start += 8
        if tag == _SEQUENCE_END:
            return start
        if tag != _ITEM:
            raise NeedsPydicom
        start = (
            _end_of_item(data, start, implicit, depth)
            if length == UNDEFINED_LENGTH
            else start + length
        )


def _end_of_item(data: bytes, start: int, implicit: bool, depth: int) -> int:
    while not data.startswith(_ITEM_END, start):
        _, vr, length, start = _element_header(data, start, implicit)
        if length != UNDEFINED_LENGTH:
            start += length
        elif implicit or vr == b"SQ":
            start = _end_of_sequence(data, start, implicit, depth - 1)
        else:
            raise NeedsPydicom
    return start + 8


# -- Values ------------------------------------------------------------------------------------

_PLAIN_TEXT = frozenset(b"AE AS CS DA DS IS LO PN SH TM UI".split())
_ESCAPE = b"\x1b"
_US = struct.Struct("<H").unpack


@lru_cache(maxsize=1024)  # the films of a folder share most of their texts
def text_value(vr: bytes, data: bytes) -> str:
    """The value as text, several joined by a backslash.

    Raises:
        NeedsPydicom: not a plain text VR, or not ASCII.
    """
    if not data:
        return ""
    if vr not in _PLAIN_TEXT or not data.isascii() or _ESCAPE in data:
        raise NeedsPydicom
    text = data.decode("ascii")
    if "\\" in text:
        return "\\".join(part.strip("\0 ") for part in text.split("\\"))
    return text.strip("\0 ")


def integer_value(vr: bytes, data: bytes) -> int:
    """The value as an integer; 0 when it is empty.

    Raises:
        NeedsPydicom: several values, or not a short whole number.
    """
    if not data:
        return 0
    if vr == b"US" and len(data) == 2:
        value: int = _US(data)[0]
        return value
    digits = data.strip(b"\0 ")
    if vr not in (b"IS", b"DS") or not digits.isdigit() or len(digits) > 12:
        raise NeedsPydicom
    return int(digits)
