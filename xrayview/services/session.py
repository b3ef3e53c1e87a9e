"""What is open: the folder, its films, the films on screen, the model, and what it said.

Stage, then swap: a folder or a model is complete before it takes the place of the earlier one,
and a failure changes nothing. Every result names its film and its model; one that belongs to
another is dropped.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from xrayview.display.first_frame import FirstFrame
from xrayview.domain.events import FilmResult
from xrayview.domain.film import FilmRef, RejectedFile, row_of
from xrayview.domain.folder import FolderTree
from xrayview.domain.model import HeatMap
from xrayview.domain.operating_points import (
    apply_own_points,
    effective_point,
    move_own_point,
    thresholds_of,
)
from xrayview.domain.radiograph import Radiograph
from xrayview.engine.protocol import ModelReady, PreparedFilm
from xrayview.errors import XrayViewError
from xrayview.services.film_cache import FilmCache

_FILM_BUDGET_MIB = 512
_HEAT_MAPS_KEPT = 64
_PREPARED_KEPT = 16

MOST_VIEWS = 5
"""Films that can be on screen at once: four beside each other, and one apart."""


@dataclass(frozen=True, eq=False)
class View:
    """One place for a film on screen, and what stands in it."""

    film: FilmRef | None = None
    radiograph: Radiograph | None = None
    """The film's pixels; None while they load and when they could not be read."""
    error: XrayViewError | None = None

    @property
    def is_waiting(self) -> bool:
        """True while the film's pixels are on their way."""
        return self.film is not None and self.radiograph is None and self.error is None

    def holds(self, film_id: str) -> bool:
        """True when the film of this id stands here, read or not."""
        return self.film is not None and self.film.film_id == film_id


