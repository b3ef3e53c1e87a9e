"""Appearance transfer: give a film the grey values and the sharpness of another film.

Tube voltage, processing and resampling differ between films that were gathered separately, and
can give the label away. Grey values are transferred by histogram matching. Sharpness is the fall
of the amplitude spectrum with frequency, the same in all directions; the phase, which says where
things are, stays the film's own (Yang and Soatto 2020; Xu et al. 2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

Greys = npt.NDArray[np.float32]
Quantiles = npt.NDArray[np.float64]
"""Greys at the probabilities `_PROBABILITIES`."""
Profile = npt.NDArray[np.float64]
"""Root mean square amplitude of each ring of frequencies; never 0."""

_LEVELS = 65
"""Number of quantiles by which grey values are matched."""
_PROBABILITIES = np.linspace(0.0, 1.0, _LEVELS)
_STEPS = 4095
_TABLE = np.linspace(0.0, 1.0, _STEPS + 1)
"""Greys of the look-up table; finer than any film at a network's input size."""
_RINGS, _COARSE_RINGS = 25, 5
"""Rings of frequency from 0 to half a cycle per pixel; the coarsest are shape, not sharpness."""
_MAX_GAIN = 5.0
"""Limit, up and down, of the gain in a ring."""


@dataclass(frozen=True, eq=False)
class AppearanceDraws:
    """The random draws of one batch of B films."""

    tones_B: npt.NDArray[np.float32]
    """How far grey values move towards the donor's, 0..1; 0 leaves them."""
    sharpness_B: npt.NDArray[np.float32]
    """The same for the spectrum."""
    donors_B2: npt.NDArray[np.int64]
    """Indices of training films: donor of the grey values, donor of the spectrum."""


def draw(
    tone: float, sharpness: float, count: int, films: int, rng: np.random.Generator
) -> AppearanceDraws:
    """Draw for `count` films with donors out of `films`; `tone`, `sharpness` are probabilities."""
    changed_B2 = rng.random((count, 2)) < (tone, sharpness)
    shares_B2 = (changed_B2 * rng.random((count, 2))).astype(np.float32)
    donors_B2 = rng.integers(films, size=(count, 2))
    return AppearanceDraws(shares_B2[:, 0], shares_B2[:, 1], donors_B2)


class AppearanceDonors:
    """Films whose appearance is transferred; each is measured when it is first drawn."""

    def __init__(self, greys_NHW: Greys, indices: npt.NDArray[np.int64]) -> None:
        self._greys_NHW, self._indices = greys_NHW, indices
        self._quantiles: dict[int, Quantiles] = {}
        self._profiles: dict[int, Profile] = {}

    def transfer(self, greys_BHW: Greys, draws: AppearanceDraws) -> None:
        """Change the films in place as drawn; float32 in 0..1."""
        for i, (tone_donor, sharpness_donor) in enumerate(draws.donors_B2.tolist()):
            if share := float(draws.sharpness_B[i]):
                greys_BHW[i] = _sharpened(greys_BHW[i], self._profile(sharpness_donor), share)
            if share := float(draws.tones_B[i]):
                matched_HW = _matched(greys_BHW[i], self._quantile(tone_donor))
                greys_BHW[i] += np.float32(share) * (matched_HW - greys_BHW[i])

    def _quantile(self, film: int) -> Quantiles:
        if film not in self._quantiles:
            self._quantiles[film] = _quantiles(self._greys_NHW[self._indices[film]])
        return self._quantiles[film]

    def _profile(self, film: int) -> Profile:
        if film not in self._profiles:
            grey_HW = self._greys_NHW[self._indices[film]]
            self._profiles[film] = _profile(fft.rfft2(grey_HW), grey_HW.shape)
        return self._profiles[film]


def match_histogram(grey_HW: Greys, donor_HW: Greys) -> Greys:
    """Return the film with the donor's histogram; the order of greys is kept."""
    return _matched(grey_HW, _quantiles(donor_HW))


def match_sharpness(grey_HW: Greys, donor_HW: Greys, share: float) -> Greys:
    """Return the film moved by `share` (0..1, logarithmic) towards the donor's spectrum."""
    return _sharpened(grey_HW, _profile(fft.rfft2(donor_HW), grey_HW.shape), share)


def _matched(grey_HW: Greys, donor: Quantiles) -> Greys:
    # A black border gives many equal quantiles; interpolation needs them to increase.
    own = _quantiles(grey_HW) + np.arange(_LEVELS) * 1e-6
    table = np.interp(_TABLE, own, donor).astype(np.float32)
    with np.errstate(invalid="ignore"):
        indices_HW = (grey_HW * np.float32(_STEPS) + np.float32(0.5)).astype(np.int32)
    matched_HW = table.take(indices_HW, mode="clip")
    # NaN stays NaN: the training loop stops there and names the film.
    return np.where(np.isnan(grey_HW), grey_HW, matched_HW)


def _sharpened(grey_HW: Greys, donor: Profile, share: float) -> Greys:
    # In float32: numpy's own transforms compute in float64 and take twice as long.
    spectrum_HF = fft.rfft2(grey_HW)
    ratio = donor / _profile(spectrum_HF, grey_HW.shape)
    gain = np.clip(ratio**share, 1 / _MAX_GAIN, _MAX_GAIN).astype(np.float32)
    gain[:_COARSE_RINGS] = 1.0
    changed_HW = fft.irfft2(spectrum_HF * gain.take(_rings(grey_HW.shape)), s=grey_HW.shape)
    return np.asarray(np.clip(changed_HW, 0.0, 1.0), np.float32)


def _quantiles(grey_HW: Greys) -> Quantiles:
    """Same as `np.quantile`, in a quarter of its time: numpy sorts whole float32 arrays fastest."""
    ordered = np.sort(grey_HW, axis=None)
    positions = _PROBABILITIES * (ordered.size - 1)
    below = positions.astype(np.int64)
    lower = ordered[below].astype(np.float64)
    upper = ordered[np.minimum(below + 1, ordered.size - 1)]
    return lower + (positions - below) * (upper - lower)


def _profile(spectrum_HF: npt.NDArray[np.complex64], shape: tuple[int, ...]) -> Profile:
    power_HF = spectrum_HF.real**2 + spectrum_HF.imag**2
    power = np.bincount(_rings(shape).ravel(), power_HF.ravel(), minlength=_RINGS)
    return np.sqrt(power / _counts(shape)) + 1e-6


@lru_cache(maxsize=4)
def _rings(shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Return the ring of every frequency of `rfft2`; the corners belong to the last ring."""
    height, width = shape
    along_y, along_x = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    radius_HF = np.hypot(along_y, along_x)
    rings_HF: npt.NDArray[np.int64] = np.minimum(radius_HF * 2 * _RINGS, _RINGS - 1).astype(int)
    return rings_HF


@lru_cache(maxsize=4)
def _counts(shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Return the number of frequencies in each ring; 1 for an empty ring."""
    return np.maximum(np.bincount(_rings(shape).ravel(), minlength=_RINGS), 1)
