"""Decode workers that die on films named `crash`, and take their time on films named `slow`.

A worker of dask imports this module before it takes tasks (`distributed.worker.preload`).
"""

from __future__ import annotations

import os
import signal
import time

from xrayview.engine import decode_handlers, worker
from xrayview.engine.protocol import PreparedFilm, PrepareInput

SLOW_S = 0.7
STARTED_BY = "XRAYVIEW_TEST_WORKER"


def dask_setup(_worker: object) -> None:
    """Let the engines of this process start such decode workers, and mark what it starts."""
    os.environ[STARTED_BY] = str(os.getpid())
    from xrayview.engine import client

    client.start_decode_worker = start_decode_worker


def start_decode_worker(memory_mib: int, crash_log: str) -> None:
    """Start a decode worker that dies on some films."""
    worker.start_decode_worker(memory_mib, crash_log)
    from xrayview.engine import transport

    transport.HANDLERS[PrepareInput] = _prepare


def _prepare(request: PrepareInput) -> PreparedFilm:
    if "crash" in request.film.path.stem:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "slow" in request.film.path.stem:
        time.sleep(SLOW_S)
    return decode_handlers.prepare_input(request)
