"""The state of the window: the folder, the films on screen, the model and its results.

A folder or a model is complete before it replaces the one before, so a failure changes nothing.
Every result names its film and its model; a result for another film or model is dropped.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from xrayview.batch.outcome import restated
from xrayview.display.first_frame import FirstFrame
from xrayview.domain.events import FilmResult
from xrayview.domain.film import FilmRef, RejectedFile, row_of
from xrayview.domain.folder import FolderTree
from xrayview.domain.model import HeatMap, OperatingPoint
from xrayview.domain.operating_points import (
    apply_own_points,
    effective_point,
    move_own_point,
    thresholds_of,
)
from xrayview.domain.radiograph import Radiograph
from xrayview.domain.stated import NOTHING_STATED, StatedFilms
from xrayview.engine.protocol import ModelReady, PreparedFilm
from xrayview.errors import XrayViewError
from xrayview.services.film_cache import FilmCache

_FILM_BUDGET_MIB = 512
_MAX_HEAT_MAPS = 64
_MAX_PREPARED = 16

MOST_VIEWS = 5
"""Views that can exist at once: four in the grid, and the detached one."""


@dataclass(frozen=True, eq=False)
class View:
    """One viewport, and the film in it."""

    film: FilmRef | None = None
    radiograph: Radiograph | None = None
    """The film's pixels; None while they load, or if they could not be read."""
    error: XrayViewError | None = None

    @property
    def is_waiting(self) -> bool:
        """True while the film's pixels load."""
        return self.film is not None and self.radiograph is None and self.error is None

    def has_film(self, film_id: str) -> bool:
        """True for the film with this id, whether or not its pixels are loaded."""
        return self.film is not None and self.film.film_id == film_id


