"""A heat map as a coloured, partly transparent layer over the film, with its legend and caption."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from xrayview.display.colour_maps import COLOUR_MAPS
from xrayview.domain.heat_map_methods import method_title
from xrayview.domain.model import HeatMap

Rgba = npt.NDArray[np.uint8]
_Values = npt.NDArray[np.float64]


def heat_rgba(
    heat: HeatMap,
    size_HW: tuple[int, int],
    *,
    opacity: float = 0.6,
    cutoff: float = 0.0,
    colour_map: str = "inferno",
) -> Rgba:
    """Colour the heat map over the whole film: uint8 (rows, columns, RGBA), straight alpha.

    Pixels outside the model's field of view are transparent, and so is all of a map without
    positive evidence.

    Args:
        heat: the map; `grid_to_film` gives the position of its cells.
        size_HW: resolution of the result, which covers the film from edge to edge. It need not be
            the film's own, so a large film does not need a large map.
        opacity: alpha of the maximum, 0..1. Alpha grows from 0 at `cutoff` with the value, so that
            the film stays readable.
        cutoff: values up to this, 0..1, are transparent.
        colour_map: a name in `COLOUR_MAPS`.
    """
    if not heat.has_evidence:
        return np.zeros((*size_HW, 4), dtype=np.uint8)
    values_HW, visible_HW = film_values(heat, size_HW)
    table_256x4 = np.empty((256, 4), dtype=np.uint8)
    table_256x4[:, :3] = COLOUR_MAPS[colour_map]
    table_256x4[:, 3] = np.rint(255 * opacity * _strength(np.linspace(0.0, 1.0, 256), cutoff))
    rgba_HW4 = np.take(table_256x4, _codes(values_HW), axis=0)
    rgba_HW4[~visible_HW] = 0
    return rgba_HW4


def film_values(
    heat: HeatMap, size_HW: tuple[int, int]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Interpolate the map over the film: float32 0..1, and a mask of the model's field of view.

    Bilinear interpolation is separable: two small matrices do it without the 1/32 pixel steps of
    OpenCV's fixed-point warps, which show as bands when 7 cells become 2,000 pixels.
    """
    to_grid = heat.grid_to_film.inverse()
    (rows, columns), (grid_rows, grid_columns) = heat.film_size, heat.values_hw.shape
    weights_y, visible_y = _weights(size_HW[0], rows, to_grid.scale_y, to_grid.offset_y, grid_rows)
    weights_x, visible_x = _weights(
        size_HW[1], columns, to_grid.scale_x, to_grid.offset_x, grid_columns
    )
    values_HW = np.clip(weights_y @ heat.values_hw @ weights_x.T, 0.0, 1.0)
    return values_HW.astype(np.float32), visible_y[:, None] & visible_x[None, :]


def _weights(
    pixels: int, film_pixels: int, scale: float, offset: float, cells: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Return the weights (pixels, cells) along one axis, and which pixels lie on the grid."""
    film = (np.arange(pixels) + 0.5) * (film_pixels / pixels)
    grid = film * scale + offset
    # Pixel centres are at integers + 0.5; the outer half of a cell at the edge keeps its value.
    index = np.clip(grid - 0.5, 0, cells - 1)
    lower = np.floor(index).astype(np.intp)
    upper = np.minimum(lower + 1, cells - 1)
    share = (index - lower).astype(np.float32)
    weights = np.zeros((pixels, cells), dtype=np.float32)
    row = np.arange(pixels)
    weights[row, lower] = 1 - share
    weights[row, upper] += share
    return weights, (grid >= 0) & (grid <= cells)


def _strength(values: _Values, cutoff: float) -> _Values:
    return np.asarray(np.clip((values - cutoff) / max(1.0 - cutoff, 1e-6), 0.0, 1.0))


def _codes(values: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.uint8]:
    return np.asarray(np.rint(values * 255), dtype=np.uint8)


def colour_bar(
    height: int, width: int, *, cutoff: float = 0.0, colour_map: str = "inferno"
) -> Rgba:
    """Draw the legend: uint8 (height, width, RGBA), 1 at the top and 0 at the bottom.

    It is opaque above the cut-off and transparent up to it, like the map on the film.
    """
    values_H = np.linspace(1.0, 0.0, height)
    bar_HW4 = np.empty((height, width, 4), dtype=np.uint8)
    bar_HW4[..., :3] = COLOUR_MAPS[colour_map][_codes(values_H)][:, None]
    bar_HW4[..., 3] = np.where(values_H > cutoff, 255, 0)[:, None]
    return bar_HW4


def caption(heat: HeatMap, model_name: str) -> str:
    """Return the caption of a map: method, finding, score, model, and the reservations.

    Reservations are that the map has no positive evidence, or that the score is below the
    operating point. Scores have two decimals, or as many as it takes to tell score and operating
    point apart.
    """
    method = method_title(heat.method)
    decimals = _distinguishing_decimals(heat.score, heat.threshold)
    line = f"{method} · {heat.finding} {heat.score:.{decimals}f} · {model_name}"
    if not heat.has_evidence:
        line += " · no positive evidence"
    if heat.score < heat.threshold:
        line += f" · below its operating point ({heat.threshold:.{decimals}f})"
    return line


def _distinguishing_decimals(score: float, threshold: float) -> int:
    """Return the fewest decimals that tell two numbers apart; 2 for equal ones."""
    decimals = (n for n in range(2, 17) if round(score, n) != round(threshold, n))
    return next(decimals, 2)
