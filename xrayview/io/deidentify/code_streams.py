"""Compressed frames without anything but the picture: comments and metadata are taken out.

The entropy-coded data is copied byte for byte, so the pixels cannot change.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from xrayview.io.dicom.codestream import J2K_START

RLE = "1.2.840.10008.1.2.5"
JPEG_LS = frozenset({"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"})
JPEG_2000 = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 92, 93, 201, 202, 203))

# ITU-T T.81, table B.1
_SOI, _EOI, _SOS, _COM, _APP0, _APP8, _APP14, _LSE = 0xD8, 0xD9, 0xDA, 0xFE, 0xE0, 0xE8, 0xEE, 0xF8
_STANDALONE = frozenset({0x01, _SOI, *range(0xD0, 0xD8)})
_CODING = frozenset(range(0xC0, 0xE0)) - _STANDALONE | {0xF7, _LSE}
"""Segments that the decoder needs: frames, scans, tables, restart intervals."""
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_END_OF_SCAN_LS = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
"""JPEG-LS stuffs a bit, not a byte (ITU-T T.87, C.2.1)."""
_JFIF = b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"

# ITU-T T.800, table A.2; T.801; T.814
_J2K_SOT, _J2K_SOD, _J2K_EOC, _J2K_COD, _J2K_COM = 0xFF90, 0xFF93, 0xFFD9, 0xFF52, 0xFF64
_J2K_SEGMENTS = frozenset({
    0xFF50, 0xFF51, 0xFF52, 0xFF53, 0xFF55, 0xFF56, 0xFF57, 0xFF58, 0xFF59, 0xFF5C, 0xFF5D, 0xFF5E,
    0xFF5F, 0xFF60, 0xFF61, 0xFF63, 0xFF64, 0xFF74, 0xFF75, 0xFF76, 0xFF77, 0xFF78,
})  # fmt: skip


@dataclass(frozen=True)
class Coding:
    """How the samples of a frame are coded."""

    bits: int
    """Bits of a sample; 0 where the stream does not say."""
    is_lossless: bool


def without_metadata(stream: bytes, uid: str, samples: int, plane_bytes: int) -> bytes:
    """A frame without comments, application data and bytes that no decoder reads.

    Args:
        stream: the code stream of one frame.
        uid: its transfer syntax.
        samples: per pixel; grey frames need no segment that describes colour.
        plane_bytes: pixels of a frame, each of which has one byte in every RLE segment.

    Raises:
        ValueError: the stream is not built as its standard says.
    """
    if uid == RLE:
        return _rle(stream, plane_bytes)
    if uid in JPEG_2000:
        return _jpeg_2000(stream)
    return _jpeg(stream, uid in JPEG_LS, samples > 1)


def coding_of(stream: bytes, uid: str) -> Coding:
    """Read the depth of a frame's samples and whether it is compressed without loss.

    Raises:
        ValueError: the stream is not built as its standard says.
    """
    if uid == RLE:
        return Coding(0, is_lossless=True)
    if uid in JPEG_2000:
        return _coding_of_jpeg_2000(stream)
    frame, scan = -1, b""
    bits = 0
    for marker, payload in _jpeg_segments(stream, uid in JPEG_LS):
        if marker in {0xC0, 0xC1, 0xC2, 0xC3, 0xF7}:
            frame, bits = marker, payload[0]
        elif marker == _SOS:
            scan = payload
            break
    # The last but two bytes of a JPEG-LS scan header are NEAR (ITU-T T.87, C.2.3).
    near = scan[-3] if uid in JPEG_LS and len(scan) >= 3 else 0
    return Coding(bits, is_lossless=frame in {0xC3, 0xF7} and near == 0)


# -- JPEG, JPEG-LS -----------------------------------------------------------------------------


def _jpeg(stream: bytes, is_ls: bool, colour: bool) -> bytes:
    parts = [b"\xff\xd8"]
    for marker, payload in _jpeg_segments(stream, is_ls):
        if marker == _EOI:
            parts.append(b"\xff\xd9")
        elif marker < 0:
            parts.append(payload)
        elif marker in _CODING:
            parts.append(_segment(marker, payload))
        elif colour:
            parts += [_segment(marker, text) for text in _colour_segment(marker, payload)]
    return b"".join(parts)


def _jpeg_segments(stream: bytes, is_ls: bool) -> Iterator[tuple[int, bytes]]:
    """Yield marker and payload of each segment; for the data of a scan the marker is -1.

    Bytes between segments and after the end of the image are passed over.
    """
    end_of_scan = _END_OF_SCAN_LS if is_ls else _END_OF_SCAN
    at = stream.find(b"\xff\xd8")
    if at < 0:
        raise ValueError("no start of image")
    at += 2
    while (at := stream.find(b"\xff", at)) >= 0:
        while stream[at : at + 1] == b"\xff":
            at += 1
        if at >= len(stream):
            return
        marker = stream[at]
        at += 1
        if marker == _EOI:
            yield marker, b""
            return
        if marker in _STANDALONE or not marker:
            continue
        length = int.from_bytes(stream[at : at + 2])
        payload = stream[at + 2 : at + length]
        if length < 2 or len(payload) != length - 2:
            raise ValueError("a segment has an impossible length")
        yield marker, payload
        at += length
        if marker == _SOS:
            found = end_of_scan.search(stream, at)
            end = found.start() if found else len(stream)
            yield -1, stream[at:end]
            at = end


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _colour_segment(marker: int, payload: bytes) -> Iterator[bytes]:
    """What decoders read from application segments to tell RGB from YCbCr, and nothing else."""
    if marker == _APP0 and payload.startswith(b"JFIF\0"):
        yield _JFIF
    elif marker == _APP14 and payload.startswith(b"Adobe") and len(payload) >= 12:
        yield b"Adobe\0\x64\0\0\0\0" + payload[11:12]
    elif marker == _APP8 and payload.startswith(b"mrfx") and len(payload) == 5:
        yield payload


# -- JPEG 2000, HTJ2K --------------------------------------------------------------------------


def _jpeg_2000(stream: bytes) -> bytes:
    """The code stream without boxes around it; comments are zeros, so that lengths stay true."""
    data = bytearray(_bare_jpeg_2000(stream))
    at = 2
    while at + 2 <= len(data):
        marker = int.from_bytes(data[at : at + 2])
        if marker == _J2K_EOC:
            return bytes(data[: at + 2])
        if marker != _J2K_SOT:
            if marker not in _J2K_SEGMENTS:
                break
            at = _blank_comment(data, at)
            continue
        part_bytes = int.from_bytes(data[at + 6 : at + 10])
        # With a length of 0 the last tile part reaches to the end (T.800, A.4.2).
        end = at + part_bytes if part_bytes else max(data.rfind(b"\xff\xd9"), at + 12)
        at += 12
        while at < end and data[at : at + 2] != b"\xff\x93":
            at = _blank_comment(data, at)
        at = max(end, at)
    if at < len(data) and b"\xff\x93" not in data[:at]:
        raise ValueError("an unknown segment before the first tile")
    # The end marker is missing, or something else follows the last tile part.
    return bytes(data[:at])


def _bare_jpeg_2000(stream: bytes) -> bytes:
    start = stream.find(J2K_START)
    if start < 0:
        raise ValueError("no start of code stream")
    return stream[start:]


def _blank_comment(data: bytearray, at: int) -> int:
    """Overwrite a comment with zeros; returns the position after the segment."""
    length = int.from_bytes(data[at + 2 : at + 4])
    end = at + 2 + length
    if length < 2 or end > len(data):
        raise ValueError("a segment has an impossible length")
    if int.from_bytes(data[at : at + 2]) == _J2K_COM:
        data[at + 4 : end] = bytes(end - at - 4)
    return end


def _coding_of_jpeg_2000(stream: bytes) -> Coding:
    data = _bare_jpeg_2000(stream)
    # SIZ: 38 bytes up to the depth of the first component, one less than its bits (T.800, A.5.1).
    bits = (data[42] & 0x7F) + 1 if len(data) > 42 else 0
    at, is_lossless = 2, False
    while at + 4 <= len(data) and (marker := int.from_bytes(data[at : at + 2])) != _J2K_SOT:
        if marker == _J2K_COD:
            # Scod, SGcod of four bytes, and five of SPcod, the last of which is the transform.
            is_lossless = data[at + 13 : at + 14] == b"\x01"
        at += 2 + max(int.from_bytes(data[at + 2 : at + 4]), 2)
    return Coding(bits, is_lossless)


# -- RLE ---------------------------------------------------------------------------------------


def _rle(stream: bytes, plane_bytes: int) -> bytes:
    """The segments as far as they are decoded, one after another (PS3.5, annex G)."""
    if len(stream) < 64:
        raise ValueError("no RLE header")
    count, *offsets = struct.unpack("<16L", stream[:64])
    if not 1 <= count <= 15:
        raise ValueError("an impossible number of RLE segments")
    ends = [*offsets[1:count], len(stream)]
    segments = []
    for start, end in zip(offsets[:count], ends, strict=True):
        if not 64 <= start <= end <= len(stream):
            raise ValueError("an RLE segment outside its frame")
        used = stream[start : start + _packed_bytes(stream[start:end], plane_bytes)]
        segments.append(used + b"\0" * (len(used) % 2))
    starts = [64]
    for segment in segments:
        starts.append(starts[-1] + len(segment))
    header = [count, *starts[:-1], *[0] * (15 - count)]
    return struct.pack("<16L", *header) + b"".join(segments)


def _packed_bytes(segment: bytes, plane_bytes: int) -> int:
    """How many bytes of a segment are needed for one plane (PS3.5, G.3.1)."""
    at = unpacked = 0
    size = len(segment)
    while unpacked < plane_bytes and at < size:
        control = segment[at]
        if control < 128:
            at += control + 2
            unpacked += control + 1
        elif control > 128:
            at += 2
            unpacked += 257 - control
        else:
            at += 1
    return min(at, size)
