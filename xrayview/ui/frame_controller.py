"""The frames of films on screen: asked for one by one, and a few ahead of what is played."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from xrayview.display.first_frame import FirstFrame, make_first_frame
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Radiograph
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.errors import XrayViewError
from xrayview.services.film_decodes import FilmDecodes
from xrayview.services.session import Session
from xrayview.services.tasks import Tasks
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.viewer.film_view import FilmViewer

AHEAD = 6
"""Frames that are decoded before they are asked for; the session's budget may keep fewer."""


class _Frame(NamedTuple):
    """A frame that is shown at once."""

    film: FilmRef
    radiograph: Radiograph
    ready: FirstFrame


class FrameController(QObject):
    """Listens to the frame bars of all views.

    A view waits for one frame at a time: a slider that is dragged asks for many, and the last of
    them follows the one that was under way. A frame that is decoded ahead is joined, not decoded
    again.
    """

    shown = Signal(int)
    """Number of a view: another frame of its film is on screen."""
    settled = Signal(int)
    """Number of a view: its frame stays; nothing plays."""
    failed = Signal(int, object, object)
    """Number of a view, the frame, and why it cannot be shown."""

    def __init__(self, session: Session, tasks: Tasks, engine: Engine, grid: ViewGrid) -> None:
        super().__init__()
        self._session = session
        self._grid = grid
        self._decodes = FilmDecodes(tasks, engine, self._on_decoded, self._on_undecoded, "frame")
        self._wanted: dict[FilmViewer, FilmRef] = {}
        """The frame that a view was asked for last."""
        self._coming: dict[FilmViewer, FilmRef] = {}
        """The frame that it waits for."""
        self._ahead: dict[FilmViewer, tuple[FilmRef, int]] = {}
        """The frame that is decoded ahead, and how many more after it."""
        for viewer in grid.viewers:
            viewer.frames.frame_requested.connect(partial(self._ask, viewer))
            viewer.frames.playing_changed.connect(partial(self._on_played, viewer))

    def commands(self) -> dict[str, Callable[..., object]]:
        """What the keys do here, by the names of the key table."""
        return {
            "next_frame": lambda: self._grid.viewer.frames.step(1),
            "previous_frame": lambda: self._grid.viewer.frames.step(-1),
            "play_frames": self._play,
        }

    def _play(self) -> None:
        self._grid.viewer.frames.toggle()

    def _ask(self, viewer: FilmViewer, frame: int) -> None:
        number = self._number(viewer)
        view = self._session.views[number] if number < len(self._session.views) else None
        if view is None or view.film is None or view.radiograph is None:
            return
        film = replace(view.film, frame=frame)
        self._wanted[viewer] = film
        if (at_hand := self._at_hand(film)) is not None:
            self._show(viewer, at_hand)
        elif not self._waits(viewer, film):
            self._coming[viewer] = film
            self._decodes.want(film)

    def _waits(self, viewer: FilmViewer, film: FilmRef) -> bool:
        """True while another frame of the film is on its way to the view."""
        coming = self._coming.get(viewer)
        if coming is None or coming.row_id != film.row_id:
            return False
        return self._decodes.is_pending(coming)

    def _on_decoded(self, film: FilmRef, radiograph: Radiograph, ready: FirstFrame) -> None:
        frame = _Frame(film, radiograph, ready)
        self._session.cache_frame(*frame)
        for viewer in self._taken(film):
            self._show(viewer, frame)
            self._follow(viewer, film)
        for viewer, (ahead, left) in tuple(self._ahead.items()):
            if ahead.film_id == film.film_id:
                del self._ahead[viewer]
                if self._is_on_screen(viewer, film):
                    self._look_ahead(viewer, film, left)

    def _on_undecoded(self, film: FilmRef, error: XrayViewError) -> None:
        """The frame on screen stays; what went wrong is told where a view waits for it."""
        for viewer in self._taken(film):
            viewer.frames.pause()
            if self._is_on_screen(viewer, film):
                viewer.frames.show_frame(viewer.frames.frame)
                self.failed.emit(self._number(viewer), film, error)

    def _taken(self, film: FilmRef) -> list[FilmViewer]:
        """The views that waited for a frame; they wait no longer."""
        viewers = [v for v, coming in self._coming.items() if coming.film_id == film.film_id]
        for viewer in viewers:
            del self._coming[viewer]
        return viewers

    def _follow(self, viewer: FilmViewer, film: FilmRef) -> None:
        """Ask for the frame that was asked for last, where it is another one."""
        wanted = self._wanted.get(viewer)
        if wanted is not None and wanted.film_id != film.film_id:
            self._ask(viewer, wanted.frame)

    def _show(self, viewer: FilmViewer, frame: _Frame) -> None:
        number = self._number(viewer)
        if not self._session.accept_frame(number, *frame):
            self._wanted.pop(viewer, None)
            return
        viewer.show_frame(frame.radiograph, frame.ready)
        self.shown.emit(number)
        if not viewer.frames.playing:
            self.settled.emit(number)
        self._look_ahead(viewer, frame.film, AHEAD)

    def _look_ahead(self, viewer: FilmViewer, film: FilmRef, left: int) -> None:
        """Have the frames that follow decoded, one after the other."""
        if viewer in self._ahead and self._decodes.is_pending(self._ahead[viewer][0]):
            return
        for step in range(1, min(left, film.frames - 1) + 1):
            following = replace(film, frame=(film.frame + step) % film.frames)
            if not self._session.is_decoded(following):
                self._ahead[viewer] = following, left - step
                self._decodes.want(following, Priority.PREFETCH)
                return

    def _on_played(self, viewer: FilmViewer, playing: bool) -> None:
        number = self._number(viewer)
        if not playing and number < len(self._session.views):
            self.settled.emit(number)

    def _at_hand(self, film: FilmRef) -> _Frame | None:
        radiograph = self._session.cached_frame(film)
        if radiograph is None:
            return None
        ready = self._session.ready(radiograph)
        return _Frame(film, radiograph, ready or make_first_frame(radiograph))

    def _is_on_screen(self, viewer: FilmViewer, film: FilmRef) -> bool:
        number = self._number(viewer)
        view = self._session.views[number] if number < len(self._session.views) else None
        return view is not None and view.film is not None and view.film.row_id == film.row_id

    def _number(self, viewer: FilmViewer) -> int:
        return self._grid.viewers.index(viewer)
