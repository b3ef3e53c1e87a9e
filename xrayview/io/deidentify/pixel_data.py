"""The pixel data of a copy: the stored values as they are, and nothing beside them.

Text and drawings may be hidden where no viewer shows them: in the unused bits of the pixels, in
the metadata of compressed frames, and behind the last frame.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from xrayview.errors import IdentityRemains, UnreadableFilm
from xrayview.io.deidentify.code_streams import JPEG_2000, RLE, coding_of, without_metadata
from xrayview.io.dicom.dataset import (
    EXPLICIT_BE,
    PIXEL_KEYWORDS,
    UNDEFINED_LENGTH,
    DicomFile,
    PixelElement,
)
from xrayview.io.dicom.image_pixel import FLOAT_KEYWORDS, PixelDescription, describe
from xrayview.io.dicom.overlay_planes import GROUPS
from xrayview.io.dicom.pixels import FrameSource, compressed_frame, stored_frame
from xrayview.io.dicom.transfer_syntax import TRANSFER_SYNTAXES, unsupported

CLEARED = "bits outside the stored values were cleared; they may have been an overlay"
CUT = "bytes after the last frame were removed"

_CHUNK = 1 << 24
"""Cells that are cleared at once, so that a long film is not in memory twice."""
_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
_OVERLAY_BIT, _OVERLAY_DATA = 0x0102, 0x3000
_HINT = (
    "Export the film again without compression and without overlays, or allow this element if what "
    "is in it identifies nobody."
)


def clean_pixel_data(
    dataset: Dataset, transfer_syntax: str, *, is_allowed: bool = False
) -> tuple[str, ...]:
    """Remove from the pixel data in place what is not part of the picture.

    Args:
        dataset: a film with its pixels, before its overlays are removed.
        transfer_syntax: of the data set.
        is_allowed: copy what cannot be removed from compressed frames, instead of refusing them.

    Returns:
        Notes about what was removed.

    Raises:
        IdentityRemains: a compressed frame has bits that could only be cleared by compressing it
            again, or metadata that cannot be taken out.
        UnreadableFilm: the pixels cannot be read.
    """
    keyword = next(k for k in PIXEL_KEYWORDS.values() if k in dataset)
    for other in PIXEL_KEYWORDS.values():
        if other != keyword and other in dataset:
            del dataset[other]
    element = dataset[keyword]
    description = describe(dataset, keyword)
    syntax = TRANSFER_SYNTAXES.get(transfer_syntax)
    if syntax is None:
        raise unsupported(transfer_syntax)
    value = bytes(element.value)
    if not syntax.is_encapsulated:
        element.value, notes = _clean_cells(value, description, transfer_syntax != EXPLICIT_BE)
        return notes
    frames = _Frames(value, dataset, transfer_syntax, description)
    cleaned = list(frames.cleaned(_has_embedded_overlay(dataset), is_allowed))
    has_offsets = value[4:8] != b"\0\0\0\0"  # length of the Basic Offset Table (PS3.5, A.4)
    element.value = encapsulate(cleaned, has_bot=has_offsets)
    return ()


# -- Uncompressed ------------------------------------------------------------------------------


def _clean_cells(
    value: bytes, description: PixelDescription, little_endian: bool
) -> tuple[bytes, tuple[str, ...]]:
    notes = []
    size = _even(description.frame_bytes * description.frames)
    if description.bits_allocated == 1 and len(value) != size:
        # PS3.5, 8.1.1: frames need not begin with a byte, although some writers do it so.
        pixels = description.rows * description.columns * description.frames
        size = _even(-(-pixels * description.samples // 8))
    if len(value) > size:
        value = value[:size]
        notes.append(CUT)
    allocated = description.bits_allocated
    unused = allocated - description.bits_stored
    if description.keyword in FLOAT_KEYWORDS or not unused or allocated not in {8, 16, 32, 64}:
        return value, tuple(notes)
    order = "<" if little_endian else ">"
    cells = np.frombuffer(
        value[: len(value) // (allocated // 8) * (allocated // 8)], f"{order}u{allocated // 8}"
    )
    bits = _StoredBits(description)
    if not bits.are_alone_in(cells):
        data = bytearray(value)
        writable = np.frombuffer(data, cells.dtype, cells.size)
        for part in _parts(writable):
            part[:] = bits.of(part)
        value = bytes(data)
        notes.append(CLEARED)
    return value, tuple(notes)


def _even(size: int) -> int:
    return size + size % 2


@dataclass(frozen=True)
class _StoredBits:
    """The bits of a pixel cell that belong to the stored value (PS3.5, 8.1.1)."""

    description: PixelDescription

    def are_alone_in(self, cells: npt.NDArray[np.unsignedinteger[Any]]) -> bool:
        """True when all other bits are 0, or for signed values all repeat the sign."""
        if self.description.signed and all(
            np.array_equal(part, self.of(part)) for part in _parts(cells)
        ):
            return True
        return not any(np.any(part & ~self._mask(part.dtype)) for part in _parts(cells))

    def of(
        self, cells: npt.NDArray[np.unsignedinteger[Any]]
    ) -> npt.NDArray[np.unsignedinteger[Any]]:
        """The cells with all other bits 0; those above signed values repeat the sign."""
        description = self.description
        if not description.signed:
            return np.asarray(cells & self._mask(cells.dtype))
        native = cells.astype(cells.dtype.newbyteorder("="), copy=False)
        signed = native.view(f"i{native.dtype.itemsize}")
        above = description.bits_allocated - 1 - description.high_bit
        unused = description.bits_allocated - description.bits_stored
        low = unused - above
        # A right shift of a signed type keeps the sign.
        return np.asarray((((signed << above) >> unused) << low).view(native.dtype))

    def _mask(self, dtype: np.dtype[Any]) -> Any:
        low = self.description.high_bit + 1 - self.description.bits_stored
        return dtype.type(((1 << self.description.bits_stored) - 1) << low)


def _parts(cells: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    return (cells[start : start + _CHUNK] for start in range(0, cells.size, _CHUNK))


# -- Compressed --------------------------------------------------------------------------------


class _Frames:
    """The compressed frames of a film."""

    def __init__(
        self, value: bytes, dataset: Dataset, uid: str, description: PixelDescription
    ) -> None:
        self._value = value
        self._dataset = dataset
        self._uid = uid
        self._description = description

    def cleaned(self, has_embedded_overlay: bool, is_allowed: bool) -> Iterator[bytes]:
        """Yield each frame without metadata, after a check that its pixels are the same."""
        for index in range(self._description.frames):
            source = self._source(self._value, self._description, index)
            stream = compressed_frame(source).stream
            if is_allowed:
                with suppress(IdentityRemains):
                    stream = self._without_metadata(source, stream)
                yield stream
            else:
                self._check_bits(source, stream, has_embedded_overlay)
                yield self._without_metadata(source, stream)

    def _without_metadata(self, source: FrameSource, stream: bytes) -> bytes:
        description = self._description
        pixels = description.rows * description.columns
        try:
            clean = without_metadata(stream, self._uid, description.samples, pixels)
            if clean == stream or self._has_blank_comments_only(stream, clean):
                return clean
            alone = replace(description, frames=1)
            again = self._source(encapsulate([clean], has_bot=False), alone, 0)
            same = np.array_equal(_decoded(source), _decoded(again))
        except (ValueError, IndexError, UnreadableFilm) as error:
            raise _metadata_remains() from error
        if not same:
            raise _metadata_remains()
        return clean

    def _has_blank_comments_only(self, stream: bytes, clean: bytes) -> bool:
        """True for JPEG 2000 with nothing else changed: no decoder reads comments."""
        # Frames are padded to even length.
        return self._uid in JPEG_2000 and 0 <= len(stream) - len(clean) <= 1

    def _check_bits(self, source: FrameSource, stream: bytes, has_embedded_overlay: bool) -> None:
        """Refuse a frame with more than its stored values.

        Raises:
            IdentityRemains: bits would have to be cleared, and the frame compressed again.
        """
        description = self._description
        try:
            coding = coding_of(stream, self._uid)
        except (ValueError, IndexError):
            return
        depth = coding.bits or description.bits_allocated
        # Frames of more bits than the header says, but not of all, are shown with their own depth.
        is_shown = depth < description.bits_allocated and not has_embedded_overlay
        is_exact = depth <= description.bits_stored and self._uid != RLE
        if depth > description.bits_allocated or is_shown or is_exact:
            return
        whole = replace(description, bits_stored=depth, high_bit=depth - 1)
        cells = _decoded(replace(source, description=whole))
        if self._uid == RLE:
            unsigned = np.ascontiguousarray(cells).view(f"u{cells.dtype.itemsize}").reshape(-1)
            found = not _StoredBits(description).are_alone_in(unsigned)
        else:
            found = self._exceeds(cells, coding.is_lossless or has_embedded_overlay)
        if found:
            raise IdentityRemains(
                description.keyword,
                why="its compressed pixels have bits outside the stored values, perhaps an "
                "overlay, which cannot be cleared without compressing the film again",
                hint=_HINT,
            )

    def _exceeds(self, cells: npt.NDArray[Any], exact: bool) -> bool:
        """True for values beyond the stored bits; lossy compression may overshoot a little."""
        bits = self._description.bits_stored
        slack = 0 if exact else 1 << max(bits - 3, 0)
        lowest, highest = int(cells.min()), int(cells.max())
        if lowest >= 0 and highest < (1 << bits) + slack:
            return False
        half = 1 << (bits - 1)
        is_signed = self._description.signed and lowest >= -half - slack
        return not (is_signed and highest < half + slack)

    def _source(self, value: bytes, description: PixelDescription, index: int) -> FrameSource:
        pixels = PixelElement(description.keyword, "OB", 0, UNDEFINED_LENGTH)
        file = DicomFile(
            dataset=self._dataset,
            transfer_syntax=self._uid,
            is_index=False,
            little_endian=True,
            body=BytesIO(value + _END),
            pixels=pixels,
            truncated=False,
        )
        return FrameSource(file, pixels, description, TRANSFER_SYNTAXES[self._uid], index)


def _decoded(source: FrameSource) -> npt.NDArray[Any]:
    return stored_frame(source, math.inf).samples


def _metadata_remains() -> IdentityRemains:
    return IdentityRemains(
        "PixelData",
        why="the metadata of its compressed pixels cannot be removed without changing them",
        hint=_HINT,
    )


def _has_embedded_overlay(dataset: Dataset) -> bool:
    """True where an overlay plane is declared to lie in unused bits of the pixels (PS3.3 C.9.2)."""
    for group in GROUPS:
        position = dataset.get(group << 16 | _OVERLAY_BIT)
        has_data = group << 16 | _OVERLAY_DATA in dataset
        if position is not None and position.value and not has_data:
            return True
    return False
