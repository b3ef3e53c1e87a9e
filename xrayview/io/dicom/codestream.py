"""Checks of compressed frames before they are decoded: are they complete, and of the right size?"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import BinaryIO

from xrayview.errors import UnreadableFilm
from xrayview.io.dicom.image_pixel import undecodable
from xrayview.io.limits import check_scans
from xrayview.io.raster.png_jpeg_header import jpeg_header, jpeg_is_complete, jpeg_is_sound

_ITEM, _DELIMITER = 0xFFFEE000, 0xFFFEE0DD
J2K_START = b"\xff\x4f\xff\x51"
_JPEG = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81))
_J2K = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 201, 202, 203))
_END_OF_CODESTREAM = b"\xff\xd9"
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

    Its resolution levels are stored one after another, so truncation costs sharpness, not rows.
    """
    # Fragments are padded to even length; some writers pad with FF or more zeros.
    has_end = _END_OF_CODESTREAM in stream.rstrip(b"\0")[-16:]
    return "" if uid not in _J2K or has_end else NO_END


def check_codestream(stream: bytes, uid: str, rows: int, columns: int, samples: int) -> None:
    """Refuse a frame that does not match the header, is truncated, or would take too long.

    Decoders trust the frame: they allocate what it claims, and some abort the process.

    Args:
        stream: one compressed frame.
        uid: its transfer syntax.
        rows, columns, samples: from the header.

    Raises:
        UnreadableFilm: DECODE_FAILED or TOO_LARGE.
    """
    if uid in _JPEG:
        _check_jpeg(stream, rows, columns, samples)
    elif uid in _J2K:
        size = _j2k_size(stream)
        if size is not None and size != (rows, columns):
            raise _size_mismatch(rows, columns, *size)


def _check_jpeg(stream: bytes, rows: int, columns: int, samples: int) -> None:
    check_scans(stream)
    if not jpeg_is_sound(BytesIO(stream)):
        raise undecodable("the segments of the compressed frame are broken")
    # Half a JPEG or JPEG-LS frame is half a film: decoders fill in the rest, or search for long.
    if not jpeg_is_complete(BytesIO(stream)):
        raise undecodable(NO_END)
    frame = jpeg_header(BytesIO(stream))
    if frame.samples != samples or not 2 <= frame.bits <= 16:
        raise undecodable(
            f"the header says {samples} samples per pixel, the compressed frame {frame.samples} "
            f"of {frame.bits} bits"
        )
    # With a height of 0, the number of rows follows after the first scan (ITU-T T.81, B.2.5).
    if (frame.stored_rows or rows, frame.stored_columns) != (rows, columns):
        raise _size_mismatch(rows, columns, frame.stored_rows, frame.stored_columns)


def _j2k_size(stream: bytes) -> tuple[int, int] | None:
    """Rows and columns of a JPEG 2000 frame; None when it does not say."""
    start = stream.find(J2K_START)
    grid = stream[start + 8 : start + 24]
    if start < 0 or len(grid) < 16:
        return None
    # ITU-T T.800, A.5.1: the size of the reference grid, and the image's offset on it.
    x_size, y_size, x_offset, y_offset = struct.unpack(">4L", grid)
    return y_size - y_offset, x_size - x_offset


def _size_mismatch(rows: int, columns: int, own_rows: int, own_columns: int) -> UnreadableFilm:
    return undecodable(
        f"the header says {rows} x {columns}, the compressed frame {own_rows} x {own_columns}"
    )
