"""The structure of PNG and JPEG files: size, orientation and completeness, no pixels.

Only what must be known before the decoder may run is parsed: the claimed size, the orientation,
and whether the file is complete.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from xrayview.errors import UnreadableFilm
from xrayview.io.raster.structure import RasterHeader, invalid_header, read_exactly
from xrayview.io.raster.tiff_header import TIFF_SIGNATURES, exif_orientation

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8\xff"

# SOF0..SOF15 without DHT (C4), JPG (C8) and DAC (CC): ITU-T T.81, table B.1; JPEG-LS: T.87.
_JPEG_SOF = (frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}) | {0xF7}
_JPEG_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_SOS, _JPEG_EOI, _JPEG_APP1 = 0xDA, 0xD9, 0xE1
_JPEG_LS = 0xF7
_HIERARCHICAL = frozenset({0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF})

_PNG_SAMPLES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
"""Samples per pixel by colour type, those of a palette as RGB."""
_ANIMATION_CHUNKS = frozenset({b"acTL", b"fcTL", b"fdAT"})
_TEXT_CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_PROFILES = frozenset({b"raw profile type exif", b"raw profile type app1"})
_EXIF_PREFIX = b"Exif\0\0"
_LONGEST_EXIF = 65536
ANIMATED_NOTE = "an animation of which only the still picture is shown"


# -- PNG ---------------------------------------------------------------------------------------


def png_header(stream: BinaryIO) -> RasterHeader:
    """Read the chunks of a PNG (PNG 3rd edition, 11.2.1, 11.3.2.1); eXIf may follow the pixels."""
    stream.seek(len(PNG_SIGNATURE))
    rows = columns = bits = colour_type = pictures = 0
    exif = profile = 0
    alpha = False
    for name, length in _png_chunks(stream):
        if name == b"IHDR":
            columns, rows, bits, colour_type = struct.unpack(">LLBB", read_exactly(stream, 10))
        elif name == b"eXIf" and length <= _LONGEST_EXIF:
            exif = exif_orientation(read_exactly(stream, length).removeprefix(_EXIF_PREFIX))
        elif name in _TEXT_CHUNKS and length <= 4 * _LONGEST_EXIF and not profile:
            profile = _profile_orientation(name, read_exactly(stream, length))
        elif name == b"tRNS":
            alpha = True
        elif name == b"acTL" and length == 8:
            (pictures,) = struct.unpack(">L", read_exactly(stream, 4))
        elif name == b"IEND":
            break
    if not rows:
        raise invalid_header("the PNG has no IHDR chunk")
    return RasterHeader(
        rows,
        columns,
        exif or profile or 1,
        bits=bits,
        samples=_PNG_SAMPLES.get(colour_type, 0),
        alpha=alpha or colour_type in {4, 6},
        notes=(ANIMATED_NOTE,) if pictures > 1 else (),
    )


def _profile_orientation(name: bytes, chunk: bytes) -> int:
    """The orientation in a text chunk with an EXIF block in hexadecimal; 0 without one.

    ImageMagick and its relatives write such chunks, before and beside eXIf.
    """
    keyword, _, text = chunk.partition(b"\0")
    if keyword.lower() not in _PROFILES:
        return 0
    is_compressed = name == b"zTXt"
    if name == b"zTXt":
        text = text[1:]  # the compression method
    elif name == b"iTXt":
        is_compressed = text[:1] == b"\1"
        text = text[2:].split(b"\0", 2)[-1]  # after language and translated keyword
    if is_compressed:
        try:
            text = zlib.decompressobj().decompress(text, 4 * _LONGEST_EXIF)
        except zlib.error:
            return 0
    # A line break, the name of the profile, its length, and lines of digits.
    fields = text.split(None, 2)
    try:
        profile = bytes.fromhex(fields[2].decode("ascii")) if len(fields) == 3 else b""
    except (UnicodeDecodeError, ValueError):
        return 0
    exif = profile.removeprefix(_EXIF_PREFIX)
    return exif_orientation(exif) if exif[:4] in TIFF_SIGNATURES else 0


def still_png(data: bytes) -> bytes:
    """The PNG without its animation: only the still picture, which every decoder shows.

    OpenCV gives an empty picture where the frames of an animation are not as announced.
    """
    stream = BytesIO(data)
    stream.seek(len(PNG_SIGNATURE))
    kept, position = [PNG_SIGNATURE], len(PNG_SIGNATURE)
    is_animated = False
    for name, length in _png_chunks(stream):
        end = position + 12 + length
        if name in _ANIMATION_CHUNKS:
            is_animated = True
        else:
            kept.append(data[position:end])
        position = end
    return b"".join(kept) if is_animated else data


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
            return RasterHeader(
                rows,
                columns,
                orientation,
                bits=bits,
                samples=samples,
                unsupported=_unsupported_jpeg(marker, bits),
            )
        if marker == _JPEG_APP1 and length > 6:
            payload = read_exactly(stream, length)
            if payload.startswith(_EXIF_PREFIX):
                orientation = exif_orientation(payload[len(_EXIF_PREFIX) :])
        elif marker in {_JPEG_SOS, _JPEG_EOI}:
            break
    raise invalid_header("the JPEG has no frame header")


def _unsupported_jpeg(frame_marker: int, bits: int) -> str:
    if frame_marker == _JPEG_LS:
        return "JPEG-LS outside DICOM"
    if frame_marker in _HIERARCHICAL:
        return "a hierarchical JPEG"
    return "" if bits == 8 else f"a JPEG of {bits} bits outside DICOM"


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
