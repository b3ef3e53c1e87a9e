"""The fragments of compressed pixel data, and which of them form a frame (PS3.5, A.4)."""

from __future__ import annotations

import struct
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from xrayview.io.dicom.image_pixel import undecodable

_ITEM, _DELIMITER = 0xFFFEE000, 0xFFFEE0DD
_HEADER_BYTES = 8
_CODESTREAM_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51")
"""JPEG and JPEG-LS, JPEG 2000."""
_END_OF_CODESTREAM = b"\xff\xd9"
_LONGEST_PADDING = 10
"""Bytes that writers add after an end marker to make the length of a fragment even."""
IGNORED_TABLE = "the offset table does not fit the fragments of the pixel data and is ignored"


@dataclass(frozen=True)
class Fragments:
    """The fragments in the order of the file."""

    values: tuple[tuple[int, int], ...]
    """Position in the file and length of each."""
    table: tuple[int, ...]
    """The Basic Offset Table: offsets of the frames from the first fragment's item."""
    warning: str
    """Empty, or `incomplete: ...` where the file ends before the fragments do."""

    @property
    def offsets(self) -> tuple[int, ...]:
        """The offset of each fragment's item, as the table counts it."""
        first = self.values[0][0] if self.values else 0
        return tuple(position - first for position, _ in self.values)


def read_fragments(body: BinaryIO) -> Fragments:
    """Walk the fragments from the current position to their end."""
    start = body.tell()
    end = body.seek(0, 2)
    body.seek(start)
    values: list[tuple[int, int]] = []
    warning = "incomplete: the pixel data has no end"
    while len(head := body.read(_HEADER_BYTES)) == _HEADER_BYTES:
        group, element, length = struct.unpack("<HHL", head)
        tag = group << 16 | element
        if tag == _DELIMITER:
            warning = ""
            break
        if tag != _ITEM:
            warning = "incomplete: the fragments of the pixel data are broken"
            break
        values.append((body.tell(), length))
        if body.seek(length, 1) > end:
            warning = "incomplete: the file ends inside the pixel data"
            break
    return _with_table(body, values, warning)


def _with_table(body: BinaryIO, values: list[tuple[int, int]], warning: str) -> Fragments:
    """Take the first item as the table, unless a writer has left that out."""
    if not values:
        return Fragments((), (), warning)
    position, length = values[0]
    body.seek(position)
    if body.read(4).startswith(_CODESTREAM_STARTS):
        return Fragments(tuple(values), (), warning)
    body.seek(position)
    data = body.read(length)
    table = struct.unpack(f"<{len(data) // 4}L", data[: len(data) // 4 * 4])
    return Fragments(tuple(values[1:]), table, warning)


def frame_data(body: BinaryIO, fragments: Fragments, frame: int, frames: int) -> tuple[bytes, str]:
    """The code stream of one frame; and a note where the offset table is not followed.

    Raises:
        UnreadableFilm: DECODE_FAILED, the fragments do not form so many frames.
    """
    firsts = _firsts_of_table(fragments, frames)
    is_ignored = bool(fragments.table) and firsts is None
    if firsts is None:
        firsts = (0,) if frames == 1 else _firsts_without_table(body, fragments, frames)
    if frame >= len(firsts) or not fragments.values:
        raise undecodable(fragments.warning or "its fragments do not form the frame")
    last = firsts[frame + 1] if frame + 1 < len(firsts) else len(fragments.values)
    parts = []
    for position, length in fragments.values[firsts[frame] : last]:
        body.seek(position)
        parts.append(body.read(length))
    return b"".join(parts), IGNORED_TABLE if is_ignored else ""


def _firsts_of_table(fragments: Fragments, frames: int) -> tuple[int, ...] | None:
    """The index of each frame's first fragment by the table; None where the table is no use.

    Of a truncated file the table may have frames whose fragments are missing.
    """
    table, offsets = fragments.table, fragments.offsets
    if len(table) != frames or not offsets or table[0] != 0:
        return None
    if any(after <= before for before, after in pairwise(table)):
        return None
    present = [offset for offset in table if offset <= offsets[-1]]
    firsts = [bisect_left(offsets, offset) for offset in present]
    if [offsets[first] for first in firsts] != present:
        return None
    return tuple(firsts) if len(present) == frames or fragments.warning else None


def _firsts_without_table(body: BinaryIO, fragments: Fragments, frames: int) -> tuple[int, ...]:
    """One fragment a frame, else a frame ends with the fragment that has an end marker.

    Raises:
        UnreadableFilm: DECODE_FAILED, the fragments do not form so many frames.
    """
    count = len(fragments.values)
    if count == frames:
        return tuple(range(frames))
    firsts = [0]
    for i, (position, length) in enumerate(fragments.values, start=1):
        body.seek(position + max(length - _LONGEST_PADDING, 0))
        if _END_OF_CODESTREAM in body.read(min(length, _LONGEST_PADDING)) and i < count:
            firsts.append(i)
    is_cut = bool(fragments.warning) and len(firsts) < frames
    if count < frames or not (is_cut or len(firsts) == frames):
        raise undecodable(fragments.warning or "its fragments do not form the frame")
    return tuple(firsts)
