"""A film's displayed grey as it is to be seen: in 8 or 16 bits, with its cover, turned."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from xrayview.display.greyscale import voi_unit
from xrayview.display.picture import displayed_picture
from xrayview.display.shutter_mask import make_shutter_mask, sample_shutter_mask
from xrayview.display.true_shape import in_square_pixels
from xrayview.display.voi import Voi, background_mask, default_voi, stored_codes
from xrayview.domain.figure import Bits, FigureLook
from xrayview.domain.radiograph import Greyscale, Pixels, Radiograph, Spacing

Grey16 = npt.NDArray[np.uint16]
_IN_PLACE = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
_STRIP_ROWS = 256
_FULL = 65535


def oriented_grey(
    radiograph: Radiograph, look: FigureLook, bits: Bits = 8, *, spacing: Spacing | None = None
) -> npt.NDArray[np.unsignedinteger[Any]]:
    """The film, uint8 or uint16, mirrored and turned as it is looked at.

    At native resolution; with a `spacing` of oblong pixels in its true shape.
    """
    grey_HW = _upright(radiograph, look, bits)
    return turned(grey_HW if spacing is None else in_square_pixels(grey_HW, spacing), look)


def turned(picture: npt.NDArray[Any], look: FigureLook) -> npt.NDArray[Any]:
    """A picture of the whole film, (rows, columns, ...), as the film is looked at."""
    mirrored = picture[:, ::-1] if look.mirrored else picture
    return np.ascontiguousarray(np.rot90(mirrored, -look.quarter_turns))


def _upright(
    radiograph: Radiograph, look: FigureLook, bits: Bits
) -> npt.NDArray[np.unsignedinteger[Any]]:
    if bits == 8:
        return displayed_picture(
            radiograph,
            look.voi,
            invert=look.invert,
            overlays=look.overlays,
            shutter=look.shutter,
        )
    grey_HW = _grey16(radiograph, look)
    shutter_mask = make_shutter_mask(radiograph)
    if shutter_mask is None:
        return grey_HW
    laid = sample_shutter_mask(
        shutter_mask, _IN_PLACE, grey_HW.shape, overlays=look.overlays, shutter=look.shutter
    )
    if laid is not None:
        # 0 and 255 become 0 and 65,535, and so do all bits between.
        grey_HW &= laid.keep_HW * np.uint16(257)
        grey_HW |= laid.set_HW * np.uint16(257)
    return grey_HW


def _grey16(radiograph: Radiograph, look: FigureLook) -> Grey16:
    """As `greyscale.displayed_grey`, with 65,536 steps."""
    voi = default_voi(radiograph) if look.voi is None else look.voi
    pixels_HW, greyscale = radiograph.pixels_HW, radiograph.greyscale
    codes = stored_codes(pixels_HW.dtype)
    if codes is not None:
        table = _values16(codes, greyscale, voi, look.invert)
        return np.take(table, pixels_HW.view(f"u{pixels_HW.itemsize}"))
    grey_HW = np.empty(pixels_HW.shape, np.uint16)
    for top in range(0, pixels_HW.shape[0], _STRIP_ROWS):
        strip = slice(top, top + _STRIP_ROWS)
        grey_HW[strip] = _values16(pixels_HW[strip], greyscale, voi, look.invert)
    return grey_HW


def _values16(stored: Pixels, greyscale: Greyscale, voi: Voi, invert: bool) -> Grey16:
    values = np.nan_to_num(greyscale.modality_values(stored)).astype(np.float64)
    grey = (voi_unit(values, voi) * _FULL + 0.5).astype(np.uint16)
    if greyscale.inverted != invert:
        np.subtract(_FULL, grey, out=grey)
    background = background_mask(stored, greyscale)
    if background is not None:
        grey[background] = 0
    return grey
