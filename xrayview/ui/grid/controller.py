"""The views between the user and the session: layout, active view, current and prior film."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from xrayview.domain.film import FilmRef
from xrayview.services.priors import NoPrior, Prior, earlier_text, film_date, find_prior
from xrayview.services.session import Session
from xrayview.ui.film_controller import FilmController, ViewChange, ViewEvent
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.grid.layout import FIRST_LAYOUT, LAYOUTS
from xrayview.ui.grid.linking import Linking
from xrayview.ui.widgets.banners import Message

_EMPTY = "Drop a film here."


class ViewController(QObject):
    """Keeps the grid in step with the session's views, and opens what the user asks for in it."""

    layout_changed = Signal()
    """The number of views changed; the active film may have another view index."""
    message = Signal(Message)

    def __init__(self, session: Session, films: FilmController, grid: ViewGrid) -> None:
        super().__init__(grid)
        self._session = session
        self._films = films
        self._grid = grid
        self._hides_identity = False
        self._pair: tuple[FilmRef, Prior] | None = None
        self.linking = Linking(grid)
        films.view_changed.connect(self._on_view_changed)
        films.folder_opened.connect(self._on_folder)
        films.finished_listing.connect(self._show_positions)
        films.positions_changed.connect(self._show_positions)
        grid.activated.connect(films.activate)
        grid.film_dropped.connect(self._on_drop)
        for viewer in grid.viewers:
            viewer.step_requested.connect(films.step)

    def commands(self) -> dict[str, Callable[..., object]]:
        """The commands by action id."""
        layouts: dict[str, Callable[..., object]] = {
            f"layout_{name}": lambda name=name: self.set_layout(name) for name in LAYOUTS
        }
        return layouts | {
            "next_view": lambda: self.step(1),
            "previous_view": lambda: self.step(-1),
            "maximise": self._grid.maximise,
            "link_views": self.linking.toggle,
            "prior_beside": self.prior_beside,
        }

    def set_layout(self, name: str) -> None:
        """Change the number of views; new ones get the films that follow in the list."""
        self._apply_layout(name if name in LAYOUTS else FIRST_LAYOUT)
        self._films.fill_views()
        self._show_empty_views()

    def step(self, views: int) -> None:
        """Activate the view this far on; the first follows the last."""
        self._films.activate((self._session.active + views) % len(self._session.views))
        self._grid.take_keyboard()

    def prior_beside(self) -> None:
        """Open the nearest earlier film of patient and view to the right of the current one."""
        self._films.activate(self._session.active_in_grid)
        film = self._session.current
        if film is None:
            return
        prior = find_prior(film, self._session.films)
        if isinstance(prior, NoPrior):
            self.message.emit(Message("prior", "info", "No prior film found", prior.why))
            return
        if self._grid.count == 1:
            self._apply_layout("1x2")
        if self._grid.maximised:
            self._grid.maximise()
        left = self._move_left()
        self._films.open_film(prior.film, left + 1)
        self._films.fill_views()
        self._pair = film, prior
        self._show_notes()

    def open_frame(self, film: FilmRef) -> None:
        """Open a film at its frame; where it is on screen, window and placement stay."""
        current = self._session.current
        if current is None or current.row_id != film.row_id:
            self._films.open_film(film)
        elif self._session.radiograph is not None:
            self._grid.viewer.frames.go(film.frame)
        elif current.film_id != film.film_id:
            self._films.open_film(film)

    def set_identity_hidden(self, hidden: bool) -> None:
        """Leave dates out of the notes above the films."""
        self._hides_identity = hidden
        self._show_notes()

    def _on_view_changed(self, change: ViewChange) -> None:
        if change.event is ViewEvent.ACTIVE:
            self._grid.set_active(change.view_index)
            return
        self._show_notes()
        view, viewer = self._session.views[change.view_index], self._grid.viewers[change.view_index]
        if view.radiograph is not None:
            position = self._films.position(change.view_index)
            viewer.show_film(view.radiograph, position, self._session.first_frame(view.radiograph))
        elif view.film is not None and view.error is not None:
            viewer.show_error(view.film, view.error)
        elif view.film is not None:
            viewer.show_busy(view.film)

    def _on_folder(self) -> None:
        self._pair = None
        self._show_empty_views()
        self._show_notes()

    def _show_positions(self) -> None:
        # A film that was shown while its folder was being read is number 1 of all, not of 8.
        for view_index, view in enumerate(self._session.views):
            if view.radiograph is not None:
                self._grid.viewers[view_index].set_position(self._films.position(view_index))

    def _on_drop(self, view_index: int, film_id: str) -> None:
        film = self._session.film(film_id)
        if film is not None:
            self._films.activate(view_index)
            self._films.open_film(film, view_index)

    def _apply_layout(self, name: str) -> None:
        self._grid.set_layout(name)
        self._films.show_views(LAYOUTS[name].count)
        self._show_notes()
        self.layout_changed.emit()

    def _move_left(self) -> int:
        """Swap the active view with its left neighbour if it is last in its row."""
        active = self._session.active
        if active % LAYOUTS[self._grid.layout_name].columns:
            self._session.swap_views(active, active - 1)
            self._grid.swap(active, active - 1)
        return self._session.active

    def _show_empty_views(self) -> None:
        """Say in each view without a film how to get one."""
        for view_index, view in enumerate(self._session.views):
            if view.film is None and view_index != self._session.active:
                self._grid.viewers[view_index].show_empty(_EMPTY)

    def _show_notes(self) -> None:
        """Name current and prior film while the two are beside each other."""
        notes = dict.fromkeys(range(self._grid.count), "")
        if self._pair is not None:
            current, prior = self._pair
            at_left = self._session.views_of(current.film_id)
            at_right = self._session.views_of(prior.film.film_id)
            if at_left and at_right:
                notes[at_left[0]] = self._note("Current", current)
                notes[at_right[0]] = self._note("Prior", prior.film, earlier_text(prior.days))
            else:
                self._pair = None
        for view_index, text in notes.items():
            self._grid.show_note(view_index, text)

    def _note(self, role: str, film: FilmRef, earlier: str = "") -> str:
        date = film_date(film)
        date_text = date.isoformat() if date is not None and not self._hides_identity else ""
        return "   ".join(part for part in (role, date_text, earlier) if part)
