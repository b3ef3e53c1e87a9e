"""Compressed frames before their decoder sees them: is it all there, is it as large as it says?"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import BinaryIO

from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.limits import check_scans
from xrayview.io.raster_header import jpeg_header

_ITEM, _DELIMITER = 0xFFFEE000, 0xFFFEE0DD
_J2K_START = b"\xff\x4f\xff\x51"
_JPEG = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81))
_J2K = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 201, 202, 203))
_END_MARKER = b"\xff\xd9"
"""EOI of JPEG and JPEG-LS, EOC of JPEG 2000."""

NO_END = "incomplete: the compressed frame has no end marker"


def encapsulation_warning(body: BinaryIO) -> str:
    """Walk the fragments from the current position to their end (PS3.5, A.4).

    Returns:
        Empty, or `incomplete: ...` when the file ends before the sequence does.
    """
    start = body.tell()
    end = body.seek(0, 2)
    body.seek(start)
    while len(head := body.read(8)) == 8:
        group, element, length = struct.unpack("<HHL", head)
        tag = group << 16 | element
        if tag == _DELIMITER:
            return ""
        if tag != _ITEM:
            return "incomplete: the fragments of the pixel data are broken"
        if body.seek(length, 1) > end:
            return "incomplete: the file ends inside the pixel data"
    return "incomplete: the pixel data has no end"


def frame_warning(stream: bytes, uid: str) -> str:
    """Empty, or `incomplete: ...` when a JPEG 2000 frame lacks its end marker.

    Its resolutions are stored one after the other, so that a cut costs sharpness, not rows.
    """
    return "" if uid not in _J2K or _has_end(stream) else NO_END


def _has_end(stream: bytes) -> bool:
    # Fragments are padded to even length; a few writers pad with FF or further zeros.
    return _END_MARKER in stream.rstrip(b"\0")[-16:]


def check_codestream(stream: bytes, uid: str, rows: int, columns: int) -> None:
    """Refuse a frame of another size than the film's, with endless scans, or JPEG without end.

    Half a JPEG or JPEG-LS frame is half a film: decoders fill up the rest, or search for it long.

    Raises:
        UnreadableFilm: DECODE_FAILED or TOO_LARGE.
    """
    if uid in _JPEG:
        check_scans(stream)
        if not _has_end(stream):
            raise _undecodable(NO_END)
    size = _codestream_size(stream, uid)
    if size is not None and size != (rows, columns):
        raise _undecodable(
            f"the header says {rows} x {columns}, the compressed frame {size[0]} x {size[1]}"
        )


def _undecodable(why: str) -> UnreadableFilm:
    return UnreadableFilm(
        "The pixels cannot be decoded",
        code=StatusCode.DECODE_FAILED,
        why=why,
        hint="Copy or export it again from the source.",
    )


def _codestream_size(stream: bytes, uid: str) -> tuple[int, int] | None:
    """Rows and columns of a JPEG, JPEG-LS or JPEG 2000 frame; None where it does not say."""
    if uid in _JPEG:
        header = jpeg_header(BytesIO(stream))
        # A height of 0 is told after the first scan (ITU-T T.81, B.2.5).
        return (header.stored_rows, header.stored_columns) if header.stored_rows else None
    if uid in _J2K:
        start = stream.find(_J2K_START)
        place = stream[start + 8 : start + 24]
        if start < 0 or len(place) < 16:
            return None
        # ITU-T T.800, A.5.1: the reference grid and the image's offset on it.
        x_size, y_size, x_offset, y_offset = struct.unpack(">4L", place)
        return y_size - y_offset, x_size - x_offset
    return None
