"""Threads that prepare batches: ahead of a GPU, or on all cores between the steps of a CPU.

A batch depends only on its epoch and step, so what is learnt does not depend on which thread
prepared it, or when.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Self

import cv2
import torch
from threadpoolctl import threadpool_limits

from training.data.batches import Batch, TrainingBatches

BatchIndex = tuple[int, int]
"""Epoch and step, counted from 0."""


class BatchLoader:
    """Context manager that prepares each batch on request, split over threads.

    Nothing is prepared ahead: beside a network that learns on the same cores, a batch prepared
    ahead costs twice its time, because every team of threads waits for its slowest one.
    """

    def __init__(self, batches: TrainingBatches, threads: int) -> None:
        self._batches, self._threads = batches, threads
        self._pool = ThreadPoolExecutor(
            threads, thread_name_prefix="batches", initializer=_use_one_thread
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def batch(self, epoch: int, step: int) -> Batch:
        """Return the batch of a step.

        Raises:
            Whatever preparing the batch raises.
        """
        return self._batches.batch(epoch, step, self._pool.map, self._threads)


class BatchPrefetcher(BatchLoader):
    """Prepares batches in the order of training, one ahead per thread, while a GPU learns."""

    def __init__(self, batches: TrainingBatches, epochs: int, threads: int = 1) -> None:
        super().__init__(batches, threads)
        self._epochs = epochs
        self._pending: dict[BatchIndex, Future[Batch]] = {}

    def batch(self, epoch: int, step: int) -> Batch:
        """Return the batch of a step and start preparing those after it.

        Raises:
            Whatever preparing the batch raises.
        """
        requested = self._pending.pop((epoch, step), None) or self._submit((epoch, step))
        # Wait for it before submitting more: if it fails, the run ends.
        batch = requested.result()
        following = list(islice(self._after(epoch, step), self._threads))
        self._pending = {
            index: self._pending.get(index) or self._submit(index) for index in following
        }
        return batch

    def _after(self, epoch: int, step: int) -> Iterator[BatchIndex]:
        steps = self._batches.steps
        for i in range(epoch * steps + step + 1, self._epochs * steps):
            yield divmod(i, steps)

    def _submit(self, index: BatchIndex) -> Future[Batch]:
        return self._pool.submit(self._batches.batch, *index)


def _use_one_thread() -> None:
    """Keep a loader thread from starting a team of threads that competes with the network's."""
    torch.get_num_threads()  # creates the thread's team, which the limit then shrinks
    # OpenMP's limit applies to the calling thread only.
    threadpool_limits(1, user_api="openmp")
    cv2.setNumThreads(1)
