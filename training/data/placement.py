"""Placement transfer: move the lungs to where another film's lungs are.

How large and how high the lungs are in a film depends on positioning, collimation, the child's age
and how copies were squashed; among films that were gathered separately it can give the label away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float32]
"""Left, top, right, bottom in -1..1 from edge to edge; NaN where there is no lung mask."""

_MAX_SCALE = 1.6
"""Limit of stretching or shrinking along one axis, since a mask can be half a lung."""


@dataclass(frozen=True, eq=False)
class PlacementDraws:
    """The random draws of one batch of B films."""

    moved_B: npt.NDArray[np.bool_]
    donors_B: npt.NDArray[np.int64]
    """Indices of training films."""


def lung_boxes(lungs_NHW: npt.NDArray[np.uint8]) -> Boxes:
    """Return the bounding box of each film's lungs, (N, 4)."""
    boxes_N4 = np.full((len(lungs_NHW), 4), np.nan, np.float32)
    for i, lungs_HW in enumerate(lungs_NHW):
        rows, columns = (np.flatnonzero(lungs_HW.any(axis=axis)) for axis in (1, 0))
        if rows.size:
            height, width = lungs_HW.shape
            corners = (
                columns[0] / width,
                rows[0] / height,
                (columns[-1] + 1) / width,
                (rows[-1] + 1) / height,
            )
            boxes_N4[i] = 2 * np.array(corners) - 1
    return boxes_N4


def draw(share: float, count: int, films: int, rng: np.random.Generator) -> PlacementDraws:
    """Draw for `count` films with donors out of `films`; depends only on the generator's state."""
    return PlacementDraws(rng.random(count) < share, rng.integers(films, size=count))


def move_lungs(
    affine_B23: npt.NDArray[np.float32], own_B4: Boxes, donor_B4: Boxes, draws: PlacementDraws
) -> npt.NDArray[np.float32]:
    """Return the maps that first move the lungs into the donor's box; pure.

    `affine_B23` maps output to input coordinates in -1..1, and so does the result. The map is
    unchanged where either film has no lung mask.
    """
    known_B = draws.moved_B & np.isfinite(own_B4).all(axis=1) & np.isfinite(donor_B4).all(axis=1)
    own_B2, own_size_B2 = _centre_and_size(own_B4[known_B])
    donor_B2, donor_size_B2 = _centre_and_size(donor_B4[known_B])
    scale_B2 = np.clip(own_size_B2 / donor_size_B2, 1 / _MAX_SCALE, _MAX_SCALE)
    moved_B23 = affine_B23.copy()
    moved_B23[known_B] *= scale_B2[:, :, None]
    moved_B23[known_B, :, 2] += own_B2 - scale_B2 * donor_B2
    return moved_B23


def _centre_and_size(boxes_B4: Boxes) -> tuple[Boxes, Boxes]:
    low_B2, high_B2 = boxes_B4[:, :2], boxes_B4[:, 2:]
    return np.asarray((low_B2 + high_B2) / 2, np.float32), high_B2 - low_B2
