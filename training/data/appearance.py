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
Quantiles = npt.NDArray[np.float64]
"""Greys at `_AT`."""
Profile = npt.NDArray[np.float64]
"""Root mean square amplitude of every ring; never 0."""

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


class Lenders:
    """Films that lend their looks; each is measured once, when it is first drawn."""

    def __init__(self, greys_NHW: Greys, places: npt.NDArray[np.int64]) -> None:
        self._greys_NHW, self._places = greys_NHW, places
        self._quantiles: dict[int, Quantiles] = {}
        self._profiles: dict[int, Profile] = {}

    def lend(self, greys_BHW: Greys, draws: Appearance) -> None:
        """Change the films in place as drawn; float32 in 0..1."""
        for film, (toned, sharp) in enumerate(draws.donors_B2.tolist()):
            if share := float(draws.sharpness_B[film]):
                greys_BHW[film] = _sharpened(greys_BHW[film], self._profile(sharp), share)
            if share := float(draws.tones_B[film]):
                matched_HW = _matched(greys_BHW[film], self._quantile(toned))
                greys_BHW[film] += np.float32(share) * (matched_HW - greys_BHW[film])

    def _quantile(self, film: int) -> Quantiles:
        if film not in self._quantiles:
            self._quantiles[film] = _quantiles(self._greys_NHW[self._places[film]])
        return self._quantiles[film]

    def _profile(self, film: int) -> Profile:
        if film not in self._profiles:
            grey_HW = self._greys_NHW[self._places[film]]
            self._profiles[film] = _profile(fft.rfft2(grey_HW), grey_HW.shape)
        return self._profiles[film]


def matched(grey_HW: Greys, donor_HW: Greys) -> Greys:
    """The film with the donor's histogram, darker staying darker."""
    return _matched(grey_HW, _quantiles(donor_HW))


def sharpened(grey_HW: Greys, donor_HW: Greys, share: float) -> Greys:
    """The film with `share` (0..1) of the way to the donor's spectrum, on a logarithmic scale."""
    return _sharpened(grey_HW, _profile(fft.rfft2(donor_HW), grey_HW.shape), share)


def _matched(grey_HW: Greys, theirs: Quantiles) -> Greys:
    # A black border is many equal quantiles; interpolation needs them to rise.
    own = _quantiles(grey_HW) + np.arange(_LEVELS) * 1e-6
    table = np.interp(_TABLE, own, theirs).astype(np.float32)
    with np.errstate(invalid="ignore"):
        places_HW = (grey_HW * np.float32(_STEPS) + np.float32(0.5)).astype(np.int32)
    found_HW = table.take(places_HW, mode="clip")
    # What is no number stays none: the training loop stops there and names the film.
    return np.where(np.isnan(grey_HW), grey_HW, found_HW)


def _sharpened(grey_HW: Greys, theirs: Profile, share: float) -> Greys:
    # In float32: numpy's own transforms compute in float64 and take twice as long.
    spectrum_HF = fft.rfft2(grey_HW)
    ratio = theirs / _profile(spectrum_HF, grey_HW.shape)
    gain = np.clip(ratio**share, 1 / _MOST, _MOST).astype(np.float32)
    gain[:_COARSE] = 1.0
    changed_HW = fft.irfft2(spectrum_HF * gain.take(_rings(grey_HW.shape)), s=grey_HW.shape)
    return np.asarray(np.clip(changed_HW, 0.0, 1.0), np.float32)


def _quantiles(grey_HW: Greys) -> Quantiles:
    """As `np.quantile` at `_AT`, in a quarter of its time: numpy sorts float32 fastest whole."""
    ordered = np.sort(grey_HW, axis=None)
    places = _AT * (ordered.size - 1)
    below = places.astype(np.int64)
    lower = ordered[below].astype(np.float64)
    upper = ordered[np.minimum(below + 1, ordered.size - 1)]
    return lower + (places - below) * (upper - lower)


def _profile(spectrum_HF: npt.NDArray[np.complex64], shape: tuple[int, ...]) -> Profile:
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
