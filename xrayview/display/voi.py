"""Windows and VOI LUTs of a film: those of the file, the automatic one, presets and dragging."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.display.shutter import visible_mask
from xrayview.domain.radiograph import (
    Greyscale,
    Lut,
    Pixels,
    Radiograph,
    VoiFunction,
    Window,
)

Voi = Window | Lut
"""The VOI stage: a window or a lookup table, never both (PS3.3 C.11.2)."""

_Counted = tuple[npt.NDArray[np.float32], npt.NDArray[np.intp] | None]

MOST_COUNTED_AT_ONCE = 2**24
"""Pixels; OpenCV counts in float32, which is exact for integers up to here."""
AUTO_PERCENTILES = (0.5, 99.5)
PRESETS: dict[str, tuple[float, float]] = {
    "Lungs": (0.5, 70.0),
    "Bone": (30.0, 99.5),
    "Full range": (0.0, 100.0),
}
"""Percentiles from the darkest to the brightest displayed value: radiographs have no unit that a
fixed window could be defined in."""

MIN_WIDTH: dict[VoiFunction, float] = {
    VoiFunction.LINEAR: 1.0,  # PS3.3 C.11.2.1.2.1: shall be greater than or equal to 1
    VoiFunction.LINEAR_EXACT: 1e-6,  # PS3.3 C.11.2.1.3.2: greater than 0
    VoiFunction.SIGMOID: 1e-6,  # PS3.3 C.11.2.1.3.1: greater than 0
}

DRAG_GAIN = 1 / 256
"""Share of the current width for each screen pixel of a drag."""


class VoiKind(StrEnum):
    """The origin of a choice in the window menu."""

    LUT = "VOI LUT"
    WINDOW = "window"
    AUTO = "auto"
    PRESET = "preset"


@dataclass(frozen=True, eq=False)
class VoiChoice:
    """One line of the window menu."""

    kind: VoiKind
    title: str
    voi: Voi


def voi_choices(radiograph: Radiograph) -> tuple[VoiChoice, ...]:
    """Return the choices of the menu: VOI LUTs and windows in the file's order, Auto, presets.

    The standard leaves the choice among several to the user (PS3.3 C.11.2.1.1, C.11.2.1.2);
    titles are the file's own explanations where it gives any. A LUT whose declared depth is
    doubtful is listed a second time, with the depth as declared.
    """
    greyscale = radiograph.greyscale
    luts = tuple(
        VoiChoice(VoiKind.LUT, lut.explanation or f"VOI LUT {i}", lut)
        for i, lut in enumerate(greyscale.voi_luts, start=1)
    )
    declared = tuple(
        VoiChoice(VoiKind.LUT, lut.as_declared.explanation, lut.as_declared)
        for lut in greyscale.voi_luts
        if lut.as_declared is not None
    )
    windows = tuple(
        VoiChoice(VoiKind.WINDOW, window.explanation or f"Window {i}", window)
        for i, window in enumerate(greyscale.windows, start=1)
    )
    values = _visible_values(radiograph)
    presets = tuple(
        VoiChoice(VoiKind.PRESET, name, _percentile_window(values, percentiles, name))
        for name, percentiles in _presets(greyscale).items()
    )
    auto = VoiChoice(VoiKind.AUTO, "Auto", _percentile_window(values, AUTO_PERCENTILES, "Auto"))
    return (*luts, *declared, *windows, auto, *presets)


def automatic(choices: tuple[VoiChoice, ...]) -> Voi:
    """Return the automatic window among the choices of a film."""
    return next(choice.voi for choice in choices if choice.kind is VoiKind.AUTO)


def computed_percentiles(window: Window, greyscale: Greyscale) -> tuple[float, float] | None:
    """Return the percentiles of an automatic window or a preset; None for any other window."""
    return {"Auto": AUTO_PERCENTILES, **_presets(greyscale)}.get(window.explanation)


def _presets(greyscale: Greyscale) -> dict[str, tuple[float, float]]:
    """Return the presets in modality values, whose high end is dark on an inverted film."""
    if not greyscale.inverted:
        return PRESETS
    return {name: (100.0 - high, 100.0 - low) for name, (low, high) in PRESETS.items()}


def of_next_frame(voi: Voi, before: tuple[VoiChoice, ...], after: tuple[VoiChoice, ...]) -> Voi:
    """Return the VOI for the next frame of a film that is displayed through `voi`.

    Enhanced objects give each frame its own windows and LUTs (PS3.3 C.7.6.16.2.10): one from the
    file is replaced by that at the same index in the next frame's menu. A computed window, or one
    that the user has set, stays, so that frames can be compared.
    """
    of_file = (VoiKind.LUT, VoiKind.WINDOW)
    for old, new in zip(before, after, strict=False):
        if old.voi == voi and old.kind in of_file and old.kind is new.kind:
            return new.voi
    return voi


def default_voi(radiograph: Radiograph) -> Voi:
    """Return the file's first VOI LUT, else its first window, else the automatic window."""
    greyscale = radiograph.greyscale
    offered: tuple[Voi, ...] = (*greyscale.voi_luts, *greyscale.windows)
    return offered[0] if offered else auto_window(radiograph)


