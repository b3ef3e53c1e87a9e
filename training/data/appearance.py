"""Another film's grey values and sharpness: the label cannot be read from how a film was made.

Tube voltage, processing and resampling differ between films that were gathered separately. Grey
values are mapped by histogram matching; sharpness is the amplitude spectrum's fall with frequency,
the same in all directions, while the phase, where things are, stays the film's own (Yang and
Soatto 2020; Xu et al. 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

Greys = npt.NDArray[np.float32]
Profile = npt.NDArray[np.float64]

_LEVELS = 65
"""Quantiles by which grey values are matched."""
_AT = np.linspace(0.0, 1.0, _LEVELS)
_STEPS = 4095
_TABLE = np.linspace(0.0, 1.0, _STEPS + 1)
"""Greys that are looked up: finer than any film at a network's size."""
_BANDS, _COARSE = 25, 5
"""Rings of frequency from 0 to half a cycle per pixel; the coarsest are shape, not sharpness."""
_MOST = 5.0
"""A ring is made at most so many times stronger or weaker."""


@dataclass(frozen=True, eq=False)
class Appearance:
    """All chance of one batch of B films."""

    tones_B: npt.NDArray[np.float32]
    """How far grey values go to the donor's, 0..1; 0 leaves them."""
    sharpness_B: npt.NDArray[np.float32]
    """The same for the spectrum."""
    donors_B2: npt.NDArray[np.int64]
    """Places in the training films, for the grey values and for the spectrum."""


def draw(
    tone: float, sharpness: float, count: int, films: int, rng: np.random.Generator
) -> Appearance:
    """Draw for `count` films out of `films`, each changed with the probabilities given."""
    changed_B2 = rng.random((count, 2)) < (tone, sharpness)
    shares_B2 = (changed_B2 * rng.random((count, 2))).astype(np.float32)
    donors_B2 = rng.integers(films, size=(count, 2))
    return Appearance(shares_B2[:, 0], shares_B2[:, 1], donors_B2)


def change(greys_BHW: Greys, donors_B2HW: Greys, draws: Appearance) -> Greys:
    """The films as drawn, float32 in 0..1; `donors_B2HW` are the films of `donors_B2`; pure."""
    changed_BHW = greys_BHW.copy()
    for place, (toned_HW, sharp_HW) in enumerate(donors_B2HW):
        if draws.sharpness_B[place]:
            share = float(draws.sharpness_B[place])
            changed_BHW[place] = sharpened(changed_BHW[place], sharp_HW, share)
        if draws.tones_B[place]:
            matched_HW = matched(changed_BHW[place], toned_HW)
            changed_BHW[place] += draws.tones_B[place] * (matched_HW - changed_BHW[place])
    return changed_BHW


def matched(grey_HW: Greys, donor_HW: Greys) -> Greys:
    """The film with the donor's histogram, darker staying darker."""
    own, theirs = _quantiles(grey_HW), _quantiles(donor_HW)
    # A black border is many equal quantiles; interpolation needs them to rise.
    own += np.arange(_LEVELS) * 1e-6
    table = np.interp(_TABLE, own, theirs).astype(np.float32)
    with np.errstate(invalid="ignore"):
        places_HW = (grey_HW * np.float32(_STEPS) + np.float32(0.5)).astype(np.int32)
    found_HW = table.take(places_HW, mode="clip")
    # What is no number stays none: the training loop stops there and names the film.
    return np.where(np.isnan(grey_HW), grey_HW, found_HW)


def _quantiles(grey_HW: Greys) -> npt.NDArray[np.float64]:
    """As `np.quantile` at `_AT`, in a quarter of its time: numpy sorts float32 fastest whole."""
    ordered = np.sort(grey_HW, axis=None)
    places = _AT * (ordered.size - 1)
    below = places.astype(np.int64)
    lower = ordered[below].astype(np.float64)
    upper = ordered[np.minimum(below + 1, ordered.size - 1)]
    return lower + (places - below) * (upper - lower)


def sharpened(grey_HW: Greys, donor_HW: Greys, share: float) -> Greys:
    """The film with `share` (0..1) of the way to the donor's spectrum, on a logarithmic scale."""
    # In float32: numpy's own transforms compute in float64 and take twice as long.
    spectrum_HF = fft.rfft2(grey_HW)
    ratio = _profile(fft.rfft2(donor_HW), grey_HW.shape) / _profile(spectrum_HF, grey_HW.shape)
    gain = np.clip(ratio**share, 1 / _MOST, _MOST).astype(np.float32)
    gain[:_COARSE] = 1.0
    changed_HW = fft.irfft2(spectrum_HF * gain[_rings(grey_HW.shape)], s=grey_HW.shape)
    return np.asarray(np.clip(changed_HW, 0.0, 1.0), np.float32)


def _profile(spectrum_HF: npt.NDArray[np.complex64], shape: tuple[int, ...]) -> Profile:
    """Root mean square amplitude of every ring; never 0."""
    power_HF = spectrum_HF.real**2 + spectrum_HF.imag**2
    power = np.bincount(_rings(shape).ravel(), power_HF.ravel(), minlength=_BANDS)
    return np.sqrt(power / _counts(shape)) + 1e-6


@lru_cache(maxsize=4)
def _rings(shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """The ring of every frequency of `rfft2`; the corners join the last one."""
    height, width = shape
    along_y, along_x = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    radius_HF = np.hypot(along_y, along_x)
    rings_HF: npt.NDArray[np.int64] = np.minimum(radius_HF * 2 * _BANDS, _BANDS - 1).astype(int)
    return rings_HF


@lru_cache(maxsize=4)
def _counts(shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Frequencies in each ring; 1 where there is none."""
    return np.maximum(np.bincount(_rings(shape).ravel(), minlength=_BANDS), 1)
