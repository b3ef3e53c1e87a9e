"""What happens in a worker when it starts and when it ends; needs dask.distributed."""

from __future__ import annotations

import signal
import threading

from distributed import Worker, WorkerPlugin

from xrayview.services.shard_worker import close_engine, share_cores


class EngineOfWorker(WorkerPlugin):
    """Shares out the cores among the workers of one computer, and ends a worker's engine with it.

    Args:
        workers: the workers of this computer, named 0, 1, 2 ...; 0 if they are elsewhere.
    """

    name = "xrayview"

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def setup(self, worker: Worker) -> None:
        """Take the share of the cores, and leave it to the command to end the work.

        A terminal signals all processes that its commands have started.
        """
        for name in ("SIGINT", "SIGHUP"):
            if hasattr(signal, name) and threading.current_thread() is threading.main_thread():
                signal.signal(getattr(signal, name), signal.SIG_IGN)
        if self._workers and isinstance(worker.name, int):
            share_cores(worker.name, self._workers)

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - the signature is dask's
        """End the engine's processes."""
        close_engine()
