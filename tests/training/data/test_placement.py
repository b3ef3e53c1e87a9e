"""Placement transfer: lungs moved to where another film's lungs are."""

import dataclasses

import numpy as np
import pytest
import torch

from training.audit.appearance_swap import SWAPS, SwapFilm
from training.config import AugmentConfig
from training.data import augment, placement
from training.data.batches import FilmSet, TrainingBatches
from training.recipes import recipe
from xrayview.domain.model import PreprocessSpec
from xrayview.errors import UsageError
from xrayview.preprocessing.pipeline import Preprocessor

SIZE = (40, 50)
NO_AUGMENTATION = AugmentConfig(
    rotate_deg=0, shift=0, zoom=0, squeeze=0, flip=0, gamma=0, noise=0, blur=0, collimate=0
)
LUNGS = ((10, 30, 15, 40), (4, 34, 10, 45), (12, 25, 20, 35))
"""First row, row past the last, first column, column past the last."""


def lungs_NHW() -> np.ndarray:
    masks = np.zeros((len(LUNGS), *SIZE), np.uint8)
    for mask_HW, (top, bottom, left, right) in zip(masks, LUNGS, strict=True):
        mask_HW[top:bottom, left:right] = 1
    return masks


def moved_lungs(own: int, donor: int) -> np.ndarray:
    """Return the own lungs after the move."""
    boxes_N4 = placement.lung_boxes(lungs_NHW())
    draws = augment.draw(NO_AUGMENTATION, 1, SIZE, np.random.default_rng(0))
    moved = placement.PlacementDraws(np.array([True]), np.array([donor]))
    affine = placement.move_lungs(draws.affine_B23, boxes_N4[[own]], boxes_N4[[donor]], moved)
    films = lungs_NHW()[[own]].astype(np.float32)
    return augment.apply(films, dataclasses.replace(draws, affine_B23=affine))[0]


@pytest.mark.parametrize(("own", "donor"), [(0, 1), (1, 0), (0, 2), (0, 0)])
def test_that_the_lungs_fill_the_donors_box(own: int, donor: int) -> None:
    moved_HW, expected_HW = moved_lungs(own, donor) > 0.5, lungs_NHW()[donor] > 0
    assert (moved_HW != expected_HW).sum() <= 0.02 * expected_HW.sum()


def test_that_nothing_moves_if_either_film_has_no_mask() -> None:
    boxes_N4 = placement.lung_boxes(np.zeros((1, *SIZE), np.uint8))
    known_N4 = placement.lung_boxes(lungs_NHW())[:1]
    affine = augment.draw(NO_AUGMENTATION, 1, SIZE, np.random.default_rng(0)).affine_B23
    moved = placement.PlacementDraws(np.array([True]), np.array([0]))
    for own, donor in ((boxes_N4, known_N4), (known_N4, boxes_N4)):
        assert np.array_equal(placement.move_lungs(affine, own, donor, moved), affine)


def test_that_the_stretch_is_limited_for_half_a_lung() -> None:
    own, sliver = np.float32([[-0.8, -0.8, 0.8, 0.8]]), np.float32([[0.0, -0.5, 0.02, 0.5]])
    affine = augment.draw(NO_AUGMENTATION, 1, SIZE, np.random.default_rng(0)).affine_B23
    moved = placement.PlacementDraws(np.array([True]), np.array([0]))
    for found in (
        placement.move_lungs(affine, own, sliver, moved),
        placement.move_lungs(affine, sliver, own, moved),
    ):
        assert 0.6 < np.abs(found[0, 0, 0]) < 1.7


@pytest.fixture
def films() -> FilmSet:
    """Three films, the same lungs as light on dark."""
    return FilmSet(
        lungs_NHW().astype(np.float32) * 0.8,
        np.arange(3),
        np.float32([[0], [1], [1]]),
        ("a", "b", "c"),
        lungs_NHW=lungs_NHW(),
    )


def test_that_a_share_of_the_films_is_moved_and_the_same_ones_every_time(films: FilmSet) -> None:
    preprocessor = Preprocessor(PreprocessSpec(size=SIZE))
    unmoved = TrainingBatches(
        films, preprocessor, dataclasses.replace(NO_AUGMENTATION, gamma=1e-9), 3, 1
    )
    moved = TrainingBatches(
        films, preprocessor, dataclasses.replace(NO_AUGMENTATION, placement=0.5), 3, 1
    )
    changed = 0
    for epoch in range(20):
        batch = moved.batch(epoch, 0)
        assert torch.equal(batch.x_BCHW, moved.batch(epoch, 0).x_BCHW)
        difference = (batch.x_BCHW - unmoved.batch(epoch, 0).x_BCHW).abs().mean(dim=(1, 2, 3))
        changed += int((difference > 0.05).sum())
    assert 8 < changed < 35  # of 60; half of them, and one donor of three is the film itself


def test_that_placement_needs_masks() -> None:
    config = recipe("normal-bacterial-viral")
    with pytest.raises(UsageError, match="lung_masks"):
        dataclasses.replace(config, augment=dataclasses.replace(config.augment, placement=0.5))


def test_that_the_audit_moves_lungs_into_the_donors_box_and_skips_films_without_masks() -> None:
    own_HW, donor_HW = lungs_NHW()[0] > 0, lungs_NHW()[1] > 0
    grey_HW = own_HW.astype(np.float32)
    moved_HW = SWAPS["placement"](SwapFilm(grey_HW, grey_HW, own_HW, donor_HW, present=True))
    assert ((moved_HW > 0.5) != donor_HW).sum() <= 0.02 * donor_HW.sum()
    for masks in ((None, donor_HW), (own_HW, None), (own_HW, np.zeros_like(own_HW))):
        assert SWAPS["placement"](SwapFilm(grey_HW, grey_HW, *masks, present=True)) is None
