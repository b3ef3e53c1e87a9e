"""The frames of films on screen: asked for one by one, and a few ahead of what is played."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import QObject, Signal

from xrayview.display.ready import ReadyFilm, make_ready
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Radiograph
from xrayview.engine.client import Engine
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import DecodeFilm
from xrayview.errors import XrayViewError
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
    ready: ReadyFilm


class Frames(QObject):
    """Listens to the frame bars of all views.

    One frame of a view is on its way at a time: a slider that is dragged asks for many, and the
    last of them follows the one that was under way.
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
        self._tasks = tasks
        self._engine = engine
        self._grid = grid
        self._wanted: dict[FilmViewer, FilmRef] = {}
        self._under_way: set[str] = set()
        for viewer in grid.viewers:
            viewer.frames.asked.connect(partial(self._ask, viewer))
            viewer.frames.played.connect(partial(self._on_played, viewer))

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
        elif not self._is_under_way(slot := _slot("frame", viewer)):
            self._decode(slot, film, None, partial(self._on_decoded, viewer), viewer)

    def _on_decoded(self, viewer: FilmViewer, frame: _Frame) -> None:
        self._keep(frame)
        self._show(viewer, frame)
        wanted = self._wanted.get(viewer)
        if wanted is not None and wanted.film_id != frame.film.film_id:
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
        slot = _slot("frame ahead", viewer)
        for step in range(1, min(left, film.frames - 1) + 1):
            following = replace(film, frame=(film.frame + step) % film.frames)
            if self._is_under_way(slot):
                return
            if self._at_hand(following) is None:
                rest = left - step

                def keep(frame: _Frame, rest: int = rest) -> None:
                    self._keep(frame)
                    if rest and self._is_on_screen(viewer, frame.film):
                        self._look_ahead(viewer, frame.film, rest)

                self._decode(slot, following, Priority.PREFETCH, keep, None)
                return

    def _decode(
        self,
        slot: str,
        film: FilmRef,
        priority: Priority | None,
        done: Callable[[_Frame], None],
        viewer: FilmViewer | None,
    ) -> None:
        """Decode and make ready; a failure is told where a view waits for it."""

        def failed(error: XrayViewError) -> None:
            self._under_way.discard(slot)
            if viewer is not None:
                self._on_failed(viewer, film, error)

        def is_ready(frame: _Frame) -> None:
            self._under_way.discard(slot)
            done(frame)

        def decoded(radiograph: Radiograph) -> None:
            self._tasks.call(
                slot, lambda: _Frame(film, radiograph, make_ready(radiograph)), is_ready, failed
            )

        self._under_way.add(slot)

        request = DecodeFilm(film, self._engine.limits)
        self._tasks.start(
            slot, lambda: self._engine.submit(request, priority=priority), decoded, failed
        )

    def _on_failed(self, viewer: FilmViewer, film: FilmRef, error: XrayViewError) -> None:
        """The frame on screen stays; what went wrong is told by whoever listens."""
        viewer.frames.pause()
        if self._is_on_screen(viewer, film):
            viewer.frames.show_frame(viewer.frames.frame)
            self.failed.emit(self._number(viewer), film, error)

    def _on_played(self, viewer: FilmViewer, playing: bool) -> None:
        number = self._number(viewer)
        if not playing and number < len(self._session.views):
            self.settled.emit(number)

    def _is_under_way(self, slot: str) -> bool:
        # A task is busy until its thread has ended; one that was taken back never answers.
        return slot in self._under_way and self._tasks.busy(slot)

    def _keep(self, frame: _Frame) -> None:
        self._session.keep_frame(*frame)

    def _at_hand(self, film: FilmRef) -> _Frame | None:
        radiograph = self._session.frame_at_hand(film)
        if radiograph is None:
            return None
        ready = self._session.ready(radiograph)
        return _Frame(film, radiograph, ready or make_ready(radiograph))

    def _is_on_screen(self, viewer: FilmViewer, film: FilmRef) -> bool:
        number = self._number(viewer)
        view = self._session.views[number] if number < len(self._session.views) else None
        return view is not None and view.film is not None and view.film.row_id == film.row_id

    def _number(self, viewer: FilmViewer) -> int:
        return self._grid.viewers.index(viewer)


def _slot(what: str, viewer: FilmViewer) -> str:
    return f"{what} of {id(viewer)}"
