"""The structure of PNG and JPEG files: size, orientation and completeness, no pixels.

Only what must be known before the decoder may run is parsed: the claimed size, the orientation,
and whether the file is complete.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from xrayview.errors import UnreadableFilm
from xrayview.io.raster.structure import RasterHeader, invalid_header, read_exactly
from xrayview.io.raster.tiff_header import exif_orientation

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8\xff"

# SOF0..SOF15 without DHT (C4), JPG (C8) and DAC (CC): ITU-T T.81, table B.1; JPEG-LS: T.87.
_JPEG_SOF = (frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}) | {0xF7}
_JPEG_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_SOS, _JPEG_EOI, _JPEG_APP1 = 0xDA, 0xD9, 0xE1


# -- PNG ---------------------------------------------------------------------------------------


def png_header(stream: BinaryIO) -> RasterHeader:
    """Read the chunks of a PNG (PNG 3rd edition, 11.2.1, 11.3.2.1); eXIf may follow the pixels."""
    stream.seek(len(PNG_SIGNATURE))
    rows = columns = colour_type = 0
    orientation, alpha = 1, False
    for name, length in _png_chunks(stream):
        if name == b"IHDR":
            columns, rows, _, colour_type = struct.unpack(">LLBB", read_exactly(stream, 10))
        elif name == b"eXIf" and length <= 65536:
            orientation = exif_orientation(read_exactly(stream, length))
        elif name == b"tRNS":
            alpha = True
        elif name == b"IEND":
            break
    if not rows:
        raise invalid_header("the PNG has no IHDR chunk")
    return RasterHeader(rows, columns, orientation, alpha=alpha or colour_type in {4, 6})


def _png_chunks(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Yield the name and length of each chunk, with the stream at the chunk's data."""
    while len(head := stream.read(8)) == 8:
        length, name = struct.unpack(">L4s", head)
        data = stream.tell()
        yield name, length
        stream.seek(data + length + 4)


def png_is_complete(stream: BinaryIO) -> bool:
    """True when the closing IEND chunk lies inside the file."""
    end = stream.seek(0, os.SEEK_END)
    stream.seek(len(PNG_SIGNATURE))
    return any(
        name == b"IEND" and stream.tell() + length <= end for name, length in _png_chunks(stream)
    )


# -- JPEG --------------------------------------------------------------------------------------


def jpeg_header(stream: BinaryIO) -> RasterHeader:
    """Read the segments of a JPEG up to its frame header (ITU-T T.81, B.2.2; EXIF 2.3, 4.5.2)."""
    stream.seek(2)
    orientation = 1
    for marker, length in _jpeg_segments(stream):
        if marker in _JPEG_SOF:
            bits, rows, columns, samples = struct.unpack(">BHHB", read_exactly(stream, 6))
            return RasterHeader(rows, columns, orientation, bits=bits, samples=samples)
        if marker == _JPEG_APP1 and length > 6:
            payload = read_exactly(stream, length)
            if payload.startswith(b"Exif\0\0"):
                orientation = exif_orientation(payload[6:])
        elif marker in {_JPEG_SOS, _JPEG_EOI}:
            break
    raise invalid_header("the JPEG has no frame header")


def _jpeg_segments(stream: BinaryIO) -> Iterator[tuple[int, int]]:
    """Yield the marker and payload length of each segment, with the stream at the payload."""
    while (byte := stream.read(1)) == b"\xff":
        while byte == b"\xff":
            byte = stream.read(1)
        if not byte:
            return
        marker = byte[0]
        if marker in _JPEG_STANDALONE:
            continue
        if marker == _JPEG_EOI:
            yield marker, 0
            return
        (length,) = struct.unpack(">H", read_exactly(stream, 2))
        if length < 2:
            raise invalid_header("a JPEG segment has an impossible length")
        payload = stream.tell()
        yield marker, length - 2
        stream.seek(payload + length - 2)


def jpeg_is_sound(stream: BinaryIO) -> bool:
    """True when the segments follow one another without gaps, up to the first scan.

    GDCM aborts the process when it has to search for the next marker.
    """
    stream.seek(2)
    try:
        return any(marker == _JPEG_SOS for marker, _ in _jpeg_segments(stream))
    except UnreadableFilm:
        return False


def jpeg_is_complete(stream: BinaryIO) -> bool:
    """True when an end-of-image marker follows the first scan.

    Entropy-coded data escapes every FF, and the end marker of an embedded thumbnail comes before
    the scan.
    """
    return jpeg_is_sound(stream) and b"\xff\xd9" in stream.read()
