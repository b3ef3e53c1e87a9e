"""Augmentation between grey and finish: chance is drawn first, then applied without chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from training.config import AugmentConfig

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Draws:
    """All chance of one batch of B films."""

    affine_B23: Floats
    """Output to input coordinates, both in -1..1, as `affine_grid` takes them."""
    gamma_B: Floats
    noise_B: Floats
    """Standard deviations."""
    noise_seed: int
    blur_B: Floats
    collimate_B4: Floats
    """Covered share of the sides: top, bottom, left, right."""
    brightness_B: Floats | None = None
    """Factors of the grey."""
    mirrored_B: npt.NDArray[np.bool_] | None = None
    """Films that go on mirrored beyond their edges; the others are black there."""


def draw(
    config: AugmentConfig, count: int, size: tuple[int, int], rng: np.random.Generator
) -> Draws:
    """Draw for `count` films of (height, width); the same generator state, the same draws."""

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
        noise_seed=int(rng.integers(2**62)),
        blur_B=rng.uniform(-0.5 * config.blur, config.blur, count).astype(np.float32),
        collimate_B4=(covered * rng.uniform(0.0, config.collimate_width, (count, 4))).astype(
            np.float32
        ),
        # Drawn last and only where asked, so that it moves no other draw.
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
    """Rotation in pixels, not in -1..1: a wide input must not be sheared."""
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


def apply(greys_BHW: Tensor, draws: Draws) -> Tensor:
    """The augmented films: float32 in 0..1, B x H x W; pure.

    What comes from outside the film is black, as beyond the collimator, or the film mirrored.
    """
    x = _moved(greys_BHW[:, None], draws)
    # What nothing was drawn of is left out: it would change no bit.
    if draws.blur_B.any():
        x = _blurred(x, _per_film(draws.blur_B, x))
    x = x.clamp_(1e-6, 1.0).pow_(_per_film(draws.gamma_B, x))
    if draws.brightness_B is not None:
        x = x.mul_(_per_film(draws.brightness_B, x))
    if draws.collimate_B4.any():
        x = x.mul_(_aperture(draws.collimate_B4, x))
    if not draws.noise_B.any():
        return x.clamp_(0.0, 1.0)[:, 0]
    chance = torch.Generator().manual_seed(draws.noise_seed)
    noise = torch.randn(x.shape, generator=chance).to(x.device)
    x = noise.mul_(_per_film(draws.noise_B, x)).add_(x)
    return x.clamp_(0.0, 1.0)[:, 0]


def _moved(x_B1HW: Tensor, draws: Draws) -> Tensor:
    def sampled(x: Tensor, grid: Tensor, beyond: str) -> Tensor:
        # Bilinear sampling blurs: the network would learn softer films than those it judges.
        return functional.grid_sample(
            x, grid, mode="bicubic", padding_mode=beyond, align_corners=False
        )

    grid_BHW2 = _grid(draws.affine_B23, x_B1HW)
    if draws.mirrored_B is None:
        return sampled(x_B1HW, grid_BHW2, "zeros")
    moved_B1HW = torch.empty_like(x_B1HW)
    for chosen_B, beyond in ((draws.mirrored_B, "reflection"), (~draws.mirrored_B, "zeros")):
        if chosen_B.any():
            chosen = torch.from_numpy(chosen_B).to(x_B1HW.device)
            moved_B1HW[chosen] = sampled(x_B1HW[chosen], grid_BHW2[chosen], beyond)
    return moved_B1HW


def _grid(affine_B23: Floats, like: Tensor) -> Tensor:
    """Where each output pixel comes from, B x H x W x 2, in -1..1 from edge to edge.

    Sums of broadcasts: `affine_grid` multiplies matrices and takes ten times as long on a CPU.
    """
    height, width = like.shape[-2:]
    affine = torch.from_numpy(affine_B23).to(like.device)[..., None, None]
    y = ((2 * torch.arange(height, device=like.device) + 1) / height - 1)[:, None]
    x = (2 * torch.arange(width, device=like.device) + 1) / width - 1
    grid_B2HW: Tensor = (affine[:, :, 0] * x + affine[:, :, 1] * y).add_(affine[:, :, 2])
    return grid_B2HW.movedim(1, 3)


def _per_film(values_B: Floats, like: Tensor) -> Tensor:
    return torch.from_numpy(values_B).to(like.device).view(-1, 1, 1, 1)


def _blurred(x_B1HW: Tensor, share_B111: Tensor) -> Tensor:
    """Mix in a 3x3 binomial blur; a negative share is an unsharp mask."""
    line = torch.tensor([0.25, 0.5, 0.25], device=x_B1HW.device)
    padded = functional.pad(x_B1HW, (1, 1, 1, 1), mode="replicate")
    soft = functional.conv2d(padded, torch.outer(line, line)[None, None])
    return torch.lerp(x_B1HW, soft, share_B111)


def _aperture(covered_B4: Floats, like: Tensor) -> Tensor:
    """1 inside the collimator's opening, else 0: B x 1 x H x W."""
    height, width = like.shape[-2:]
    y = (torch.arange(height, device=like.device) + 0.5) / height
    x = (torch.arange(width, device=like.device) + 0.5) / width
    top, bottom, left, right = torch.from_numpy(covered_B4).to(like.device).T[:, :, None]
    rows = ((y >= top) & (y <= 1 - bottom)).float()
    columns = ((x >= left) & (x <= 1 - right)).float()
    aperture_BHW: Tensor = rows[:, :, None] * columns[:, None, :]
    return aperture_BHW[:, None]
