"""The header of a usual DICOM file in one pass over its elements; what is odd is left to pydicom.

Usual: DICM after the preamble, little endian and not deflated, values of ASCII text and plain
numbers, and pixels at the end. pydicom makes an object of each element that it meets, which is
most of the time that a folder takes to be listed.
"""

from __future__ import annotations

from collections.abc import Collection
from struct import Struct
from typing import BinaryIO

from xrayview.io.dataset import DEFLATED, EXPLICIT_BE, IMPLICIT_LE, PIXEL_KEYWORDS, UNDEFINED_LENGTH

# PS3.5, 7.1.2: a length of 32 bits after two reserved bytes.
_LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_VRS = _LONG | _SHORT
_EXPLICIT = Struct("<HH2sH").unpack
_IMPLICIT = Struct("<HHL").unpack
_LENGTH = Struct("<L").unpack
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_TRANSFER_SYNTAX = 0x00020010
_PREAMBLE = 128
_DEEPEST = 16
_LONGEST = 65536

Element = tuple[bytes, bytes]
"""VR (empty where the file does not say) and value, as they stand in the file."""


class Odd(Exception):
    """Not a usual file: pydicom is to read it."""


def plain_elements(stream: BinaryIO, tags: Collection[int]) -> tuple[str, dict[int, Element]]:
    """The transfer syntax, and those of `tags` that stand before the pixels.

    Args:
        stream: the file, opened at its start.
        tags: (group << 16 | element) of what is wanted from the data set's top level.

    Raises:
        Odd: the file is not a usual one, or it has no pixels.
    """
    if stream.read(_PREAMBLE + 4)[_PREAMBLE:] != b"DICM":
        raise Odd
    syntax = _syntax(stream)
    if syntax in {"", EXPLICIT_BE, DEFLATED}:
        raise Odd
    return syntax, _elements(stream, tags, implicit=syntax == IMPLICIT_LE)


def _syntax(stream: BinaryIO) -> str:
    """Read group 0002, which is explicit in every file (PS3.10, 7.1)."""
    syntax = b""
    while len(head := stream.read(8)) == 8:
        group, element, vr, length = _EXPLICIT(head)
        if group != 2:
            stream.seek(-8, 1)
            break
        if vr in _LONG:
            length = _long_length(stream)
        elif vr not in _SHORT:
            raise Odd
        value = stream.read(length)
        if group << 16 | element == _TRANSFER_SYNTAX:
            syntax = value
    if not syntax.isascii() or b"\\" in syntax:
        raise Odd
    return syntax.decode("ascii").strip("\0 ")


def _elements(stream: BinaryIO, tags: Collection[int], *, implicit: bool) -> dict[int, Element]:
    read, seek = stream.read, stream.seek
    found: dict[int, Element] = {}
    vr = b""
    while len(head := read(8)) == 8:
        if implicit:
            group, number, length = _IMPLICIT(head)
            if not found and head[4:6] in _VRS:
                raise Odd  # the file says implicit, and is explicit
        else:
            group, number, vr, length = _EXPLICIT(head)
            if vr in _LONG:
                length = _long_length(stream)
            elif vr not in _SHORT:
                raise Odd
        tag = group << 16 | number
        if tag in PIXEL_KEYWORDS:
            return found
        if length == UNDEFINED_LENGTH:
            if tag in tags or not (implicit or vr == b"SQ"):
                raise Odd
            _skip_sequence(stream, implicit, _DEEPEST)
        elif group == 0xFFFE:
            raise Odd
        elif tag in tags:
            value = read(length) if length <= _LONGEST else b""
            if len(value) < length:
                raise Odd
            found[tag] = vr, value
        else:
            seek(length, 1)
    raise Odd


def _long_length(stream: BinaryIO) -> int:
    data = stream.read(4)
    if len(data) < 4:
        raise Odd
    length: int = _LENGTH(data)[0]
    return length


def _skip_sequence(stream: BinaryIO, implicit: bool, depth: int) -> None:
    """Go past the items of a sequence of undefined length (PS3.5, 7.5.2)."""
    if not depth:
        raise Odd
    while len(head := stream.read(8)) == 8:
        group, number, length = _IMPLICIT(head)
        tag = group << 16 | number
        if tag == _SEQUENCE_END:
            return
        if tag != _ITEM:
            raise Odd
        if length == UNDEFINED_LENGTH:
            _skip_item(stream, implicit, depth)
        else:
            stream.seek(length, 1)
    raise Odd


def _skip_item(stream: BinaryIO, implicit: bool, depth: int) -> None:
    vr = b""
    while len(head := stream.read(8)) == 8:
        group, number, length = _IMPLICIT(head)
        if group << 16 | number == _ITEM_END:
            return
        if not implicit:
            group, number, vr, length = _EXPLICIT(head)
            if vr in _LONG:
                length = _long_length(stream)
            elif vr not in _SHORT:
                raise Odd
        if length != UNDEFINED_LENGTH:
            stream.seek(length, 1)
        elif implicit or vr == b"SQ":
            _skip_sequence(stream, implicit, depth - 1)
        else:
            raise Odd
    raise Odd


# -- Values ------------------------------------------------------------------------------------

_PLAIN_TEXT = frozenset(b"AE AS CS DA DS IS LO PN SH TM UI".split())
_ESCAPE = b"\x1b"
_US = Struct("<H").unpack


def plain_text(element: Element | None, usual_vr: bytes) -> str:
    """The value as text, several joined by a backslash; empty when absent.

    Raises:
        Odd: a VR or characters that need pydicom.
    """
    if element is None or not element[1]:
        return ""
    vr, data = element
    if vr in (b"", b"UN"):
        vr = usual_vr
    if vr not in _PLAIN_TEXT or not data.isascii() or _ESCAPE in data:
        raise Odd
    text = data.decode("ascii")
    if "\\" in text:
        return "\\".join(part.strip("\0 ") for part in text.split("\\"))
    return text.strip("\0 ")


def plain_integer(element: Element | None, usual_vr: bytes) -> int:
    """The value as an integer; 0 when absent.

    Raises:
        Odd: several values, or one that is no short whole number.
    """
    if element is None or not element[1]:
        return 0
    vr, data = element
    if vr in (b"", b"UN"):
        vr = usual_vr
    if vr == b"US" and len(data) == 2:
        number: int = _US(data)[0]
        return number
    digits = data.strip(b"\0 ")
    if vr not in (b"IS", b"DS") or not digits.isdigit() or len(digits) > 12:
        raise Odd
    return int(digits)
