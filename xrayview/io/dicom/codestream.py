"""Checks of compressed frames before they are decoded: are they complete, and of the right size?"""

from __future__ import annotations

import struct
from io import BytesIO

from xrayview.errors import UnreadableFilm
from xrayview.io.dicom.image_pixel import undecodable
from xrayview.io.limits import check_scans
from xrayview.io.raster.png_jpeg_header import jpeg_header, jpeg_is_complete, jpeg_is_sound

J2K_START = b"\xff\x4f\xff\x51"
_JPEG = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81))
_J2K = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 201, 202, 203))
_TILE_PART = 0xFF90
END_OF_CODESTREAM = b"\xff\xd9"
NO_END = "incomplete: the compressed frame has no end marker"
ONLY_END = "the compressed frame has no end marker, although its tiles are complete"


def frame_warning(stream: bytes, uid: str) -> str:
    """Empty, or `incomplete: ...` when a JPEG 2000 frame lacks its end marker.

    Its resolution levels are stored one after another, so truncation costs sharpness, not rows.
    """
    # Fragments are padded to even length; some writers pad with FF or more zeros.
    has_end = END_OF_CODESTREAM in stream.rstrip(b"\0")[-16:]
    return "" if uid not in _J2K or has_end else NO_END


def end_of_tiles(stream: bytes) -> int | None:
    """The end of a JPEG 2000 stream that has all bytes of its tiles and nothing after them.

    None where a part of a tile is missing, or where its length is not given.

    Source: ITU-T T.800, A.4.2 (SOT), A.5.1 (SIZ).
    """
    start = stream.find(J2K_START)
    if start < 0 or len(stream) < start + 42:
        return None
    x_size, y_size, _, _, width, height, x_tile, y_tile = struct.unpack_from(
        ">8L", stream, start + 8
    )
    if not width or not height or x_size <= x_tile or y_size <= y_tile:
        return None
    tiles = -(-(x_size - x_tile) // width) * -(-(y_size - y_tile) // height)
    position = start + 2
    seen: set[int] = set()
    while len(head := stream[position : position + 12]) == 12:
        marker, length, tile, part_length = struct.unpack(">HHHL", head[:10])
        if marker == _TILE_PART:
            # A part of length 0 reaches to the end marker, wherever that was.
            if not part_length or position + part_length > len(stream):
                return None
            seen.add(tile)
            position += part_length
        elif not seen and marker >= 0xFF00:
            position += 2 + length
        else:
            break
    is_whole = len(seen) == tiles and not stream[position:].strip(b"\0\xff")
    return position if is_whole else None


def stream_bits(stream: bytes, uid: str, samples: int) -> int:
    """Bits of a sample in a compressed frame; 0 where it does not say."""
    if uid in _JPEG:
        return jpeg_header(BytesIO(stream)).bits
    if uid in _J2K:
        start = stream.find(J2K_START)
        # ITU-T T.800, A.5.1: the depth of the first component, less 1, below its sign.
        return (stream[start + 42] & 0x7F) + 1 if 0 <= start < len(stream) - 42 else 0
    # PS3.5, G.5: the number of segments, one for each byte of each sample.
    segments = int.from_bytes(stream[:4], "little")
    per_sample, rest = divmod(segments, samples)
    return 8 * per_sample if per_sample in {1, 2, 4} and not rest else 0


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
