"""Batches do not depend on whether they are prepared ahead or by several threads."""

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
TRANSFER = AugmentConfig(
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
    return TrainingBatches(films, Preprocessor(spec), TRANSFER, size=3, seed=1)


def all_steps(batches: TrainingBatches) -> Iterator[tuple[int, int]]:
    return ((epoch, step) for epoch in range(EPOCHS) for step in range(batches.steps))


def same(one: Batch, other: Batch) -> bool:
    return one.names == other.names and torch.equal(one.x_BCHW, other.x_BCHW)


@pytest.mark.parametrize("threads", [1, 4])
def test_that_prefetched_batches_are_the_same_from_any_step_on(
    batches: TrainingBatches, threads: int
):
    for start in [(0, 0), (0, 2), (1, 1)]:
        with BatchPrefetcher(batches, EPOCHS, threads) as prefetcher:
            for index in all_steps(batches):
                if index >= start:
                    assert same(prefetcher.batch(*index), batches.batch(*index))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_that_several_threads_prepare_the_same_batch(batches: TrainingBatches, threads: int):
    with BatchLoader(batches, threads) as loader:
        for index in all_steps(batches):
            assert same(loader.batch(*index), batches.batch(*index))


def test_that_an_error_in_a_thread_is_raised_in_the_loop(
    batches: TrainingBatches, monkeypatch: pytest.MonkeyPatch
):
    def fail(grey_HW: np.ndarray) -> np.ndarray:
        raise OSError("the disk is gone")

    monkeypatch.setattr(batches.preprocessor, "finish", fail)
    with BatchLoader(batches, 2) as loader, pytest.raises(OSError, match="the disk is gone"):
        loader.batch(0, 0)


def test_that_a_step_out_of_order_is_prepared_on_request(batches: TrainingBatches):
    with BatchPrefetcher(batches, EPOCHS) as prefetcher:
        prefetcher.batch(0, 0)
        assert same(prefetcher.batch(1, 2), batches.batch(1, 2))


@pytest.mark.parametrize("threads", [1, 4])
def test_that_each_batch_is_prepared_once_and_none_after_the_last(
    batches: TrainingBatches, monkeypatch: pytest.MonkeyPatch, threads: int
):
    prepared: list[tuple[int, int]] = []
    draw = batches.batch
    monkeypatch.setattr(batches, "batch", lambda *index: prepared.append(index) or draw(*index))
    with BatchPrefetcher(batches, EPOCHS, threads) as prefetcher:
        for index in all_steps(batches):
            prefetcher.batch(*index)
    assert sorted(prepared) == list(all_steps(batches))


def test_that_an_error_is_raised_when_its_batch_is_requested(
    batches: TrainingBatches, monkeypatch: pytest.MonkeyPatch
):
    draw = batches.batch

    def draw_or_fail(epoch: int, step: int) -> Batch:
        if step == 1:
            raise OSError("the disk is gone")
        return draw(epoch, step)

    monkeypatch.setattr(batches, "batch", draw_or_fail)
    with BatchPrefetcher(batches, EPOCHS) as prefetcher:
        prefetcher.batch(0, 0)
        with pytest.raises(OSError, match="the disk is gone"):
            prefetcher.batch(0, 1)


def test_that_all_threads_end(batches: TrainingBatches):
    with BatchPrefetcher(batches, EPOCHS) as prefetcher, BatchLoader(batches, 2) as loader:
        prefetcher.batch(0, 0)
        loader.batch(0, 0)
    assert not [t for t in threading.enumerate() if t.name.startswith("batches")]


def test_that_a_loader_thread_uses_one_thread_and_the_network_keeps_its_own(
    batches: TrainingBatches, monkeypatch: pytest.MonkeyPatch
):
    threads = torch.get_num_threads()
    seen: list[int] = []
    draw = batches.batch
    monkeypatch.setattr(
        batches, "batch", lambda *index: seen.append(torch.get_num_threads()) or draw(*index)
    )
    torch.set_num_threads(2)
    try:
        with BatchPrefetcher(batches, EPOCHS) as prefetcher:
            prefetcher.batch(0, 0)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert set(seen) == {1}
