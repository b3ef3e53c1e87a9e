"""One pool of worker processes with a queue in front that knows what is urgent.

The pool itself works first in, first out. So only as many tasks are handed to it as it has
workers; the rest wait here, where a film that the user has just clicked overtakes them.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import multiprocessing
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import Any

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from xrayview.engine import failures
from xrayview.engine.protocol import Reply, Request
from xrayview.engine.shared_array import discard, new_name
from xrayview.engine.transport import unpack
from xrayview.engine.worker import run
from xrayview.errors import Cancelled, XrayViewError

_log = logging.getLogger(__name__)
LOOK_S = 1.0
START_S = 60.0
"""What a worker may take until it asks for its first task, on a machine that is very busy."""
GRIP_S = 5.0
"""A worker has the pool's channel for itself for milliseconds; for so long only a dead one has."""
_ORPHANS = 64
"""More tasks than can be cancelled before the workers that had them have ended."""


class Priority(IntEnum):
    """What goes first; the same priority is served in the order it came."""

    INTERACTIVE = 0
    """The user waits for it."""
    SCAN = 1
    PREFETCH = 2
    """Thumbnails, neighbours of the film on screen."""
    BATCH = 3


@dataclass(order=True)
class Job:
    """One request on its way; ordered by urgency."""

    priority: Priority
    number: int
    request: Request = field(compare=False)
    timeout_s: float = field(compare=False)
    future: Future[Any] = field(compare=False, default_factory=ProcessFuture)
    segment: str = field(compare=False, default_factory=new_name)
    attempts: int = field(compare=False, default=0)
    inner: Future[Any] | None = field(compare=False, default=None)
    handed_over_s: float = field(compare=False, default=0.0)

    @property
    def is_overdue(self) -> bool:
        """The pool should have ended it long ago, a worker's start included."""
        return time.monotonic() - self.handed_over_s > self.timeout_s + START_S


