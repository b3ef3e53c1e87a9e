"""A scale bar of a round length, labelled with the kind of spacing behind its millimetres."""

from __future__ import annotations

from dataclasses import dataclass

from xrayview.display.measure import scale_of
from xrayview.domain.radiograph import Spacing

_ROUND = (1, 2, 5)
_SHARE = 0.25
"""Longest bar, as a share of the film's width."""


@dataclass(frozen=True)
class ScaleBar:
    """The length of a bar on the film, and its label."""

    pixels: float
    text: str


def scale_bar(spacing: Spacing, width_px: int, *, sideways: bool = False) -> ScaleBar | None:
    """Return the longest bar of 1, 2 or 5 times a power of ten in a quarter of the width.

    Its length is in pixels where the film has no spacing.

    Args:
        spacing: of the film, or the user's own.
        width_px: pixels from left to right, as the film is displayed.
        sideways: the film is turned so that its columns run from left to right.

    Returns:
        None where no bar fits.
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
    kind = f" {scale.kind.suffix}" if scale.unit == "mm" else ""
    return ScaleBar(length / per_pixel, f"{length:g} {scale.unit}{kind}")
