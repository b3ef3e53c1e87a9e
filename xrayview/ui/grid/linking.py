"""Linked views: they show the same part of their films, in comparable windows.

Films differ in size, detector and exposure, so values are not copied directly. A position is
translated as a fraction of the film's width and height, a zoom as a multiple of the fitted one, a
window relative to the film's own value range (0.5th to 99.5th percentile): stored values of
radiographs have no common scale, not even between films of one detector.
"""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, QPointF, Signal

from xrayview.display.voi import MIN_WIDTH, Voi, VoiChoice, automatic, window_to_drag
from xrayview.domain.radiograph import Window
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.viewer.film_view import FilmViewer
from xrayview.ui.viewer.placement import Placement

LinkedState = tuple[str, Voi | None, tuple[float, QPointF]]
"""Film, window, and zoom with centre: the state that linked views share."""


class Linking(QObject):
    """While on, the other views follow the active one, and a film that is opened joins them."""

    switched = Signal(bool)

    def __init__(self, grid: ViewGrid) -> None:
        super().__init__(grid)
        self._grid = grid
        self._propagating = False
        self._states = {viewer: linked_state(viewer) for viewer in grid.viewers}
        self.on = False
        for viewer in grid.viewers:
            viewer.state_changed.connect(lambda v=viewer: self._on_state(v))

    def toggle(self) -> None:
        """Link or unlink."""
        self.set_on(not self.on)

    def set_on(self, on: bool) -> None:
        """Switch linking; when on, the other views take over the state of the active one."""
        self.on = on
        if on:
            self._propagate(self._grid.viewer)
        self.switched.emit(on)

    def _on_state(self, viewer: FilmViewer) -> None:
        before, now = self._states[viewer], linked_state(viewer)
        self._states[viewer] = now
        if not self.on or self._propagating or now == before or viewer.radiograph is None:
            return
        if now[0] != before[0]:
            self._join(viewer)
        elif viewer is self._grid.viewer:
            self._propagate(viewer)

    def _join(self, viewer: FilmViewer) -> None:
        """Show a new film like those in the other views."""
        viewers = (self._grid.viewer, *self._grid.viewers)
        leader = next((v for v in viewers if v is not viewer and v.radiograph is not None), None)
        if leader is not None:
            self._follow(viewer, leader)

    def _propagate(self, leader: FilmViewer) -> None:
        for viewer in self._grid.viewers:
            if viewer is not leader and viewer.radiograph is not None:
                self._follow(viewer, leader)

    def _follow(self, viewer: FilmViewer, leader: FilmViewer) -> None:
        if leader.voi is None:
            return
        self._propagating = True
        try:
            viewer.set_placement(linked_placement(leader.placement, viewer.placement))
            voi = linked_voi(leader.voi, leader.voi_choices(), viewer.voi_choices())
            viewer.set_voi(voi)
        finally:
            self._propagating = False


def linked_state(viewer: FilmViewer) -> LinkedState:
    """Return the state of a view that linked views share."""
    return viewer.film_id, viewer.voi, (viewer.zoom, viewer.placement.center)


def linked_placement(leader: Placement, follower: Placement) -> Placement:
    """Return the placement of the same part of another film; its own turns and flips stay."""
    whole = follower.fitted()
    if is_fitted(leader):
        return whole
    part = leader.zoom / leader.fitted().zoom
    x = leader.center.x() / max(1, leader.film.width())
    y = leader.center.y() / max(1, leader.film.height())
    center = QPointF(x * follower.film.width(), y * follower.film.height())
    return replace(follower, zoom=whole.zoom * part, center=center)


def is_fitted(placement: Placement) -> bool:
    """Return whether the whole film is shown, as large as the viewport allows."""
    return placement == placement.fitted()


def linked_voi(
    voi: Voi, choices: tuple[VoiChoice, ...], follower_choices: tuple[VoiChoice, ...]
) -> Voi:
    """Return the window of another film that corresponds to `voi`, given each film's choices.

    A film's default corresponds to the other's default, its automatic window to the other's; any
    other window keeps its position relative to the automatic one.
    """
    if voi is choices[0].voi:
        return follower_choices[0].voi
    auto, follower_auto = automatic(choices), automatic(follower_choices)
    if voi is auto:
        return follower_auto
    window = window_to_drag(voi)
    own, other = window_to_drag(auto), window_to_drag(follower_auto)
    scale = other.width / own.width
    center = other.center + (window.center - own.center) * scale
    width = max(window.width * scale, MIN_WIDTH[window.function])
    return Window(center, width, window.function)
