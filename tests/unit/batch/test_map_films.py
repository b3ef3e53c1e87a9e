"""The same request for every file: replies in order, a bounded number at a time."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from xrayview.batch.map_films import REQUESTS_PER_WORKER, map_films
from xrayview.errors import Cancelled, UsageError

ENGINE: Any = SimpleNamespace(decode_workers=1)


def test_that_replies_come_in_order_including_failures() -> None:
    futures = [Future[int]() for _ in range(3)]
    futures[2].set_result(2)
    futures[0].set_result(0)
    futures[1].set_exception(UsageError("no"))
    items = list(map_films(ENGINE, range(4), lambda n: [*futures, None][n], threading.Event()))
    assert [(item.entry, item.reply) for item in items] == [(0, 0), (1, None), (2, 2), (3, None)]
    assert [item.error is not None for item in items] == [False, True, False, False]


def test_that_the_number_of_pending_requests_is_bounded() -> None:
    submitted: list[Future[int]] = []

    def submit(number: int) -> Future[int]:
        submitted.append(Future())
        submitted[0].set_result(number) if number == 0 else None
        return submitted[-1]

    replies = map_films(ENGINE, range(1000), submit, threading.Event())
    assert next(replies).reply == 0
    assert len(submitted) == REQUESTS_PER_WORKER


def test_that_a_cancel_withdraws_requests_that_have_not_started() -> None:
    cancel = threading.Event()
    futures = [Future[int]() for _ in range(3)]
    futures[0].set_result(0)
    futures[1].set_running_or_notify_cancel()
    replies = map_films(ENGINE, range(3), futures.__getitem__, cancel)
    next(replies)
    cancel.set()
    with pytest.raises(Cancelled):
        next(replies)
    assert [future.cancelled() for future in futures] == [False, False, True]
