"""One slot, one result: that of the newest request, in the thread of the caller."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from xrayview.errors import Cancelled, StatusCode, UnreadableFilm, XrayViewError
from xrayview.services.tasks import Tasks, displayable

WAIT_S = 10.0


class Desk:
    """The inbox of a thread, whose functions run when the test says so."""

    def __init__(self) -> None:
        self._inbox: queue.Queue[Callable[[], None]] = queue.Queue()
        self.tasks = Tasks(self._inbox.put)
        self.heard: list[Any] = []

    def hear(self, what: Any) -> None:
        self.heard.append(what)

    def start(self, slot: str, future: Future[Any]) -> None:
        self.tasks.start(slot, lambda: future, self.hear, self.hear)

    def run(self) -> None:
        """Run what has been delivered so far."""
        while not self._inbox.empty():
            self._inbox.get()()

    def run_until(self, done: Callable[[], bool]) -> None:
        until = time.monotonic() + WAIT_S
        while not done():
            assert time.monotonic() < until
            self._inbox.get(timeout=WAIT_S)()


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.tasks.close()


def running() -> Future[Any]:
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future


def test_that_a_result_comes_through_the_inbox_and_not_before(desk: Desk) -> None:
    future: Future[int] = Future()
    desk.start("film", future)
    future.set_result(7)
    assert desk.heard == []
    desk.run()
    assert desk.heard == [7]
    assert not desk.tasks.is_busy("film")


def test_that_the_newest_request_wins_even_if_an_older_one_finishes_last(desk: Desk) -> None:
    older, newer = running(), running()
    desk.start("film", older)
    desk.start("film", newer)
    newer.set_result("newer")
    older.set_result("older")
    desk.run()
    assert desk.heard == ["newer"]


def test_that_a_result_in_delivery_is_dropped_when_a_newer_request_comes(desk: Desk) -> None:
    older, newer = running(), running()
    desk.start("film", older)
    older.set_result("older")  # delivered, not yet looked at
    desk.start("film", newer)
    newer.set_result("newer")
    desk.run()
    assert desk.heard == ["newer"]


def test_that_slots_do_not_disturb_each_other(desk: Desk) -> None:
    film, thumbnail = running(), running()
    desk.start("film", film)
    desk.start("thumbnail", thumbnail)
    thumbnail.set_result("thumbnail")
    film.set_result("film")
    desk.run()
    assert desk.heard == ["thumbnail", "film"]


def test_that_a_superseded_waiting_request_is_cancelled(desk: Desk) -> None:
    waiting: Future[int] = Future()
    desk.start("film", waiting)
    desk.start("film", running())
    assert waiting.cancelled()


def test_that_a_superseded_running_request_keeps_its_worker(desk: Desk) -> None:
    at_work: Future[int] = running()
    desk.start("film", at_work)
    desk.start("film", running())
    assert not at_work.cancelled()


def test_that_a_cancelled_running_request_has_no_result_and_keeps_its_worker(
    desk: Desk,
) -> None:
    at_work = running()
    desk.start("explain", at_work)
    desk.tasks.cancel("explain")
    assert not at_work.cancelled()
    at_work.set_result("late")
    desk.run()
    assert desk.heard == []


def test_that_an_abandoned_request_that_hangs_loses_its_worker(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xrayview.services.tasks._HANGS_AFTER_S", -1.0)
    ended: list[bool] = []
    hangs = running()
    monkeypatch.setattr(hangs, "cancel", lambda: ended.append(True))
    desk.start("film", hangs)
    desk.start("film", running())
    assert ended == [True]


def test_that_a_cancelled_slot_has_no_result(desk: Desk) -> None:
    waiting: Future[int] = Future()
    desk.start("film", waiting)
    desk.tasks.cancel("film")
    desk.run()
    assert waiting.cancelled()
    assert desk.heard == []


@pytest.mark.parametrize("how", [Cancelled("taken back"), None])
def test_that_a_request_cancelled_elsewhere_frees_its_slot(
    desk: Desk, how: Exception | None
) -> None:
    future: Future[int] = Future()
    desk.start("film", future)
    future.cancel() if how is None else future.set_exception(how)
    desk.run()
    assert desk.heard == []
    assert not desk.tasks.is_busy("film")


def test_that_known_errors_are_delivered_unchanged(desk: Desk) -> None:
    error = UnreadableFilm("the file is cut off", code=StatusCode.DECODE_FAILED)
    future: Future[int] = Future()
    desk.start("film", future)
    future.set_exception(error)
    desk.run()
    assert desk.heard == [error]


def test_that_an_error_while_submitting_is_delivered(desk: Desk) -> None:
    def refuse() -> Future[int]:
        raise Cancelled("the engine is closed")

    desk.tasks.start("film", refuse, desk.hear, desk.hear)
    desk.run()
    assert [type(heard) for heard in desk.heard] == [Cancelled]


def test_that_an_unforeseen_error_is_shown_and_logged_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    name = "DOE^JANE"
    try:
        int(name)
    except ValueError as error:
        shown = displayable(error)
    assert "ValueError" in str(shown)
    assert "DOE" not in str(shown)
    assert "ValueError" in caplog.text
    assert "test_tasks.py" in caplog.text
    assert "DOE" not in caplog.text


def test_that_a_stream_is_delivered_completely_and_in_order(desk: Desk) -> None:
    def count(_stop: threading.Event) -> Iterator[int]:
        yield from range(1000)

    ended: list[bool] = []
    desk.tasks.stream("scan", count, desk.heard.extend, lambda: ended.append(True), desk.hear)
    desk.run_until(lambda: bool(ended))
    assert desk.heard == list(range(1000))


def test_that_a_stream_that_waits_between_items_delivers_each_at_once(desk: Desk) -> None:
    go_on = threading.Semaphore(0)

    def one_by_one(_stop: threading.Event) -> Iterator[int]:
        for number in range(3):
            yield number
            assert go_on.acquire(timeout=WAIT_S)

    ended: list[bool] = []
    desk.tasks.stream("scan", one_by_one, desk.heard.extend, lambda: ended.append(True), desk.hear)
    for number in range(3):
        desk.run_until(lambda n=number: n in desk.heard)
        go_on.release()
    desk.run_until(lambda: bool(ended))
    assert desk.heard == [0, 1, 2]


def test_that_a_superseded_stream_is_stopped_and_not_delivered(desk: Desk) -> None:
    stopped = threading.Event()

    def endless(stop: threading.Event) -> Iterator[str]:
        while not stop.wait(0.001):
            yield "old"
        stopped.set()

    desk.tasks.stream("scan", endless, desk.heard.extend, lambda: None, desk.hear)
    desk.run_until(lambda: bool(desk.heard))
    desk.heard.clear()
    ended: list[bool] = []
    desk.tasks.stream(
        "scan", lambda _: iter(["new"]), desk.heard.extend, lambda: ended.append(True), desk.hear
    )
    desk.run_until(lambda: bool(ended))
    assert desk.heard == ["new"]


def test_that_a_stopped_stream_still_delivers_its_last_items(desk: Desk) -> None:
    def until_stopped(stop: threading.Event) -> Iterator[str]:
        yield "row"
        assert stop.wait(WAIT_S)
        yield "rows are written"

    ended: list[bool] = []
    desk.tasks.stream(
        "batch", until_stopped, desk.heard.extend, lambda: ended.append(True), desk.hear
    )
    desk.run_until(lambda: bool(desk.heard))
    desk.tasks.stop("batch")
    desk.run_until(lambda: bool(ended))
    assert desk.heard == ["row", "rows are written"]


def test_that_the_error_of_a_stream_follows_its_items(desk: Desk) -> None:
    error = XrayViewError("the drive is gone")

    def breaks(_stop: threading.Event) -> Iterator[int]:
        yield 1
        raise error

    desk.tasks.stream("scan", breaks, desk.heard.extend, lambda: None, desk.hear)
    desk.run_until(lambda: error in desk.heard)
    assert desk.heard == [1, error]


def test_that_work_in_a_thread_does_not_block_the_caller(desk: Desk) -> None:
    go_on = threading.Event()
    desk.tasks.call("hash", lambda: go_on.wait(WAIT_S), desk.hear, desk.hear)
    assert desk.heard == []
    go_on.set()
    desk.run_until(lambda: bool(desk.heard))
    assert desk.heard == [True]


def test_that_nothing_is_delivered_and_no_thread_is_left_after_closing(desk: Desk) -> None:
    def endless(stop: threading.Event) -> Iterator[int]:
        while not stop.wait(0.001):
            yield 1

    with ThreadPoolExecutor(1) as pool:
        desk.tasks.stream("scan", endless, desk.heard.extend, lambda: None, desk.hear)
        desk.tasks.start("film", lambda: pool.submit(int), desk.hear, desk.hear)
        desk.tasks.close()
    desk.run()
    desk.start("film", running())
    assert desk.heard == []
    assert not [t for t in threading.enumerate() if t.name.startswith("xrayview task")]
