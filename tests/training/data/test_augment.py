"""Augmentation: draws depend only on the generator, applying them is deterministic."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
import torch
from torch.nn.functional import affine_grid, grid_sample

from training.config import AugmentConfig
from training.data.augment import Draws, Floats, apply, draw

SIZE = (24, 32)
NO_AUGMENTATION = AugmentConfig(
    rotate_deg=0, shift=0, zoom=0, squeeze=0, flip=0, gamma=0, noise=0, blur=0, collimate=0
)


def greys(count: int = 3) -> Floats:
    return np.random.default_rng(0).random((count, *SIZE), dtype=np.float32)


def random_draws(seed: int = 0, count: int = 3, **changes: float) -> Draws:
    config = dataclasses.replace(NO_AUGMENTATION, **changes)
    return draw(config, count, SIZE, np.random.default_rng(seed))


def test_that_without_ranges_films_do_not_change():
    np.testing.assert_allclose(apply(greys(), random_draws()), greys(), atol=1e-5)


def test_that_the_same_draws_give_the_same_films():
    config = AugmentConfig()
    draws = draw(config, 3, SIZE, np.random.default_rng(7))
    again = draw(config, 3, SIZE, np.random.default_rng(7))
    other = draw(config, 3, SIZE, np.random.default_rng(8))
    assert np.array_equal(apply(greys(), draws), apply(greys(), again))
    assert not np.array_equal(apply(greys(), draws), apply(greys(), other))


def test_that_the_input_is_not_modified():
    films = greys()
    apply(films, draw(AugmentConfig(), 3, SIZE, np.random.default_rng(0)))
    assert np.array_equal(films, greys())


def test_that_a_flip_is_the_mirror_image():
    found = apply(greys(), random_draws(flip=1.0))
    np.testing.assert_allclose(found, greys()[..., ::-1], atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_that_the_result_is_grey_between_0_and_1(seed: int):
    config = AugmentConfig(noise=0.3, blur=1.0, gamma=1.0, collimate=1.0)
    found = apply(greys(), draw(config, 3, SIZE, np.random.default_rng(seed)))
    assert found.shape == (3, *SIZE)
    assert found.dtype == np.float32
    assert 0 <= found.min() <= found.max() <= 1


def test_that_rotation_keeps_a_disc_round_on_a_wide_input():
    y, x = np.mgrid[:24, :32]
    disc = ((y - 11.5) ** 2 + (x - 15.5) ** 2 < 64).astype(np.float32)
    found = apply(np.stack([disc] * 8), random_draws(rotate_deg=45, count=8))
    assert np.abs(found - disc).mean() < 0.02


def test_that_beyond_its_edges_a_film_is_black_or_mirrored():
    films = 0.4 + 0.2 * greys(40)
    black = apply(films, random_draws(zoom=0.5, count=40))
    mirrored = apply(films, random_draws(zoom=0.5, mirrored=1.0, count=40))
    shrunk = (black[:, 0] < 0.1).all(axis=1)
    assert 5 < shrunk.sum() < 35
    assert (mirrored > 0.1).all()
    np.testing.assert_allclose(mirrored[:, 9:15, 12:20], black[:, 9:15, 12:20], atol=1e-5)
    either = apply(films, random_draws(zoom=0.5, mirrored=0.5, count=40))
    drawn = (either == mirrored).all(axis=(1, 2)) & shrunk
    assert 0 < drawn.sum() < shrunk.sum()
    assert ((either == black) | (either == mirrored))[shrunk].all()


def test_that_gamma_keeps_black_and_white():
    films = np.stack([np.full(SIZE, grey, np.float32) for grey in (0, 1, 0.5)])
    found = apply(films, random_draws(gamma=0.5))
    np.testing.assert_allclose(found[:2], films[:2], atol=1e-2)
    assert np.abs(found[2] - 0.5).max() > 0.01


def test_that_the_collimator_covers_the_sides_only():
    found = apply(
        np.ones((50, *SIZE), np.float32),
        random_draws(collimate=1.0, collimate_width=0.2, count=50),
    )
    assert (found[:, 6:18, 8:24] == 1).all()
    assert (found[:, 0] == 0).all(axis=1).any()


def test_that_each_film_of_a_batch_is_changed_on_its_own():
    config = AugmentConfig()
    draws = draw(config, 3, SIZE, np.random.default_rng(0))
    whole = apply(greys(), draws)
    alone = Draws(
        draws.affine_B23[1:2], draws.gamma_B[1:2], draws.noise_B[1:2], draws.noise_from_B[1:2],
        draws.blur_B[1:2], draws.collimate_B4[1:2],
    )  # fmt: skip
    np.testing.assert_array_equal(apply(greys()[1:2], alone)[0], whole[1])


def test_that_brightness_multiplies_the_grey_and_moves_no_other_draw():
    found = apply(np.full((50, *SIZE), 0.5, np.float32), random_draws(brightness=0.1, count=50))
    factors = found.mean((1, 2)) / 0.5
    assert 0.9 - 1e-5 <= factors.min() < 0.95 < 1.05 < factors.max() <= 1.1 + 1e-5
    plain = draw(AugmentConfig(), 3, SIZE, np.random.default_rng(4))
    bright = draw(AugmentConfig(brightness=0.1), 3, SIZE, np.random.default_rng(4))
    np.testing.assert_array_equal(plain.affine_B23, bright.affine_B23)
    np.testing.assert_array_equal(plain.collimate_B4, bright.collimate_B4)
    np.testing.assert_array_equal(plain.noise_from_B, bright.noise_from_B)


def test_that_a_rotated_film_keeps_its_detail():
    coarse = np.random.default_rng(0).random((2, 24, 32), dtype=np.float32)
    films = np.stack([cv2.resize(film, (96, 72), interpolation=cv2.INTER_CUBIC) for film in coarse])
    films = films.clip(0, 1)
    draws = draw(
        dataclasses.replace(NO_AUGMENTATION, rotate_deg=5.0), 2, (72, 96), np.random.default_rng(0)
    )

    def steepness(films_BHW: Floats) -> float:
        return float(np.sqrt((np.diff(films_BHW[:, 18:-18, 24:-24]) ** 2).mean()))

    ratio = steepness(apply(films, draws)) / steepness(films)
    assert ratio == pytest.approx(1.0, abs=0.05)


def test_that_a_film_is_moved_as_torch_samples_it():
    draws = random_draws(
        rotate_deg=20, shift=0.1, zoom=0.2, squeeze=0.1, flip=0.5, mirrored=0.5, count=8
    )
    assert draws.mirrored_B is not None
    grid = affine_grid(torch.from_numpy(draws.affine_B23), (8, 1, *SIZE), align_corners=False)
    for film, grey_HW in enumerate(greys(8)):
        sampled = grid_sample(
            torch.from_numpy(grey_HW)[None, None], grid[film : film + 1], mode="bicubic",
            padding_mode="reflection" if draws.mirrored_B[film] else "zeros", align_corners=False,
        )  # fmt: skip
        moved_HW = apply(greys(8), draws)[film]
        np.testing.assert_allclose(moved_HW, sampled[0, 0].clip(1e-6, 1), atol=1e-4)


def test_that_noise_has_the_deviation_that_was_drawn_and_differs_between_films():
    films = np.full((40, *SIZE), 0.5, np.float32)
    draws = random_draws(noise=0.1, count=40)
    noise = apply(films, draws) - 0.5
    np.testing.assert_allclose(noise.std(axis=(1, 2)), draws.noise_B, rtol=0.1)
    assert np.abs(np.corrcoef(noise.reshape(40, -1)) - np.eye(40)).max() < 0.25
