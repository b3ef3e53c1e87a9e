"""The picture of a film at native resolution: grey-scale, then the shutter, then the overlays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from xrayview.display.greyscale import Grey, render
from xrayview.display.shutter import hidden_grey, visible_mask
from xrayview.display.voi import Voi
from xrayview.domain.radiograph import OverlayPlane, Radiograph

OVERLAY_GREY = 255
"""Graphics are drawn white, as DCMTK does."""


def displayed_picture(
    radiograph: Radiograph,
    voi: Voi | None = None,
    *,
    invert: bool = False,
    overlays: bool = True,
) -> Grey:
    """What is seen of a film, uint8 (rows, columns).

    Args:
        radiograph: any film.
        voi: the window or LUT; None is the film's default.
        invert: the user's inversion: of the film, not of shutter and overlays.
        overlays: draw the overlay planes that are graphics (PS3.3 C.9.2).
    """
    grey_HW = render(radiograph, voi, invert=invert)
    visible = visible_mask(radiograph)
    if visible is not None and radiograph.shutter is not None:
        grey_HW[~visible] = hidden_grey(radiograph.shutter)
    if overlays:
        for plane in radiograph.overlays:
            if not plane.is_roi:
                grey_HW[placed(plane, grey_HW.shape)] = OVERLAY_GREY
    return grey_HW


def placed(plane: OverlayPlane, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """The plane's bits where they lie on a film of `shape`; what lies outside is cut off."""
    mask_HW = np.zeros(shape, np.bool_)
    (row, column), (height, width) = plane.origin, plane.bits_HW.shape
    rows = slice(max(row, 0), max(row + height, 0))
    columns = slice(max(column, 0), max(column + width, 0))
    target = mask_HW[rows, columns]
    top, left = max(-row, 0), max(-column, 0)
    target[...] = plane.bits_HW[top : top + target.shape[0], left : left + target.shape[1]]
    return mask_HW
