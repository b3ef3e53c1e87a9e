"""What the first picture of a film needs, prepared off the window's thread."""

from __future__ import annotations

from dataclasses import dataclass

from xrayview.display.pyramid import Pyramid, build_pyramid
from xrayview.display.shutter_mask import ShutterMask, make_shutter_mask
from xrayview.display.voi import VoiChoice, voi_choices
from xrayview.domain.radiograph import Radiograph


@dataclass(frozen=True, eq=False)
class FirstFrame:
    """A film's resolutions, its windows (the first one is the default) and its shutter mask."""

    pyramid: Pyramid
    choices: tuple[VoiChoice, ...]
    shutter_mask: ShutterMask | None = None

    @property
    def nbytes(self) -> int:
        """Memory in bytes, without the film's own pixels."""
        arrays = [level.pixels_HW for level in self.pyramid.levels[1:]]
        if self.shutter_mask is not None:
            arrays += [self.shutter_mask.codes_HW, *self.shutter_mask.levels]
        return sum(array.nbytes for array in arrays)


def make_first_frame(radiograph: Radiograph) -> FirstFrame:
    """Prepare a film for display; reads all pixels several times, tens of ms for a usual film."""
    return FirstFrame(
        build_pyramid(radiograph), voi_choices(radiograph), make_shutter_mask(radiograph)
    )
