"""The part of Pebble that is not public and that `engine.lane` relies on."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from pebble import ProcessPool

from xrayview.engine import lane


@pytest.fixture
def pool() -> Iterator[ProcessPool]:
    pool = ProcessPool(max_workers=1)
    pool.schedule(int).result(timeout=60)
    yield pool
    pool.stop()
    pool.join()


def test_that_a_pool_whose_channel_is_free_is_usable(pool: ProcessPool) -> None:
    assert lane._is_usable(pool)


def test_that_a_pool_whose_channel_is_locked_is_not_usable(
    pool: ProcessPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "LOCK_TIMEOUT_S", 0.05)
    channel = pool._pool_manager.worker_manager.workers_channel
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with channel.lock() as is_locked:
            assert is_locked
            locked.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert locked.wait(10)
        assert not lane._is_usable(pool)
    finally:
        done.set()
        holder.join()
    assert lane._is_usable(pool)
