"""A compressed frame decoded at a fraction of its size.

JPEG skips the high frequencies of each block, JPEG 2000 the finest wavelet levels: the result is
an average over small squares, for a tenth of the work.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from io import BytesIO

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from xrayview.domain.radiograph import Pixels
from xrayview.io.dicom.codestream import J2K_START
from xrayview.io.dicom.dataset import UNDEFINED_LENGTH
from xrayview.io.dicom.image_pixel import PixelDescription
from xrayview.io.dicom.pixels import DecodedFrame, FrameSource, compressed_frame
from xrayview.io.limits import check_size

_JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
_JPEG_2000 = frozenset({"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"})

_JPEG_FLAGS = {
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}
_SSIZ = 42
"""Position of the first component's depth and sign in a code stream (ITU-T T.800, A.5.1)."""
_OVERSIZE = {_JPEG_BASELINE: 1} | dict.fromkeys(_JPEG_2000, 2)
"""Longest decoded side over the requested one: a wavelet level alone is not an area average."""
SYNTAXES = frozenset(_OVERSIZE)


class NoReducedFrame(Exception):
    """This frame has to be decoded at full size."""


def largest_divisor(rows: int, columns: int, size_px: int) -> int:
    """The largest of 2, 4, 8 that leaves the longest side at least `size_px`; 1 if none does."""
    ratio = max(rows, columns) // size_px
    return max((divisor for divisor in _JPEG_FLAGS if divisor <= ratio), default=1)


def reduced_jpeg(data: bytes, divisor: int) -> npt.NDArray[np.uint8] | None:
    """A JPEG picture at 1 / `divisor` (2, 4 or 8) of its size, 8-bit grey; None if it is broken."""
    grey_HW = cv2.imdecode(np.frombuffer(data, np.uint8), _JPEG_FLAGS[divisor])
    return None if grey_HW is None else np.asarray(grey_HW, np.uint8)


def reduced_frame(size_px: int, source: FrameSource, max_megapixels: float) -> DecodedFrame:
    """Like `pixels.decode_frame`, at the fraction whose longest side is at least `size_px`.

    Raises:
        UnreadableFilm: TOO_LARGE or DECODE_FAILED, as for the whole frame.
        NoReducedFrame: colour, another syntax, already small, incomplete, or unusual.
    """
    description, syntax = source.description, source.syntax
    check_size(description.rows, description.columns, max_megapixels)
    oversize = _OVERSIZE.get(syntax.uid)
    if oversize is None:
        raise NoReducedFrame
    divisor = largest_divisor(description.rows, description.columns, size_px * oversize)
    is_plain = (
        description.samples == 1
        and description.photometric in {"MONOCHROME1", "MONOCHROME2"}
        and description.high_bit == description.bits_stored - 1
    )
    has_fragments = source.pixels.length == UNDEFINED_LENGTH
    has_frame = 0 <= source.frame < description.frames
    if divisor == 1 or not is_plain or not has_fragments or not has_frame:
        raise NoReducedFrame
    frame = compressed_frame(source)
    if frame.warnings or frame.notes:
        raise NoReducedFrame
    decode = _jpeg if syntax.uid == _JPEG_BASELINE else _jpeg_2000
    pixels_HW = decode(frame.stream, description, divisor)
    return DecodedFrame(pixels_HW, colour=False, bits_stored=description.bits_stored)


def _jpeg(stream: bytes, description: PixelDescription, divisor: int) -> Pixels:
    if description.signed or description.bits_stored != 8:
        raise NoReducedFrame
    grey_HW = reduced_jpeg(stream, divisor)
    if grey_HW is None:
        raise NoReducedFrame
    return grey_HW


def _jpeg_2000(stream: bytes, description: PixelDescription, divisor: int) -> Pixels:
    bits, signed = _depth(stream)
    if (bits, signed) != (description.bits_stored, description.signed) or not 8 <= bits <= 16:
        raise NoReducedFrame
    scaled_HW = _decode_reduced(stream, divisor)
    # Pillow shifts values up to fill 8 or 16 bits, and adds half the range to signed values.
    values_HW = scaled_HW >> (8 * scaled_HW.dtype.itemsize - bits)
    # A wavelet average is centred on a square's first pixel, the mean of neighbours on its middle.
    mean_HW = cv2.blur(values_HW, (2, 2), anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    if signed:
        return (mean_HW.astype(np.int32) - (1 << (bits - 1))).astype(np.int16)
    return np.asarray(mean_HW, values_HW.dtype)


def _decode_reduced(stream: bytes, divisor: int) -> npt.NDArray[np.uint8 | np.uint16]:
    # Pillow rounds a reduced side to the nearest pixel, the codec rounds it up. Where they differ,
    # or where the stream has fewer resolution levels, only a smaller reduction works.
    for levels in range(divisor.bit_length() - 1, 0, -1):
        with suppress(OSError, ValueError, Image.DecompressionBombError):
            with Image.open(BytesIO(stream), formats=["JPEG2000"]) as picture:
                picture.reduce = levels  # type: ignore[method-assign, assignment]
                scaled_HW = np.asarray(picture)
            if scaled_HW.ndim == 2 and scaled_HW.dtype in (np.uint8, np.uint16):
                return scaled_HW
    raise NoReducedFrame


def _depth(stream: bytes) -> tuple[int, bool]:
    if not stream.startswith(J2K_START) or len(stream) <= _SSIZ:
        raise NoReducedFrame
    (depth,) = struct.unpack_from("B", stream, _SSIZ)
    return (depth & 0x7F) + 1, depth >= 0x80
