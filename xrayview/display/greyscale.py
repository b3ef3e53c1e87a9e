"""Stored values to displayed grey, in the order of PS3.3 C.7.6.3, C.11.1 and C.11.2.

stored -> Modality LUT or rescale -> VOI LUT or window -> Presentation LUT shape and MONOCHROME1
as one inversion -> 0..255. Displayed 0 is black and 255 is white, on every film.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.display.voi import MIN_WIDTH, Voi, background_mask, default_voi, stored_codes
from xrayview.domain.radiograph import Greyscale, Lut, Pixels, Radiograph, VoiFunction

Grey = npt.NDArray[np.uint8]
_Values = npt.NDArray[np.float64]

BACKGROUND = np.uint8(0)

# cv2.LUT takes 16-bit input since OpenCV 5; numpy, used with older ones, takes seven times as long.
_WIDE_LUT = int(cv2.__version__.split(".")[0]) >= 5
_STRIP_PIXELS = 1 << 20


@dataclass(frozen=True, eq=False)
class DisplayLut:
    """The map from stored values to displayed grey. Made by `build_lut`, used by `apply_lut`.

    `table` is uint8, indexed by the bits of a stored value read as unsigned (256 or 65,536
    entries); None for stored types that are too wide for a table.
    """

    greyscale: Greyscale
    voi: Voi
    invert: bool
    dtype: np.dtype[Any]
    table: Grey | None


def build_lut(
    greyscale: Greyscale, voi: Voi, dtype: npt.DTypeLike, *, invert: bool = False
) -> DisplayLut:
    """Build the map from stored values of `dtype` to displayed grey, once per step of a W/L drag.

    `invert` is the user's inversion, on top of the film's own. Padding stays black in all cases.
    """
    stored_type: np.dtype[Any] = np.dtype(dtype)
    codes = stored_codes(stored_type)
    table = None if codes is None else displayed_grey(codes, greyscale, voi, invert=invert)
    return DisplayLut(greyscale, voi, invert, stored_type, table)


def apply_lut(pixels_HW: Pixels, lut: DisplayLut, out: Grey | None = None) -> Grey:
    """Return the displayed grey, uint8 (rows, columns), of stored values or of a pyramid level.

    The result is written to `out`, an array of the same size, where one is given and usable.

    Raises:
        ValueError: the pixels are not of the type that the table was built for.
    """
    if pixels_HW.dtype != lut.dtype:
        raise ValueError(f"table for {lut.dtype} applied to {pixels_HW.dtype} pixels")
    if lut.table is None:
        return _in_strips(pixels_HW, lut)
    codes = pixels_HW.view(f"u{pixels_HW.itemsize}")
    if _WIDE_LUT or codes.itemsize == 1:
        return np.asarray(cv2.LUT(codes, lut.table, out), dtype=np.uint8)
    return np.take(lut.table, codes)


def render(radiograph: Radiograph, voi: Voi | None = None, *, invert: bool = False) -> Grey:
    """Render the film at native resolution, uint8 (rows, columns); `voi` None is its default."""
    chosen = default_voi(radiograph) if voi is None else voi
    pixels = radiograph.pixels_HW
    return apply_lut(pixels, build_lut(radiograph.greyscale, chosen, pixels.dtype, invert=invert))


def displayed_grey(stored: Pixels, greyscale: Greyscale, voi: Voi, *, invert: bool = False) -> Grey:
    """Return the displayed grey of any array of stored values, computed value by value."""
    values = greyscale.modality_values(stored)
    if not np.isfinite(values).all():
        # These become background below; until then they must not spoil the arithmetic.
        values = np.nan_to_num(values)
    # In place here and below: allocating memory for each step would take as long as the steps.
    unit = voi_unit(values.astype(np.float64), voi)
    unit *= 255.0
    unit += 0.5
    grey = unit.astype(np.uint8)
    if greyscale.inverted != invert:
        np.subtract(255, grey, out=grey)  # after rounding: inverting twice is the identity
    background = background_mask(stored, greyscale)
    if background is not None:
        grey[background] = BACKGROUND
    return grey


def voi_unit(values: _Values, voi: Voi) -> _Values:
    """Apply the VOI stage: modality values (float64, any shape) to 0..1."""
    if isinstance(voi, Lut):
        return _through_lut(values, voi)
    width = max(voi.width, MIN_WIDTH[voi.function])
    return _FUNCTIONS[voi.function](values, voi.center, width)


def _linear(x: _Values, center: float, width: float) -> _Values:
    # PS3.3 C.11.2.1.2.1; at width 1 the ramp has no length and only the step is left.
    if width == 1.0:
        return (x > center - 0.5).astype(np.float64)
    unit: _Values = np.asarray(x - (center - 0.5))
    unit /= width - 1.0
    unit += 0.5
    return np.clip(unit, 0.0, 1.0, out=unit)


def _linear_exact(x: _Values, center: float, width: float) -> _Values:
    # PS3.3 C.11.2.1.3.2
    return np.clip((x - center) / width + 0.5, 0.0, 1.0)


def _sigmoid(x: _Values, center: float, width: float) -> _Values:
    # PS3.3 C.11.2.1.3.1; clipped at 700, where exp would overflow and the grey is long constant.
    exponent = np.clip(-4.0 * (x - center) / width, -700.0, 700.0)
    return np.asarray(1.0 / (1.0 + np.exp(exponent)))


_FUNCTIONS: dict[VoiFunction, Callable[[_Values, float, float], _Values]] = {
    VoiFunction.LINEAR: _linear,
    VoiFunction.LINEAR_EXACT: _linear_exact,
    VoiFunction.SIGMOID: _sigmoid,
}


def _through_lut(values: _Values, lut: Lut) -> _Values:
    # PS3.3 C.11.2.1.1: outputs span 0 .. 2**bits - 1, whatever the largest entry is.
    index = np.clip(np.rint(values) - lut.first_value, 0, lut.entries.size - 1).astype(np.intp)
    outputs: _Values = np.minimum(lut.entries / (2.0**lut.bits - 1.0), 1.0)
    return np.asarray(outputs[index])


def _in_strips(pixels_HW: Pixels, lut: DisplayLut) -> Grey:
    """Compute value by value in strips of rows, to avoid float64 copies of a whole film."""
    grey_HW = np.empty(pixels_HW.shape, dtype=np.uint8)
    rows = max(1, _STRIP_PIXELS // max(1, pixels_HW.shape[1]))
    for top in range(0, pixels_HW.shape[0], rows):
        strip = slice(top, top + rows)
        grey_HW[strip] = displayed_grey(pixels_HW[strip], lut.greyscale, lut.voi, invert=lut.invert)
    return grey_HW
