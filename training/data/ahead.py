"""The next batches are made in threads of their own while the network learns from this one.

Batches depend on their number alone, so that what is learnt does not depend on who made them when.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import cv2
import torch
from threadpoolctl import threadpool_limits

from training.data.batches import Batch, TrainingBatches

Number = tuple[int, int]
"""Epoch and step, counted from 0."""


class Ahead:
    """Batches in the order of training, one ahead for each maker; to be closed by `with`."""

    def __init__(self, batches: TrainingBatches, epochs: int, makers: int = 1) -> None:
        self._batches, self._epochs, self._makers = batches, epochs, makers
        self._pool = ThreadPoolExecutor(makers, thread_name_prefix="batches", initializer=_alone)
        self._waiting: dict[Number, Future[Batch]] = {}

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

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
