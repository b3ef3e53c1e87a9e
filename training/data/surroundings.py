"""Surroundings transfer: replace everything around the lungs by another film.

Collimation, markers, arms and the scanner's grey give the label away among films that were
gathered separately (Zech et al. 2018; DeGrave et al. 2021). A network that is trained on films with
replaced surroundings has to look at the lungs, where the label still holds.
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
from training.data.lung_masks import LungMasks, to_input
from training.data.manifest import FilmRow
from training.disk import require_room
from xrayview.preprocessing.pipeline import Preprocessor

Greys = npt.NDArray[np.float32]
Lungs = npt.NDArray[np.uint8]

_BLURRED, _FLAT = 0.25, 0.15
"""Shares of the replaced surroundings that are blurred, or a single grey: without texture."""
_MARGIN, _SOFT, _BLUR = 1 / 40, 1 / 64, 1 / 24
"""As shares of the input's width: margin of the own film around its lungs, softness of the seam,
strength of the blur."""


@dataclass(frozen=True, eq=False)
class SurroundingsDraws:
    """The random draws of one batch of B films."""

    replaced_B: npt.NDArray[np.bool_]
    donors_B: npt.NDArray[np.int64]
    """Indices of training films."""
    blurred_B: npt.NDArray[np.bool_]
    flat_B: npt.NDArray[np.float32]
    """The single grey; NaN where the donor's film is shown."""


def load_lungs(
    rows: Sequence[FilmRow], masks: LungMasks, preprocessor: Preprocessor, cache: Path
) -> Lungs:
    """Load the films' lung masks on the model's input grid, films x height x width, memory-mapped.

    1 in the lungs; all 0 if a film has no mask.

    Raises:
        CannotWrite: the disk is full.
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
        for i, row in enumerate(rows):
            mask_HW = masks.load_mask(row.path)
            if mask_HW is not None:
                lungs_NHW[i] = to_input(mask_HW, preprocessor.spec)
        lungs_NHW.flush()
        del lungs_NHW
        partial.replace(path)
    return np.load(path, mmap_mode="r")  # type: ignore[no-any-return]


def draw(share: float, count: int, films: int, rng: np.random.Generator) -> SurroundingsDraws:
    """Draw for `count` films with donors out of `films`; depends only on the generator's state."""
    replaced_B = rng.random(count) < share
    donors_B = rng.integers(films, size=count)
    kind_B = rng.random(count)
    grey_B = rng.random(count).astype(np.float32)
    flat_B = np.where(kind_B >= 1 - _FLAT, grey_B, np.float32(np.nan))
    return SurroundingsDraws(replaced_B, donors_B, kind_B < _BLURRED, flat_B)


def replace_surroundings(
    greys_BHW: Greys, lungs_BHW: Lungs, donors_BHW: Greys, draws: SurroundingsDraws
) -> npt.NDArray[np.float32]:
    """Return the films with the drawn surroundings, float32 in 0..1; pure.

    `lungs_BHW` is 1 in the lungs; a film without a mask is unchanged.
    """
    replaced_BHW = greys_BHW.copy()
    for i in np.flatnonzero(draws.replaced_B & lungs_BHW.any(axis=(1, 2))):
        own_HW = _soft_mask(lungs_BHW[i])
        around_HW = donors_BHW[i]
        if not np.isnan(draws.flat_B[i]):
            around_HW = np.full_like(around_HW, draws.flat_B[i])
        elif draws.blurred_B[i]:
            around_HW = _blur(around_HW, _BLUR)
        replaced_BHW[i] = greys_BHW[i] * own_HW + around_HW * (1 - own_HW)
    return replaced_BHW


def _soft_mask(lungs_HW: Lungs) -> Greys:
    """Return 1 in the lungs and their margin, falling softly to 0: an edge would be an outline."""
    side = 2 * max(1, round(lungs_HW.shape[1] * _MARGIN)) + 1
    grown_HW = cv2.dilate(lungs_HW.astype(np.float32), np.ones((side, side)))
    return _blur(np.asarray(grown_HW, dtype=np.float32), _SOFT)


def _blur(grey_HW: Greys, share: float) -> Greys:
    return np.asarray(cv2.GaussianBlur(grey_HW, (0, 0), grey_HW.shape[1] * share), np.float32)
