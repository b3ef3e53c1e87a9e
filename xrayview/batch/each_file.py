"""The same request for every file of a folder, answered in the order of the files."""

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
from xrayview.errors import Cancelled, XrayViewError

Entry = TypeVar("Entry")
Answer = TypeVar("Answer")
UNDER_WAY_PER_WORKER = 4


@dataclass(frozen=True)
class FilmReply(Generic[Entry, Answer]):
    """An entry with its answer, or with the error it ended in; neither, when nothing was asked."""

    entry: Entry
    answer: Answer | None = None
    error: XrayViewError | None = None


def map_films(
    engine: Engine,
    entries: Iterable[Entry],
    ask: Callable[[Entry], Future[Answer] | None],
    cancel: threading.Event,
) -> Iterator[FilmReply[Entry, Answer]]:
    """Ask about each entry, with a bounded number under way; one that fails stops no other.

    Args:
        engine: says how many workers there are.
        entries: taken as there is room for them.
        ask: submits the request of an entry; None passes it through unasked.
        cancel: ends the work.

    Raises:
        Cancelled: `cancel` was set, or the engine was closed.
    """
    room = UNDER_WAY_PER_WORKER * engine.decode_workers
    source = iter(entries)
    under_way: deque[tuple[Entry, Future[Answer] | None]] = deque()
    try:
        while True:
            for entry in itertools.islice(source, room - len(under_way)):
                under_way.append((entry, ask(entry)))
            if not under_way:
                return
            yield _answered(*under_way.popleft(), cancel)
    finally:
        cancel_pending(future for _, future in under_way if future)


def _answered(
    entry: Entry, future: Future[Answer] | None, cancel: threading.Event
) -> FilmReply[Entry, Answer]:
    if future is None:
        return FilmReply(entry)
    try:
        return FilmReply(entry, result_of(future, cancel))
    except Cancelled:
        raise
    except XrayViewError as error:
        return FilmReply(entry, error=error)
