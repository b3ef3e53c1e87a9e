"""Where a film lies in the model's input: one resize, and the map that undoes it exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.domain.model import Affine, PreprocessSpec

GreyHW = npt.NDArray[np.float32]
Size = tuple[int, int]

# Shrinking always averages, as any other kernel of OpenCV samples points and aliases.
_ENLARGE = {"area": cv2.INTER_LINEAR, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


@dataclass(frozen=True)
class Placement:
    """A rectangle of the film that fills a rectangle of the input: slices (rows, columns)."""

    film: tuple[slice, slice]
    input: tuple[slice, slice]

    @property
    def film_to_input(self) -> Affine:
        """Film pixel coordinates to input pixel coordinates; `inverse()` is the exact way back."""
        (rows, columns), (input_rows, input_columns) = self.film, self.input
        scale_y = _length(input_rows) / _length(rows)
        scale_x = _length(input_columns) / _length(columns)
        return Affine(
            scale_y,
            scale_x,
            input_rows.start - scale_y * rows.start,
            input_columns.start - scale_x * columns.start,
        )


def placement_of(film_size: Size, spec: PreprocessSpec) -> Placement:
    """Lay a film of (rows, columns) into the input as `spec.fit` says.

    letterbox: all of the film, its aspect kept, background around it. stretch: all of the film,
    each axis on its own. center_crop: the largest centred part of the input's aspect. Sizes are
    rounded to whole pixels and never 0; the map uses the rounded ones.
    """
    return _FITS[spec.fit](film_size, spec.size)


def resize(grey_HW: GreyHW, spec: PreprocessSpec) -> tuple[GreyHW, Placement]:
    """The film on the input's grid: float32 of `spec.size` in 0..1, background 0.

    Averages where an axis shrinks (no aliasing), then interpolates where one grows.
    """
    placement = placement_of((grey_HW.shape[0], grey_HW.shape[1]), spec)
    part = grey_HW[placement.film]
    height, width = (_length(axis) for axis in placement.input)
    smaller = (min(width, part.shape[1]), min(height, part.shape[0]))
    shrunk = cv2.resize(part, smaller, interpolation=cv2.INTER_AREA)
    fitted = cv2.resize(shrunk, (width, height), interpolation=_ENLARGE[spec.interpolation])
    input_HW = np.zeros(spec.size, np.float32)
    input_HW[placement.input] = np.clip(fitted, 0.0, 1.0)  # cubic overshoots
    return input_HW, placement


def _letterbox(film: Size, target: Size) -> Placement:
    scale = min(target[0] / film[0], target[1] / film[1])
    inner = [max(1, round(length * scale)) for length in film]
    return Placement(_whole(film), _centred(inner, target))


def _stretch(film: Size, target: Size) -> Placement:
    return Placement(_whole(film), _whole(target))


def _center_crop(film: Size, target: Size) -> Placement:
    # Cropped before the resize: a strip of 1 x 60,000 must not be enlarged first.
    scale = max(target[0] / film[0], target[1] / film[1])
    part = [min(f, max(1, round(t / scale))) for f, t in zip(film, target, strict=True)]
    return Placement(_centred(part, film), _whole(target))


_FITS: dict[str, Callable[[Size, Size], Placement]] = {
    "letterbox": _letterbox,
    "stretch": _stretch,
    "center_crop": _center_crop,
}


def _whole(size: Size) -> tuple[slice, slice]:
    return slice(0, size[0]), slice(0, size[1])


def _centred(inner: list[int], outer: Size) -> tuple[slice, slice]:
    top, left = ((o - i) // 2 for i, o in zip(inner, outer, strict=True))
    return slice(top, top + inner[0]), slice(left, left + inner[1])


def _length(axis: slice) -> int:
    return int(axis.stop - axis.start)
