"""A figure as pixels, without Qt, so that the command line draws the same as the window."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.display.figure_text import ASCENT, text_mask, text_width
from xrayview.domain.figure import BLACK, Colour, Figure, Label, Line, Patch

Canvas = npt.NDArray[np.unsignedinteger[Any]]
_Mask = npt.NDArray[np.uint8]

HALO_SHARE = 0.09
"""Width of the black rim around a text, as a share of its size."""
_SUBPIXEL_BITS = 4
_STRIP_ROWS = 64


def draw(figure: Figure) -> Canvas:
    """Draw the figure in the film's own depth: (rows, columns) if all of it is grey, else RGB."""
    shape = (figure.height, figure.width) if figure.is_grey else (figure.height, figure.width, 3)
    canvas: Canvas = np.zeros(shape, figure.film_HW.dtype)
    left, top = figure.film_at
    rows, columns = figure.film_HW.shape
    film = figure.film_HW if figure.is_grey else figure.film_HW[..., None]
    canvas[top : top + rows, left : left + columns] = film
    for patch in figure.patches:
        _draw_patch(canvas, patch)
    for line in figure.lines:
        _draw_line(canvas, line)
    for label in figure.labels:
        _draw_label(canvas, label)
    return canvas


def _draw_patch(canvas: Canvas, patch: Patch) -> None:
    width, height = (max(1, round(side)) for side in patch.size)
    rgba_HW4 = np.asarray(
        cv2.resize(patch.rgba_HW4, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8
    )
    x, y = (round(side) for side in patch.corner)
    _blend(canvas, rgba_HW4[..., 3], x, y, rgba_HW4[..., :3])


def _draw_line(canvas: Canvas, line: Line) -> None:
    """Draw a wider black line, then the line itself."""
    for width, colour in ((line.width * 2.4, BLACK), (line.width, line.colour)):
        margin = int(width) + 2
        xs, ys = zip(*line.points, strict=True)
        left, top = int(min(xs)) - margin, int(min(ys)) - margin
        size = int(max(ys)) + margin - top + 1, int(max(xs)) + margin - left + 1
        mask_HW = np.zeros(size, np.uint8)
        # OpenCV counts from the centre of a pixel, the figure from its corner.
        points = (np.array(line.points) - (left + 0.5, top + 0.5)) * 2**_SUBPIXEL_BITS
        cv2.polylines(
            mask_HW,
            [np.rint(points).astype(np.int32)],
            isClosed=False,
            color=(255,),
            thickness=max(1, round(width)),
            lineType=cv2.LINE_AA,
            shift=_SUBPIXEL_BITS,
        )
        _blend(canvas, mask_HW, left, top, colour)


def _draw_label(canvas: Canvas, label: Label) -> None:
    margin = max(1, round(HALO_SHARE * label.size)) + 1
    mask_HW = text_mask(label.text, label.size, bold=label.bold, margin=margin)
    share = {"start": 0.0, "middle": 0.5, "end": 1.0}[label.anchor]
    x = label.position[0] - share * text_width(label.text, label.size, bold=label.bold)
    left, top = round(x) - margin, round(label.position[1] - ASCENT * label.size) - margin
    reach = 2 * margin - 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    _blend(canvas, np.asarray(cv2.dilate(mask_HW, disc), np.uint8), left, top, BLACK)
    _blend(canvas, mask_HW, left, top, label.colour)


def _blend(
    canvas: Canvas, mask_HW: _Mask, left: int, top: int, ink: Colour | npt.NDArray[np.uint8]
) -> None:
    """Blend `ink` into the canvas by the mask; whatever lies outside the canvas is cut off."""
    height, width = canvas.shape[:2]
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(height, top + mask_HW.shape[0]), min(width, left + mask_HW.shape[1])
    if y0 >= y1 or x0 >= x1:
        return
    full = np.float32(np.iinfo(canvas.dtype).max / 255)
    for y in range(y0, y1, _STRIP_ROWS):  # in strips, to avoid float copies of a whole film
        strip = slice(y, min(y + _STRIP_ROWS, y1))
        part = slice(strip.start - top, strip.stop - top), slice(x0 - left, x1 - left)
        if not mask_HW[part].any():
            continue
        share: npt.NDArray[np.float32] = mask_HW[part].astype(np.float32) / np.float32(255)
        if canvas.ndim == 2:
            assert isinstance(ink, tuple)  # a coloured layer makes a coloured figure
            target = np.asarray(ink[0] * full, np.float32)
        else:
            share = share[..., None]
            colours = ink[part] if isinstance(ink, np.ndarray) else np.array(ink)
            target = colours.astype(np.float32) * full
        region = canvas[strip, x0:x1]
        region[...] = np.rint(region + (target - region) * share).astype(canvas.dtype)
