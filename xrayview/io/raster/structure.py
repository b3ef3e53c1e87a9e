"""The header of a raster film, read before its decoder may run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from xrayview.errors import StatusCode, UnreadableFilm


@dataclass(frozen=True)
class RasterHeader:
    """The first page of a raster file as it is stored, before its orientation is applied."""

    stored_rows: int
    stored_columns: int
    orientation: int = 1
    """EXIF / TIFF orientation, 1..8."""
    pages: tuple[int, ...] = (0,)
    """For each page, where its directory starts in the file; (0,) for formats without pages."""
    alpha: bool = False
    white_is_zero: bool = False
    bits: int = 0
    """Bits per sample; 0 where this is not read."""
    samples: int = 0
    """Samples per pixel; 0 where this is not read."""

    @property
    def rows(self) -> int:
        """Rows after the orientation is applied."""
        return self.stored_columns if self.orientation >= 5 else self.stored_rows

    @property
    def columns(self) -> int:
        """Columns after the orientation is applied."""
        return self.stored_rows if self.orientation >= 5 else self.stored_columns


def invalid_header(why: str) -> UnreadableFilm:
    """The error for a header that cannot be parsed."""
    return UnreadableFilm(
        "The header is broken",
        code=StatusCode.DECODE_FAILED,
        why=why,
        hint="The file was probably truncated; copy or export it again.",
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
