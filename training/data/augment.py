"""Augmentation between `Preprocessor.grey` and `finish`: random draws first, then pure maps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from training.config import AugmentConfig

Floats = npt.NDArray[np.float32]

_BINOMIAL = np.array([0.25, 0.5, 0.25], np.float32)
_NOISE_VALUES = 1 << 20
"""Length of the table of normal values of which each film uses a segment: drawing a value for each
pixel would take longer than rotating the film."""


@dataclass(frozen=True, eq=False)
class Draws:
    """The random draws of one batch of B films."""

    affine_B23: Floats
    """Output to input coordinates, both in -1..1, as `affine_grid` takes them."""
    gamma_B: Floats
    noise_B: Floats
    """Standard deviations."""
    noise_from_B: npt.NDArray[np.int64]
    """Where each film's segment of the noise table begins."""
    blur_B: Floats
    collimate_B4: Floats
    """Covered share of the sides: top, bottom, left, right."""
    brightness_B: Floats | None = None
    """Factors of the grey."""
    mirrored_B: npt.NDArray[np.bool_] | None = None
    """Films that are extended beyond their edges by their mirror image; others are black there."""


def draw(
    config: AugmentConfig, count: int, size: tuple[int, int], rng: np.random.Generator
) -> Draws:
    """Draw for `count` films of (height, width); depends only on the generator's state."""

    def spread(width: float) -> npt.NDArray[np.float64]:
        return rng.uniform(-width, width, count)

    angle = np.deg2rad(spread(config.rotate_deg))
    zoom, squeeze = spread(config.zoom), spread(config.squeeze)
    mirror = np.where(rng.random(count) < config.flip, -1.0, 1.0)
    shift_B2 = 2.0 * np.stack([spread(config.shift), spread(config.shift)], axis=1)
    covered = rng.random((count, 1)) < config.collimate
    return Draws(
        affine_B23=_affine(angle, zoom, squeeze, mirror, shift_B2, size),
        gamma_B=np.exp(spread(config.gamma)).astype(np.float32),
        noise_B=rng.uniform(0.0, config.noise, count).astype(np.float32),
        noise_from_B=rng.integers(_NOISE_VALUES, size=count),
        blur_B=rng.uniform(-0.5 * config.blur, config.blur, count).astype(np.float32),
        collimate_B4=(covered * rng.uniform(0.0, config.collimate_width, (count, 4))).astype(
            np.float32
        ),
        # Drawn last and only if used, so that no other draw changes.
        brightness_B=(1 + spread(config.brightness)).astype(np.float32)
        if config.brightness
        else None,
        mirrored_B=rng.random(count) < config.mirrored if config.mirrored else None,
    )


def _affine(
    angle: npt.NDArray[np.float64],
    zoom: npt.NDArray[np.float64],
    squeeze: npt.NDArray[np.float64],
    mirror: npt.NDArray[np.float64],
    shift_B2: npt.NDArray[np.float64],
    size: tuple[int, int],
) -> Floats:
    """Compose the maps; rotation is in pixels, not in -1..1, so a wide input is not sheared."""
    aspect = size[0] / size[1]
    along_x, along_y = np.exp(zoom + squeeze / 2), np.exp(zoom - squeeze / 2)
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = np.stack(
        [
            np.stack([mirror * along_x * cosine, -aspect * along_y * sine, shift_B2[:, 0]], 1),
            np.stack([mirror * along_x * sine / aspect, along_y * cosine, shift_B2[:, 1]], 1),
        ],
        axis=1,
    )
    return matrix.astype(np.float32)


def apply(greys_BHW: Floats, draws: Draws) -> Floats:
    """Return the augmented films: float32 in 0..1, B x H x W; pure.

    Outside the film is black, as beyond a collimator, or the film's mirror image.
    """
    moved_BHW = np.empty_like(greys_BHW)
    # Film by film: one film stays in the core's own cache, a batch does not.
    for i, (grey_HW, moved_HW) in enumerate(zip(greys_BHW, moved_BHW, strict=True)):
        mirrored = draws.mirrored_B is not None and bool(draws.mirrored_B[i])
        _move(grey_HW, draws.affine_B23[i], mirrored, moved_HW)
        _change_greys(moved_HW, draws, i)
    return moved_BHW


def _change_greys(x_HW: Floats, draws: Draws, i: int) -> None:
    """Apply everything but the geometry to film `i`, in place."""
    if blur := float(draws.blur_B[i]):
        _blur(x_HW, blur)
    np.clip(x_HW, 1e-6, 1.0, out=x_HW)
    if (gamma := float(draws.gamma_B[i])) != 1:
        cv2.pow(x_HW, gamma, dst=x_HW)
    if draws.brightness_B is not None:
        x_HW *= draws.brightness_B[i]
    if draws.collimate_B4[i].any():
        _cover(x_HW, draws.collimate_B4[i])
    if deviation := draws.noise_B[i]:
        start = draws.noise_from_B[i]
        x_HW += deviation * _noise_table(x_HW.size)[start : start + x_HW.size].reshape(x_HW.shape)
    np.clip(x_HW, 0.0, 1.0, out=x_HW)


def _move(grey_HW: Floats, affine_23: Floats, mirrored: bool, moved_HW: Floats) -> None:
    # Bilinear sampling blurs: the network would learn softer films than those it scores.
    cv2.warpAffine(
        grey_HW,
        _in_pixels(affine_23, grey_HW.shape),
        grey_HW.shape[::-1],
        dst=moved_HW,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT if mirrored else cv2.BORDER_CONSTANT,
    )


def _in_pixels(affine_23: Floats, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Convert a map of -1..1 from edge to edge into a map of pixel centres."""
    height, width = shape
    (xx, xy, x), (yx, yy, y) = affine_23.tolist()
    xy, yx = xy * width / height, yx * height / width
    across, down = (width - 1) / 2, (height - 1) / 2
    return np.array([
        [xx, xy, x * width / 2 + across - xx * across - xy * down],
        [yx, yy, y * height / 2 + down - yx * across - yy * down],
    ])  # fmt: skip


def _blur(x_HW: Floats, share: float) -> None:
    """Mix in a 3x3 binomial blur; a negative share is an unsharp mask."""
    soft_HW = cv2.sepFilter2D(x_HW, -1, _BINOMIAL, _BINOMIAL, borderType=cv2.BORDER_REPLICATE)
    cv2.addWeighted(x_HW, 1 - share, soft_HW, share, 0, dst=x_HW)


def _cover(x_HW: Floats, covered_4: Floats) -> None:
    """Set every pixel black whose centre is outside the collimator's opening."""
    height, width = x_HW.shape
    top, bottom, left, right = np.round(covered_4 * (height, height, width, width)).astype(int)
    x_HW[:top] = x_HW[height - bottom :] = 0.0
    x_HW[:, :left] = x_HW[:, width - right :] = 0.0


@lru_cache(maxsize=1)
def _noise_table(pixels: int) -> Floats:
    return np.random.default_rng(0).standard_normal(_NOISE_VALUES + pixels, dtype=np.float32)
