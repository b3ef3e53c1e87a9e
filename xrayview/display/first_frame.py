"""What the first picture of a film needs: made where nobody waits for it."""

from __future__ import annotations

from dataclasses import dataclass

from xrayview.display.pyramid import Pyramid, build_pyramid
from xrayview.display.shutter_mask import ShutterMask, make_shutter_mask
from xrayview.display.voi import VoiChoice, voi_choices
from xrayview.domain.radiograph import Radiograph


@dataclass(frozen=True, eq=False)
class FirstFrame:
    """A film's resolutions, its windows (the first of them is its default), and what covers it."""

    pyramid: Pyramid
    choices: tuple[VoiChoice, ...]
    shutter_mask: ShutterMask | None = None

    @property
    def nbytes(self) -> int:
        """What is held here beside the film's own pixels."""
        arrays = [level.pixels_HW for level in self.pyramid.levels[1:]]
        if self.shutter_mask is not None:
            arrays += [self.shutter_mask.codes_HW, *self.shutter_mask.smaller]
        return sum(array.nbytes for array in arrays)


def make_first_frame(radiograph: Radiograph) -> FirstFrame:
    """Look at every pixel, several times: tens of milliseconds for a usual film."""
    return FirstFrame(
        build_pyramid(radiograph), voi_choices(radiograph), make_shutter_mask(radiograph)
    )
