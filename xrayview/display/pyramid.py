"""A film at several resolutions, averaged in stored values, so that one LUT fits them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from xrayview.display.greyscale import Grey, apply_lut, build_lut
from xrayview.display.shutter import hidden_grey, visible_mask
from xrayview.display.true_shape import true_size
from xrayview.display.voi import background_mask, default_voi
from xrayview.domain.radiograph import Greyscale, Pixels, Radiograph

SMALLEST_SIDE = 256

_MOSTLY = 0.5
"""Share of a thumbnail's pixel that must be outside the shutter for the pixel to be shown."""

_RESIZABLE = {"uint8", "uint16", "int16", "float32"}


@dataclass(frozen=True, eq=False)
class Level:
    """The film at `scale` level pixels per film pixel (1, 1/2, 1/4 ...).

    `pixels_HW` has the stored type. A level covers the whole film from edge to edge: draw it over
    the film's rectangle, even where an odd side makes the true ratio differ from `scale`.
    """

    pixels_HW: Pixels
    scale: float


@dataclass(frozen=True, eq=False)
class Pyramid:
    """Levels from native resolution down, each half of the one before."""

    levels: tuple[Level, ...]

    def level_for(self, scale: float) -> Level:
        """Return the smallest level that still has a pixel for each screen pixel.

        `scale` is screen pixels per film pixel; above 1 the film itself is returned.
        """
        enough = [level for level in self.levels if level.scale >= scale]
        return enough[-1] if enough else self.levels[0]


def build_pyramid(radiograph: Radiograph, smallest_side: int = SMALLEST_SIDE) -> Pyramid:
    """Halve the film until its longer side is at most `smallest_side` pixels."""
    levels = [Level(radiograph.pixels_HW, 1.0)]
    while max(levels[-1].pixels_HW.shape) > smallest_side:
        last = levels[-1]
        rows, columns = ((side + 1) // 2 for side in last.pixels_HW.shape)
        smaller = shrink(last.pixels_HW, (rows, columns), radiograph.greyscale)
        levels.append(Level(smaller, last.scale / 2))
    return Pyramid(tuple(levels))


def thumbnail(radiograph: Radiograph, size_px: int) -> Grey:
    """Render the film in its default grey-scale and true shape, uint8, sides up to `size_px`.

    It is never enlarged. The file's shutter is applied (PS3.3 C.7.6.11); overlays are too fine
    to be drawn.
    """
    native = radiograph.pixels_HW.shape
    rows, columns = true_size((native[0], native[1]), radiograph.spacing)
    # Averaging can only shrink: a film of few rows is not stretched beyond them.
    ratio = min(1.0, size_px / max(rows, columns), native[0] / rows, native[1] / columns)
    size_HW = max(1, round(rows * ratio)), max(1, round(columns * ratio))
    small = shrink(radiograph.pixels_HW, size_HW, radiograph.greyscale)
    lut = build_lut(radiograph.greyscale, default_voi(radiograph), small.dtype)
    grey_HW = apply_lut(small, lut)
    visible = visible_mask(radiograph)
    if visible is not None and radiograph.shutter is not None:
        share = _resize(visible.astype(np.float32), size_HW)
        grey_HW[share < _MOSTLY] = hidden_grey(radiograph.shutter)
    return grey_HW


def shrink(pixels_HW: Pixels, size_HW: tuple[int, int], greyscale: Greyscale) -> Pixels:
    """Shrink to `size_HW` by area averages of the stored values, in the same dtype.

    Background has no weight in an average; a pixel that covers only background stays background.
    """
    if size_HW == pixels_HW.shape:
        return pixels_HW
    background = background_mask(pixels_HW, greyscale)
    if background is None or not background.any():
        return _area_mean(pixels_HW, size_HW)
    # float32 is exact enough for values of up to 16 bits.
    working = np.float32 if pixels_HW.dtype.itemsize <= 2 else np.float64
    total = _resize(np.where(background, working(0), pixels_HW), size_HW)
    share = _resize((~background).astype(working), size_HW)
    empty = share <= 0
    mean = total / np.where(empty, 1.0, share)
    mean[empty] = np.nan if greyscale.padding is None else greyscale.padding[0]
    return _as_stored(mean, pixels_HW.dtype)


def _area_mean(pixels_HW: Pixels, size_HW: tuple[int, int]) -> Pixels:
    if pixels_HW.dtype.name in _RESIZABLE:
        return _resize(pixels_HW, size_HW)
    return _as_stored(_resize(pixels_HW.astype(np.float64), size_HW), pixels_HW.dtype)


def _as_stored(mean_HW: Pixels, dtype: np.dtype[Any]) -> Pixels:
    return (np.rint(mean_HW) if dtype.kind in "iu" else mean_HW).astype(dtype)


def _resize(pixels_HW: Pixels, size_HW: tuple[int, int]) -> Pixels:
    rows, columns = size_HW
    return cv2.resize(pixels_HW, (columns, rows), interpolation=cv2.INTER_AREA)
