"""Batches made ahead, or by several threads, are those that one would have made."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from training.config import AugmentConfig
from training.data.batch_loader import BatchLoader, BatchPrefetcher
from training.data.batches import Batch, FilmSet, TrainingBatches
from xrayview.domain.model import PreprocessSpec
from xrayview.preprocessing.pipeline import Preprocessor

EPOCHS = 2
LENT = AugmentConfig(
    tone=0.5, sharpness=0.5, surroundings=0.5, placement=0.5, mirrored=0.5, brightness=0.1
)


@pytest.fixture
def batches() -> TrainingBatches:
    rng = np.random.default_rng(0)
    films = FilmSet(
        rng.random((9, 16, 16), dtype=np.float32),
        np.arange(9),
        np.ones((9, 1), np.float32),
        tuple(map(str, range(9))),
        lungs_NHW=rng.integers(0, 2, (9, 16, 16), dtype=np.uint8),
    )
    spec = PreprocessSpec(size=(16, 16), standardize="film")
    return TrainingBatches(
        films, Preprocessor(spec), AugmentConfig(tone=0.5, sharpness=0.5), size=3, seed=1
    )


def numbers(batches: TrainingBatches) -> Iterator[tuple[int, int]]:
    return ((epoch, step) for epoch in range(EPOCHS) for step in range(batches.steps))


def same(one: Batch, other: Batch) -> bool:
    return one.names == other.names and torch.equal(one.x_BCHW, other.x_BCHW)


@pytest.mark.parametrize("makers", [1, 4])
def test_that_they_are_the_same_from_any_step_on(batches: TrainingBatches, makers: int):
    for start in [(0, 0), (0, 2), (1, 1)]:
        with BatchPrefetcher(batches, EPOCHS, makers) as ahead:
            for number in numbers(batches):
                if number >= start:
                    assert same(ahead.batch(*number), batches.batch(*number))


@pytest.mark.parametrize("makers", [1, 2, 5])
def test_that_several_threads_make_the_same_batch(batches: TrainingBatches, makers: int):
    with BatchLoader(batches, makers) as supply:
        for number in numbers(batches):
            assert same(supply.batch(*number), batches.batch(*number))


def test_that_a_failure_of_a_film_comes_up_from_the_threads(
    batches: TrainingBatches, monkeypatch: pytest.MonkeyPatch
):
    def fail(grey_HW: np.ndarray) -> np.ndarray:
        raise OSError("the disk is gone")

    monkeypatch.setattr(batches.preprocessor, "finish", fail)
    with BatchLoader(batches, 2) as supply, pytest.raises(OSError, match="the disk is gone"):
        supply.batch(0, 0)


def test_that_a_step_out_of_order_is_made_when_asked_for(batches: TrainingBatches):
    with BatchPrefetcher(batches, EPOCHS) as ahead:
        ahead.batch(0, 0)
        assert same(ahead.batch(1, 2), batches.batch(1, 2))


@pytest.mark.parametrize("makers", [1, 4])
def test_that_each_is_made_once_and_none_past_the_last(
    batches: TrainingBatches, monkeypatch: pytest.MonkeyPatch, makers: int
):
    made: list[tuple[int, int]] = []
    draw = batches.batch
    monkeypatch.setattr(batches, "batch", lambda *number: made.append(number) or draw(*number))
    with BatchPrefetcher(batches, EPOCHS, makers) as ahead:
        for number in numbers(batches):
            ahead.batch(*number)
    assert sorted(made) == list(numbers(batches))


def test_that_a_failure_comes_up_where_its_batch_is_asked_for(
    batches: TrainingBatches, monkeypatch: pytest.MonkeyPatch
):
    draw = batches.batch

    def draw_or_fail(epoch: int, step: int) -> Batch:
        if step == 1:
            raise OSError("the disk is gone")
        return draw(epoch, step)

    monkeypatch.setattr(batches, "batch", draw_or_fail)
    with BatchPrefetcher(batches, EPOCHS) as ahead:
        ahead.batch(0, 0)
        with pytest.raises(OSError, match="the disk is gone"):
            ahead.batch(0, 1)


def test_that_no_thread_is_left(batches: TrainingBatches):
    with BatchPrefetcher(batches, EPOCHS) as ahead, BatchLoader(batches, 2) as supply:
        ahead.batch(0, 0)
        supply.batch(0, 0)
    assert not [t for t in threading.enumerate() if t.name.startswith("batches")]


def test_that_they_are_made_by_one_thread_and_the_network_keeps_its_own(
    batches: TrainingBatches, monkeypatch: pytest.MonkeyPatch
):
    threads = torch.get_num_threads()
    seen: list[int] = []
    draw = batches.batch
    monkeypatch.setattr(
        batches, "batch", lambda *number: seen.append(torch.get_num_threads()) or draw(*number)
    )
    torch.set_num_threads(2)
    try:
        with BatchPrefetcher(batches, EPOCHS) as ahead:
            ahead.batch(0, 0)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert set(seen) == {1}
