"""Ends what a worker has started together with the worker; needs dask.distributed."""

from __future__ import annotations

from distributed import Worker, WorkerPlugin

from xrayview.services.shard_worker import close_engine


class CloseEngine(WorkerPlugin):
    """Closes the engine of a worker that is closed."""

    name = "xrayview"

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - the signature is dask's
        """End the engine's processes."""
        close_engine()
