"""Decode one frame of a DICOM file into stored values; colour becomes luminance."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.processing import apply_color_lut

from xrayview.domain.radiograph import Pixels
from xrayview.errors import UnreadableFilm
from xrayview.io.dicom.codestream import check_codestream, encapsulation_warning, frame_warning
from xrayview.io.dicom.dataset import UNDEFINED_LENGTH, DicomFile, PixelElement
from xrayview.io.dicom.image_pixel import FLOAT_KEYWORDS, PixelDescription, undecodable
from xrayview.io.dicom.transfer_syntax import TransferSyntax, decoder_of
from xrayview.io.limits import check_size
from xrayview.io.raster.luminance import COLOUR_NOTE, luminance

_RLE = "1.2.840.10008.1.2.5"


@dataclass(frozen=True, eq=False)
class FrameSource:
    """One frame of an open file, with the description of its pixels."""

    file: DicomFile
    pixels: PixelElement
    description: PixelDescription
    syntax: TransferSyntax
    frame: int


@dataclass(frozen=True)
class DecodedFrame:
    """Stored values of one frame, shape (rows, columns), with warnings and notes about them."""

    pixels_HW: Pixels
    colour: bool
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoredFrame:
    """One frame as the file stores it: (rows, columns) or (rows, columns, samples)."""

    samples: npt.NDArray[Any]
    photometric: str
    """After decoding: some decoders convert YBR to RGB."""
    warnings: tuple[str, ...] = ()


def stored_frame(source: FrameSource, max_megapixels: float) -> StoredFrame:
    """Decode one frame without changing its stored values.

    Raises:
        UnreadableFilm: TOO_LARGE, UNSUPPORTED_SYNTAX or DECODE_FAILED.
    """
    description, syntax = source.description, source.syntax
    check_size(description.rows, description.columns, max_megapixels)
    if not 0 <= source.frame < description.frames:
        raise undecodable(
            f"frame {source.frame + 1} was requested, the file has {description.frames}"
        )
    if description.samples not in {1, 3}:
        raise undecodable(f"{description.samples} samples per pixel")
    encapsulated = source.pixels.length == UNDEFINED_LENGTH
    if encapsulated != syntax.is_encapsulated:
        raise undecodable("its pixel data does not match the transfer syntax in the header")
    return StoredFrame(*(_compressed if encapsulated else _uncompressed)(source))


def decode_frame(source: FrameSource, max_megapixels: float) -> DecodedFrame:
    """Decode one frame into the stored values of a film; colour becomes luminance.

    Raises:
        UnreadableFilm: TOO_LARGE, UNSUPPORTED_SYNTAX or DECODE_FAILED.
    """
    stored = stored_frame(source, max_megapixels)
    grey, colour, notes = _grey(source.file.dataset, stored.samples, stored.photometric)
    return DecodedFrame(_supported(grey), colour, stored.warnings, notes)


def unused_bit(source: FrameSource, position: int) -> npt.NDArray[np.bool_] | None:
    """One bit of every pixel cell outside the stored value (PS3.5, 8.1.1).

    None when the bit is part of the stored value, or the pixels are compressed.
    """
    description = source.description
    lowest = description.high_bit + 1 - description.bits_stored
    is_unused = 0 <= position < description.bits_allocated and not (
        lowest <= position <= description.high_bit
    )
    if source.syntax.is_encapsulated or description.samples != 1 or not is_unused:
        return None
    size = description.frame_bytes
    data = _frame_bytes(source, source.frame * size, size)
    if len(data) < size:
        return None
    order = "<" if source.file.little_endian else ">"
    cells = np.frombuffer(data, f"{order}u{description.bits_allocated // 8}")
    bits = (cells >> position & 1).astype(np.bool_)
    return bits.reshape(description.rows, description.columns)


def _uncompressed(source: FrameSource) -> tuple[npt.NDArray[Any], str, tuple[str, ...]]:
    pixels, description = source.pixels, source.description
    end = source.file.body.seek(0, os.SEEK_END)
    size = description.frame_bytes
    present = min(pixels.length, max(end - pixels.offset, 0))
    start = source.frame * size
    if start + size > present:
        raise undecodable(
            f"incomplete: {max(present - start, 0)} of {size} bytes of the frame are in the file"
        )
    data = _frame_bytes(source, start, size)
    array, photometric = _as_array(data, description, source.syntax)
    total = size * description.frames
    warning: tuple[str, ...] = ()
    if total > present:
        complete = present // size
        warning = (f"incomplete: {complete} of {description.frames} frames are in the file",)
    return _stored_bits(array, description), photometric, warning


def _frame_bytes(source: FrameSource, start: int, size: int) -> bytes:
    """The bytes of one frame; big endian words of two 8-bit samples are swapped (PS3.5, 8.1.2)."""
    file, pixels = source.file, source.pixels
    swapped = (
        not file.little_endian and source.description.bits_allocated == 8 and pixels.vr == "OW"
    )
    if not swapped:
        file.body.seek(pixels.offset + start)
        return file.body.read(size)
    first = start - start % 2
    file.body.seek(pixels.offset + first)
    pairs = file.body.read(start + size + (start + size) % 2 - first)
    words = np.frombuffer(pairs[: len(pairs) // 2 * 2], np.uint16)
    return words.byteswap().tobytes()[start - first :][:size]


def _compressed(source: FrameSource) -> tuple[npt.NDArray[Any], str, tuple[str, ...]]:
    description, syntax = source.description, source.syntax
    stream, incomplete = compressed_frame(source)
    try:
        array, photometric = _as_array(stream, description, syntax)
    except UnreadableFilm as error:
        if incomplete:
            raise undecodable(incomplete[-1]) from error
        raise
    if syntax.uid == _RLE:
        array = _stored_bits(array, description)
    return array, photometric, incomplete


def compressed_frame(source: FrameSource) -> tuple[bytes, tuple[str, ...]]:
    """The code stream of one frame, checked against the header, and warnings if it is incomplete.

    Raises:
        UnreadableFilm: DECODE_FAILED or TOO_LARGE.
    """
    body, start = source.file.body, source.pixels.offset
    description, uid = source.description, source.syntax.uid
    body.seek(start)
    incomplete = encapsulation_warning(body)
    body.seek(start)
    try:
        stream = get_frame(body, source.frame, number_of_frames=description.frames)
    except Exception as error:
        raise undecodable(incomplete or "its fragments do not form the frame") from error
    check_codestream(stream, uid, description.rows, description.columns, description.samples)
    return stream, tuple(line for line in (incomplete, frame_warning(stream, uid)) if line)


def _as_array(
    data: bytes, description: PixelDescription, syntax: TransferSyntax
) -> tuple[npt.NDArray[Any], str]:
    """Decode one frame with pydicom; colour space and unused bits are not changed."""
    decoder, plugin = decoder_of(syntax)
    options: dict[str, Any] = {
        "rows": description.rows,
        "columns": description.columns,
        "number_of_frames": 1,
        "samples_per_pixel": description.samples,
        "photometric_interpretation": description.photometric,
        "bits_allocated": description.bits_allocated,
        "bits_stored": description.bits_stored,
        "pixel_representation": int(description.signed),
        "planar_configuration": description.planar,
        "pixel_keyword": description.keyword,
        "pixel_vr": "OB",
        "correct_unused_bits": syntax.is_encapsulated and syntax.uid != _RLE,
    }
    if description.keyword in FLOAT_KEYWORDS:
        for name in ("bits_stored", "pixel_representation"):
            del options[name]
    # pydicom takes a compressed source as fragments only.
    source: Any = BytesIO(encapsulate([data])) if syntax.is_encapsulated else data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            array, facts = decoder.as_array(
                source, index=0, raw=True, decoding_plugin=plugin, **options
            )
        except MemoryError:
            raise
        except BaseException as error:
            # A panic in a decoder written in Rust is not an Exception.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            raise undecodable(f"{syntax.name}: the decoder failed on its data") from error
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    return native, str(facts["photometric_interpretation"])


def _stored_bits(array: npt.NDArray[Any], description: PixelDescription) -> npt.NDArray[Any]:
    """Shift out the bits around the stored value: overlays above, unused below (PS3.5, 8.1.1)."""
    if array.dtype.kind == "f" or description.bits_allocated == 1:
        return array
    above = description.bits_allocated - 1 - description.high_bit
    unused = description.bits_allocated - description.bits_stored
    if not unused:
        return array
    # A right shift of a signed type keeps the sign.
    return np.asarray(np.right_shift(np.left_shift(array, above), unused))


def _grey(
    dataset: Dataset, raw: npt.NDArray[Any], photometric: str
) -> tuple[npt.NDArray[Any], bool, tuple[str, ...]]:
    if photometric == "PALETTE COLOR":
        try:
            raw = apply_color_lut(raw, dataset)
        except Exception as error:
            raise undecodable("its colour palette is missing or broken") from error
        return luminance(raw), True, (COLOUR_NOTE,)
    if raw.ndim == 2:
        if photometric not in {"MONOCHROME1", "MONOCHROME2"}:
            raise undecodable(f"{photometric} with one sample per pixel")
        return raw, False, ()
    if photometric.startswith("YBR"):
        # Y of YBR_FULL is the luminance itself (PS3.3 C.7.6.3.1.2).
        return np.ascontiguousarray(raw[..., 0]), True, (COLOUR_NOTE,)
    if photometric == "RGB":
        return luminance(raw), True, (COLOUR_NOTE,)
    raise undecodable(f"{photometric} with three samples per pixel")


def _supported(array: npt.NDArray[Any]) -> Pixels:
    """The pixels in a type that a `Radiograph` supports, all of them finite."""
    array = np.ascontiguousarray(array)
    if array.dtype == np.int8:
        return array.astype(np.int16)
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise undecodable("NaN or infinity among its pixels")
    if array.dtype.itemsize > 4:
        raise undecodable("64-bit integers are not supported")
    return array
