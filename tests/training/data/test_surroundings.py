"""Surroundings transfer: the film's own lungs in another film's surroundings."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from training.data.lung_masks import LungMasks
from training.data.manifest import FilmRow
from training.data.surroundings import SurroundingsDraws, draw, load_lungs, replace_surroundings
from xrayview.domain.model import PreprocessSpec
from xrayview.preprocessing.pipeline import Preprocessor

SIDE = 64


def films(count: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    own, donors = rng.random((2, count, SIDE, SIDE)).astype(np.float32)
    lungs = np.zeros((count, SIDE, SIDE), np.uint8)
    lungs[:, 20:44, 16:48] = 1
    return own, lungs, donors


def random_draws(**changes: object) -> SurroundingsDraws:
    plain = SurroundingsDraws(
        replaced_B=np.array([True, True]),
        donors_B=np.array([0, 1]),
        blurred_B=np.array([False, False]),
        flat_B=np.full(2, np.nan, np.float32),
    )
    return SurroundingsDraws(**(vars(plain) | changes))  # type: ignore[arg-type]


def test_that_the_lungs_stay_and_the_corners_are_the_donors():
    own, lungs, donors = films()
    replaced = replace_surroundings(own, lungs, donors, random_draws())
    np.testing.assert_allclose(replaced[:, 22:42, 18:46], own[:, 22:42, 18:46], atol=1e-4)
    np.testing.assert_allclose(replaced[:, :12], donors[:, :12], atol=1e-4)


def test_that_a_film_without_a_mask_or_not_drawn_is_unchanged():
    own, lungs, donors = films()
    lungs[0] = 0
    replaced = replace_surroundings(
        own, lungs, donors, random_draws(replaced_B=np.array([True, False]))
    )
    np.testing.assert_array_equal(replaced, own)


def test_that_flat_surroundings_have_one_grey_and_blurred_ones_little_texture():
    own, lungs, donors = films()
    replaced = replace_surroundings(
        own,
        lungs,
        donors,
        random_draws(flat_B=np.array([0.3, np.nan], np.float32), blurred_B=np.array([False, True])),
    )
    np.testing.assert_allclose(replaced[0, :12], 0.3, atol=1e-4)
    assert replaced[1, :12].std() < donors[1, :12].std() / 2


def test_that_the_input_is_not_modified():
    own, lungs, donors = films()
    before = own.copy()
    replace_surroundings(own, lungs, donors, random_draws())
    np.testing.assert_array_equal(own, before)


def test_that_the_same_draws_come_from_the_same_generator():
    one, again = (draw(0.5, 200, 40, np.random.default_rng(3)) for _ in range(2))
    for name in vars(one):
        np.testing.assert_array_equal(getattr(one, name), getattr(again, name))
    assert 60 < one.replaced_B.sum() < 140
    assert not (one.blurred_B & ~np.isnan(one.flat_B)).any()


def test_that_masks_are_mapped_like_the_film_and_cached(tmp_path: Path):
    mask = np.zeros((30, 20), np.uint8)
    mask[:15] = 255
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks" / "b.png"), mask)
    rows = [
        FilmRow("x/a.jpeg", "", "1", ("normal",), ""),
        FilmRow("x/b.jpeg", "", "2", ("normal",), ""),
    ]
    preprocessor = Preprocessor(PreprocessSpec(size=(16, 16), fit="stretch"))
    masks = LungMasks(tmp_path / "masks")
    first = load_lungs(rows, masks, preprocessor, tmp_path / "cache")
    assert not first[0].any()
    assert first[1, :8].all()
    assert not first[1, 8:].any()
    cached = list((tmp_path / "cache").iterdir())
    np.testing.assert_array_equal(load_lungs(rows, masks, preprocessor, tmp_path / "cache"), first)
    assert list((tmp_path / "cache").iterdir()) == cached
