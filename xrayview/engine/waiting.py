"""Waiting for a future without being deaf to a cancel."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import CancelledError, Future, wait
from typing import Any, TypeVar

from xrayview.errors import Cancelled

T = TypeVar("T")
LOOK_AGAIN_S = 0.1


def result_of(future: Future[T], cancel: threading.Event) -> T:
    """The future's result as soon as it is there.

    Raises:
        Cancelled: `cancel` was set first, or the engine was closed.
        XrayViewError: what the future ended with.
    """
    while not cancel.is_set():
        if wait((future,), LOOK_AGAIN_S).done:
            try:
                return future.result()
            except CancelledError:
                break
    raise Cancelled("The work was stopped")


def cancel_pending(futures: Iterable[Future[Any]]) -> None:
    """Take back what has not begun. What runs may end: its worker is worth more than its time."""
    for future in futures:
        if not future.running():
            future.cancel()
