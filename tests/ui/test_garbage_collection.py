"""Cyclic garbage is collected on the window's thread and in no other."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEventLoop, QTimer
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS
from xrayview.ui.shell.garbage_collection import GarbageCollector


class Loop:
    """Refers to itself, so only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collector(qapp: object) -> Iterator[GarbageCollector]:
    collector = GarbageCollector()
    yield collector
    collector.stop()
    collector.deleteLater()
    gc.collect()
    gc.freeze()  # as `_libraries_stay` has left it


@pytest.fixture
def collecting_threads() -> Iterator[set[int]]:
    """The threads in which garbage is collected."""
    found: set[int] = set()

    def note(phase: str, info: object) -> None:
        found.add(threading.get_ident())

    gc.callbacks.append(note)
    yield found
    gc.callbacks.remove(note)


def garbage() -> weakref.ref[Loop]:
    """One piece of more garbage than Python leaves uncollected."""
    return weakref.ref([Loop() for _ in range(20_000)][7])


def test_that_garbage_of_another_thread_is_collected_on_the_windows_thread(
    qtbot: QtBot, collector: GarbageCollector, collecting_threads: set[int]
) -> None:
    collector.settle()
    pieces: list[weakref.ref[Loop]] = []
    thread = threading.Thread(target=lambda: pieces.append(garbage()))
    thread.start()
    thread.join()
    assert pieces[0]() is not None
    assert not collecting_threads
    qtbot.waitUntil(lambda: pieces[0]() is None, timeout=WAIT_MS)
    assert collecting_threads == {threading.get_ident()}


def test_that_garbage_that_outlived_a_collection_is_collected_in_a_quiet_moment(
    collector: GarbageCollector,
) -> None:
    collector.settle()
    loop = Loop()
    piece = weakref.ref(loop)
    gc.collect(1)  # it is in use, and counts as old from now on
    # A callback, as polling would keep the window busy.
    quiet = QEventLoop()
    weakref.finalize(loop, quiet.quit)
    del loop
    gc.collect(1)
    assert piece() is not None
    gc.collect(1)
    QTimer.singleShot(WAIT_MS, quiet, quiet.quit)
    quiet.exec()
    assert piece() is None


def test_that_what_existed_at_the_start_is_not_collected_before_the_end(
    collector: GarbageCollector,
) -> None:
    piece = garbage()
    collector.settle()
    gc.collect()
    assert piece() is not None
    collector.stop()
    gc.collect()
    assert piece() is None
    assert gc.isenabled()