def auto_window(radiograph: Radiograph) -> Window:
    """Return the window from the 0.5th to the 99.5th percentile of the film's modality values.

    It leaves out background (PS3.3 C.7.5.1.1.2: padding is not part of the image) and what the
    file's shutter hides, whether the shutter is applied or not. A film of a single value gets
    width 1 around it. LINEAR_EXACT, because modality values may span less than 1.
    """
    return _percentile_window(_visible_values(radiograph), AUTO_PERCENTILES, "Auto")


def _visible_values(radiograph: Radiograph) -> _Counted:
    """Return `image_values` inside the shutter; of the whole film where it hides everything."""
    visible = visible_mask(radiograph)
    pixels = radiograph.pixels_HW
    if visible is not None:
        counted = image_values(pixels[visible], radiograph.greyscale)
        if counted[0].size:
            return counted
    return image_values(pixels, radiograph.greyscale)


def _percentile_window(
    counted: _Counted,
    percentiles: tuple[float, float],
    name: str,
) -> Window:
    values, counts = counted
    if not values.size:
        return Window(0.5, 1.0, VoiFunction.LINEAR_EXACT, name)
    low, high = np.percentile(values, percentiles, weights=counts, method="inverted_cdf").tolist()
    width = high - low if high > low else 1.0
    return Window((low + high) / 2, width, VoiFunction.LINEAR_EXACT, name)


def background_mask(stored: Pixels, greyscale: Greyscale) -> npt.NDArray[np.bool_] | None:
    """Return True where a stored value is background: padding, or not finite.

    None where the film cannot have any background.

    Source: PS3.3 C.7.5.1.1.2 (Pixel Padding Value and its Range Limit).
    """
    missing = ~np.isfinite(stored) if stored.dtype.kind == "f" else None
    if greyscale.padding is None:
        return missing
    low, high = greyscale.padding
    if stored.dtype.kind in "iu":  # comparing with floats would convert all pixels first
        low, high = math.ceil(low), math.floor(high)
    is_single = low == high
    padding = np.asarray(stored == low if is_single else (stored >= low) & (stored <= high))
    return padding if missing is None else padding | missing


def window_to_drag(voi: Voi) -> Window:
    """Return the window that a drag starts from; for a VOI LUT, one over its whole input range.

    The window replaces the LUT and acts on the LUT's input, that is, on modality values: at width n
    around `first + n / 2` LINEAR is black at the LUT's first input and white at its last.
    """
    if isinstance(voi, Window):
        return voi
    size = voi.entries.size
    return Window(voi.first_value + size / 2, float(size), VoiFunction.LINEAR)


def drag_window(window: Window, right_px: float, down_px: float) -> Window:
    """Return the window after a drag: right widens it, down raises its centre (darker film).

    Steps scale with the current width, so that a drag feels the same on 8-bit and 16-bit films;
    the width stays within the limits of its function.
    """
    width = window.width * math.exp(right_px * DRAG_GAIN)
    center = window.center + down_px * DRAG_GAIN * window.width
    return replace(
        window, center=center, width=max(width, MIN_WIDTH[window.function]), explanation=""
    )


def stored_codes(dtype: np.dtype[Any]) -> Pixels | None:
    """Return every stored value of an 8- or 16-bit integer type, in the order of its unsigned bits.

    None for types that have too many values for a table.
    """
    if dtype.kind not in "iu" or dtype.itemsize > 2:
        return None
    codes: Pixels = np.arange(256**dtype.itemsize, dtype=f"u{dtype.itemsize}").view(dtype)
    return codes


def image_values(pixels: Pixels, greyscale: Greyscale) -> _Counted:
    """Return the modality values of the image without background, 1-D, and their counts.

    Counting the few distinct values of narrow types avoids sorting millions of pixels. Counts are
    None for wide types: each value is then one pixel.
    """
    codes = stored_codes(pixels.dtype)
    if codes is None:
        background = background_mask(pixels, greyscale)
        image = pixels.ravel() if background is None else pixels[~background]
        return greyscale.modality_values(image), None
    counts = _counts(pixels.view(f"u{pixels.itemsize}"))
    background = background_mask(codes, greyscale)
    present = counts > 0 if background is None else (counts > 0) & ~background
    return greyscale.modality_values(codes[present]), counts[present]


def _counts(codes: Pixels) -> npt.NDArray[np.intp]:
    """Count each value of an unsigned type of 8 or 16 bits.

    This takes a seventh of the time of numpy.bincount, which first converts all pixels to 64 bits.
    """
    values = 256**codes.itemsize
    flat = np.ascontiguousarray(codes).reshape(1, -1)
    counts = np.zeros(values, np.intp)
    for start in range(0, flat.size, MOST_COUNTED_AT_ONCE):
        strip = flat[:, start : start + MOST_COUNTED_AT_ONCE]
        counts += cv2.calcHist([strip], [0], None, [values], [0, values]).ravel().astype(np.intp)
    return counts
