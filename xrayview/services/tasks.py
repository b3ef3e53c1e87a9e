"""Work that leaves the window: one slot, one answer, and the newest request wins.

A caller names a slot ("open film", "classify"), hands over what to do, and gets its answer on the
window's thread, unless a newer request of the same slot or a cancel came first. Nothing here
waits: answers arrive by callback.
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
"""Runs a function on the window's thread, later, in the order given."""
Failed = Callable[[XrayViewError], None]


# A running request that nobody waits for may finish: its worker costs more than a usual film.
# One that runs longer than this hangs, and its worker is needed.
_PATIENCE_S = 2.0


@dataclass(eq=False)
class _Ticket:
    """One request; it is in force while it is the newest of its slot."""

    stop: threading.Event = field(default_factory=threading.Event)
    dropped: bool = False
    future: Future[Any] | None = None
    started_s: float = field(default_factory=time.monotonic)

    def drop(self) -> None:
        self.dropped = True
        self.stop.set()


class Tasks:
    """Runs futures and streams by slot; all callbacks run through `deliver`.

    Not thread-safe by itself: start and cancel from the window's thread only.
    """

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._newest: dict[str, _Ticket] = {}
        self._unheard: list[_Ticket] = []
        self._threads: list[threading.Thread] = []
        self._closed = False

    def start(
        self,
        slot: str,
        submit: Callable[[], Future[T]],
        done: Callable[[T], None],
        failed: Failed,
    ) -> None:
        """Submit a request; `done` or `failed` follows unless something newer takes the slot."""
        if self._closed:
            return
        ticket = self._take(slot)
        try:
            future = submit()
        except Exception as error:
            self._answer(slot, ticket, failed, as_shown(error))
            return
        ticket.future = future

        def finished(future: Future[T]) -> None:
            try:
                reply = future.result()
            except (CancelledError, Cancelled):
                self._deliver(lambda: self._forget(slot, ticket))
            except Exception as error:
                self._answer(slot, ticket, failed, as_shown(error))
            else:
                self._answer(slot, ticket, done, reply)

        future.add_done_callback(finished)

    def stream(
        self,
        slot: str,
        work: Callable[[threading.Event], Iterator[T]],
        each: Callable[[list[T]], None],
        ended: Callable[[], None],
        failed: Failed,
    ) -> None:
        """Iterate `work(stop)` in a thread; what it yields arrives in lists, in order.

        `stop` is set when the slot is cancelled or taken again. `work` is to end soon after; what
        it yields then is dropped.
        """
        if self._closed:
            return
        ticket = self._take(slot)
        waiting: deque[T] = deque()

        def drain() -> None:
            items = []
            while waiting:
                items.append(waiting.popleft())
            if items and self._in_force(slot, ticket):
                each(items)

        def pump() -> None:
            try:
                for item in work(ticket.stop):
                    waiting.append(item)
                    # While one delivery is under way, others join it: no flood of events.
                    if len(waiting) == 1:
                        self._deliver(drain)
                    if ticket.dropped:
                        break
            except Cancelled:
                self._deliver(lambda: self._forget(slot, ticket))
            except Exception as error:
                self._answer(slot, ticket, failed, as_shown(error))
            else:
                self._answer(slot, ticket, lambda _: ended(), None)

        thread = threading.Thread(target=pump, name=f"xrayview task {slot}", daemon=True)
        self._threads = [t for t in self._threads if t.is_alive()] + [thread]
        thread.start()

    def call(
        self, slot: str, function: Callable[[], T], done: Callable[[T], None], failed: Failed
    ) -> None:
        """Run one function in a thread: for short work that would hold up the window."""

        def once(_stop: threading.Event) -> Iterator[T]:
            yield function()

        self.stream(slot, once, lambda items: done(items[0]), lambda: None, failed)

    def busy(self, slot: str) -> bool:
        """True while the slot waits for an answer."""
        return slot in self._newest

    def stop(self, slot: str) -> None:
        """Ask a stream to end; it may still say so itself (a batch writes its last rows)."""
        if ticket := self._newest.get(slot):
            ticket.stop.set()

    def cancel(self, slot: str) -> None:
        """Take the slot's request back: no answer follows, and one that waits is not begun."""
        if ticket := self._newest.pop(slot, None):
            ticket.drop()
            self._unheard.append(ticket)
        self._release()

    def close(self, timeout_s: float = 2.0) -> None:
        """Cancel everything and wait a short while for the threads."""
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

    def _release(self) -> None:
        """End requests that nobody waits for, where they have not begun or hang."""
        now = time.monotonic()
        for ticket in self._unheard:
            hangs = now - ticket.started_s > _PATIENCE_S
            if ticket.future is not None and (hangs or not ticket.future.running()):
                ticket.future.cancel()
        self._unheard = [t for t in self._unheard if t.future and not t.future.done()]

    def _answer(
        self, slot: str, ticket: _Ticket, callback: Callable[[Any], None], value: object
    ) -> None:
        def on_window() -> None:
            if self._in_force(slot, ticket):
                self._forget(slot, ticket)
                callback(value)

        self._deliver(on_window)

    def _in_force(self, slot: str, ticket: _Ticket) -> bool:
        return not self._closed and self._newest.get(slot) is ticket

    def _forget(self, slot: str, ticket: _Ticket) -> None:
        if self._newest.get(slot) is ticket:
            del self._newest[slot]


def as_shown(error: BaseException) -> XrayViewError:
    """The error as a user may see it; one that nobody foresaw goes to the log with its trace."""
    if isinstance(error, XrayViewError):
        return error
    log_unforeseen(error)
    return XrayViewError(
        "Something failed inside XrayView",
        why=type(error).__name__,
        hint="The log file has the details.",
    )
