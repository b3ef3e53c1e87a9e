"""Augmentation: drawn by the generator alone, applied without chance, like a film."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from training.config import AugmentConfig
from training.data.augment import Draws, apply, draw

SIZE = (24, 32)
NOTHING = AugmentConfig(
    rotate_deg=0, shift=0, zoom=0, squeeze=0, flip=0, gamma=0, noise=0, blur=0, collimate=0
)


def greys(count: int = 3) -> torch.Tensor:
    chance = torch.Generator().manual_seed(0)
    return torch.rand((count, *SIZE), generator=chance)


def drawn(seed: int = 0, count: int = 3, **changes: float) -> Draws:
    config = dataclasses.replace(NOTHING, **changes)
    return draw(config, count, SIZE, np.random.default_rng(seed))


def test_that_without_ranges_films_stay_as_they_are():
    torch.testing.assert_close(apply(greys(), drawn()), greys(), atol=1e-5, rtol=0)


def test_that_the_same_draws_give_the_same_films():
    config = AugmentConfig()
    draws = draw(config, 3, SIZE, np.random.default_rng(7))
    again = draw(config, 3, SIZE, np.random.default_rng(7))
    other = draw(config, 3, SIZE, np.random.default_rng(8))
    assert torch.equal(apply(greys(), draws), apply(greys(), again))
    assert not torch.equal(apply(greys(), draws), apply(greys(), other))


def test_that_the_input_is_left_alone():
    films = greys()
    apply(films, draw(AugmentConfig(), 3, SIZE, np.random.default_rng(0)))
    assert torch.equal(films, greys())


def test_that_a_flip_is_the_mirror_image():
    found = apply(greys(), drawn(flip=1.0))
    torch.testing.assert_close(found, greys().flip(-1), atol=1e-5, rtol=0)


@pytest.mark.parametrize("seed", range(5))
def test_that_the_result_is_grey_between_0_and_1(seed: int):
    config = AugmentConfig(noise=0.3, blur=1.0, gamma=1.0, collimate=1.0)
    found = apply(greys(), draw(config, 3, SIZE, np.random.default_rng(seed)))
    assert found.shape == (3, *SIZE)
    assert found.dtype == torch.float32
    assert 0 <= found.min() <= found.max() <= 1


def test_that_turning_keeps_a_disc_round_on_a_wide_input():
    y, x = torch.meshgrid(torch.arange(24.0), torch.arange(32.0), indexing="ij")
    disc = ((y - 11.5) ** 2 + (x - 15.5) ** 2 < 64).float()
    found = apply(disc.expand(8, -1, -1), drawn(rotate_deg=45, count=8))
    assert (found - disc).abs().mean() < 0.02


def test_that_beyond_its_edges_a_film_is_black_or_mirrored():
    films = 0.4 + 0.2 * greys(40)
    black = apply(films, drawn(zoom=0.5, count=40))
    mirrored = apply(films, drawn(zoom=0.5, mirrored=1.0, count=40))
    shrunk = (black[:, 0] < 0.1).all(dim=1)
    assert 5 < shrunk.sum() < 35
    assert (mirrored > 0.1).all()
    torch.testing.assert_close(mirrored[:, 9:15, 12:20], black[:, 9:15, 12:20], atol=1e-5, rtol=0)
    either = apply(films, drawn(zoom=0.5, mirrored=0.5, count=40))
    kept = (either == mirrored).all(dim=(1, 2)) & shrunk
    assert 0 < kept.sum() < shrunk.sum()
    assert ((either == black) | (either == mirrored))[shrunk].all()


def test_that_gamma_keeps_black_and_white():
    films = torch.stack([torch.zeros(SIZE), torch.ones(SIZE), torch.full(SIZE, 0.5)])
    found = apply(films, drawn(gamma=0.5))
    torch.testing.assert_close(found[:2], films[:2], atol=1e-2, rtol=0)
    assert (found[2] - 0.5).abs().max() > 0.01


def test_that_the_collimator_covers_the_sides_only():
    found = apply(torch.ones(50, *SIZE), drawn(collimate=1.0, collimate_width=0.2, count=50))
    assert (found[:, 6:18, 8:24] == 1).all()
    assert (found[:, 0] == 0).all(dim=1).any()


def test_that_each_film_of_a_batch_is_changed_on_its_own():
    config = AugmentConfig()
    draws = draw(config, 3, SIZE, np.random.default_rng(0))
    whole = apply(greys(), dataclasses.replace(draws, noise_B=np.zeros(3, np.float32)))
    alone = Draws(
        draws.affine_B23[1:2], draws.gamma_B[1:2], np.zeros(1, np.float32), draws.noise_seed,
        draws.blur_B[1:2], draws.collimate_B4[1:2],
    )  # fmt: skip
    torch.testing.assert_close(apply(greys()[1:2], alone)[0], whole[1])


def test_that_brightness_multiplies_the_grey_and_moves_no_other_draw():
    found = apply(torch.full((50, *SIZE), 0.5), drawn(brightness=0.1, count=50))
    factors = found.mean((1, 2)) / 0.5
    assert 0.9 - 1e-5 <= factors.min() < 0.95 < 1.05 < factors.max() <= 1.1 + 1e-5
    plain = draw(AugmentConfig(), 3, SIZE, np.random.default_rng(4))
    bright = draw(AugmentConfig(brightness=0.1), 3, SIZE, np.random.default_rng(4))
    np.testing.assert_array_equal(plain.affine_B23, bright.affine_B23)
    np.testing.assert_array_equal(plain.collimate_B4, bright.collimate_B4)
    assert plain.noise_seed == bright.noise_seed


def test_that_a_turned_film_keeps_its_detail():
    chance = torch.Generator().manual_seed(0)
    coarse = torch.rand((2, 1, 24, 32), generator=chance)
    films = torch.nn.functional.interpolate(coarse, scale_factor=3, mode="bicubic").clamp(0, 1)
    draws = draw(
        dataclasses.replace(NOTHING, rotate_deg=5.0), 2, (72, 96), np.random.default_rng(0)
    )

    def steepness(films_BHW: torch.Tensor) -> float:
        return float(films_BHW[:, 18:-18, 24:-24].diff(dim=-1).square().mean().sqrt())

    ratio = steepness(apply(films[:, 0], draws)) / steepness(films[:, 0])
    assert ratio == pytest.approx(1.0, abs=0.05)
