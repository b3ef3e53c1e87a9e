"""A film's displayed grey for a figure: 8 or 16 bits, with shutter and overlays, turned."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from xrayview.display.greyscale import voi_unit
from xrayview.display.picture import displayed_picture
from xrayview.display.shutter_mask import IDENTITY_MAP, make_shutter_mask, sample_shutter_mask
from xrayview.display.true_shape import in_square_pixels
from xrayview.display.voi import Voi, background_mask, default_voi, stored_codes
from xrayview.domain.figure import Bits, FigureLook
from xrayview.domain.radiograph import Greyscale, Pixels, Radiograph, Spacing

Grey16 = npt.NDArray[np.uint16]

_STRIP_ROWS = 256
_FULL = 65535


def oriented_grey(
    radiograph: Radiograph, look: FigureLook, bits: Bits = 8, *, spacing: Spacing | None = None
) -> npt.NDArray[np.unsignedinteger[Any]]:
    """Return the film, uint8 or uint16, mirrored and turned as `look` says.

    At native resolution; with a `spacing` of oblong pixels, in its true shape.
    """
    grey_HW = _upright_grey(radiograph, look, bits)
    return oriented(grey_HW if spacing is None else in_square_pixels(grey_HW, spacing), look)


def oriented(picture: npt.NDArray[Any], look: FigureLook) -> npt.NDArray[Any]:
    """Return a picture of the whole film, (rows, columns, ...), mirrored and turned."""
    mirrored = picture[:, ::-1] if look.mirrored else picture
    return np.ascontiguousarray(np.rot90(mirrored, -look.quarter_turns))


def _upright_grey(
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
    sampled = sample_shutter_mask(
        shutter_mask, IDENTITY_MAP, grey_HW.shape, overlays=look.overlays, shutter=look.shutter
    )
    if sampled is not None:
        # 257 repeats the 8 bits in the upper and the lower byte: 255 becomes 65,535.
        grey_HW &= sampled.keep_HW * np.uint16(257)
        grey_HW |= sampled.set_HW * np.uint16(257)
    return grey_HW


def _grey16(radiograph: Radiograph, look: FigureLook) -> Grey16:
    """Return the same as `greyscale.displayed_grey`, in 65,536 steps."""
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
