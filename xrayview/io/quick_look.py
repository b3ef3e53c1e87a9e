"""Small pictures of films without decoding all pixels, where the file allows it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from io import BytesIO

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from xrayview.domain.film import FilmRef
from xrayview.domain.formats import DICOM, JPEG
from xrayview.domain.radiograph import Greyscale, Radiograph
from xrayview.io.dicom import reader as dicom_reader
from xrayview.io.dicom.dataset import open_dicom
from xrayview.io.dicom.functional_groups import GROUP_TAGS, at_frame
from xrayview.io.dicom.reduced_frames import (
    SYNTAXES,
    NoReducedFrame,
    largest_divisor,
    reduced_frame,
    reduced_jpeg,
)
from xrayview.io.dicom.spacing import SHAPES, spacing_of
from xrayview.io.dicom.values import integer, items, text
from xrayview.io.limits import check_scans, check_size
from xrayview.io.raster.png_jpeg_header import jpeg_header, jpeg_is_complete
from xrayview.io.safe_open import film_errors, regular_file_info

Grey = npt.NDArray[np.uint8]

_ICON_IMAGE_SEQUENCE = 0x00880200
_LARGE_ENOUGH = 2 / 3


def embedded_icon(film: FilmRef, size_px: int) -> Grey | None:
    """The icon image in the file (PS3.3 C.7.6.1.1.6), as displayed grey.

    None when there is no icon, or when it is much smaller than `size_px`, not 8-bit grey, or not
    of the film's shape; also when the film's pixels are not square, since an icon does not say
    whether its own are.

    Raises:
        UnreadableFilm: the header is broken.
    """
    if film.format != DICOM.id or film.frames > 1:
        return None
    with film_errors(film.path):
        regular_file_info(film.path)
        with film.path.open("rb") as stream:
            tags = [_ICON_IMAGE_SEQUENCE, *SHAPES.values(), *GROUP_TAGS]
            dataset = at_frame(open_dicom(stream, tags, with_pixels=False), film.frame).dataset
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
    """True when the icon is the scaled film, to within a pixel."""
    if not all(film):
        return False
    scale = max(icon) / max(film)
    pairs = zip(icon, film, strict=True)
    return all(abs(icon_side - scale * film_side) <= 1 for icon_side, film_side in pairs)


def reduced_film(film: FilmRef, size_px: int, max_megapixels: float) -> Radiograph | None:
    """A compressed film at a half, a quarter or an eighth of its size, at least `size_px` long.

    None when the format does not allow this, or it would not save time.

    Raises:
        UnreadableFilm: as for the whole film.
    """
    if film.format == JPEG.id:
        return _reduced_jpeg(film, size_px, max_megapixels)
    if film.format == DICOM.id and film.transfer_syntax in SYNTAXES:
        return _reduced_dicom(film, size_px, max_megapixels)
    return None


def _reduced_jpeg(film: FilmRef, size_px: int, max_megapixels: float) -> Radiograph | None:
    with film_errors(film.path):
        regular_file_info(film.path)
        data = film.path.read_bytes()
        header = jpeg_header(BytesIO(data))
        check_size(header.rows, header.columns, max_megapixels)
        check_scans(data)
        divisor = largest_divisor(header.rows, header.columns, size_px)
        if divisor == 1 or not jpeg_is_complete(BytesIO(data)):
            return None
        grey_HW = reduced_jpeg(data, divisor)
    if grey_HW is None:
        return None
    ref = replace(film, rows=header.rows, columns=header.columns)
    return Radiograph(ref, grey_HW, Greyscale(bits_stored=8))


def _reduced_dicom(film: FilmRef, size_px: int, max_megapixels: float) -> Radiograph | None:
    with film_errors(film.path):
        regular_file_info(film.path)
        data = film.path.read_bytes()
        try:
            small = dicom_reader.read(data, film, max_megapixels, partial(reduced_frame, size_px))
        except NoReducedFrame:
            return None
    # Padding and shutter have sharp edges, which averaging would blur.
    has_edges = small.greyscale.padding is not None or small.shutter is not None
    return None if has_edges else small
