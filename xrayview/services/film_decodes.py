"""Films on their way to the screen: each is decoded once, however often it is asked for."""

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

_PATIENCE_S = 2.0
"""A decode that nobody waits for may end: what it brings is kept. One past this hangs."""


@dataclass(eq=False)
class _Decode:
    priority: Priority
    future: Future[Radiograph] | None = None
    begun_s: float = field(default_factory=time.monotonic)

    @property
    def may_end(self) -> bool:
        """True for a film that is here, or will be before long."""
        if self.future is None or self.future.done():
            return True
        return self.future.running() and time.monotonic() - self.begun_s < _PATIENCE_S


class FilmDecodes:
    """Decodes films and makes them ready, neither of it in the window's thread.

    Args:
        done: gets a film with its pixels and what was made of them.
        failed: gets a film and why it has no pixels.
        name: of its slots: nobody else may decode under the same one.
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
        self._under_way: dict[str, _Decode] = {}

    def want(self, film: FilmRef, priority: Priority = Priority.INTERACTIVE) -> None:
        """Decode a film, or join the decode that is under way and hasten it."""
        known = self._under_way.get(film.film_id)
        if known is None:
            self._begin(film, priority)
        elif priority < known.priority:
            known.priority = priority
            if known.future is not None:
                self._engine.hasten(known.future, priority)

    def is_pending(self, film: FilmRef) -> bool:
        """True while the film will come without being asked for again."""
        return film.film_id in self._under_way

    def cancel_all_except(self, film_ids: Collection[str]) -> None:
        """Take the other films back that are not begun yet, or hang."""
        for film_id, decode in tuple(self._under_way.items()):
            if film_id not in film_ids and not decode.may_end:
                self._drop(film_id)

    def cancel_all(self) -> None:
        """No film is waited for any more, not even one that is about to come."""
        for film_id in tuple(self._under_way):
            self._drop(film_id)

    def _drop(self, film_id: str) -> None:
        del self._under_way[film_id]
        self._tasks.cancel(self._slot(film_id))

    def _begin(self, film: FilmRef, priority: Priority) -> None:
        decode = self._under_way[film.film_id] = _Decode(priority)
        slot = self._slot(film.film_id)

        def submit() -> Future[Radiograph]:
            request = DecodeFilm(film, self._engine.limits)
            decode.future = self._engine.submit(request, priority=decode.priority)
            return decode.future

        def failed(error: XrayViewError) -> None:
            self._under_way.pop(film.film_id, None)
            self._failed(film, error)

        def decoded(radiograph: Radiograph) -> None:
            def ready(made: FirstFrame) -> None:
                self._under_way.pop(film.film_id, None)
                self._done(film, radiograph, made)

            # A tenth of a second for a large padded film, which the window would feel.
            self._tasks.call(slot, lambda: make_first_frame(radiograph), ready, failed)

        self._tasks.start(slot, submit, decoded, failed)

    def _slot(self, film_id: str) -> str:
        return f"decode {self._name} {film_id}"
