"""Raster films, decoded by OpenCV from memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BufferedReader, BytesIO, RawIOBase
from typing import Any, BinaryIO

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.domain.film import FilmRef
from xrayview.domain.formats import FilmFormat
from xrayview.domain.radiograph import Greyscale, Pixels, Radiograph
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.limits import check_size
from xrayview.io.raster.luminance import COLOUR_NOTE, luminance
from xrayview.io.raster.structure import RasterHeader
from xrayview.io.raster.tiff_header import TIFF_SIGNATURES

# What OpenCV would print about a broken file is in the error that names the file.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

ALPHA_NOTE = "transparency is ignored"

_CONVERTED: dict[str, type[np.generic]] = {"int8": np.int16, "float64": np.float32}
"""Sample types that a `Radiograph` does not support, and the type that takes their values."""


@dataclass(frozen=True)
class RasterReader:
    """Reads one raster format: how to recognise it, parse its header and find its end."""

    format: FilmFormat
    signatures: tuple[bytes, ...]
    """The first bytes of a file."""
    header: Callable[[BinaryIO], RasterHeader]
    is_complete: Callable[[BinaryIO], bool]
    """Whether the file contains all of its (first) page."""
    check: Callable[[bytes], None] = lambda _: None
    """Refuses files that must not reach the decoder."""
    page: Callable[[bytes, int], bytes] = lambda data, _: data
    """The file with only the page at an offset of `RasterHeader.pages`."""

    def sniff(self, head: bytes) -> bool:
        """True for the first bytes of a file of this format."""
        return head.startswith(self.signatures)

    def read_header(self, _head: bytes, file: RawIOBase) -> dict[str, Any]:
        """Fields of `FilmRef` from the file's structure; no pixels are decoded."""
        with BufferedReader(file) as stream:
            return self._fields(self.header(stream))

    def _fields(self, header: RasterHeader) -> dict[str, Any]:
        return {
            "format": self.format.id,
            "rows": header.rows,
            "columns": header.columns,
            "frames": len(header.pages),
        }

    def read(self, data: bytes, film: FilmRef, max_megapixels: float) -> Radiograph:
        """Decode page `film.frame` of a file in memory.

        Raises:
            UnreadableFilm: TOO_LARGE by the size in the header, DECODE_FAILED.
        """
        first = self.header(BytesIO(data))
        if not 0 <= film.frame < len(first.pages):
            why = f"page {film.frame + 1} was requested, the file has {len(first.pages)}"
            raise self._undecodable(why)
        data = self._only_page(data, first, film.frame)
        header = self._checked_header(data, max_megapixels)
        decoded = _decode(data, header.alpha)
        if decoded is None or decoded.shape[:2] != (header.rows, header.columns):
            raise self._undecodable("the decoder failed on its data")
        pixels_HW, notes = _grey(decoded, header)
        fields = {**self._fields(first), "rows": header.rows, "columns": header.columns}
        return Radiograph(
            ref=replace(film, **fields),
            pixels_HW=pixels_HW,
            greyscale=Greyscale(
                photometric=_photometric(header, pixels_HW.dtype),
                bits_stored=min(8 * pixels_HW.dtype.itemsize, 16),
            ),
            notes=notes,
        )

    def stored_frames(self, data: bytes, max_megapixels: float) -> Iterator[npt.NDArray[Any]]:
        """Yield every page as OpenCV unpacks it, colour as RGB.

        The orientation of a JPEG or PNG is not applied.

        Raises:
            UnreadableFilm: TOO_LARGE by the size in the header, DECODE_FAILED.
        """
        header = self.header(BytesIO(data))
        for i in range(len(header.pages)):
            page = self._only_page(data, header, i)
            self._checked_header(page, max_megapixels)
            decoded = _imdecode(page, cv2.IMREAD_UNCHANGED)
            if decoded is None:
                raise self._undecodable("the decoder failed on its data")
            yield decoded if decoded.ndim == 2 else decoded[..., [2, 1, 0, 3][: decoded.shape[2]]]

    def _only_page(self, data: bytes, header: RasterHeader, i: int) -> bytes:
        return self.page(data, header.pages[i]) if len(header.pages) > 1 else data

    def _checked_header(self, data: bytes, max_megapixels: float) -> RasterHeader:
        """The header of a file that may be decoded: neither too large nor truncated.

        OpenCV fills in the missing part of some truncated files, and half a film must not be
        classified.
        """
        header = self.header(BytesIO(data))
        check_size(header.rows, header.columns, max_megapixels)
        self.check(data)
        if not self.is_complete(BytesIO(data)):
            raise self._undecodable("incomplete: the file ends before its pixels do")
        return header

    def _undecodable(self, why: str) -> UnreadableFilm:
        return UnreadableFilm(
            f"The {self.format.title} cannot be decoded",
            code=StatusCode.DECODE_FAILED,
            why=why,
            hint="Copy or export it again from the source.",
        )


def _decode(data: bytes, alpha: bool) -> npt.NDArray[Any] | None:
    # ANYCOLOR applies the orientation and drops alpha, but premultiplies a TIFF's colours by it.
    # UNCHANGED does not, and applies the orientation of TIFF, the one format that needs this.
    is_tiff = data[:4] in TIFF_SIGNATURES
    unchanged = alpha and is_tiff
    flags = cv2.IMREAD_UNCHANGED if unchanged else cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR
    return _imdecode(data, flags)


def _imdecode(data: bytes, flags: int) -> npt.NDArray[Any] | None:
    try:
        decoded: npt.NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None
    return decoded


def _grey(decoded: npt.NDArray[Any], header: RasterHeader) -> tuple[Pixels, tuple[str, ...]]:
    """Pixels as a `Radiograph` has them, colour as luminance; and notes of what was done."""
    notes = (ALPHA_NOTE,) if header.alpha else ()
    if decoded.ndim == 3:
        decoded = luminance(decoded[..., 2::-1])
        notes = (COLOUR_NOTE, *notes)
    converted = _CONVERTED.get(decoded.dtype.name)
    pixels = decoded if converted is None else decoded.astype(converted)
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        raise UnreadableFilm(
            "The film contains values that are not numbers",
            code=StatusCode.DECODE_FAILED,
            why="NaN or infinity among its pixels",
            hint="Export it with a number for the background.",
        )
    return np.ascontiguousarray(pixels), notes


def _photometric(header: RasterHeader, dtype: np.dtype[Any]) -> str:
    # OpenCV inverts WhiteIsZero of up to 8 bits, and leaves deeper samples as they are.
    inverted = header.white_is_zero and dtype.itemsize > 1
    return "MONOCHROME1" if inverted else "MONOCHROME2"