class Session:
    """The state of the workbench; no Qt, no work, only rules of what may replace what."""

    def __init__(self, film_budget_mib: int = _FILM_BUDGET_MIB) -> None:
        self.folder: Path | None = None
        self.source: Path | None = None
        """What a batch would run over: the folder or the one file; None for picked files."""
        self.tree = FolderTree()
        self.rejected: tuple[RejectedFile, ...] = ()
        self.views: list[View] = [View()]
        """What is on screen, in reading order; one of them is the active view."""
        self.active = 0
        self.pinned = False
        """The film of the view apart stays when another one is chosen."""
        self._apart = False
        self._beside = 0
        self.model: ModelReady | None = None
        self._films: tuple[FilmRef, ...] | None = ()
        self._by_id: dict[str, FilmRef] = {}
        self.film_budget_bytes = film_budget_mib * 2**20
        self._decoded = FilmCache(self.film_budget_bytes, self._on_screen)
        self._own_points: dict[str, dict[str, float]] = {}
        """By the model's hash; never written to its card."""
        self._thresholds: tuple[float, ...] = ()
        self._results: dict[tuple[str, str], FilmResult] = {}
        self._prepared: OrderedDict[tuple[str, str], PreparedFilm] = OrderedDict()
        self._heat_maps: OrderedDict[tuple[str, str, str, str], HeatMap] = OrderedDict()

    # Folder

    def open_folder(
        self,
        folder: Path,
        films: Iterable[FilmRef],
        rejected: Iterable[RejectedFile],
        source: Path | None = None,
    ) -> None:
        """Swap the staged folder in; what belonged to the earlier one is let go."""
        self.folder, self.source = folder, source
        self.views = [View() for _ in self.views]
        self.pinned = False
        for kept in (self._results, self._prepared, self._heat_maps):
            kept.clear()
        self._decoded.clear()
        self.tree, self._by_id, self.rejected = FolderTree(), {}, ()
        self.add_films(films, rejected)

    def add_films(self, films: Iterable[FilmRef], rejected: Iterable[RejectedFile]) -> None:
        """Take what the running scan has found since; films on screen stay."""
        for film in films:
            self.tree.add((film,))
            self._by_id[film.film_id] = film
        self.rejected += tuple(rejected)
        self._films = None

    @property
    def films(self) -> tuple[FilmRef, ...]:
        """All films of the folder, in the browser's order."""
        if self._films is None:
            self._films = tuple(self.tree.all_films())
        return self._films

    def film(self, film_id: str) -> FilmRef | None:
        """The film of an id, None when it is not in the folder; of any frame, its file's row."""
        return self._by_id.get(row_of(film_id))

    # Views

    def show_views(self, count: int) -> None:
        """Have so many views beside each other, and the one apart as it is.

        The active one stays, at the last place if its own is gone.
        """
        last = len(self.views) - self._apart
        beside, detached = self.views[:last], self.views[last:]
        kept = beside[:count]
        if self._beside >= count:
            kept[-1] = beside[self._beside]
        self._beside = min(self._beside, count - 1)
        self.active = count if self.active == last else self._beside
        self.views = kept + [View() for _ in range(count - len(kept))] + detached

    def swap_views(self, one: int, other: int) -> None:
        """Let two views change places; the active one stays active."""
        self.views[one], self.views[other] = self.views[other], self.views[one]
        self.active = {one: other, other: one}.get(self.active, self.active)
        self._beside = {one: other, other: one}.get(self._beside, self._beside)

    def activate(self, number: int) -> None:
        """Make a view the active one: what is chosen, keyed and said is of its film."""
        self.active = number
        if number != self.detached:
            self._beside = number

    def set_detached(self, shown: bool) -> None:
        """Have a further view, in a window of its own, or no longer."""
        if shown and not self._apart:
            self.views.append(View())
        elif self._apart and not shown:
            self.views.pop()
            self.active, self.pinned = self.beside, False
        self._apart = shown

    @property
    def detached(self) -> int | None:
        """The number of the view in a window of its own, which is the last one; None without."""
        return len(self.views) - 1 if self._apart else None

    @property
    def beside(self) -> int:
        """The active one of the views beside each other, also while the one apart is active."""
        return self._beside

    @property
    def current(self) -> FilmRef | None:
        """The film of the active view."""
        return self.views[self.active].film

    @property
    def radiograph(self) -> Radiograph | None:
        """The current film's pixels; None while they load and when they could not be read."""
        return self.views[self.active].radiograph

    @property
    def film_error(self) -> XrayViewError | None:
        """Why the current film could not be read."""
        return self.views[self.active].error

    def views_of(self, film_id: str) -> tuple[int, ...]:
        """The numbers of the views in which a film stands."""
        return tuple(n for n, view in enumerate(self.views) if view.holds(film_id))

    def _on_screen(self) -> Collection[str]:
        return {view.film.film_id for view in self.views if view.film is not None}

    # Film

    def select(self, film: FilmRef, number: int | None = None) -> Radiograph | None:
        """Give a view (the active one by default) a film; its pixels if they are at hand."""
        radiograph = self._decoded.get(film.film_id)
        self.views[self.active if number is None else number] = View(film, radiograph)
        return radiograph

    def accept_radiograph(
        self, film: FilmRef, radiograph: Radiograph, ready: FirstFrame | None = None
    ) -> tuple[int, ...]:
        """Keep decoded pixels; the views that waited for them and may show them."""
        if self.film(film.film_id) is None:
            return ()
        self._decoded.put(film.film_id, radiograph, ready)
        return self._fill(View(film, radiograph))

    def cached_frame(self, film: FilmRef) -> Radiograph | None:
        """The decoded pixels of a film or of one of its frames; None where they are not kept."""
        return self._decoded.get(film.film_id)

    def cache_frame(self, film: FilmRef, radiograph: Radiograph, ready: FirstFrame) -> None:
        """Keep the pixels of a frame that nobody waits for yet."""
        if self.film(film.film_id) is not None:
            self._decoded.put(film.film_id, radiograph, ready)

    def accept_frame(
        self, number: int, film: FilmRef, radiograph: Radiograph, ready: FirstFrame
    ) -> bool:
        """Put a frame in the place of another one of its file; False: the view has moved on."""
        view = self.views[number] if number < len(self.views) else View()
        if view.film is None or view.radiograph is None or view.film.row_id != film.row_id:
            return False
        self.cache_frame(film, radiograph, ready)
        self.views[number] = View(film, radiograph)
        return True

    def accept_film_error(self, film: FilmRef, error: XrayViewError) -> tuple[int, ...]:
        """The views that waited for the film and may show why it failed."""
        return self._fill(View(film, None, error))

    def _fill(self, filled: View) -> tuple[int, ...]:
        assert filled.film is not None
        film_id = filled.film.film_id
        waiting = tuple(n for n in self.views_of(film_id) if self.views[n].radiograph is None)
        for number in waiting:
            self.views[number] = filled
        return waiting

    def is_decoded(self, film: FilmRef) -> bool:
        """True when the film would be shown without another decode."""
        return film.film_id in self._decoded

    def ready(self, radiograph: Radiograph) -> FirstFrame | None:
        """What a kept film's first picture needs; it is let go with the film's pixels."""
        return self._decoded.ready(radiograph)

    def bytes_of(self, film: FilmRef) -> int | None:
        """What a film takes with all that was made of it; None while it is not decoded."""
        return self._decoded.bytes_of(film.film_id)

    # Model

    @property
    def model_sha256(self) -> str:
        """The hash of the model in force, empty without one."""
        return self.model.model.sha256 if self.model else ""

    def open_model(self, ready: ModelReady) -> None:
        """Swap a loaded model in; earlier results stay, filed under their own model."""
        self.model = ready
        self._thresholds = thresholds_of(ready.card, self.own_points)

    @property
    def own_points(self) -> Mapping[str, float]:
        """Operating points that the user has set for the model in force, by finding."""
        return self._own_points.get(self.model_sha256, {})

    def move_point(self, finding: str, threshold: float | None) -> None:
        """Flag a finding at another threshold until the program ends; None: as the card says."""
        if self.model is not None:
            own = move_own_point(self.model.card, self.own_points, finding, threshold)
            self._own_points[self.model_sha256] = own
            self._thresholds = thresholds_of(self.model.card, own)

    # What the model said

    def accept_result(self, result: FilmResult, model_sha256: str) -> bool:
        """File a result; True when it is of a film that is open and of the model in force."""
        film = result.ref
        said = result.prediction
        if film is None or self.film(film.film_id) is None:
            return False
        if said is not None and (said.film_id, said.model_sha256) != (film.film_id, model_sha256):
            return False
        self._results[film.film_id, model_sha256] = result
        return model_sha256 == self.model_sha256

    def result(self, film: FilmRef | None) -> FilmResult | None:
        """What the model in force said of a film, None while it was not asked.

        It is flagged at the operating points in force: the card's, or the user's own.
        """
        result = self._results.get((film.film_id, self.model_sha256)) if film else None
        said = result.prediction if result is not None else None
        if result is None or said is None or self.model is None:
            return result
        if said.thresholds == self._thresholds:  # nearly always, and lists ask for every film
            return result
        return replace(result, prediction=apply_own_points(said, self.model.card, self.own_points))

    def accept_prepared(self, prepared: PreparedFilm, model_sha256: str) -> None:
        """Keep a film as the model sees it, so that a heat map needs no second decode."""
        self._prepared[prepared.film.film_id, model_sha256] = prepared
        while len(self._prepared) > _PREPARED_KEPT:
            self._prepared.popitem(last=False)

    def prepared(self, film: FilmRef) -> PreparedFilm | None:
        """The film as the model in force sees it, if it is still at hand."""
        return self._prepared.get((film.film_id, self.model_sha256))

    def accept_heat_map(self, heat: HeatMap) -> bool:
        """Keep a heat map; True when its film is on screen and its model is in force."""
        if self.film(heat.film_id) is None or heat.model_sha256 != self.model_sha256:
            return False
        self._heat_maps[heat.film_id, heat.model_sha256, heat.finding, heat.method] = heat
        while len(self._heat_maps) > _HEAT_MAPS_KEPT:
            self._heat_maps.popitem(last=False)
        return bool(self.views_of(heat.film_id))

    def heat_map(self, film: FilmRef, finding: str, method: str) -> HeatMap | None:
        """The heat map of the model in force, None while it was not computed."""
        return self._heat_maps.get((film.film_id, self.model_sha256, finding, method))

    def at_own_points(self, heat: HeatMap) -> HeatMap:
        """A heat map that says whether its score reaches the operating point in force."""
        if self.model is None:
            return heat
        point = effective_point(self.model.card, self.own_points, heat.finding)
        return replace(heat, threshold=point.threshold)
