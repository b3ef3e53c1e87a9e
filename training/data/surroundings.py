"""What lies around the lungs, taken from another film: the label cannot be read from there.

Collimation, markers, arms and the scanner's grey tell classes of films apart that were gathered
separately (Zech et al. 2018; DeGrave et al. 2021). A network that learns from films with foreign
surroundings has to look where they do not differ: at the lungs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from training.data.cache import files_key, own_partial
from training.data.lung_masks import LungMasks, on_input
from training.data.manifest import FilmRow
from training.disk import require_room
from xrayview.preprocessing.pipeline import Preprocessor

Greys = npt.NDArray[np.float32]
Lungs = npt.NDArray[np.uint8]

_BLURRED, _FLAT = 0.25, 0.15
"""Shares of the foreign surroundings that are blurred, or one grey: no texture of any scanner."""
_MARGIN, _SOFT, _BLUR = 1 / 40, 1 / 64, 1 / 24
"""Of the input's width: how far the own film reaches past its lungs, how soft the seam is, and
how much a blurred film is."""


@dataclass(frozen=True, eq=False)
class Surroundings:
    """All chance of one batch of B films."""

    foreign_B: npt.NDArray[np.bool_]
    donors_B: npt.NDArray[np.int64]
    """Places in the training films."""
    blurred_B: npt.NDArray[np.bool_]
    flat_B: npt.NDArray[np.float32]
    """The one grey; NaN where the donor's film is shown."""


def load_lungs(
    rows: Sequence[FilmRow], masks: LungMasks, preprocessor: Preprocessor, cache: Path
) -> Lungs:
    """The films' lungs on the model's input, films x height x width, memory-mapped.

    1 in the lungs; all 0 where a film has no mask.

    Raises:
        CannotWrite: the disk has no room for them.
    """
    files = files_key((row.path, masks.file_of(row.path)) for row in rows)
    path = cache / f"{files}-{preprocessor.preprocessing_id}-lungs.npy"
    if not path.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        partial = own_partial(path.with_suffix(""))
        size = preprocessor.spec.size
        require_room(cache, len(rows) * math.prod(size))
        lungs_NHW = np.lib.format.open_memmap(
            partial, mode="w+", dtype=np.uint8, shape=(len(rows), *size)
        )
        for place, row in enumerate(rows):
            mask_HW = masks.of_film(row.path)
            if mask_HW is not None:
                lungs_NHW[place] = on_input(mask_HW, preprocessor.spec)
        lungs_NHW.flush()
        del lungs_NHW
        partial.replace(path)
    return np.load(path, mmap_mode="r")  # type: ignore[no-any-return]


def draw(share: float, count: int, films: int, rng: np.random.Generator) -> Surroundings:
    """Draw for `count` films out of `films`; the same generator state, the same draws."""
    foreign_B = rng.random(count) < share
    donors_B = rng.integers(films, size=count)
    kind_B = rng.random(count)
    grey_B = rng.random(count).astype(np.float32)
    flat_B = np.where(kind_B >= 1 - _FLAT, grey_B, np.float32(np.nan))
    return Surroundings(foreign_B, donors_B, kind_B < _BLURRED, flat_B)


def lay(
    greys_BHW: Greys, lungs_BHW: Lungs, donors_BHW: Greys, draws: Surroundings
) -> npt.NDArray[np.float32]:
    """The films with what was drawn around their lungs, float32 in 0..1; pure.

    `lungs_BHW` is 1 in the lungs; a film without any (no mask is known) stays as it is.
    """
    laid_BHW = greys_BHW.copy()
    for place in np.flatnonzero(draws.foreign_B & lungs_BHW.any(axis=(1, 2))):
        own_HW = _soft(lungs_BHW[place])
        around_HW = donors_BHW[place]
        if not np.isnan(draws.flat_B[place]):
            around_HW = np.full_like(around_HW, draws.flat_B[place])
        elif draws.blurred_B[place]:
            around_HW = _blur(around_HW, _BLUR)
        laid_BHW[place] = greys_BHW[place] * own_HW + around_HW * (1 - own_HW)
    return laid_BHW


def _soft(lungs_HW: Lungs) -> Greys:
    """1 in the lungs and a little past them, falling to 0: an edge would draw their outline."""
    side = 2 * max(1, round(lungs_HW.shape[1] * _MARGIN)) + 1
    grown_HW = cv2.dilate(lungs_HW.astype(np.float32), np.ones((side, side)))
    return _blur(np.asarray(grown_HW, dtype=np.float32), _SOFT)


def _blur(grey_HW: Greys, share: float) -> Greys:
    return np.asarray(cv2.GaussianBlur(grey_HW, (0, 0), grey_HW.shape[1] * share), np.float32)
