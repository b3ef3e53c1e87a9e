"""Films of the JSRT database: pixels without a header, recognised by their values and their size.

2048 x 2048 unsigned 16-bit values, big endian, 12 bits deep, 0.175 mm apart; the lowest value is
the lightest. Shiraishi et al., AJR 174:71-74, 2000, and the database's own description.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from io import RawIOBase
from typing import Any

import numpy as np
import numpy.typing as npt

from xrayview.domain.film import FilmRef
from xrayview.domain.formats import JSRT, READABLE
from xrayview.domain.radiograph import Greyscale, Radiograph, Spacing, SpacingKind
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.limits import check_size

SIDE = 2048
FILE_BYTES = 2 * SIDE * SIDE
BITS = 12
SPACING_MM = 0.175
_HEAD_BYTES = 512
_STORED = np.dtype(">u2")


def sniff(head: bytes) -> bool:
    """True where all values at the start of a file are 12-bit big-endian numbers."""
    if len(head) < _HEAD_BYTES:
        return False
    return int(np.frombuffer(head[:_HEAD_BYTES], _STORED).max()) < 1 << BITS


def read_header(_head: bytes, file: RawIOBase) -> dict[str, Any]:
    """Fields of `FilmRef`; nothing but the size tells this file from other binary data.

    Raises:
        UnreadableFilm: NOT_AN_IMAGE.
    """
    _check_bytes(file.seek(0, os.SEEK_END))
    return _fields()


def read(data: bytes, film: FilmRef, max_megapixels: float) -> Radiograph:
    """Decode the file.

    Raises:
        UnreadableFilm: NOT_AN_IMAGE, TOO_LARGE.
    """
    return Radiograph(
        ref=replace(film, **_fields()),
        pixels_HW=_pixels(data, max_megapixels),
        greyscale=Greyscale(photometric="MONOCHROME1", bits_stored=BITS),
        spacing=Spacing(SPACING_MM, SPACING_MM, SpacingKind.SCANNER),
        notes=("a JSRT film: size, spacing and greyscale are those of the database",),
    )


def stored_frames(data: bytes, max_megapixels: float) -> Iterator[npt.NDArray[Any]]:
    """Yield the stored values.

    Raises:
        UnreadableFilm: NOT_AN_IMAGE, TOO_LARGE.
    """
    yield _pixels(data, max_megapixels)


def _fields() -> dict[str, Any]:
    return {"format": JSRT.id, "rows": SIDE, "columns": SIDE, "frames": 1}


def _pixels(data: bytes, max_megapixels: float) -> npt.NDArray[np.uint16]:
    _check_bytes(len(data))
    check_size(SIDE, SIDE, max_megapixels)
    return np.frombuffer(data, _STORED).reshape(SIDE, SIDE).astype(np.uint16)


def _check_bytes(size: int) -> None:
    if size != FILE_BYTES:
        raise UnreadableFilm(
            "Not a film",
            code=StatusCode.NOT_AN_IMAGE,
            why=f"its content is not {READABLE}; a film of JSRT has {FILE_BYTES:,} bytes, this "
            f"file {size:,}",
            hint=f"Choose a {READABLE} file.",
        )
