"""The picture of a film at native resolution: grey-scale, then shutter, then overlays."""

from __future__ import annotations

from xrayview.display.greyscale import Grey, render
from xrayview.display.shutter_mask import IDENTITY_MAP, make_shutter_mask, sample_shutter_mask
from xrayview.display.voi import Voi
from xrayview.domain.radiograph import Radiograph


def displayed_picture(
    radiograph: Radiograph,
    voi: Voi | None = None,
    *,
    invert: bool = False,
    overlays: bool = True,
    shutter: bool = True,
) -> Grey:
    """Return the film as displayed, uint8 (rows, columns).

    Args:
        radiograph: any film.
        voi: the window or LUT; None uses the film's default.
        invert: the user's inversion, which applies to the film but not to shutter and overlays.
        overlays: draw the overlay planes that are graphics (PS3.3 C.9.2).
        shutter: apply the display shutter (PS3.3 C.7.6.11).
    """
    grey_HW = render(radiograph, voi, invert=invert)
    shutter_mask = make_shutter_mask(radiograph)
    if shutter_mask is not None:
        sampled = sample_shutter_mask(
            shutter_mask, IDENTITY_MAP, grey_HW.shape, overlays=overlays, shutter=shutter
        )
        if sampled is not None:
            sampled.apply_to(grey_HW)
    return grey_HW
