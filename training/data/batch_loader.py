"""Who makes the batches: threads ahead of a GPU, or all cores of a network that learns on them.

Batches depend on their number alone, so that what is learnt does not depend on who made them when.
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

Number = tuple[int, int]
"""Epoch and step, counted from 0."""


class BatchLoader:
    """Batches by number, made by threads; to be closed by `with`.

    A batch is made when it is asked for, a part by each thread: beside a network that learns on
    the same cores a batch made ahead takes twice its time from it, because every team of threads
    waits for its last one.
    """

    def __init__(self, batches: TrainingBatches, makers: int) -> None:
        self._batches, self._makers = batches, makers
        self._pool = ThreadPoolExecutor(makers, thread_name_prefix="batches", initializer=_alone)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def batch(self, epoch: int, step: int) -> Batch:
        """The batch of a step.

        Raises:
            What making the batch raises.
        """
        return self._batches.batch(epoch, step, self._pool.map, self._makers)


class BatchPrefetcher(BatchLoader):
    """Batches in the order of training, one ahead by each thread, while a GPU learns."""

    def __init__(self, batches: TrainingBatches, epochs: int, makers: int = 1) -> None:
        super().__init__(batches, makers)
        self._epochs = epochs
        self._waiting: dict[Number, Future[Batch]] = {}

    def batch(self, epoch: int, step: int) -> Batch:
        """The batch of a step; those after it are begun.

        Raises:
            What making the batch raises.
        """
        asked = self._waiting.pop((epoch, step), None) or self._begin((epoch, step))
        # Not before the one asked for is made: a failure of that one ends the run.
        found = asked.result()
        following = list(islice(self._after(epoch, step), self._makers))
        self._waiting = {
            number: self._waiting.get(number) or self._begin(number) for number in following
        }
        return found

    def _after(self, epoch: int, step: int) -> Iterator[Number]:
        steps = self._batches.steps
        for place in range(epoch * steps + step + 1, self._epochs * steps):
            yield divmod(place, steps)

    def _begin(self, number: Number) -> Future[Batch]:
        return self._pool.submit(self._batches.batch, *number)


def _alone() -> None:
    """A team of threads of its own would wait on the cores that the network learns on."""
    torch.get_num_threads()  # gives a new thread its team, which the limit then takes away
    # OpenMP's limit is the calling thread's; others keep theirs.
    threadpool_limits(1, user_api="openmp")
    cv2.setNumThreads(1)
