"""The resize of a film to the model's input, and the exact map between their coordinates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.domain.model import Affine, PreprocessSpec

GreyHW = npt.NDArray[np.float32]
Size = tuple[int, int]

# Shrinking always averages: OpenCV's other kernels sample points and alias.
_ENLARGE = {"area": cv2.INTER_LINEAR, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


@dataclass(frozen=True)
class Placement:
    """A rectangle of the film and the rectangle of the input it fills: slices (rows, columns)."""

    film: tuple[slice, slice]
    input: tuple[slice, slice]

    @property
    def film_to_input(self) -> Affine:
        """The map from film to input pixel coordinates; its `inverse()` is exact."""
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
    """Place a film of (rows, columns) in the input according to `spec.fit`.

    letterbox: the whole film with its aspect ratio, background around it. stretch: the whole film,
    each axis scaled separately. center_crop: the largest centred part with the input's aspect
    ratio. Sizes are rounded to whole pixels, at least 1; the map uses the rounded sizes.
    """
    return _FITS[spec.fit](film_size, spec.size)


def resize(grey_HW: GreyHW, spec: PreprocessSpec) -> tuple[GreyHW, Placement]:
    """Resample the film to the input: float32 of `spec.size` in 0..1, background 0.

    Axes that shrink are averaged (no aliasing), then axes that grow are interpolated.
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
    return Placement(_full_range(film), _centred(inner, target))


def _stretch(film: Size, target: Size) -> Placement:
    return Placement(_full_range(film), _full_range(target))


def _center_crop(film: Size, target: Size) -> Placement:
    # Cropping comes before the resize, so that a strip of 1 x 60,000 is not enlarged first.
    scale = max(target[0] / film[0], target[1] / film[1])
    part = [min(f, max(1, round(t / scale))) for f, t in zip(film, target, strict=True)]
    return Placement(_centred(part, film), _full_range(target))


_FITS: dict[str, Callable[[Size, Size], Placement]] = {
    "letterbox": _letterbox,
    "stretch": _stretch,
    "center_crop": _center_crop,
}


def _full_range(size: Size) -> tuple[slice, slice]:
    return slice(0, size[0]), slice(0, size[1])


def _centred(inner: list[int], outer: Size) -> tuple[slice, slice]:
    top, left = ((o - i) // 2 for i, o in zip(inner, outer, strict=True))
    return slice(top, top + inner[0]), slice(left, left + inner[1])


def _length(axis: slice) -> int:
    return int(axis.stop - axis.start)
