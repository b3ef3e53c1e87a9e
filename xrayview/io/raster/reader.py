"""Raster films: PNG and JPEG decoded by OpenCV from memory, TIFF by its own layout."""

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
from xrayview.io.raster.structure import ALPHA_NOTE, Picture, RasterHeader, oriented

# What OpenCV would print about a broken file is in the error that names the file.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

_CONVERTED: dict[str, type[np.generic]] = {"int8": np.int16, "float64": np.float32}
"""Sample types that a `Radiograph` does not support, and the type that takes their values."""


@dataclass(frozen=True)
class RasterFormat:
    """The functions that read one raster format.

    `header` describes the first page and finds the others; `page` describes one of those.
    `decode` gets the whole file and one of its pages; `stored` gives all of its samples, those of
    PNG and JPEG without their orientation.
    """

    row: FilmFormat
    signatures: tuple[bytes, ...]
    """The first bytes of a file."""
    header: Callable[[BinaryIO], RasterHeader]
    is_complete: Callable[[bytes, Any], bool]
    """Whether the file contains all of a page."""
    decode: Callable[[bytes, Any], Picture]
    stored: Callable[[bytes, Any], npt.NDArray[Any]]
    page: Callable[[BinaryIO, int], RasterHeader] | None = None
    check: Callable[[bytes, Any], None] = lambda _data, _header: None
    """Refuses files that must not reach the decoder."""


class RasterReader:
    """Reads one raster format."""

    def __init__(self, raster_format: RasterFormat) -> None:
        self._format = raster_format
        self._last: tuple[bytes, RasterHeader] | None = None
        """The last file with several pages, whose directories are not walked for each page."""

    @property
    def format(self) -> FilmFormat:
        """The row of the format."""
        return self._format.row

    def sniff(self, head: bytes) -> bool:
        """True for the first bytes of a file of this format."""
        return head.startswith(self._format.signatures)

    def read_header(self, _head: bytes, file: RawIOBase) -> dict[str, Any]:
        """Fields of `FilmRef` from the file's structure; no pixels are decoded."""
        with BufferedReader(file) as stream:
            header = self._format.header(stream)
        self._format.check(b"", header)
        return self._fields(header)

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
            UnreadableFilm: TOO_LARGE by the size in the header, UNSUPPORTED_SYNTAX, DECODE_FAILED.
        """
        first = self._header(data)
        if not 0 <= film.frame < len(first.pages):
            why = f"page {film.frame + 1} was requested, the file has {len(first.pages)}"
            raise self._undecodable(why)
        page = self._checked_page(data, first, film.frame, max_megapixels)
        picture = self._format.decode(data, page)
        if picture.samples.shape[:2] != (page.rows, page.columns):
            raise self._undecodable("the decoder failed on its data")
        pixels_HW, notes = _grey(picture)
        fields = {**self._fields(first), "rows": page.rows, "columns": page.columns}
        return Radiograph(
            ref=replace(film, **fields),
            pixels_HW=pixels_HW,
            greyscale=Greyscale(
                photometric="MONOCHROME1" if picture.is_inverted else "MONOCHROME2",
                bits_stored=min(picture.bits, 8 * pixels_HW.dtype.itemsize, 16),
            ),
            notes=(*notes, *page.notes),
        )

    def stored_frames(self, data: bytes, max_megapixels: float) -> Iterator[npt.NDArray[Any]]:
        """Yield all samples of every page, colour as RGB.

        The orientation of a JPEG or PNG is not applied.

        Raises:
            UnreadableFilm: as `read`.
        """
        header = self._header(data)
        for i in range(len(header.pages)):
            page = self._checked_page(data, header, i, max_megapixels)
            yield self._format.stored(data, page)

    def release(self) -> None:
        """Free the memory."""
        self._last = None

    def _header(self, data: bytes) -> RasterHeader:
        if self._last is not None and self._last[0] is data:
            return self._last[1]
        header = self._format.header(BytesIO(data))
        self._last = (data, header) if len(header.pages) > 1 else None
        return header

    def _checked_page(
        self, data: bytes, first: RasterHeader, i: int, max_megapixels: float
    ) -> RasterHeader:
        """The header of a page that may be decoded: neither too large nor truncated.

        Decoders fill in the missing part of some truncated files, and half a film must not be
        classified.
        """
        page = first
        if i and self._format.page is not None:
            page = self._format.page(BytesIO(data), first.pages[i])
        check_size(page.rows, page.columns, max_megapixels)
        self._format.check(data, page)
        if not self._format.is_complete(data, page):
            raise self._undecodable("incomplete: the file ends before its pixels do")
        return page

    def _undecodable(self, why: str) -> UnreadableFilm:
        return _undecodable(self.format.title, why)


def _undecodable(title: str, why: str) -> UnreadableFilm:
    return UnreadableFilm(
        f"The {title} cannot be decoded",
        code=StatusCode.DECODE_FAILED,
        why=why,
        hint="Copy or export it again from the source.",
    )


def decode_by_opencv(row: FilmFormat, data: bytes, header: RasterHeader) -> Picture:
    """Decode a PNG or JPEG: grey, or RGB without transparency.

    Raises:
        UnreadableFilm: DECODE_FAILED.
    """
    flags = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR | cv2.IMREAD_IGNORE_ORIENTATION
    decoded = _imdecode(row, data, flags)
    if decoded.ndim == 3:
        is_grey = 0 < header.samples < 3
        decoded = decoded[..., 0] if is_grey else decoded[..., ::-1]
    return Picture(
        oriented(decoded, header.orientation),
        bits=8 * decoded.dtype.itemsize,
        notes=(ALPHA_NOTE,) if header.alpha else (),
    )


def stored_by_opencv(row: FilmFormat, data: bytes, _header: RasterHeader) -> npt.NDArray[Any]:
    """All samples of a PNG or JPEG, colour as RGB or RGBA, not oriented.

    Raises:
        UnreadableFilm: DECODE_FAILED.
    """
    decoded = _imdecode(row, data, cv2.IMREAD_UNCHANGED)
    return decoded if decoded.ndim == 2 else decoded[..., [2, 1, 0, 3][: decoded.shape[2]]]


def _imdecode(row: FilmFormat, data: bytes, flags: int) -> npt.NDArray[Any]:
    try:
        decoded: npt.NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        decoded = None
    if decoded is None:
        raise _undecodable(row.title, "the decoder failed on its data")
    return decoded


def _grey(picture: Picture) -> tuple[Pixels, tuple[str, ...]]:
    """Pixels as a `Radiograph` has them, colour as luminance; and notes of what was done."""
    pixels, notes = picture.samples, picture.notes
    if pixels.ndim == 3:
        pixels, notes = luminance(pixels, picture.bits), (COLOUR_NOTE, *notes)
    converted = _CONVERTED.get(pixels.dtype.name)
    pixels = pixels if converted is None else pixels.astype(converted)
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        raise UnreadableFilm(
            "The film contains values that are not numbers",
            code=StatusCode.DECODE_FAILED,
            why="NaN or infinity among its pixels",
            hint="Export it with a number for the background.",
        )
    return np.ascontiguousarray(pixels), notes
