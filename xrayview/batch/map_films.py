"""Send the same request for every file of a folder, with replies in the order of the files."""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from xrayview.engine.client import Engine
from xrayview.engine.waiting import cancel_pending, result_of
from xrayview.errors import Cancelled, ModelLost, XrayViewError

Entry = TypeVar("Entry")
Reply = TypeVar("Reply")
REQUESTS_PER_WORKER = 4


@dataclass(frozen=True)
class FilmReply(Generic[Entry, Reply]):
    """An entry with its reply or its error; with neither where no request was sent."""

    entry: Entry
    reply: Reply | None = None
    error: XrayViewError | None = None


def map_films(
    engine: Engine,
    entries: Iterable[Entry],
    submit: Callable[[Entry], Future[Reply] | None],
    cancel: threading.Event,
) -> Iterator[FilmReply[Entry, Reply]]:
    """Send a request for each entry, a bounded number at a time; a failure affects no other entry.

    Args:
        engine: its number of workers bounds the number of requests.
        entries: consumed as requests are sent.
        submit: sends the request of an entry; None passes the entry through.
        cancel: ends the work.

    Raises:
        Cancelled: `cancel` was set, or the engine was closed.
        ModelLost: no further film can be classified.
    """
    limit = REQUESTS_PER_WORKER * engine.decode_workers
    source = iter(entries)
    pending: deque[tuple[Entry, Future[Reply] | None]] = deque()
    try:
        while True:
            for entry in itertools.islice(source, limit - len(pending)):
                pending.append((entry, submit(entry)))
            if not pending:
                return
            yield _wait(*pending.popleft(), cancel)
    finally:
        cancel_pending(future for _, future in pending if future)


def _wait(
    entry: Entry, future: Future[Reply] | None, cancel: threading.Event
) -> FilmReply[Entry, Reply]:
    if future is None:
        return FilmReply(entry)
    try:
        return FilmReply(entry, result_of(future, cancel))
    except (Cancelled, ModelLost):
        raise
    except XrayViewError as error:
        return FilmReply(entry, error=error)