class Lane:
    """A pool that is started with the first request, and again when it breaks.

    Args:
        name: of its thread, for the log.
        workers: processes.
        background: how many of them anything but an INTERACTIVE request may use.
        prepare: runs in each new worker before its first task.
    """

    def __init__(
        self, name: str, workers: int, background: int, prepare: Callable[[], None]
    ) -> None:
        self._workers = workers
        self._background = background
        self._prepare = prepare
        self._waiting: list[Job] = []
        self._running: set[int] = set()
        self._jobs: dict[int, Job] = {}
        # A worker that is about to be ended may still make the segment of its cancelled task.
        self._orphans: deque[str] = deque(maxlen=_ORPHANS)
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._pool: Any = None
        # All dealings with the pool are this thread's: starting processes would hold up a window.
        self._thread = threading.Thread(target=self._serve, name=f"xrayview {name}", daemon=True)
        self._thread.start()

    def submit(self, request: Request, priority: Priority, timeout_s: float) -> Future[Any]:
        """Queue a request. Raises: Cancelled once the lane is closed."""
        job = Job(priority, next(self._numbers), request, timeout_s)
        job.future.add_done_callback(partial(self._withdrawn, job))
        with self._changed:
            if self._closed:
                raise Cancelled("The engine is closed")
            self._jobs[job.number] = job
            heapq.heappush(self._waiting, job)
            self._changed.notify_all()
        return job.future

    def hasten(self, future: Future[Any], priority: Priority) -> None:
        """Let a request overtake others while it still waits; it is never made less urgent."""
        with self._changed:
            for job in self._waiting:
                if job.future is future and priority < job.priority:
                    job.priority = priority
                    heapq.heapify(self._waiting)
                    self._changed.notify_all()
                    return

    def close(self) -> None:
        """Cancel everything and end the processes, those at work included."""
        with self._changed:
            self._closed = True
            jobs = list(self._jobs.values())
            self._changed.notify_all()
        for job in jobs:
            job.future.cancel()
        self._thread.join()

    def _serve(self) -> None:
        while not self._closed:
            if job := self._next():
                self._start(job)
            else:
                self._look_after_pool()
        self._end_pool()

    def _next(self) -> Job | None:
        """The most urgent job once one may start; None now and then, to look after the pool."""
        with self._changed:
            if not self._closed and not self._may_start():
                self._changed.wait(LOOK_S if self._running else None)
            while self._may_start() and not self._closed:
                job = heapq.heappop(self._waiting)
                if not job.future.cancelled():
                    self._running.add(job.number)
                    return job
        return None

    def _may_start(self) -> bool:
        if not self._waiting:
            return False
        urgent = self._waiting[0].priority is Priority.INTERACTIVE
        return len(self._running) < (self._workers if urgent else self._background)

    def _start(self, job: Job) -> None:
        with suppress(RuntimeError):  # cancelled meanwhile, or a second attempt
            job.future.set_running_or_notify_cancel()
        job.inner = None
        job.attempts += 1
        job.handed_over_s = time.monotonic()
        try:
            inner = self._live_pool().schedule(
                run, args=(job.request, job.segment), timeout=job.timeout_s
            )
        except (RuntimeError, OSError) as error:
            self._give_up_pool()
            self._settle(job, self._lost(job, error))
            return
        job.inner = inner
        if job.future.cancelled():
            inner.cancel()
        inner.add_done_callback(partial(self._finished, job))

    def _finished(self, job: Job, inner: Future[Any]) -> None:
        outcome: Reply | XrayViewError | None
        try:
            outcome = _outcome(job, inner)
        except BrokenProcessPool as error:
            outcome = self._lost(job, error)
        except Exception as error:
            outcome = failures.unexpected(job.request, error)
        self._settle(job, outcome)

    def _look_after_pool(self) -> None:
        """Replace a pool that has died or has lost a task; no future waits for ever."""
        if self._pool is None:
            return
        if any(job.is_overdue for job in self._under_way()) or not _is_usable(self._pool):
            self._give_up_pool()

    def _give_up_pool(self) -> None:
        """End the pool; what it was at is tried again, unless its time is up."""
        under_way = self._under_way()
        self._end_pool()
        for job in under_way:
            if job.inner is not None and not job.inner.done():
                late = failures.timed_out(job.request, job.timeout_s)
                lost = BrokenProcessPool("the pool ended with the task")
                self._settle(job, late if job.is_overdue else self._lost(job, lost))

    def _under_way(self) -> list[Job]:
        with self._changed:
            return [self._jobs[n] for n in self._running if n in self._jobs]

    def _lost(self, job: Job, error: Exception) -> Reply | XrayViewError | None:
        """The pool broke, perhaps through another job: one more try; None when it is queued."""
        kind = type(job.request).__name__
        _log.warning("the pool broke (%s) with a %s", type(error).__name__, kind)
        with self._changed:
            if job.number not in self._jobs:
                return None
            if job.attempts > 1 or self._closed:
                return failures.crashed(job.request, None)
            self._running.discard(job.number)
            heapq.heappush(self._waiting, job)
            self._changed.notify_all()
        return None

    def _settle(self, job: Job, outcome: Reply | XrayViewError | None) -> None:
        if outcome is None:
            return
        if self._closed or job.future.cancelled():
            self._orphans.append(job.segment)
        self._discard_orphans()
        discard(job.segment)
        with self._changed:
            self._running.discard(job.number)
            self._jobs.pop(job.number, None)
            self._changed.notify_all()
        with suppress(InvalidStateError):  # cancelled in the meantime
            if isinstance(outcome, XrayViewError):
                job.future.set_exception(outcome)
            else:
                job.future.set_result(outcome)

    def _withdrawn(self, job: Job, future: Future[Any]) -> None:
        """The caller cancelled: tell those who wait for it, and end the worker that has it."""
        if not future.cancelled():
            return
        with suppress(RuntimeError):
            future.set_running_or_notify_cancel()
        if job.inner is not None:
            job.inner.cancel()
        with self._changed:
            if job.number not in self._running:
                self._jobs.pop(job.number, None)
            self._changed.notify_all()

    def _live_pool(self) -> Any:
        self._look_after_pool()
        if self._pool is None:
            self._pool = ProcessPool(
                max_workers=self._workers,
                initializer=self._prepare,
                context=multiprocessing.get_context("spawn"),
            )
        return self._pool

    def _end_pool(self) -> None:
        if self._pool is not None:
            pool, self._pool = self._pool, None
            pool.stop()
            with suppress(RuntimeError, OSError):  # a process that will not end is left alone
                pool.join()
        self._discard_orphans()

    def _discard_orphans(self) -> None:
        for name in tuple(self._orphans):
            discard(name)


def _is_usable(pool: Any) -> bool:
    """False for a pool that has died, or whose channel is in the grip of a dead worker.

    All workers of a pool take and answer tasks through one channel under one lock. A process that
    is killed keeps it, and the others, which are well, wait (https://github.com/noxdafox/pebble/issues/163).
    """
    if not pool.active:
        return False
    channel = pool._pool_manager.worker_manager.workers_channel
    with channel.lock(timeout=GRIP_S) as is_free:
        return bool(is_free)


def _outcome(job: Job, inner: Future[Any]) -> Reply | XrayViewError:
    """What came of a task. Raises: BrokenProcessPool, which says nothing of this task."""
    if inner.cancelled():
        return Cancelled("The request was taken back")
    error = inner.exception()
    if error is None:
        result = inner.result()
        return result if isinstance(result, XrayViewError) else unpack(result)
    if isinstance(error, BrokenProcessPool):
        raise error
    _log.warning("%s ended with %s", type(job.request).__name__, type(error).__name__)
    if isinstance(error, TimeoutError):
        return failures.timed_out(job.request, job.timeout_s)
    if isinstance(error, ProcessExpired):
        return failures.crashed(job.request, error.exitcode)
    return failures.unexpected(job.request, error if isinstance(error, Exception) else OSError())
