"""What a raster file's header says before its decoder may run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from xrayview.errors import StatusCode, UnreadableFilm


@dataclass(frozen=True)
class RasterHeader:
    """What a raster file says of its first page, as stored (before orientation)."""

    stored_rows: int
    stored_columns: int
    orientation: int = 1
    """EXIF / TIFF orientation, 1..8."""
    pages: int = 1
    alpha: bool = False
    white_is_zero: bool = False
    bits: int = 0
    """Of one sample; 0 where it is not read."""
    samples: int = 0
    """Per pixel; 0 where it is not read."""

    @property
    def rows(self) -> int:
        """Rows of the film once it is turned the way its orientation says."""
        return self.stored_columns if self.orientation >= 5 else self.stored_rows

    @property
    def columns(self) -> int:
        """Columns of the film once it is turned the way its orientation says."""
        return self.stored_rows if self.orientation >= 5 else self.stored_columns


def broken(what: str) -> UnreadableFilm:
    """The error of a header that cannot be followed."""
    return UnreadableFilm(
        "The header is incomplete",
        code=StatusCode.DECODE_FAILED,
        why=what,
        hint="The file was probably cut short; copy or export it again.",
    )


def exactly(stream: BinaryIO, size: int) -> bytes:
    """That many bytes, or the error of a file that ends too early."""
    data = stream.read(size)
    if len(data) < size:
        raise broken("the file ends inside its header")
    return data
