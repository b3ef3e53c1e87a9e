"""PNG, JPEG and TIFF films, decoded by OpenCV from memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BufferedReader, BytesIO, RawIOBase
from typing import Any, BinaryIO

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Greyscale, Pixels, Radiograph
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.limits import check_scans, check_size
from xrayview.io.raster.luminance import COLOUR_NOTE, luminance
from xrayview.io.raster.png_jpeg_header import (
    JPEG_SIGNATURE,
    PNG_SIGNATURE,
    jpeg_header,
    jpeg_is_complete,
    png_header,
    png_is_complete,
)
from xrayview.io.raster.structure import RasterHeader
from xrayview.io.raster.tiff_header import TIFF_SIGNATURES, tiff_header, tiff_is_complete, tiff_page

# What OpenCV would print of a broken file is said by the error that names the file.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

ALPHA_NOTE = "transparency is ignored"

_HELD_AS: dict[str, type[np.generic]] = {"int8": np.int16, "float64": np.float32}
"""Sample types that a Radiograph does not hold, and what holds their values."""


@dataclass(frozen=True)
class RasterFormat:
    """One raster format: how it is recognised, parsed and checked for its end."""

    name: str
    sniff: Callable[[bytes], bool]
    header: Callable[[BinaryIO], RasterHeader]
    is_complete: Callable[[BinaryIO], bool]
    check: Callable[[bytes], None] = lambda _: None
    """Refuses what is not for the decoder."""
    page: Callable[[bytes, int], bytes] = lambda data, _: data
    """The file with another page as its first."""

    def read_header(self, _head: bytes, file: RawIOBase) -> dict[str, Any]:
        """What the file's structure says of the film, by the names of `FilmRef`."""
        with BufferedReader(file) as stream:
            return self._fields(self.header(stream))

    def _fields(self, header: RasterHeader) -> dict[str, Any]:
        return {
            "format": self.name,
            "rows": header.rows,
            "columns": header.columns,
            "frames": header.pages,
        }

    def read(self, data: bytes, film: FilmRef, max_megapixels: float) -> Radiograph:
        """Decode the page `film.frame` of a file held in memory.

        Raises:
            UnreadableFilm: TOO_LARGE by the header's claim, DECODE_FAILED.
        """
        ref = replace(film, **self._fields(self.header(BytesIO(data))))
        if not 0 <= film.frame < ref.frames:
            why = f"page {film.frame + 1} was asked for, the file has {ref.frames}"
            raise _undecodable(self.name, why)
        data = self.page(data, film.frame)
        header = self._checked(data, max_megapixels)
        decoded = _decode(data, header.alpha)
        if decoded is None or decoded.shape[:2] != (header.rows, header.columns):
            raise _undecodable(self.name, "the decoder gave up on its data")
        pixels_HW, notes = _grey(decoded, header)
        return Radiograph(
            ref=replace(ref, rows=header.rows, columns=header.columns),
            pixels_HW=pixels_HW,
            greyscale=Greyscale(
                photometric=_photometric(header, pixels_HW.dtype),
                bits_stored=min(8 * pixels_HW.dtype.itemsize, 16),
            ),
            notes=notes,
        )

    def stored_frames(self, data: bytes, max_megapixels: float) -> Iterator[npt.NDArray[Any]]:
        """Every page as OpenCV unpacks it, colour as RGB; a JPEG's or PNG's turn is not made.

        Raises:
            UnreadableFilm: TOO_LARGE by the header's claim, DECODE_FAILED.
        """
        for number in range(self.header(BytesIO(data)).pages):
            page = self.page(data, number)
            self._checked(page, max_megapixels)
            decoded = _imdecode(page, cv2.IMREAD_UNCHANGED)
            if decoded is None:
                raise _undecodable(self.name, "the decoder gave up on its data")
            yield decoded if decoded.ndim == 2 else decoded[..., [2, 1, 0, 3][: decoded.shape[2]]]

    def _checked(self, data: bytes, max_megapixels: float) -> RasterHeader:
        """The header of a file that may go to the decoder: neither too large nor cut short.

        OpenCV fills up what is missing of some files, and half a film must not be judged.
        """
        header = self.header(BytesIO(data))
        check_size(header.rows, header.columns, max_megapixels)
        self.check(data)
        if not self.is_complete(BytesIO(data)):
            raise _undecodable(self.name, "incomplete: the file ends before its pixels do")
        return header


def _decode(data: bytes, alpha: bool) -> npt.NDArray[Any] | None:
    # ANYCOLOR honours the orientation and drops alpha, but multiplies a TIFF's colours by it;
    # UNCHANGED leaves them alone and turns TIFF only, the one format where that is needed.
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
    """Luminance where the file has colour; the notes say what was done."""
    notes = (ALPHA_NOTE,) if header.alpha else ()
    if decoded.ndim == 3:
        decoded = luminance(decoded[..., 2::-1])
        notes = (COLOUR_NOTE, *notes)
    held = _HELD_AS.get(decoded.dtype.name)
    pixels = decoded if held is None else decoded.astype(held)
    if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
        raise UnreadableFilm(
            "The film holds values that are no numbers",
            code=StatusCode.DECODE_FAILED,
            why="NaN or infinity among its pixels",
            hint="Export it with a number for the background.",
        )
    return np.ascontiguousarray(pixels), notes


def _photometric(header: RasterHeader, dtype: np.dtype[Any]) -> str:
    # OpenCV turns WhiteIsZero of up to 8 bits into black-is-zero and leaves deeper samples alone.
    inverted = header.white_is_zero and dtype.itemsize > 1
    return "MONOCHROME1" if inverted else "MONOCHROME2"


def _undecodable(name: str, why: str) -> UnreadableFilm:
    return UnreadableFilm(
        f"The {name.upper()} cannot be decoded",
        code=StatusCode.DECODE_FAILED,
        why=why,
        hint="Copy or export it again from the source.",
    )


FORMATS = (
    RasterFormat(
        "png",
        lambda head: head.startswith(PNG_SIGNATURE),
        png_header,
        png_is_complete,
    ),
    RasterFormat(
        "jpeg",
        lambda head: head.startswith(JPEG_SIGNATURE),
        jpeg_header,
        jpeg_is_complete,
        check_scans,
    ),
    RasterFormat(
        "tiff",
        lambda head: head.startswith(TIFF_SIGNATURES),
        tiff_header,
        tiff_is_complete,
        page=tiff_page,
    ),
)
