"""A bar of a round length on the film, with the word that says what its millimetres are."""

from __future__ import annotations

from dataclasses import dataclass

from xrayview.display.measure import scale_of
from xrayview.domain.radiograph import Spacing

_ROUND = (1, 2, 5)
_SHARE = 0.25
"""Of the film's width: no bar is longer."""


@dataclass(frozen=True)
class ScaleBar:
    """How long the bar is on the film, and what it says."""

    pixels: float
    text: str


def scale_bar(spacing: Spacing, width_px: int, *, sideways: bool = False) -> ScaleBar | None:
    """The longest bar of 1, 2 or 5 times a power of ten that a quarter of the width takes.

    Args:
        spacing: of the film, or the user's own.
        width_px: pixels from left to right, as the film is looked at.
        sideways: a column of the film lies from left to right.

    Pixels where the film has no spacing; None where not even one fits.
    """
    scale = scale_of(spacing)
    per_pixel = scale.row if sideways else scale.column
    longest = width_px * _SHARE * per_pixel
    if not longest > 0:
        return None
    smallest = 1.0 if scale.unit == "px" else 0.01
    lengths = [step * 10.0**power for power in range(-2, 6) for step in _ROUND]
    fitting = [length for length in lengths if smallest <= length <= longest]
    if not fitting:
        return None
    length = fitting[-1]
    kind = f" {scale.kind}" if scale.unit == "mm" else ""
    return ScaleBar(length / per_pixel, f"{length:g} {scale.unit}{kind}")
