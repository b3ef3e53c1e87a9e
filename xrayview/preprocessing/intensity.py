"""Stored values to grey in 0..1, where bright is dense, and equalisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.domain.model import PreprocessSpec
from xrayview.domain.radiograph import Greyscale, Radiograph
from xrayview.errors import StatusCode, UnreadableFilm

GreyHW = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int64]

_BLOCK_PIXELS = 1 << 20
_CLAHE_CLIP = 2.0
_CLAHE_TILES = (8, 8)


def to_grey(radiograph: Radiograph, spec: PreprocessSpec) -> GreyHW:
    """Convert stored values to grey: float32 in 0..1, shape (rows, columns), 1 is densest.

    Modality LUT or rescale (PS3.3 C.11.1), then scaling between the limits of `spec.source`:
    percentiles of the pixels without padding, so that an 8-bit JPEG and a 14-bit DICOM of the same
    film agree, or the range of the stored format. The display window has no influence. Padding is
    0, and so are all pixels of a film with a single value.

    Raises:
        UnreadableFilm: DECODE_FAILED when a value is NaN or infinite.
    """
    stored = radiograph.pixels_HW
    stored = np.ascontiguousarray(stored, dtype=stored.dtype.newbyteorder("="))
    try:
        if stored.dtype.kind in "iu" and stored.dtype.itemsize <= 2:
            # At most 65,536 distinct values: convert these, then look up each pixel.
            codes_HW = stored.view(f"u{stored.dtype.itemsize}")
            codes = np.arange(256**stored.dtype.itemsize, dtype=codes_HW.dtype)
            levels, counts = codes.view(stored.dtype), _count(codes_HW, codes.size)
            return np.asarray(_curve(levels, counts, radiograph.greyscale, spec)[codes_HW])
        return _curve(stored, None, radiograph.greyscale, spec)
    except _NotFinite as error:
        raise UnreadableFilm(
            "The film contains values that are not numbers",
            code=StatusCode.DECODE_FAILED,
            path=radiograph.ref.path,
            why="NaN or infinity after the Modality LUT",
            hint="Export the film again from its source.",
        ) from error


class _NotFinite(ValueError):
    pass


def _count(codes_HW: npt.NDArray[Any], size: int) -> Counts:
    # In blocks, because bincount converts its input to 8 bytes per pixel.
    flat = codes_HW.reshape(-1)
    counts = np.zeros(size, np.int64)
    for start in range(0, flat.size, _BLOCK_PIXELS):
        counts += np.bincount(flat[start : start + _BLOCK_PIXELS], minlength=size)
    return counts


def _curve(
    stored: npt.NDArray[Any], counts: Counts | None, greyscale: Greyscale, spec: PreprocessSpec
) -> npt.NDArray[np.float32]:
    """Grey of stored values of any shape; `counts` is how often each occurs (None: once)."""
    with np.errstate(over="ignore", invalid="ignore"):
        values = greyscale.modality_values(stored)
    is_film = np.ones(stored.shape, np.bool_) if counts is None else counts > 0
    if greyscale.padding is not None:
        is_film &= (stored < greyscale.padding[0]) | (stored > greyscale.padding[1])
    film_values = values[is_film].astype(np.float64)
    if not np.isfinite(film_values).all():
        raise _NotFinite
    grey = np.zeros(stored.shape, np.float32)
    if not film_values.size or film_values.min() == film_values.max():
        return grey
    film_counts = None if counts is None else counts[is_film]
    low, high = _LIMITS[spec.source](film_values, film_counts, greyscale, stored.dtype, spec)
    if high > low:
        scaled = (np.clip(film_values, low, high) - low) / (high - low)
        grey[is_film] = 1.0 - scaled if greyscale.inverted else scaled
    return grey


def _percentile_limits(
    values: npt.NDArray[np.float64],
    counts: Counts | None,
    _greyscale: Greyscale,
    _dtype: np.dtype[Any],
    spec: PreprocessSpec,
) -> tuple[float, float]:
    low, high = percentiles(values, counts, spec.percentiles)
    # If nearly all pixels have one value, the full range keeps the few others.
    return (low, high) if high > low else (float(values.min()), float(values.max()))


def _format_limits(
    values: npt.NDArray[np.float64],
    _counts: Counts | None,
    greyscale: Greyscale,
    dtype: np.dtype[Any],
    _spec: PreprocessSpec,
) -> tuple[float, float]:
    """The range of BitsStored in modality values; of a floating-point film, its own range."""
    if greyscale.modality_lut is not None:
        return 0.0, float(2**greyscale.modality_lut.bits - 1)
    if dtype.kind == "f":
        return float(values.min()), float(values.max())
    bits = min(greyscale.bits_stored, 8 * dtype.itemsize)
    lowest = -(2 ** (bits - 1)) if dtype.kind == "i" else 0
    ends = [v * greyscale.slope + greyscale.intercept for v in (lowest, lowest + 2**bits - 1)]
    return min(ends), max(ends)


_Limits = Callable[
    [npt.NDArray[np.float64], Counts | None, Greyscale, "np.dtype[Any]", PreprocessSpec],
    tuple[float, float],
]
_LIMITS: dict[str, _Limits] = {"percentile": _percentile_limits, "full_range": _format_limits}


def percentiles(
    values: npt.NDArray[np.float64], counts: Counts | None, percents: tuple[float, float]
) -> tuple[float, float]:
    """Percentiles of `values` that occur `counts` times each, equal to those of `np.percentile`.

    Both are 1-D with the same length > 0, counts > 0 (None: once each); linear between ranks.
    """
    if counts is None:
        low, high = np.percentile(values, percents)
        return float(low), float(high)
    order = np.argsort(values, kind="stable")
    last_rank = np.cumsum(counts[order])
    ranks = np.asarray(percents) / 100.0 * (last_rank[-1] - 1)
    below = values[order][np.searchsorted(last_rank, np.floor(ranks), side="right")]
    above = values[order][np.searchsorted(last_rank, np.ceil(ranks), side="right")]
    low, high = below + (above - below) * (ranks - np.floor(ranks))
    return float(low), float(high)


def _equalize_none(grey_HW: GreyHW) -> GreyHW:
    return grey_HW


def _equalize_histogram(grey_HW: GreyHW) -> GreyHW:
    """Each grey becomes the share of darker pixels among all but the darkest."""
    codes = np.rint(grey_HW * 65535).astype(np.uint16)
    cumulated = np.cumsum(np.bincount(codes.ravel(), minlength=65536))
    darkest = cumulated[codes.min()]
    share = (cumulated - darkest) / max(int(cumulated[-1] - darkest), 1)
    return np.asarray(np.clip(share, 0, 1).astype(np.float32)[codes])


def _equalize_clahe(grey_HW: GreyHW) -> GreyHW:
    # In 8 bits: with more bins than pixels in a tile, the clip limit would have no effect.
    clahe = cv2.createCLAHE(_CLAHE_CLIP, _CLAHE_TILES)
    codes = np.rint(grey_HW * 255).astype(np.uint8)
    return np.asarray(clahe.apply(codes), np.float32) / np.float32(255)


EQUALIZE: dict[str, Callable[[GreyHW], GreyHW]] = {
    "none": _equalize_none,
    "histogram": _equalize_histogram,
    "clahe": _equalize_clahe,
}
"""Functions for `PreprocessSpec.equalize`: grey in 0..1 to grey in 0..1, float32, same shape."""
