"""Decoded films within a memory budget."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass

from xrayview.display.first_frame import FirstFrame
from xrayview.domain.radiograph import Radiograph


@dataclass(frozen=True, eq=False)
class _Kept:
    """A decoded film, and what was made of it for the screen."""

    radiograph: Radiograph
    ready: FirstFrame | None

    @property
    def nbytes(self) -> int:
        if self.ready is None:  # what will be made: its smaller resolutions, 1/4 + 1/16 ...
            return self.radiograph.nbytes + self.radiograph.pixels_HW.nbytes // 3
        return self.radiograph.nbytes + self.ready.nbytes


class FilmCache:
    """Decoded films, newest last, within a memory budget.

    The newest always fits, and what is on screen stays: to forget it would free nothing.
    """

    def __init__(self, budget_bytes: int, on_screen: Callable[[], Collection[str]]) -> None:
        self._budget = budget_bytes
        self._on_screen = on_screen
        self._films: OrderedDict[str, _Kept] = OrderedDict()

    def __contains__(self, film_id: str) -> bool:
        return film_id in self._films

    def get(self, film_id: str) -> Radiograph | None:
        """The film's pixels, None where they are not kept; it is the newest then."""
        kept = self._films.get(film_id)
        if kept is None:
            return None
        self._films.move_to_end(film_id)
        return kept.radiograph

    def ready(self, radiograph: Radiograph) -> FirstFrame | None:
        """What was made of just these pixels for the screen."""
        kept = self._films.get(radiograph.ref.film_id)
        return kept.ready if kept is not None and kept.radiograph is radiograph else None

    def bytes_of(self, film_id: str) -> int | None:
        """What a film takes with all that was made of it; None while it is not kept."""
        kept = self._films.get(film_id)
        return None if kept is None else kept.nbytes

    def put(self, film_id: str, radiograph: Radiograph, ready: FirstFrame | None) -> None:
        """Keep a film, and let the oldest go that have no room beside it."""
        self._films[film_id] = _Kept(radiograph, ready)
        self._films.move_to_end(film_id)
        used = sum(kept.nbytes for kept in self._films.values())
        stay = {film_id, *self._on_screen()}
        for oldest in [known for known in self._films if known not in stay]:
            if used <= self._budget:
                break
            used -= self._films.pop(oldest).nbytes

    def clear(self) -> None:
        """Let all of them go."""
        self._films.clear()
