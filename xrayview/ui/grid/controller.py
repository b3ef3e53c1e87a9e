"""The grid between the user and the session: layouts, the active view, prior beside current."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from xrayview.domain.film import FilmRef
from xrayview.services.priors import NoPrior, Prior, earlier_text, film_date, find_prior
from xrayview.services.session import Session
from xrayview.ui.film_controller import FilmController
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.grid.layout import FIRST_LAYOUT, LAYOUTS
from xrayview.ui.grid.linking import Linking
from xrayview.ui.widgets.banners import Message

_EMPTY = "Drop a film here."


class ViewController(QObject):
    """Keeps session and grid of one mind about what stands where."""

    changed = Signal()
    """Another layout, or the views are linked or no longer."""
    layout_changed = Signal()
    """Another layout; the active film may stand at another number."""
    message = Signal(object)

    def __init__(self, session: Session, films: FilmController, grid: ViewGrid) -> None:
        super().__init__(grid)
        self._session = session
        self._films = films
        self._grid = grid
        self._hidden = False
        self._pair: tuple[FilmRef, Prior] | None = None
        self.linking = Linking(grid)
        self.linking.switched.connect(lambda _on: self.changed.emit())
        films.active_changed.connect(lambda: grid.set_active(session.active))
        films.view_loading.connect(self._say)
        films.folder_opened.connect(self._on_folder)
        grid.activated.connect(films.activate)
        grid.film_dropped.connect(self._on_drop)

    def commands(self) -> dict[str, Callable[..., object]]:
        """What the keys and buttons do here, by the names of the key table."""
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

    @property
    def layout_name(self) -> str:
        """The layout in force, as the settings keep it."""
        return self._grid.layout_name

    def set_layout(self, name: str) -> None:
        """Show so many films; new views get those that follow in the list."""
        self._lay(name if name in LAYOUTS else FIRST_LAYOUT)
        self._films.fill_views()
        self._invite()

    def step(self, views: int) -> None:
        """Turn to the next view, after the last one to the first."""
        number = (self._session.active + views) % len(self._session.views)
        self._films.activate(number)
        self._grid.take_keyboard()

    def prior_beside(self) -> None:
        """Open the nearest earlier film of patient and view at the right of the current one."""
        self._films.activate(self._session.beside)
        film = self._session.current
        if film is None:
            return
        found = find_prior(film, self._session.films)
        if isinstance(found, NoPrior):
            self.message.emit(Message("prior", "info", "No prior film found", found.why))
            return
        if self._grid.count == 1:
            self._lay("1x2")
        if self._grid.maximised:
            self._grid.maximise()
        left = self._to_the_left()
        self._films.open_film(found.film, left + 1)
        self._films.fill_views()
        self._pair = film, found
        self._say()

    def set_identity_hidden(self, hidden: bool) -> None:
        """Leave dates out of what is said above the films."""
        self._hidden = hidden
        self._say()

    def _lay(self, name: str) -> None:
        self._grid.set_layout(name)
        self._films.show_views(LAYOUTS[name].count)
        self._say()
        self.layout_changed.emit()
        self.changed.emit()

    def _to_the_left(self) -> int:
        """Bring the active view to a place that has one at its right."""
        active = self._session.active
        if active % LAYOUTS[self._grid.layout_name].columns:
            self._session.swap_views(active, active - 1)
            self._grid.swap(active, active - 1)
        return self._session.active

    def _on_folder(self) -> None:
        self._pair = None
        self._invite()
        self._say()

    def _invite(self) -> None:
        """Views without a film say how they get one."""
        for number, view in enumerate(self._session.views):
            if view.film is None and number != self._session.active:
                self._grid.viewers[number].show_empty(_EMPTY)

    def _on_drop(self, number: int, film_id: str) -> None:
        film = self._session.film(film_id)
        if film is not None:
            self._films.activate(number)
            self._films.open_film(film, number)

    def _say(self) -> None:
        """The lines stand while the two films are still beside each other."""
        lines = dict.fromkeys(range(self._grid.count), "")
        if self._pair is not None:
            current, prior = self._pair
            at_left = self._session.views_of(current.film_id)
            at_right = self._session.views_of(prior.film.film_id)
            if at_left and at_right:
                lines[at_left[0]] = self._line("Current", current)
                lines[at_right[0]] = self._line("Prior", prior.film, earlier_text(prior.days))
            else:
                self._pair = None
        for number, text in lines.items():
            self._grid.show_note(number, text)

    def _line(self, role: str, film: FilmRef, earlier: str = "") -> str:
        made = film_date(film)
        shown = made.isoformat() if made is not None and not self._hidden else ""
        return "   ".join(word for word in (role, shown, earlier) if word)
