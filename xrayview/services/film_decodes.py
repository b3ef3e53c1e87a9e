"""Decoding of films for the screen: each film is decoded once, however often it is requested."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass, field

from xrayview.display.first_frame import FirstFrame, make_first_frame
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Radiograph
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import DecodeFilm
from xrayview.errors import XrayViewError
from xrayview.services.tasks import Tasks

_HANGS_AFTER_S = 2.0
"""A decode that nobody waits for may finish, as its result is cached; after this time it hangs."""


@dataclass(eq=False)
class _Decode:
    priority: Priority
    future: Future[Radiograph] | None = None
    started_s: float = field(default_factory=time.monotonic)

    @property
    def may_finish(self) -> bool:
        """True for a decode that has finished, or will soon."""
        if self.future is None or self.future.done():
            return True
        return self.future.running() and time.monotonic() - self.started_s < _HANGS_AFTER_S


class FilmDecodes:
    """Decodes films and prepares their first picture, outside of the window's thread.

    Args:
        tasks: runs the work.
        engine: decodes.
        done: receives a film with its pixels and its first picture.
        failed: receives a film and the reason for its failure.
        name: a unique name for the slots of these decodes.
    """

    def __init__(
        self,
        tasks: Tasks,
        engine: Engine,
        done: Callable[[FilmRef, Radiograph, FirstFrame], None],
        failed: Callable[[FilmRef, XrayViewError], None],
        name: str = "film",
    ) -> None:
        self._tasks = tasks
        self._engine = engine
        self._done = done
        self._failed = failed
        self._name = name
        self._pending: dict[str, _Decode] = {}

    def request(self, film: FilmRef, priority: Priority = Priority.INTERACTIVE) -> None:
        """Decode a film, or raise the priority of its pending decode."""
        known = self._pending.get(film.film_id)
        if known is None:
            self._start(film, priority)
        elif priority < known.priority:
            known.priority = priority
            if known.future is not None:
                self._engine.hasten(known.future, priority)

    def is_pending(self, film: FilmRef) -> bool:
        """True while the film is being decoded."""
        return film.film_id in self._pending

    def cancel_all_except(self, film_ids: Collection[str]) -> None:
        """Cancel the decodes of other films that have not started, or that hang."""
        for film_id, decode in tuple(self._pending.items()):
            if film_id not in film_ids and not decode.may_finish:
                self._cancel(film_id)

    def cancel_all(self) -> None:
        """Cancel all decodes; no results follow."""
        for film_id in tuple(self._pending):
            self._cancel(film_id)

    def _cancel(self, film_id: str) -> None:
        del self._pending[film_id]
        self._tasks.cancel(self._slot(film_id))

    def _start(self, film: FilmRef, priority: Priority) -> None:
        decode = self._pending[film.film_id] = _Decode(priority)
        slot = self._slot(film.film_id)

        def submit() -> Future[Radiograph]:
            request = DecodeFilm(film, self._engine.limits)
            decode.future = self._engine.submit(request, priority=decode.priority)
            return decode.future

        def failed(error: XrayViewError) -> None:
            self._pending.pop(film.film_id, None)
            self._failed(film, error)

        def decoded(radiograph: Radiograph) -> None:
            def prepared(first_frame: FirstFrame) -> None:
                self._pending.pop(film.film_id, None)
                self._done(film, radiograph, first_frame)

            # This takes 0.1 s for a large padded film, too long for the window's thread.
            self._tasks.call(slot, lambda: make_first_frame(radiograph), prepared, failed)

        self._tasks.start(slot, submit, decoded, failed)

    def _slot(self, film_id: str) -> str:
        return f"decode {self._name} {film_id}"
