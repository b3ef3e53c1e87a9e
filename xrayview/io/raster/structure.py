"""The header of a raster film, read before its decoder may run, and its decoded picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from xrayview.errors import StatusCode, UnreadableFilm

ALPHA_NOTE = "transparency is ignored"


@dataclass(frozen=True)
class RasterHeader:
    """The first page of a raster file as it is stored, before its orientation is applied."""

    stored_rows: int
    stored_columns: int
    orientation: int = 1
    """EXIF / TIFF orientation, 1..8."""
    pages: tuple[int, ...] = (0,)
    """For each page, where its directory starts in the file; (0,) for formats without pages."""
    bits: int = 0
    """Bits per sample; 0 where this is not read."""
    samples: int = 0
    """Samples per pixel; 0 where this is not read."""
    alpha: bool = False
    notes: tuple[str, ...] = ()
    """What of the file is not shown."""
    unsupported: str = ""
    """The kind of the file where it is valid and not read."""

    @property
    def rows(self) -> int:
        """Rows after the orientation is applied."""
        return self.stored_columns if self.orientation >= 5 else self.stored_rows

    @property
    def columns(self) -> int:
        """Columns after the orientation is applied."""
        return self.stored_rows if self.orientation >= 5 else self.stored_columns


@dataclass(frozen=True, eq=False)
class Picture:
    """Decoded samples, oriented: (rows, columns), or (rows, columns, samples) with RGB first."""

    samples: npt.NDArray[Any]
    bits: int
    """Bits of a sample, at most those of its type."""
    is_inverted: bool = False
    """Zero is white."""
    notes: tuple[str, ...] = ()


def oriented(stored: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Turn and flip a picture as its orientation says (TIFF 6.0, section 8; EXIF 2.3, 4.6.4 A)."""
    turned = stored.swapaxes(0, 1) if orientation >= 5 else stored
    if orientation in {3, 4, 7, 8}:
        turned = turned[::-1]
    if orientation in {2, 3, 6, 7}:
        turned = turned[:, ::-1]
    return np.ascontiguousarray(turned)


def invalid_header(why: str) -> UnreadableFilm:
    """The error for a header that cannot be parsed."""
    return UnreadableFilm(
        "The header is broken",
        code=StatusCode.DECODE_FAILED,
        why=why,
        hint="The file was probably truncated; copy or export it again.",
    )


def not_supported(what: str) -> UnreadableFilm:
    """The error for a valid file of a kind that is not read."""
    return UnreadableFilm(
        "This kind of picture is not supported",
        code=StatusCode.UNSUPPORTED_SYNTAX,
        why=what,
        hint="Save it as PNG, or as TIFF without compression.",
    )


def read_exactly(stream: BinaryIO, size: int) -> bytes:
    """Read `size` bytes.

    Raises:
        UnreadableFilm: DECODE_FAILED, the file ends before.
    """
    data = stream.read(size)
    if len(data) < size:
        raise invalid_header("the file ends inside its header")
    return data
