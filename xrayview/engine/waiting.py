"""Wait for futures in a way that can be cancelled."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import CancelledError, Future, wait
from typing import Any, TypeVar

from xrayview.errors import Cancelled

T = TypeVar("T")
POLL_S = 0.1


def result_of(future: Future[T], cancel: threading.Event) -> T:
    """Wait for a future and return its result.

    Raises:
        Cancelled: `cancel` was set, or the engine was closed, before the result was there.
        XrayViewError: the future ended with this error.
    """
    while not cancel.is_set():
        if wait((future,), POLL_S).done:
            try:
                return future.result()
            except CancelledError:
                break
    raise Cancelled("The work was cancelled")


def cancel_pending(futures: Iterable[Future[Any]]) -> None:
    """Cancel futures that have not started; cancelling a running one would end its worker."""
    for future in futures:
        if not future.running():
            future.cancel()
