"""The picture of a film at native resolution: grey-scale, then the shutter, then the overlays."""

from __future__ import annotations

from xrayview.display.greyscale import Grey, render
from xrayview.display.shutter_mask import IN_PLACE, make_shutter_mask, sample_shutter_mask
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
    """What is seen of a film, uint8 (rows, columns).

    Args:
        radiograph: any film.
        voi: the window or LUT; None is the film's default.
        invert: the user's inversion: of the film, not of shutter and overlays.
        overlays: draw the overlay planes that are graphics (PS3.3 C.9.2).
        shutter: hide what the display shutter hides (PS3.3 C.7.6.11).
    """
    grey_HW = render(radiograph, voi, invert=invert)
    shutter_mask = make_shutter_mask(radiograph)
    if shutter_mask is not None:
        laid = sample_shutter_mask(
            shutter_mask, IN_PLACE, grey_HW.shape, overlays=overlays, shutter=shutter
        )
        if laid is not None:
            laid.over(grey_HW)
    return grey_HW