class Session:
    """The state of the window and the rules for changing it; no Qt, and no work of its own."""

    def __init__(self, film_budget_mib: int = _FILM_BUDGET_MIB) -> None:
        self.folder: Path | None = None
        self.source: Path | None = None
        """The folder or file that a folder classification reads; None for chosen files."""
        self.tree = FolderTree()
        self.rejected: tuple[RejectedFile, ...] = ()
        self.views: list[View] = [View()]
        """The views on screen in reading order; one of them is active."""
        self.active = 0
        self.pinned = False
        """True where the detached view keeps its film when another film is chosen."""
        self._has_detached = False
        self._active_in_grid = 0
        self.model: ModelReady | None = None
        self._films: tuple[FilmRef, ...] | None = ()
        self._by_id: dict[str, FilmRef] = {}
        self.film_budget_bytes = film_budget_mib * 2**20
        self._decoded = FilmCache(self.film_budget_bytes, self._on_screen)
        self._own_points: dict[str, dict[str, float]] = {}
        """By the model's hash; never written to the card."""
        self._thresholds: tuple[float, ...] = ()
        self.stated = NOTHING_STATED
        """What the user states of the folder's films."""
        self._results: dict[tuple[str, str], FilmResult] = {}
        self._in_force: dict[tuple[str, str], FilmResult | None] = {}
        """The results at the operating points and with the statement in force."""
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
        """Replace the folder; everything that belongs to the one before is dropped."""
        self.folder, self.source = folder, source
        self.views = [View() for _ in self.views]
        self.pinned = False
        self.stated = NOTHING_STATED
        for stored in (self._results, self._in_force, self._prepared, self._heat_maps):
            stored.clear()
        self._decoded.clear()
        self.tree, self._by_id, self.rejected = FolderTree(), {}, ()
        self.add_films(films, rejected)

    def add_films(self, films: Iterable[FilmRef], rejected: Iterable[RejectedFile]) -> None:
        """Add files that the running scan has found; films on screen stay."""
        for film in films:
            self.tree.add((film,))
            self._by_id[film.film_id] = film
        self.rejected += tuple(rejected)
        self._films = None

    @property
    def films(self) -> tuple[FilmRef, ...]:
        """All films of the folder in the browser's order."""
        if self._films is None:
            self._films = tuple(self.tree.all_films())
        return self._films

    def film(self, film_id: str) -> FilmRef | None:
        """The film with this id, or the first frame for other frames; None if not in the folder."""
        return self._by_id.get(row_of(film_id))

    # Views

    def show_views(self, count: int) -> None:
        """Set the view_index of views in the grid; the detached view stays.

        The active view is kept, as the last one if its position is gone.
        """
        last = len(self.views) - self._has_detached
        grid, detached = self.views[:last], self.views[last:]
        views = grid[:count]
        if self._active_in_grid >= count:
            views[-1] = grid[self._active_in_grid]
        self._active_in_grid = min(self._active_in_grid, count - 1)
        self.active = count if self.active == last else self._active_in_grid
        self.views = views + [View() for _ in range(count - len(views))] + detached

    def swap_views(self, one: int, other: int) -> None:
        """Swap two views; the active one stays active."""
        self.views[one], self.views[other] = self.views[other], self.views[one]
        self.active = {one: other, other: one}.get(self.active, self.active)
        self._active_in_grid = {one: other, other: one}.get(
            self._active_in_grid, self._active_in_grid
        )

    def activate(self, view_index: int) -> None:
        """Make a view the active one, which commands and panels refer to."""
        self.active = view_index
        if view_index != self.detached:
            self._active_in_grid = view_index

    def set_detached(self, shown: bool) -> None:
        """Add the detached view, or remove it."""
        if shown and not self._has_detached:
            self.views.append(View())
        elif self._has_detached and not shown:
            self.views.pop()
            self.active, self.pinned = self.active_in_grid, False
        self._has_detached = shown

    @property
    def detached(self) -> int | None:
        """The index of the view in its own window, the last one; None without such a view."""
        return len(self.views) - 1 if self._has_detached else None

    @property
    def active_in_grid(self) -> int:
        """The index of the grid's active view, also while the detached view is active."""
        return self._active_in_grid

    @property
    def current(self) -> FilmRef | None:
        """The film of the active view."""
        return self.views[self.active].film

    @property
    def radiograph(self) -> Radiograph | None:
        """The current film's pixels; None while they load, or if they could not be read."""
        return self.views[self.active].radiograph

    @property
    def film_error(self) -> XrayViewError | None:
        """Why the current film could not be read."""
        return self.views[self.active].error

    def views_of(self, film_id: str) -> tuple[int, ...]:
        """The indices of the views that show a film."""
        return tuple(i for i, view in enumerate(self.views) if view.has_film(film_id))

    def _on_screen(self) -> Collection[str]:
        return {view.film.film_id for view in self.views if view.film is not None}

    # Film

    def select(self, film: FilmRef, view_index: int | None = None) -> Radiograph | None:
        """Put a film into a view, by default the active one; returns its pixels if cached."""
        radiograph = self._decoded.get(film.film_id)
        self.views[self.active if view_index is None else view_index] = View(film, radiograph)
        return radiograph

    def accept_radiograph(
        self, film: FilmRef, radiograph: Radiograph, first_frame: FirstFrame | None = None
    ) -> tuple[int, ...]:
        """Store decoded pixels; returns the views that waited for them."""
        if self.film(film.film_id) is None:
            return ()
        self._decoded.put(film.film_id, radiograph, first_frame)
        return self._fill(View(film, radiograph))

    def cached_frame(self, film: FilmRef) -> Radiograph | None:
        """The cached pixels of a film or one of its frames, or None."""
        return self._decoded.get(film.film_id)

    def cache_frame(self, film: FilmRef, radiograph: Radiograph, first_frame: FirstFrame) -> None:
        """Cache the pixels of a frame that no view waits for."""
        if self.film(film.film_id) is not None:
            self._decoded.put(film.film_id, radiograph, first_frame)

    def accept_frame(
        self, view_index: int, film: FilmRef, radiograph: Radiograph, first_frame: FirstFrame
    ) -> bool:
        """Replace a frame by another one of its file; False if the view has another film by now."""
        view = self.views[view_index] if view_index < len(self.views) else View()
        if view.film is None or view.radiograph is None or view.film.row_id != film.row_id:
            return False
        self.cache_frame(film, radiograph, first_frame)
        self.views[view_index] = View(film, radiograph)
        return True

    def accept_film_error(self, film: FilmRef, error: XrayViewError) -> tuple[int, ...]:
        """Store why a film failed; returns the views that waited for it."""
        return self._fill(View(film, None, error))

    def _fill(self, filled: View) -> tuple[int, ...]:
        assert filled.film is not None
        film_id = filled.film.film_id
        waiting = tuple(i for i in self.views_of(film_id) if self.views[i].radiograph is None)
        for index in waiting:
            self.views[index] = filled
        return waiting

    def is_decoded(self, film: FilmRef) -> bool:
        """True if the film can be shown without decoding it."""
        return film.film_id in self._decoded

    def first_frame(self, radiograph: Radiograph) -> FirstFrame | None:
        """The prepared first picture of a cached film; it is dropped with the film's pixels."""
        return self._decoded.first_frame(radiograph)

    def bytes_of(self, film: FilmRef) -> int | None:
        """The memory of a film and its prepared picture; None while it is not decoded."""
        return self._decoded.bytes_of(film.film_id)

    # Model

    @property
    def model_sha256(self) -> str:
        """The hash of the active model; empty without one."""
        return self.model.model.sha256 if self.model else ""

    def open_model(self, ready: ModelReady) -> None:
        """Replace the model; results of other models stay, stored under their own hash."""
        self.model = ready
        self._thresholds = thresholds_of(ready.card, self.own_points)

    @property
    def own_points(self) -> Mapping[str, float]:
        """The user's own thresholds for the active model, by finding."""
        return self._own_points.get(self.model_sha256, {})

    def move_point(self, finding: str, threshold: float | None) -> None:
        """Set the user's own threshold of a finding for this session; None resets it."""
        if self.model is not None:
            own = move_own_point(self.model.card, self.own_points, finding, threshold)
            self._own_points[self.model_sha256] = own
            self._thresholds = thresholds_of(self.model.card, own)
            self._in_force.clear()

    @property
    def effective_points(self) -> tuple[OperatingPoint, ...]:
        """The operating points in force, in the order of the active model's findings."""
        if self.model is None:
            return ()
        card = self.model.card
        return tuple(effective_point(card, self.own_points, f.name) for f in card.findings)

    def state_films(self, stated: StatedFilms) -> None:
        """Set what is true of all films of the folder, where their headers do not say it."""
        self.stated = stated
        self._in_force.clear()
        self._prepared.clear()  # their verdicts rest on the statement

    # Results

    def accept_result(self, result: FilmResult, model_sha256: str) -> bool:
        """Store a result; True if its film is open and its model active."""
        film, prediction = result.ref, result.prediction
        if film is None or self.film(film.film_id) is None:
            return False
        expected = (film.film_id, model_sha256)
        if prediction is not None and (prediction.film_id, prediction.model_sha256) != expected:
            return False
        self._results[film.film_id, model_sha256] = result
        self._in_force.pop((film.film_id, model_sha256), None)
        return model_sha256 == self.model_sha256

    def result(self, film: FilmRef | None) -> FilmResult | None:
        """The active model's result for a film, see `in_force`.

        None for a film that is not classified yet.
        """
        if film is None:
            return None
        key = film.film_id, self.model_sha256
        if key not in self._in_force:  # lists ask for every film
            result = self._results.get(key)
            if result is None:
                return None
            self._in_force[key] = self.in_force(result)
        return self._in_force[key]

    def in_force(self, result: FilmResult) -> FilmResult | None:
        """A result of the active model at the operating points and with the statement in force.

        None where the film was refused before it was scored, and no longer is.
        """
        if self.model is None:
            return result
        card, stated = self.model.card, restated(result, self.model.card.scope, self.stated)
        prediction = stated.prediction if stated is not None else None
        if stated is None or prediction is None or prediction.thresholds == self._thresholds:
            return stated
        prediction = apply_own_points(prediction, card, self.own_points)
        return replace(stated, prediction=prediction)

    def accept_prepared(self, prepared: PreparedFilm, model_sha256: str) -> None:
        """Cache a preprocessed film, so that a heat map need not decode it again."""
        self._prepared[prepared.film.film_id, model_sha256] = prepared
        while len(self._prepared) > _MAX_PREPARED:
            self._prepared.popitem(last=False)

    def prepared(self, film: FilmRef) -> PreparedFilm | None:
        """The film preprocessed for the active model, if it is cached."""
        return self._prepared.get((film.film_id, self.model_sha256))

    def accept_heat_map(self, heat: HeatMap) -> bool:
        """Store a heat map; True if its film is on screen and its model active."""
        if self.film(heat.film_id) is None or heat.model_sha256 != self.model_sha256:
            return False
        self._heat_maps[heat.film_id, heat.model_sha256, heat.finding, heat.method] = heat
        while len(self._heat_maps) > _MAX_HEAT_MAPS:
            self._heat_maps.popitem(last=False)
        return bool(self.views_of(heat.film_id))

    def heat_map(self, film: FilmRef, finding: str, method: str) -> HeatMap | None:
        """The active model's heat map of a film, or None if it was not computed."""
        return self._heat_maps.get((film.film_id, self.model_sha256, finding, method))

    def at_own_points(self, heat: HeatMap) -> HeatMap:
        """The heat map with the threshold of the operating point in force."""
        if self.model is None:
            return heat
        point = effective_point(self.model.card, self.own_points, heat.finding)
        return replace(heat, threshold=point.threshold)
