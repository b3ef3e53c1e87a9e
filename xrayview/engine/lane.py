"""A pool of worker processes behind a priority queue.

The pool itself is first in, first out. So it gets only as many tasks as it has workers; the others
wait here, where a film that the user has just clicked can overtake them.
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
POLL_S = 1.0
"""Time between two checks of the pool while tasks run."""
TICK_S = 0.25
"""Time between two looks at the ages of tasks."""
LONGEST_TICK_S = 1.0
"""A longer gap is not the task's: the computer was suspended, or the program stopped (Ctrl+Z)."""
START_S = 60.0
"""Time for a worker to start and take its first task, on a very busy machine."""
LOCK_TIMEOUT_S = 5.0
"""A worker locks the pool's channel for milliseconds; only a dead one holds it this long."""
_ORPHANS = 64
"""More tasks than can be cancelled before their workers have ended."""


class Priority(IntEnum):
    """The order of requests; equal priorities are served in the order of arrival."""

    INTERACTIVE = 0
    """The user waits for it."""
    SCAN = 1
    PREFETCH = 2
    """Thumbnails, and neighbours of the film on screen."""
    BATCH = 3


@dataclass(order=True)
class Job:
    """A submitted request; jobs are ordered by priority, then by number."""

    priority: Priority
    number: int
    request: Request = field(compare=False)
    timeout_s: float = field(compare=False)
    future: Future[Any] = field(compare=False, default_factory=ProcessFuture)
    segment: str = field(compare=False, default_factory=new_name)
    attempts: int = field(compare=False, default=0)
    inner: Future[Any] | None = field(compare=False, default=None)
    age_s: float = field(compare=False, default=0.0)
    """How long its task has run, without the time in which nothing could run."""
    waited_s: float = field(compare=False, default=0.0)
    """How long it waited for a worker of the pool, likewise."""
    is_timed_out: bool = field(compare=False, default=False)

    @property
    def is_overdue(self) -> bool:
        """True where the job should have ended, even if its worker had to start first."""
        return self.age_s + self.waited_s > self.timeout_s + START_S


