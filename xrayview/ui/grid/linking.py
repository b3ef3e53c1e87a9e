"""Views that follow each other: the same part of the film, through the same share of its values.

Films differ in size, in detector and in exposure, so nothing is copied as it stands. A place is
passed on as a share of the film's width and height, a zoom as a multiple of what fits, a window as
its share of the film's own value range (0.5th to 99.5th percentile): stored values of radiographs
have no common scale, not even between films of one detector.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, QPointF, Signal

from xrayview.display.voi import MIN_WIDTH, Voi, VoiChoice, automatic, window_to_drag
from xrayview.domain.radiograph import Window
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.viewer.film_view import FilmViewer
from xrayview.ui.viewer.placement import Placement

Look = tuple[str, Voi | None, tuple[float, QPointF]]
"""Film, window, and zoom with centre: what is passed on when it changes."""


class Linking(QObject):
    """While on, the other views follow the active one, and a film that comes in joins them."""

    switched = Signal(bool)

    def __init__(self, grid: ViewGrid) -> None:
        super().__init__(grid)
        self._grid = grid
        self._passing = False
        self._looks = {viewer: look(viewer) for viewer in grid.viewers}
        self.on = False
        for viewer in grid.viewers:
            viewer.state_changed.connect(lambda v=viewer: self._on_state(v))

    def toggle(self) -> None:
        """Link or unlink."""
        self.set_on(not self.on)

    def set_on(self, on: bool) -> None:
        """Linked views take the active one's look at once."""
        self.on = on
        if on:
            self._pass_on(self._grid.viewer)
        self.switched.emit(on)

    def _on_state(self, viewer: FilmViewer) -> None:
        before, now = self._looks[viewer], look(viewer)
        self._looks[viewer] = now
        if not self.on or self._passing or now == before or viewer.radiograph is None:
            return
        if now[0] != before[0]:
            self._join(viewer)
        elif viewer is self._grid.viewer:
            self._pass_on(viewer)

    def _join(self, viewer: FilmViewer) -> None:
        """A new film is seen as the views beside it are."""
        seen = (self._grid.viewer, *self._grid.viewers)
        leader = next((v for v in seen if v is not viewer and v.radiograph is not None), None)
        if leader is not None:
            self._follow(viewer, leader)

    def _pass_on(self, leader: FilmViewer) -> None:
        for viewer in self._grid.viewers:
            if viewer is not leader and viewer.radiograph is not None:
                self._follow(viewer, leader)

    def _follow(self, viewer: FilmViewer, leader: FilmViewer) -> None:
        if leader.voi is None:
            return
        self._passing = True
        try:
            viewer.set_placement(linked_placement(leader.placement, viewer.placement))
            voi = linked_voi(leader.voi, leader.voi_choices(), viewer.voi_choices())
            viewer.set_voi(voi)
        finally:
            self._passing = False


def look(viewer: FilmViewer) -> Look:
    """What of a view is passed on."""
    return viewer.film_id, viewer.voi, (viewer.zoom, viewer.placement.center)


def linked_placement(leader: Placement, follower: Placement) -> Placement:
    """The same part of another film; its own turns and flips stay."""
    whole = follower.fitted()
    if is_fitted(leader):
        return whole
    part = leader.zoom / leader.fitted().zoom
    x = leader.center.x() / max(1, leader.film.width())
    y = leader.center.y() / max(1, leader.film.height())
    center = QPointF(x * follower.film.width(), y * follower.film.height())
    return replace(follower, zoom=whole.zoom * part, center=center)


def is_fitted(placement: Placement) -> bool:
    """True when the whole film is seen, as large as the viewport allows."""
    return placement == placement.fitted()


def linked_voi(voi: Voi, choices: tuple[VoiChoice, ...], of_follower: tuple[VoiChoice, ...]) -> Voi:
    """The window of another film that matches `voi`, given what each film offers.

    A film's default matches the other's default, its automatic window the other's; any other
    window keeps its place in the automatic one.
    """
    if voi is choices[0].voi:
        return of_follower[0].voi
    auto, auto_of_follower = automatic(choices), automatic(of_follower)
    if voi is auto:
        return auto_of_follower
    window = window_to_drag(voi)
    own, other = window_to_drag(auto), window_to_drag(auto_of_follower)
    scale = other.width / own.width
    center = other.center + (window.center - own.center) * scale
    width = max(window.width * scale, MIN_WIDTH[window.function])
    return Window(center, width, window.function)
