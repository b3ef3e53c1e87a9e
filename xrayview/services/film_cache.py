"""A cache of decoded films with a memory budget."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass

from xrayview.display.first_frame import FirstFrame
from xrayview.domain.radiograph import Radiograph


@dataclass(frozen=True, eq=False)
class _Cached:
    """A decoded film, and its prepared first picture."""

    radiograph: Radiograph
    first_frame: FirstFrame | None

    @property
    def nbytes(self) -> int:
        if self.first_frame is None:  # the smaller resolutions to come: 1/4 + 1/16 ...
            return self.radiograph.nbytes + self.radiograph.pixels_HW.nbytes // 3
        return self.radiograph.nbytes + self.first_frame.nbytes


class FilmCache:
    """Decoded films within a memory budget; the least recently used ones are dropped first.

    The latest film is always kept, and so are films on screen: dropping them would free nothing.
    """

    def __init__(self, budget_bytes: int, on_screen: Callable[[], Collection[str]]) -> None:
        self._budget = budget_bytes
        self._on_screen = on_screen
        self._films: OrderedDict[str, _Cached] = OrderedDict()

    def __contains__(self, film_id: str) -> bool:
        return film_id in self._films

    def get(self, film_id: str) -> Radiograph | None:
        """The film's pixels, marked as recently used; None if not cached."""
        cached = self._films.get(film_id)
        if cached is None:
            return None
        self._films.move_to_end(film_id)
        return cached.radiograph

    def first_frame(self, radiograph: Radiograph) -> FirstFrame | None:
        """The prepared first picture of exactly these pixels, or None."""
        cached = self._films.get(radiograph.ref.film_id)
        if cached is None or cached.radiograph is not radiograph:
            return None
        return cached.first_frame

    def bytes_of(self, film_id: str) -> int | None:
        """The memory of a film and its prepared picture; None if not cached."""
        cached = self._films.get(film_id)
        return None if cached is None else cached.nbytes

    def put(self, film_id: str, radiograph: Radiograph, first_frame: FirstFrame | None) -> None:
        """Add a film, and drop the least recently used ones beyond the budget."""
        self._films[film_id] = _Cached(radiograph, first_frame)
        self._films.move_to_end(film_id)
        used = sum(cached.nbytes for cached in self._films.values())
        keep = {film_id, *self._on_screen()}
        for oldest in [known for known in self._films if known not in keep]:
            if used <= self._budget:
                break
            used -= self._films.pop(oldest).nbytes

    def clear(self) -> None:
        """Drop all films."""
        self._films.clear()
