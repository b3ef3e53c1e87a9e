"""A small picture of a film without all of its pixels, where its file has a cheaper way.

OpenJPEG's binding here has no reduced decode: JPEG 2000 films take the long way.
"""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import cv2
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Greyscale, Radiograph
from xrayview.io.dataset import open_dicom
from xrayview.io.functional_groups import GROUP_TAGS, of_frame
from xrayview.io.limits import check_scans, check_size
from xrayview.io.opening import regular_file, told_about
from xrayview.io.raster_header import jpeg_header, jpeg_is_complete
from xrayview.io.spacing import SHAPES, spacing_of
from xrayview.io.values import integer, items, text

Grey = npt.NDArray[np.uint8]

_ICON_IMAGE_SEQUENCE = 0x00880200
_LARGE_ENOUGH = 2 / 3
_REDUCED = {
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}


def embedded_icon(film: FilmRef, size_px: int) -> Grey | None:
    """The icon that the file carries (PS3.3 C.7.6.1.1.6), as it is displayed.

    None where it is much smaller than asked for, has another shape than the film, is not 8-bit
    grey, or where the film's pixels are oblong: an icon does not say whether its own are.

    Raises:
        UnreadableFilm: the header is broken.
    """
    if film.format != "dicom" or film.frames > 1:
        return None
    with told_about(film.path):
        regular_file(film.path)
        with film.path.open("rb") as stream:
            tags = [_ICON_IMAGE_SEQUENCE, *SHAPES.values(), *GROUP_TAGS]
            dataset = of_frame(open_dicom(stream, tags, whole=False), film.frame).dataset
            icons = [_icon(item) for item in items(dataset, "IconImageSequence")]
    icon_HW = icons[0] if icons else None
    if icon_HW is None or spacing_of(dataset)[0].pixel_aspect != 1:
        return None
    if max(icon_HW.shape) < _LARGE_ENOUGH * size_px:
        return None
    return icon_HW if _same_shape(icon_HW.shape, (film.rows, film.columns)) else None


def _icon(item: Dataset) -> Grey | None:
    rows, columns = integer(item, "Rows") or 0, integer(item, "Columns") or 0
    photometric, data = text(item, "PhotometricInterpretation"), item.get("PixelData")
    is_grey = photometric in {"MONOCHROME1", "MONOCHROME2"}
    depth = integer(item, "BitsAllocated"), integer(item, "BitsStored") or 8
    if not is_grey or depth != (8, 8) or not isinstance(data, bytes):
        return None
    if not 0 < rows * columns <= len(data) <= rows * columns + 1:
        return None
    grey_HW = np.frombuffer(data, np.uint8, rows * columns).reshape(rows, columns)
    return 255 - grey_HW if photometric == "MONOCHROME1" else grey_HW


def _same_shape(icon: tuple[int, ...], film: tuple[int, int]) -> bool:
    """True when the icon's sides are the film's within a pixel."""
    if not all(film):
        return False
    scale = max(icon) / max(film)
    return all(abs(side - scale * whole) <= 1 for side, whole in zip(icon, film, strict=True))


def reduced(film: FilmRef, size_px: int, max_megapixels: float) -> Radiograph | None:
    """A JPEG film at a half, a quarter or an eighth of its size: its longest side is at least
    `size_px`. None for films that have no such way, or gain nothing by it.

    Raises:
        UnreadableFilm: TOO_LARGE by the header's claim, DECODE_FAILED for a broken header.
    """
    if film.format != "jpeg":
        return None
    with told_about(film.path):
        regular_file(film.path)
        data = film.path.read_bytes()
        header = jpeg_header(BytesIO(data))
        check_size(header.rows, header.columns, max_megapixels)
        check_scans(data)
        ratio = max(header.rows, header.columns) // size_px
        scale = max((known for known in _REDUCED if known <= ratio), default=0)
        if not scale or not jpeg_is_complete(BytesIO(data)):
            return None
        grey_HW = cv2.imdecode(np.frombuffer(data, np.uint8), _REDUCED[scale])
    if grey_HW is None:
        return None
    ref = replace(film, rows=header.rows, columns=header.columns)
    return Radiograph(ref, np.asarray(grey_HW, np.uint8), Greyscale(bits_stored=8))
