"""The lungs laid where another film's lie: how a film was collimated cannot tell the label.

How large and how high the lungs lie in a film depends on who positioned and collimated, on the
child's age and on how copies were squashed; among films gathered separately it tells the label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float32]
"""Left, top, right, bottom in -1..1 from edge to edge; NaN where the lungs are not known."""

_MOST = 1.6
"""Most that a film is stretched or shrunk along one axis: a mask can be half a lung."""


@dataclass(frozen=True, eq=False)
class Placement:
    """All chance of one batch of B films."""

    moved_B: npt.NDArray[np.bool_]
    donors_B: npt.NDArray[np.int64]
    """Places in the training films."""


def boxes(lungs_NHW: npt.NDArray[np.uint8]) -> Boxes:
    """The box around each film's lungs, (N, 4)."""
    found_N4 = np.full((len(lungs_NHW), 4), np.nan, np.float32)
    for place, lungs_HW in enumerate(lungs_NHW):
        rows, columns = (np.flatnonzero(lungs_HW.any(axis=axis)) for axis in (1, 0))
        if rows.size:
            height, width = lungs_HW.shape
            corners = (
                columns[0] / width,
                rows[0] / height,
                (columns[-1] + 1) / width,
                (rows[-1] + 1) / height,
            )
            found_N4[place] = 2 * np.array(corners) - 1
    return found_N4


def draw(share: float, count: int, films: int, rng: np.random.Generator) -> Placement:
    """Draw for `count` films out of `films`; the same generator state, the same draws."""
    return Placement(rng.random(count) < share, rng.integers(films, size=count))


def place(
    affine_B23: npt.NDArray[np.float32], own_B4: Boxes, donor_B4: Boxes, draws: Placement
) -> npt.NDArray[np.float32]:
    """The maps by which the lungs first come to lie in the donor's box; pure.

    `affine_B23` maps output to input coordinates in -1..1, and so does the result. A film whose
    lungs, or whose donor's lungs, are not known keeps its map.
    """
    known_B = draws.moved_B & np.isfinite(own_B4).all(axis=1) & np.isfinite(donor_B4).all(axis=1)
    own_B2, own_size_B2 = _middle_and_size(own_B4[known_B])
    donor_B2, donor_size_B2 = _middle_and_size(donor_B4[known_B])
    scale_B2 = np.clip(own_size_B2 / donor_size_B2, 1 / _MOST, _MOST)
    placed_B23 = affine_B23.copy()
    placed_B23[known_B] *= scale_B2[:, :, None]
    placed_B23[known_B, :, 2] += own_B2 - scale_B2 * donor_B2
    return placed_B23


def _middle_and_size(boxes_B4: Boxes) -> tuple[Boxes, Boxes]:
    low_B2, high_B2 = boxes_B4[:, :2], boxes_B4[:, 2:]
    return np.asarray((low_B2 + high_B2) / 2, np.float32), high_B2 - low_B2
