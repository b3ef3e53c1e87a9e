"""What a worker of a cluster does: classify one shard after the other with one engine.

A worker process keeps its engine, and with it the model, from one shard to the next. Results are
files on a disk that all workers and the merge see; a reply is only a few numbers.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from xrayview.batch.frozen_films import open_frozen
from xrayview.batch.journal import fingerprint
from xrayview.batch.run import BatchOptions, run_batch
from xrayview.domain.events import BatchFinished
from xrayview.domain.film_index import Shard
from xrayview.engine.client import Engine
from xrayview.engine.protocol import Limits, ModelRef
from xrayview.errors import UsageError
from xrayview.inference.cores import available_cores
from xrayview.services.identity import identity_key
from xrayview.services.log import crash_log
from xrayview.services.user_folders import networks_folder

_one_at_a_time = threading.Lock()
_engines: dict[tuple[int | None, Limits], Engine] = {}
"""The engine of this process; there is at most one."""


@dataclass(frozen=True)
class ShardJob:
    """What all shards of a job have in common. It has no key and nothing of a patient."""

    index: Path
    root: Path | None
    parts: Path
    """The folder of the parts, which every worker sees."""
    model: ModelRef
    options: BatchOptions
    """Without the identity key, which each worker reads from its file."""
    identity_key_file: Path | None
    key_fingerprint: str
    limits: Limits
    decode_workers: int | None
    """Of each worker; None for as many as it has cores."""


@dataclass(frozen=True)
class ShardDone:
    """A shard whose part is complete."""

    shard: Shard
    rows: int


def part_path(parts: Path, shard: Shard) -> Path:
    """Where the part of a shard is written."""
    digits = len(str(shard.count))
    return parts / f"part-{shard.number:0{digits}}-of-{shard.count}.parquet"


def classify_shard(shard: Shard, job: ShardJob) -> ShardDone:
    """Classify one shard, or what an interrupted run of it has left; one at a time in a process.

    Raises:
        XrayViewError: see `run_batch`; also where the identity key or the process is not fit.
    """
    with _one_at_a_time:
        _require_children()
        options = replace(job.options, identity_key=_key(job), frozen=None)
        frozen = open_frozen(job.index, shard, job.root)
        options = replace(options, frozen=frozen)
        engine, out = _engine(job), part_path(job.parts, shard)
        for event in run_batch(engine, frozen.root, job.model, out, options):
            if isinstance(event, BatchFinished):
                return ShardDone(shard, sum(event.counts.values()))
    raise AssertionError("a batch ends with an event")


def share_cores(worker: int, workers: int) -> None:
    """Leave this process its share of the cores, where the system allows it.

    Args:
        worker: which of the workers on this computer it is, from 0.
        workers: how many they are.
    """
    with suppress(AttributeError, OSError):  # not on macOS and Windows
        cores = sorted(os.sched_getaffinity(0))
        share = max(1, len(cores) // workers)
        first = worker * share % len(cores)
        os.sched_setaffinity(0, cores[first : first + share])


def close_engine() -> None:
    """End the engine of this process, if there is one."""
    while _engines:
        _engines.popitem()[1].close()


def _engine(job: ShardJob) -> Engine:
    key = job.decode_workers, job.limits
    if key not in _engines:
        close_engine()
        _engines[key] = Engine(
            job.decode_workers or available_cores(),
            job.limits,
            spare_workers=0,
            crash_log=crash_log(),
            cache=networks_folder(),
        )
        atexit.register(close_engine)
    return _engines[key]


def _key(job: ShardJob) -> bytes:
    if job.options.identity != "hash":
        return b""
    key = identity_key(job.identity_key_file)
    if fingerprint(key) != job.key_fingerprint:
        raise UsageError(
            "This computer has a different identity key",
            hint="Name a key file on a disk that all computers see with --identity-key.",
        )
    return key


def _require_children() -> None:
    if multiprocessing.current_process().daemon:
        raise UsageError(
            "This worker may not start processes of its own",
            hint="Start workers with: dask worker ADDRESS --nthreads 1 --no-nanny",
        )
