"""Unreachable cycles are found in the window's own turns, and in no other thread."""

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
    """Refers to itself: only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collector(qapp: object) -> Iterator[GarbageCollector]:
    collector = GarbageCollector()
    yield collector
    collector.stop()
    collector.deleteLater()
    gc.collect()
    gc.freeze()  # as the tests of the window found it


@pytest.fixture
def lookers() -> Iterator[set[int]]:
    """The threads in which garbage is looked for."""
    found: set[int] = set()

    def note(phase: str, info: object) -> None:
        found.add(threading.get_ident())

    gc.callbacks.append(note)
    yield found
    gc.callbacks.remove(note)


def garbage() -> weakref.ref[Loop]:
    """More of it than Python leaves alone; one of the pieces."""
    return weakref.ref([Loop() for _ in range(20_000)][7])


def test_that_garbage_of_another_thread_is_found_in_the_windows(
    qtbot: QtBot, collector: GarbageCollector, lookers: set[int]
) -> None:
    collector.settle()
    pieces: list[weakref.ref[Loop]] = []
    thread = threading.Thread(target=lambda: pieces.append(garbage()))
    thread.start()
    thread.join()
    assert pieces[0]() is not None
    assert not lookers
    qtbot.waitUntil(lambda: pieces[0]() is None, timeout=WAIT_MS)
    assert lookers == {threading.get_ident()}


def test_that_garbage_that_outlived_a_look_is_found_in_a_quiet_moment(
    collector: GarbageCollector,
) -> None:
    collector.settle()
    loop = Loop()
    piece = weakref.ref(loop)
    gc.collect(1)  # it is in use, and counts as old from now on
    # Told, not asked for: who asks all the time is at work, and the moment is not quiet.
    quiet = QEventLoop()
    weakref.finalize(loop, quiet.quit)
    del loop
    gc.collect(1)
    assert piece() is not None
    gc.collect(1)
    QTimer.singleShot(WAIT_MS, quiet, quiet.quit)
    quiet.exec()
    assert piece() is None


def test_that_what_the_program_began_with_is_not_looked_at_until_it_ends(
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
