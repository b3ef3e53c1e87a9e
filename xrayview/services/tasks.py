"""Background work for the window: one slot, one result, and the newest request wins.

A caller names a slot ("open film", "classify") and the work, and gets the result in the window's
thread, unless a newer request for the same slot or a cancel comes first. Only `finish` and
`close` wait: results arrive by callback.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from xrayview.errors import Cancelled, XrayViewError
from xrayview.services.log import log_unforeseen

T = TypeVar("T")
Deliver = Callable[[Callable[[], None]], None]
"""Schedules a function to run in the window's thread; the order is kept."""
Failed = Callable[[XrayViewError], None]


# A running request that nobody waits for may finish, because a new worker costs more than a film.
# One that runs for longer than this hangs, and its worker is needed.
_HANGS_AFTER_S = 2.0


@dataclass(eq=False)
class _Ticket:
    """One request; it is current while it is the newest of its slot."""

    stop: threading.Event = field(default_factory=threading.Event)
    dropped: bool = False
    future: Future[Any] | None = None
    thread: threading.Thread | None = None
    started_s: float = field(default_factory=time.monotonic)
    withdraw: Callable[[], None] | None = None

    def drop(self) -> None:
        self.dropped = True
        self.stop.set()
        if self.withdraw is not None:
            self.withdraw()
            self.started_s = time.monotonic()  # from now on it should end


class Tasks:
    """Runs futures and streams by slot; all callbacks are scheduled by `deliver`.

    Not thread-safe: call its methods only in the window's thread.
    """

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._newest: dict[str, _Ticket] = {}
        self._abandoned: list[_Ticket] = []
        self._threads: list[threading.Thread] = []
        self._closed = False

    def start(
        self,
        slot: str,
        submit: Callable[[], Future[T]],
        done: Callable[[T], None],
        failed: Failed,
        withdraw: Callable[[], None] | None = None,
    ) -> None:
        """Submit a request; `done` or `failed` is called unless a newer request takes the slot.

        `withdraw` asks the work to end soon; it is called where nobody waits for it any more.
        """
        if self._closed:
            return
        ticket = self._take(slot)
        ticket.withdraw = withdraw
        try:
            future = submit()
        except Exception as error:
            self._deliver_result(slot, ticket, failed, displayable(error))
            return
        ticket.future = future

        def finished(future: Future[T]) -> None:
            try:
                reply = future.result()
            except (CancelledError, Cancelled):
                self._deliver(lambda: self._forget(slot, ticket))
            except Exception as error:
                self._deliver_result(slot, ticket, failed, displayable(error))
            else:
                self._deliver_result(slot, ticket, done, reply)

        future.add_done_callback(finished)

    def stream(
        self,
        slot: str,
        work: Callable[[threading.Event], Iterator[T]],
        each: Callable[[list[T]], None],
        ended: Callable[[], None],
        failed: Failed,
    ) -> None:
        """Iterate `work(stop)` in a thread; its items are delivered in lists, in order.

        `stop` is set when the slot is cancelled or reused. `work` should then end soon; items that
        it yields afterwards are dropped.
        """
        if self._closed:
            return
        ticket = self._take(slot)
        waiting: deque[T] = deque()

        def drain() -> None:
            items = []
            while waiting:
                items.append(waiting.popleft())
            if items and self._is_current(slot, ticket):
                each(items)

        def pump() -> None:
            try:
                for item in work(ticket.stop):
                    waiting.append(item)
                    # Items join a pending delivery, so that the window is not flooded with events.
                    if len(waiting) == 1:
                        self._deliver(drain)
                    if ticket.dropped:
                        break
            except Cancelled:
                self._deliver(lambda: self._forget(slot, ticket))
            except Exception as error:
                self._deliver_result(slot, ticket, failed, displayable(error))
            else:
                self._deliver_result(slot, ticket, lambda _: ended(), None)

        thread = threading.Thread(target=pump, name=f"xrayview task {slot}", daemon=True)
        ticket.thread = thread
        self._threads = [t for t in self._threads if t.is_alive()] + [thread]
        thread.start()

    def call(
        self, slot: str, function: Callable[[], T], done: Callable[[T], None], failed: Failed
    ) -> None:
        """Run a function in a thread, for short work that would block the window."""

        def once(_stop: threading.Event) -> Iterator[T]:
            yield function()

        self.stream(slot, once, lambda items: done(items[0]), lambda: None, failed)

    def is_busy(self, slot: str) -> bool:
        """True while the slot waits for a result."""
        return slot in self._newest

    def stop(self, slot: str) -> None:
        """Ask a stream to end; its last items are delivered (a batch writes its last rows)."""
        if ticket := self._newest.get(slot):
            ticket.stop.set()

    def finish(self, slot: str, timeout_s: float) -> None:
        """Stop a stream, and wait until it has ended (a batch writes its table)."""
        ticket = self._newest.get(slot)
        self.stop(slot)
        if ticket is not None and ticket.thread is not None:
            ticket.thread.join(timeout_s)

    def cancel(self, slot: str) -> None:
        """Cancel the slot's request: no result follows, and a waiting request does not start."""
        if ticket := self._newest.pop(slot, None):
            ticket.drop()
            self._abandoned.append(ticket)
        self._cancel_abandoned()

    def close(self, timeout_s: float = 2.0) -> None:
        """Cancel everything, and wait a short time for the threads."""
        self._closed = True
        for slot in list(self._newest):
            self.cancel(slot)
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _take(self, slot: str) -> _Ticket:
        self.cancel(slot)
        ticket = self._newest[slot] = _Ticket()
        return ticket

    def _cancel_abandoned(self) -> None:
        """Cancel abandoned requests that have not started or hang."""
        now = time.monotonic()
        for ticket in self._abandoned:
            hangs = now - ticket.started_s > _HANGS_AFTER_S
            if ticket.future is not None and (hangs or not ticket.future.running()):
                ticket.future.cancel()
        self._abandoned = [t for t in self._abandoned if t.future and not t.future.done()]

    def _deliver_result(
        self, slot: str, ticket: _Ticket, callback: Callable[[Any], None], value: object
    ) -> None:
        def on_window() -> None:
            if self._is_current(slot, ticket):
                self._forget(slot, ticket)
                callback(value)

        self._deliver(on_window)

    def _is_current(self, slot: str, ticket: _Ticket) -> bool:
        return not self._closed and self._newest.get(slot) is ticket

    def _forget(self, slot: str, ticket: _Ticket) -> None:
        if self._newest.get(slot) is ticket:
            del self._newest[slot]


def displayable(error: BaseException) -> XrayViewError:
    """The error to show to the user; an unforeseen one is logged with its traceback."""
    if isinstance(error, XrayViewError):
        return error
    log_unforeseen(error)
    return XrayViewError(
        "An internal error occurred",
        why=type(error).__name__,
        hint="The log file has the details.",
    )
