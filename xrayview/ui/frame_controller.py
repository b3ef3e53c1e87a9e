"""The frames of films on screen: decoded one by one, and a few ahead of what is played."""

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
from xrayview.services.session import Session, View
from xrayview.services.tasks import Tasks
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.viewer.film_view import FilmViewer
from xrayview.ui.widgets.banners import Message

AHEAD = 6
"""Frames that are decoded before they are requested; the session's budget may keep fewer."""


class _Frame(NamedTuple):
    """A decoded frame."""

    film: FilmRef
    radiograph: Radiograph
    first_frame: FirstFrame


class FrameController(QObject):
    """Shows the frames that the frame bars of the views request.

    A view waits for one frame at a time: a slider that is dragged requests many, and the last of
    them follows the one under way. A frame that is being decoded ahead is not decoded twice.
    """

    settled = Signal(int)
    """A view index: its frame stays, nothing plays."""
    message = Signal(Message)

    def __init__(self, session: Session, tasks: Tasks, engine: Engine, grid: ViewGrid) -> None:
        super().__init__()
        self._session = session
        self._grid = grid
        self._decodes = FilmDecodes(tasks, engine, self._on_decoded, self._on_undecoded, "frame")
        self._requested: dict[FilmViewer, FilmRef] = {}
        """The frame that was requested last for a view."""
        self._coming: dict[FilmViewer, FilmRef] = {}
        """The frame that the view waits for."""
        self._ahead: dict[FilmViewer, tuple[FilmRef, int]] = {}
        """The frame that is being decoded ahead, and how many more follow it."""
        for viewer in grid.viewers:
            viewer.frames.frame_requested.connect(partial(self._request, viewer))
            viewer.frames.playing_changed.connect(partial(self._on_played, viewer))

    def commands(self) -> dict[str, Callable[..., object]]:
        """The commands by action id."""
        return {
            "next_frame": lambda: self._grid.viewer.frames.step(1),
            "previous_frame": lambda: self._grid.viewer.frames.step(-1),
            "play_frames": self._play,
        }

    def _play(self) -> None:
        self._grid.viewer.frames.toggle()

    def _request(self, viewer: FilmViewer, frame: int) -> None:
        view = self._view(viewer)
        if view is None or view.film is None or view.radiograph is None:
            return
        film = replace(view.film, frame=frame)
        self._requested[viewer] = film
        if (decoded := self._decoded(film)) is not None:
            self._show(viewer, decoded)
        elif not self._waits(viewer, film):
            self._coming[viewer] = film
            self._decodes.request(film)

    def _waits(self, viewer: FilmViewer, film: FilmRef) -> bool:
        """True while another frame of the film is on its way to the view."""
        coming = self._coming.get(viewer)
        if coming is None or coming.row_id != film.row_id:
            return False
        return self._decodes.is_pending(coming)

    def _on_decoded(self, film: FilmRef, radiograph: Radiograph, first: FirstFrame) -> None:
        frame = _Frame(film, radiograph, first)
        self._session.cache_frame(*frame)
        for viewer in self._pop_waiting(film):
            self._show(viewer, frame)
            self._follow(viewer, film)
        for viewer, (ahead, left) in tuple(self._ahead.items()):
            if ahead.film_id == film.film_id:
                del self._ahead[viewer]
                if self._is_on_screen(viewer, film):
                    self._look_ahead(viewer, film, left)

    def _on_undecoded(self, film: FilmRef, error: XrayViewError) -> None:
        """Keep the frame on screen, and report the error if a view still waits for this one."""
        for viewer in self._pop_waiting(film):
            viewer.frames.pause()
            if self._is_on_screen(viewer, film):
                viewer.frames.show_frame(viewer.frames.frame)
                error.path = error.path or film.path
                self.message.emit(Message.of("film", error))

    def _pop_waiting(self, film: FilmRef) -> list[FilmViewer]:
        """The views that wait for a frame; from here on they do not."""
        viewers = [v for v, coming in self._coming.items() if coming.film_id == film.film_id]
        for viewer in viewers:
            del self._coming[viewer]
        return viewers

    def _follow(self, viewer: FilmViewer, film: FilmRef) -> None:
        """Request the frame that was requested last, unless it is this one."""
        last = self._requested.get(viewer)
        if last is not None and last.film_id != film.film_id:
            self._request(viewer, last.frame)

    def _show(self, viewer: FilmViewer, frame: _Frame) -> None:
        view_index = self._view_index(viewer)
        if not self._session.accept_frame(view_index, *frame):
            self._requested.pop(viewer, None)
            return
        viewer.show_frame(frame.radiograph, frame.first_frame)
        if not viewer.frames.playing:
            self.settled.emit(view_index)
        self._look_ahead(viewer, frame.film, AHEAD)

    def _look_ahead(self, viewer: FilmViewer, film: FilmRef, left: int) -> None:
        """Decode the frames that follow, one after the other."""
        if viewer in self._ahead and self._decodes.is_pending(self._ahead[viewer][0]):
            return
        for step in range(1, min(left, film.frames - 1) + 1):
            following = replace(film, frame=(film.frame + step) % film.frames)
            if not self._session.is_decoded(following):
                self._ahead[viewer] = following, left - step
                self._decodes.request(following, Priority.PREFETCH)
                return

    def _on_played(self, viewer: FilmViewer, playing: bool) -> None:
        if not playing and self._view(viewer) is not None:
            self.settled.emit(self._view_index(viewer))

    def _decoded(self, film: FilmRef) -> _Frame | None:
        radiograph = self._session.cached_frame(film)
        if radiograph is None:
            return None
        first = self._session.first_frame(radiograph)
        return _Frame(film, radiograph, first or make_first_frame(radiograph))

    def _is_on_screen(self, viewer: FilmViewer, film: FilmRef) -> bool:
        view = self._view(viewer)
        return view is not None and view.film is not None and view.film.row_id == film.row_id

    def _view(self, viewer: FilmViewer) -> View | None:
        """The session's view of a viewer; None where it is closed."""
        views, index = self._session.views, self._view_index(viewer)
        return views[index] if index < len(views) else None

    def _view_index(self, viewer: FilmViewer) -> int:
        return self._grid.viewers.index(viewer)
