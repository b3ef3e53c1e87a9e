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

Greys = npt.NDArray[np.float32]
Profile = npt.NDArray[np.float64]

_LEVELS = 65
"""Quantiles by which grey values are matched."""
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
    at = np.linspace(0.0, 1.0, _LEVELS)
    own, theirs = np.quantile(grey_HW, at), np.quantile(donor_HW, at)
    # A black border is many equal quantiles; interpolation needs them to rise.
    own += np.arange(_LEVELS) * 1e-6
    return np.interp(grey_HW, own, theirs).astype(np.float32)


def sharpened(grey_HW: Greys, donor_HW: Greys, share: float) -> Greys:
    """The film with `share` (0..1) of the way to the donor's spectrum, on a logarithmic scale."""
    spectrum_HF = np.fft.rfft2(grey_HW)
    ratio = _profile(np.fft.rfft2(donor_HW), grey_HW.shape) / _profile(spectrum_HF, grey_HW.shape)
    gain = np.clip(ratio**share, 1 / _MOST, _MOST)
    gain[:_COARSE] = 1.0
    changed_HW = np.fft.irfft2(spectrum_HF * gain[_rings(grey_HW.shape)], s=grey_HW.shape)
    return np.clip(changed_HW, 0.0, 1.0).astype(np.float32)


def _profile(spectrum_HF: npt.NDArray[np.complex128], shape: tuple[int, ...]) -> Profile:
    """Root mean square amplitude of every ring; never 0."""
    rings_HF = _rings(shape)
    power = np.bincount(rings_HF.ravel(), (np.abs(spectrum_HF) ** 2).ravel(), minlength=_BANDS)
    return np.sqrt(power / np.maximum(np.bincount(rings_HF.ravel(), minlength=_BANDS), 1)) + 1e-6


@lru_cache(maxsize=4)
def _rings(shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """The ring of every frequency of `rfft2`; the corners join the last one."""
    height, width = shape
    along_y, along_x = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    radius_HF = np.hypot(along_y, along_x)
    rings_HF: npt.NDArray[np.int64] = np.minimum(radius_HF * 2 * _BANDS, _BANDS - 1).astype(int)
    return rings_HF
