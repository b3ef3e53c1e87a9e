"""The histogram of a film's grey values, and the transfer curve of its window or VOI LUT."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xrayview.display.greyscale import voi_unit
from xrayview.display.voi import MIN_WIDTH, Voi, image_values, window_to_drag
from xrayview.domain.radiograph import Radiograph, Window

MOST_BINS = 256
MOST_PIXELS = 1 << 20
"""Larger films are sampled at every second (third ...) pixel of every second row."""

_Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often modality values occur: `counts` (bins,), int64, between `edges` (bins + 1,)."""

    edges: _Values
    counts: npt.NDArray[np.int64]

    @property
    def heights(self) -> _Values:
        """0..1, logarithmic, so that a thousand pixels of bone show beside a million of air."""
        logarithms = np.log1p(self.counts)
        return np.asarray(logarithms / max(float(logarithms.max()), 1.0))


def film_histogram(radiograph: Radiograph) -> Histogram | None:
    """Count the film's modality values without background; None where all of it is background.

    Bins of integer films are a whole number of steps wide, so that no bin is empty only because
    no value falls into it.
    """
    stored_HW, greyscale = radiograph.pixels_HW, radiograph.greyscale
    stride = math.ceil(math.sqrt(stored_HW.size / MOST_PIXELS))
    values, counts = image_values(stored_HW[::stride, ::stride], greyscale)
    if not values.size:
        return None
    low, high = float(values.min()), float(values.max())
    step = _step(radiograph) or (high - low) / (MOST_BINS - 1) or 1.0
    steps = round((high - low) / step) + 1
    steps_per_bin = math.ceil(steps / MOST_BINS)
    bins = math.ceil(steps / steps_per_bin)
    edges: _Values = low + step * (steps_per_bin * np.arange(bins + 1, dtype=np.float64) - 0.5)
    weights = None if counts is None else counts.astype(np.float64)
    limits = float(edges[0]), float(edges[-1])
    found, _ = np.histogram(values.astype(np.float64), bins, limits, weights=weights)
    return Histogram(edges, np.rint(found).astype(np.int64))


def transfer_curve(voi: Voi, low: float, high: float) -> tuple[_Values, _Values]:
    """Sample the VOI stage from `low` to `high`: ascending modality values and their grey, 0..1.

    The slope is sampled densely enough, however narrow the window is.
    """
    slope = np.linspace(*voi_range(voi), 129)
    x = np.unique(np.concatenate((np.linspace(low, high, 257), slope)))
    x = x[(x >= low) & (x <= high)]
    return x, voi_unit(x, voi)


def voi_range(voi: Voi) -> tuple[float, float]:
    """Return the range of a window: its centre and half its width to either side.

    A VOI LUT has the range of the window that a drag starts from.
    """
    window = window_to_drag(voi)
    return window.center - window.width / 2, window.center + window.width / 2


def window_over(low: float, high: float, voi: Voi) -> Window:
    """Return the window from `low` to `high`, with the VOI LUT function of `voi`."""
    window = window_to_drag(voi)
    width = max(high - low, MIN_WIDTH[window.function])
    return replace(window, center=(low + high) / 2, width=width, explanation="")


def _step(radiograph: Radiograph) -> float:
    """Return the step from one modality value to the next; 0 where there is no fixed step."""
    greyscale = radiograph.greyscale
    if greyscale.modality_lut is not None:
        return 1.0
    return abs(greyscale.slope) if radiograph.pixels_HW.dtype.kind in "iu" else 0.0
