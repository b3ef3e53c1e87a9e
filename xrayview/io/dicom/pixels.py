"""Decode one frame of a DICOM file into stored values; colour becomes luminance."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_color_lut

from xrayview.domain.radiograph import Pixels
from xrayview.errors import UnreadableFilm
from xrayview.io.dicom.codestream import (
    END_OF_CODESTREAM,
    ONLY_END,
    check_codestream,
    end_of_tiles,
    frame_warning,
    stream_bits,
)
from xrayview.io.dicom.dataset import UNDEFINED_LENGTH, DicomFile, PixelElement
from xrayview.io.dicom.fragments import frame_data, read_fragments
from xrayview.io.dicom.image_pixel import FLOAT_KEYWORDS, PixelDescription, undecodable
from xrayview.io.dicom.transfer_syntax import (
    SYNTAXES_WITH_ANY_CELL,
    TransferSyntax,
    decoders_of,
)
from xrayview.io.limits import check_size
from xrayview.io.raster.luminance import COLOUR_NOTE, luminance

_RLE = "1.2.840.10008.1.2.5"
ALIGNED_NOTE = "each frame of single bits begins with a byte, against PS3.5, 8.1.1"


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
    bits_stored: int
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoredFrame:
    """One frame as the file stores it: (rows, columns) or (rows, columns, samples)."""

    samples: npt.NDArray[Any]
    photometric: str
    """After decoding: some decoders convert YBR to RGB."""
    bits_stored: int
    """As in the header, or as in the compressed frame where that contradicts it."""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


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
    return _compressed(source) if encapsulated else _uncompressed(source)


def decode_frame(source: FrameSource, max_megapixels: float) -> DecodedFrame:
    """Decode one frame into the stored values of a film; colour becomes luminance.

    Raises:
        UnreadableFilm: TOO_LARGE, UNSUPPORTED_SYNTAX or DECODE_FAILED.
    """
    stored = stored_frame(source, max_megapixels)
    grey, colour, notes = _grey(source.file.dataset, stored.samples, stored.photometric)
    return DecodedFrame(
        _supported(grey), colour, stored.bits_stored, stored.warnings, (*stored.notes, *notes)
    )


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


def _uncompressed(source: FrameSource) -> StoredFrame:
    pixels, description = source.pixels, source.description
    end = source.file.body.seek(0, os.SEEK_END)
    size, frames = description.frame_bytes, description.frames
    present = min(pixels.length, max(end - pixels.offset, 0))
    notes: tuple[str, ...] = ()
    if description.bits_allocated == 1:
        bits = description.rows * description.columns * description.samples
        # PS3.5, 8.1.1: the bits of a frame follow those of the frame before in the same byte.
        step, total = bits, -(-bits * frames // 8)
        if frames > 1 and _even(total) < pixels.length == _even(size * frames):
            step, total, notes = 8 * size, size * frames, (ALIGNED_NOTE,)
        first = source.frame * step
        start, size = first // 8, (first + bits + 7) // 8 - first // 8
    else:
        start, total = source.frame * size, size * frames
    if start + size > present:
        raise undecodable(
            f"incomplete: {max(present - start, 0)} of {size} bytes of the frame are in the file"
        )
    data = _frame_bytes(source, start, size)
    if description.bits_allocated == 1:
        unpacked = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
        data = np.packbits(unpacked[first % 8 :][:bits], bitorder="little").tobytes()
    array, photometric = _as_array(data, description, source.syntax)
    warning: tuple[str, ...] = ()
    if total > present:
        complete = present * frames // total
        warning = (f"incomplete: {complete} of {frames} frames are in the file",)
    stored = _stored_bits(array, description)
    return StoredFrame(stored, photometric, description.bits_stored, warning, notes)


def _even(size: int) -> int:
    return size + size % 2


def _frame_bytes(source: FrameSource, start: int, size: int) -> bytes:
    """The bytes of one frame; big endian words of two 8-bit samples are swapped (PS3.5, 8.1.2)."""
    file, pixels = source.file, source.pixels
    swapped = (
        not file.little_endian and source.description.bits_allocated <= 8 and pixels.vr == "OW"
    )
    if not swapped:
        file.body.seek(pixels.offset + start)
        return file.body.read(size)
    first = start - start % 2
    file.body.seek(pixels.offset + first)
    pairs = file.body.read(start + size + (start + size) % 2 - first)
    words = np.frombuffer(pairs[: len(pairs) // 2 * 2], np.uint16)
    return words.byteswap().tobytes()[start - first :][:size]


def _compressed(source: FrameSource) -> StoredFrame:
    syntax = source.syntax
    frame = compressed_frame(source)
    description, notes = _as_in_stream(source.description, frame.stream, syntax.uid)
    try:
        array, photometric, note = _first_decoded(frame.stream, description, syntax)
    except UnreadableFilm as error:
        if frame.warnings:
            raise undecodable(frame.warnings[-1]) from error
        raise
    if syntax.uid == _RLE:
        array = _stored_bits(array, description)
    notes = tuple(line for line in (*frame.notes, *notes, note) if line)
    return StoredFrame(array, photometric, description.bits_stored, frame.warnings, notes)


def _as_in_stream(
    description: PixelDescription, stream: bytes, uid: str
) -> tuple[PixelDescription, tuple[str, ...]]:
    """The description with the depth of the compressed frame where the header contradicts it.

    A stream of 8 bits is one of 8 bits whatever BitsAllocated is, and bits beyond BitsStored would
    be cut off. A stream of 16 bits may hold the 12 that the header says.
    """
    bits = stream_bits(stream, uid, description.samples)
    allocated = 8 if bits <= 8 else 16 if bits <= 16 else 32
    is_cut = description.bits_stored < bits < description.bits_allocated
    is_kept = allocated == description.bits_allocated or (
        # Decoders of these put smaller samples into the cells that the header says.
        allocated < description.bits_allocated and uid in SYNTAXES_WITH_ANY_CELL
    )
    if not bits or (is_kept and not is_cut):
        return description, ()
    allocated = description.bits_allocated if is_kept else allocated
    stored = bits if is_cut else min(description.bits_stored, bits)
    if description.bits_allocated < allocated:
        stored = bits
    changed = replace(
        description, bits_allocated=allocated, bits_stored=stored, high_bit=stored - 1
    )
    note = (
        f"the header says {description.bits_stored} bits stored in {description.bits_allocated}, "
        f"the compressed frame has {bits}"
    )
    return changed, (note,)


@dataclass(frozen=True)
class CompressedFrame:
    """The code stream of one frame."""

    stream: bytes
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def compressed_frame(source: FrameSource) -> CompressedFrame:
    """The code stream of one frame, checked against the header, with warnings and notes.

    Raises:
        UnreadableFilm: DECODE_FAILED or TOO_LARGE.
    """
    body, description, uid = source.file.body, source.description, source.syntax.uid
    body.seek(source.pixels.offset)
    fragments = read_fragments(body)
    stream, note = frame_data(body, fragments, source.frame, description.frames)
    check_codestream(stream, uid, description.rows, description.columns, description.samples)
    warning = frame_warning(stream, uid)
    if warning and (end := end_of_tiles(stream)):
        stream, warning = stream[:end] + END_OF_CODESTREAM, ONLY_END
    warnings = tuple(line for line in (fragments.warning, warning) if line)
    return CompressedFrame(stream, warnings, (note,) if note else ())


def _first_decoded(
    data: bytes, description: PixelDescription, syntax: TransferSyntax
) -> tuple[npt.NDArray[Any], str, str]:
    """The frame from the first decoder that takes it; a note where that is not the first one."""
    names = decoders_of(syntax)[1]
    for i, name in enumerate(names):
        try:
            array, photometric = _as_array(data, description, syntax, name)
        except UnreadableFilm:
            if i + 1 == len(names):
                raise
        else:
            return array, photometric, f"decoded by {name}, after {names[0]} refused it" * bool(i)
    raise AssertionError("a decoder is always named")


def _as_array(
    data: bytes, description: PixelDescription, syntax: TransferSyntax, plugin: str = ""
) -> tuple[npt.NDArray[Any], str]:
    """Decode one frame with pydicom; colour space and unused bits are not changed."""
    decoder, _ = decoders_of(syntax)
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
