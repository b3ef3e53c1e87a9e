"""Run the shards of an index on a cluster with dask.distributed.

A task is a shard. The scheduler hands a shard whose worker has died to another worker, and a shard
that failed is tried again; its journal has what was done. Results do not pass the scheduler.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

from xrayview.domain.film_index import Shard
from xrayview.domain.sentences import counted
from xrayview.errors import Cancelled, UsageError, XrayViewError
from xrayview.io.extras import optional_module
from xrayview.services.shard_worker import ShardDone, ShardJob, classify_shard

RETRIES = 2
"""Of a shard that ended with an error; one whose worker died is tried by 3 others (dask)."""
HOPELESS = 3
"""Shards that may fail before the first one succeeds."""
LOOK_S = 10.0
"""Between two looks at the number of workers."""
_POLL_S = 0.2
_NO_DASHBOARD = "127.0.0.1:0"
"""A scheduler always has a port with its state, which others need not reach."""
_EXTRA, _WHAT = "cluster", "--scheduler"

JOB_QUEUES: Mapping[str, tuple[str, str]] = {
    "slurm": ("SLURMCluster", "sbatch"),
    "pbs": ("PBSCluster", "qsub"),
    "lsf": ("LSFCluster", "bsub"),
    "sge": ("SGECluster", "qsub"),
}
"""Schedulers of computing centres: the class of dask-jobqueue that starts workers on them, and the
program that submits a job."""


@dataclass(frozen=True)
class SchedulerChoice:
    """Where shards run: `local`, a key of `JOB_QUEUES`, or the address of a running scheduler."""

    kind: str
    workers: int = 1
    address: str = ""

    @classmethod
    def parse(cls, text: str) -> SchedulerChoice:
        """Read `local:4`, `slurm:20` or `tcp://host:8786`. Raises: UsageError."""
        kind, _, count = text.partition(":")
        if kind == "local" or kind in JOB_QUEUES:
            if not count or (count.isdecimal() and int(count) >= 1):
                return cls(kind, int(count or 1))
        elif "://" in text or (count.isdecimal() and kind):
            return cls("address", address=text)
        raise UsageError(
            "Not a scheduler",
            why=text,
            hint="Write local:N, slurm:N, pbs:N, lsf:N or sge:N with N workers, or the address of "
            "a scheduler of dask.distributed.",
        )


@dataclass(frozen=True)
class ShardFailed:
    """A shard that failed on every try."""

    shard: Shard
    error: BaseException

    @property
    def text(self) -> str:
        """The shard and the reason; the text of an error that nobody foresaw may quote a film."""
        if isinstance(self.error, XrayViewError):
            return f"shard {self.shard}: {self.error}"
        what = type(self.error).__name__
        died = "its workers died, one after the other" if what == "KilledWorker" else what
        return f"shard {self.shard}: {died}"


def run_shards(
    choice: SchedulerChoice,
    job: ShardJob,
    count: int,
    cancel: threading.Event,
    started: Callable[[str], None] = lambda _text: None,
) -> Iterator[ShardDone | ShardFailed]:
    """Classify `count` shards, in whatever order they end.

    Args:
        choice: where.
        job: what.
        count: the number of shards.
        cancel: ends the work; journals have what is done.
        started: called with a line about the scheduler.

    Raises:
        UsageError: a package is missing, or the scheduler cannot be reached.
        Cancelled: `cancel` was set.
        XrayViewError: no shard succeeds, for this reason.
    """
    distributed = optional_module("distributed", _EXTRA, _WHAT)
    with _connected(choice, job, distributed) as client:
        started(f"{choice.kind}: {client.scheduler.address}")
        shards = [Shard(number, count) for number in range(1, count + 1)]
        futures = client.map(
            classify_shard, shards, job=job, retries=RETRIES, pure=False, batch_size=1000
        )
        by_key = {future.key: shard for future, shard in zip(futures, shards, strict=True)}
        done = failed = 0
        completed = distributed.as_completed(futures)
        for future in _completed(completed, count, cancel, _Waiting(client, started)):
            shard = by_key[future.key]
            if future.status == "finished":
                done += 1
                yield future.result()
                continue
            failed += 1
            error = future.exception()
            if not done and failed >= min(HOPELESS, count) and isinstance(error, XrayViewError):
                raise error
            yield ShardFailed(shard, error)


def _completed(
    futures: Any, count: int, cancel: threading.Event, waiting: Callable[[], None]
) -> Iterator[Any]:
    left = count
    while left:
        if cancel.is_set():
            raise Cancelled("The work was cancelled")
        batch = futures.next_batch(block=False)
        for future in batch:
            left -= 1
            yield future
        if not batch:
            waiting()
            time.sleep(_POLL_S)


class _Waiting:
    """Tells when there is no worker, which may be for hours: jobs wait in a queue."""

    def __init__(self, client: Any, show: Callable[[str], None]) -> None:
        self._client, self._show = client, show
        self._next_s, self._workers = time.monotonic() + LOOK_S, -1

    def __call__(self) -> None:
        if time.monotonic() < self._next_s:
            return
        self._next_s = time.monotonic() + LOOK_S
        workers = len(self._client.scheduler_info(n_workers=-1)["workers"])
        if workers != self._workers:
            self._workers = workers
            self._show(f"{counted(workers, 'worker')} running")


@contextmanager
def _connected(choice: SchedulerChoice, job: ShardJob, distributed: Any) -> Iterator[Any]:
    """A client of a scheduler with workers, which end with the block unless they were there."""
    dask_config = optional_module("dask", _EXTRA, _WHAT).config
    with ExitStack() as stack:
        # Workers start processes of their own, which daemons may not.
        stack.enter_context(dask_config.set({"distributed.worker.daemon": False}))
        if choice.kind == "address":
            client = stack.enter_context(_client(distributed, choice.address))
        else:
            start = _local if choice.kind == "local" else _job_queue
            cluster = stack.enter_context(start(choice, job, distributed, stack))
            client = stack.enter_context(distributed.Client(cluster))
        from xrayview.services.worker_plugin import EngineOfWorker

        local = choice.workers if choice.kind == "local" else 0
        client.register_plugin(EngineOfWorker(local))
        yield client


def _client(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout="20s")
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            "The scheduler cannot be reached",
            why=f"{address}: {type(error).__name__}",
            hint="Start one with `dask scheduler`, and workers with "
            "`dask worker ADDRESS --nthreads 1 --no-nanny`.",
        ) from error


def _local(choice: SchedulerChoice, _job: ShardJob, distributed: Any, stack: ExitStack) -> Any:
    folder = stack.enter_context(TemporaryDirectory(prefix="xrayview-"))
    return distributed.LocalCluster(
        n_workers=choice.workers,
        threads_per_worker=1,
        processes=True,
        memory_limit=0,
        dashboard_address=_NO_DASHBOARD,
        local_directory=folder,
        silence_logs=logging.CRITICAL,
        security=_temporary_security(distributed),
        protocol="tls://",
        host="127.0.0.1",
    )


def _job_queue(choice: SchedulerChoice, job: ShardJob, distributed: Any, _stack: ExitStack) -> Any:
    jobqueue = optional_module("dask_jobqueue", _EXTRA, _WHAT)
    settings = optional_module("dask", _EXTRA, _WHAT).config.get(f"jobqueue.{choice.kind}", {})
    name, submit = JOB_QUEUES[choice.kind]
    if shutil.which(submit) is None:
        raise UsageError(
            f"Jobs cannot be submitted to {choice.kind}",
            why=f"there is no {submit} on this computer",
            hint="Run the command on a login node of the cluster.",
        )
    if missing := [key for key in ("cores", "memory") if not settings.get(key)]:
        raise UsageError(
            f"The jobs for {choice.kind} are not described",
            why=f"{' and '.join(missing)} in the part jobqueue.{choice.kind}",
            hint="Write cores, memory, queue and walltime into ~/.config/dask/jobqueue.yaml.",
        )
    cluster = getattr(jobqueue, name)(
        processes=1,
        # The worker may then start processes of its own.
        nanny=False,
        # The last of two counts: one shard at a time, whatever the number of cores.
        worker_extra_args=[*settings.get("worker-extra-args", ()), "--nthreads", "1"],
        security=_temporary_security(distributed),
        protocol="tls://",
        shared_temp_directory=os.fspath(job.parts),
        scheduler_options={"dashboard_address": _NO_DASHBOARD, "dashboard": False},
    )
    # Not `scale`: a job that reaches its walltime is replaced.
    cluster.adapt(minimum_jobs=choice.workers, maximum_jobs=choice.workers)
    return cluster


def _temporary_security(distributed: Any) -> Any:
    """Certificates for this job only: who else can reach a port must not run code on it."""
    optional_module("cryptography", _EXTRA, _WHAT)
    return distributed.Security.temporary()