class Lane:
    """A pool that starts with the first request, and again after it breaks.

    Args:
        name: name of its thread, for the log.
        workers: number of processes.
        background: number of processes that requests other than INTERACTIVE may use.
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
        # A worker that is being ended may still create the segment of its cancelled task.
        self._orphans: deque[str] = deque(maxlen=_ORPHANS)
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._pool: Any = None
        self._ticked_s = self._checked_s = time.monotonic()
        # Only this thread uses the pool: starting processes would block a window.
        self._thread = threading.Thread(target=self._serve, name=f"xrayview {name}", daemon=True)
        self._thread.start()

    def submit(self, request: Request, priority: Priority, timeout_s: float) -> Future[Any]:
        """Queue a request. Raises: Cancelled after the lane was closed."""
        job = Job(priority, next(self._numbers), request, timeout_s)
        job.future.add_done_callback(partial(self._on_done, job))
        with self._changed:
            if self._closed:
                raise Cancelled("The engine is closed")
            self._jobs[job.number] = job
            heapq.heappush(self._waiting, job)
            self._changed.notify_all()
        return job.future

    def hasten(self, future: Future[Any], priority: Priority) -> None:
        """Raise the priority of a waiting request; it is never lowered."""
        with self._changed:
            for job in self._waiting:
                if job.future is future and priority < job.priority:
                    job.priority = priority
                    heapq.heapify(self._waiting)
                    self._changed.notify_all()
                    return

    def close(self) -> None:
        """Cancel all requests and end all processes, including busy ones."""
        with self._changed:
            self._closed = True
            jobs = list(self._jobs.values())
            self._changed.notify_all()
        for job in jobs:
            job.future.cancel()
        self._thread.join()

    def _serve(self) -> None:
        while not self._closed:
            self._tick()
            if job := self._next():
                self._start(job)
            elif time.monotonic() - self._checked_s >= POLL_S:
                self._check_pool()
        self._end_pool()

    def _tick(self) -> None:
        """Let the tasks age, and end those whose time is up.

        The pool's own time limit follows the clock of the day, which may be set while a task runs.
        """
        now_s = time.monotonic()
        step_s, self._ticked_s = min(now_s - self._ticked_s, LONGEST_TICK_S), now_s
        for job in self._running_jobs():
            inner = job.inner
            if inner is None or inner.done():
                continue
            if not inner.running():
                job.waited_s += step_s
                continue
            job.age_s += step_s
            if job.age_s > job.timeout_s:
                job.is_timed_out = True
                inner.cancel()

    def _next(self) -> Job | None:
        """Wait for the next job that may start; None at intervals, to check the pool."""
        with self._changed:
            if not self._closed and not self._may_start():
                self._changed.wait(TICK_S if self._running else None)
            while self._may_start() and not self._closed:
                job = heapq.heappop(self._waiting)
                if not job.future.cancelled():
                    self._running.add(job.number)
                    return job
        return None

    def _may_start(self) -> bool:
        if not self._waiting:
            return False
        is_interactive = self._waiting[0].priority is Priority.INTERACTIVE
        return len(self._running) < (self._workers if is_interactive else self._background)

    def _start(self, job: Job) -> None:
        with suppress(RuntimeError):  # cancelled in the meantime, or a second attempt
            job.future.set_running_or_notify_cancel()
        job.inner = None
        job.attempts += 1
        job.age_s, job.waited_s, job.is_timed_out = 0.0, 0.0, False
        try:
            inner = self._live_pool().schedule(run, args=(job.request, job.segment))
        except (RuntimeError, OSError) as error:
            self._replace_pool()
            self._settle(job, self._retry(job, error))
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
            outcome = self._retry(job, error)
        except Exception as error:
            outcome = failures.unexpected(job.request, error)
        self._settle(job, outcome)

    def _check_pool(self) -> None:
        """Replace a pool that has died or lost a task, so that no future waits forever."""
        self._checked_s = time.monotonic()
        if self._pool is None:
            return
        if any(job.is_overdue for job in self._running_jobs()) or not _is_usable(self._pool):
            self._replace_pool()

    def _replace_pool(self) -> None:
        """End the pool; its jobs are tried again, unless their time is up."""
        jobs = self._running_jobs()
        self._end_pool()
        for job in jobs:
            if job.inner is not None and not job.inner.done():
                timed_out = failures.timed_out(job.request, job.timeout_s)
                error = BrokenProcessPool("the pool ended with the task")
                self._settle(job, timed_out if job.is_overdue else self._retry(job, error))

    def _running_jobs(self) -> list[Job]:
        with self._changed:
            return [self._jobs[n] for n in self._running if n in self._jobs]

    def _retry(self, job: Job, error: Exception) -> Reply | XrayViewError | None:
        """Queue a job again after the pool broke, which another job may have caused.

        Returns None, or the error where this was the second attempt.
        """
        kind = type(job.request).__name__
        _log.warning("the pool broke (%s) with a %s", type(error).__name__, kind)
        with self._changed:
            if job.number not in self._jobs:
                return None
            if job.attempts > 1 or self._closed:
                return failures.crashed(job.request, None, _reason(error))
            self._running.discard(job.number)
            heapq.heappush(self._waiting, job)
            self._changed.notify_all()
        return None

    def _settle(self, job: Job, outcome: Reply | XrayViewError | None) -> None:
        if outcome is None:
            return
        if self._closed or job.is_timed_out or job.future.cancelled():
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

    def _on_done(self, job: Job, future: Future[Any]) -> None:
        """Where the caller cancelled, notify those who wait, and end the worker of the job."""
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
        self._check_pool()
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
            with suppress(RuntimeError, OSError):  # a process that does not end is abandoned
                pool.join()
        self._discard_orphans()

    def _discard_orphans(self) -> None:
        for name in tuple(self._orphans):
            discard(name)


def _reason(error: BaseException | None) -> str:
    """Why no pool could be started, in the system's words; empty if unknown."""
    while error is not None:
        if isinstance(error, OSError) and error.strerror:
            return f"its processes cannot start: {error.strerror}"
        error = error.__cause__ or error.__context__
    return ""


def _is_usable(pool: Any) -> bool:
    """False for a pool that has died, or whose channel is locked by a dead worker.

    All workers of a pool receive tasks and send results through one channel with one lock. A killed
    process keeps the lock, and all others wait (https://github.com/noxdafox/pebble/issues/163).
    """
    if not pool.active:
        return False
    channel = pool._pool_manager.worker_manager.workers_channel
    with channel.lock(timeout=LOCK_TIMEOUT_S) as is_free:
        return bool(is_free)


def _outcome(job: Job, inner: Future[Any]) -> Reply | XrayViewError:
    """The outcome of a task. Raises: BrokenProcessPool, which is not about this task."""
    if inner.cancelled():
        if job.is_timed_out:
            return failures.timed_out(job.request, job.timeout_s)
        return Cancelled("The request was cancelled")
    error = inner.exception()
    if error is None:
        result = inner.result()
        return result if isinstance(result, XrayViewError) else unpack(result)
    if isinstance(error, BrokenProcessPool):
        raise error
    _log.warning("%s ended with %s", type(job.request).__name__, type(error).__name__)
    if isinstance(error, ProcessExpired):
        return failures.crashed(job.request, error.exitcode)
    return failures.unexpected(job.request, error if isinstance(error, Exception) else OSError())
