"""Threads that each take one film at a time through the network.

In a batch, the last digits of a film's logits depend on the number of films, because the kernels
sum in another order. A pass of its own for each film does not, and with a pass on every core there
is no barrier at which threads wait for each other: as fast as a batch, and unharmed by other
programs that want the cores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from xrayview.inference.cores import available_cores

Item = TypeVar("Item")
Result = TypeVar("Result")
MAX_STREAMS = 16
"""Each one needs memory for the maps of a film; beyond it decoding is what films wait for."""


def stream_count() -> int:
    """How many films to take through the network at the same time."""
    return min(available_cores(), MAX_STREAMS)


class Streams:
    """Threads that start with the first call.

    Args:
        count: how many.
        prepare: runs in each thread before its first film.
    """

    def __init__(self, count: int, prepare: Callable[[], object]) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count, "xrayview stream", initializer=prepare)

    def map(self, call: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """The results in order. Raises: what the first call that fails has raised."""
        futures = [self._pool.submit(call, item) for item in items]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()
