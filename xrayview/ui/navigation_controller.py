"""The films between the workbench, the browser's list and the views."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from PySide6.QtCore import QModelIndex, QObject, Qt, Signal

from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Radiograph
from xrayview.errors import XrayViewError
from xrayview.services.session import Session
from xrayview.ui.browser.panel import Browser
from xrayview.ui.browser.thumbnails import Thumbnails
from xrayview.ui.film_controller import FilmController
from xrayview.ui.frame_controller import FrameController
from xrayview.ui.grid.dragging import FilmDrag
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.heat_map_controller import HeatMapController
from xrayview.ui.widgets.banners import Message


class NavigationController(QObject):
    """Shows in list and views what the workbench says, and asks it for what is chosen there."""

    message = Signal(object)

    def __init__(
        self,
        session: Session,
        films: FilmController,
        frames: FrameController,
        grid: ViewGrid,
        browser: Browser,
        thumbnails: Thumbnails,
        heat: HeatMapController,
    ) -> None:
        super().__init__(grid)
        self._session = session
        self._films = films
        self._grid = grid
        self._browser = browser
        self._heat = heat
        films.listed = browser.films
        films.listing_changed.connect(self._on_listing)
        films.listing_state.connect(browser.show_state)
        films.finished_listing.connect(self._on_listed)
        films.view_loading.connect(self._on_view_loading)
        films.view_shown.connect(self._on_view_shown)
        films.view_failed.connect(self._on_view_failed)
        films.film_loading.connect(browser.select)
        frames.settled.connect(heat.begin)
        frames.failed.connect(self._on_frame_failed)
        browser.film_chosen.connect(films.open_film)
        FilmDrag(browser.tree, _film_of_row, thumbnails.picture)
        for viewer in grid.viewers:
            viewer.step_requested.connect(films.step)

    def commands(self) -> dict[str, Callable[..., object]]:
        """What the keys do here, by the names of the key table."""
        films = self._films
        return {
            "previous_film": lambda: films.step(-1),
            "next_film": lambda: films.step(1),
            "previous_series": lambda: films.step_series(-1),
            "next_series": lambda: films.step_series(1),
            "first_film": films.first,
            "last_film": films.last,
        }

    def open_frame(self, film: FilmRef) -> None:
        """Show a film at its frame; on the film that is on screen, window and placement stay."""
        current = self._session.current
        if current is None or current.row_id != film.row_id:
            self._films.open_film(film)
        elif self._session.radiograph is not None:
            self._grid.viewer.frames.go(film.frame)
        elif current.film_id != film.film_id:
            self._films.open_film(film)

    def _on_listing(self) -> None:
        session = self._session
        assert session.folder is not None
        self._browser.show_folder(session.folder, session.tree, session.rejected)

    def _on_listed(self) -> None:
        # A film was shown while its folder was still being read: now it is 1 of all, not of 8.
        for number, view in enumerate(self._session.views):
            if view.radiograph is not None:
                self._grid.viewers[number].set_position(self._films.position(number))

    def _on_view_loading(self, number: int, film: FilmRef) -> None:
        self._grid.viewers[number].show_busy(film)
        self._heat.begin(number)

    def _on_view_shown(self, number: int, radiograph: Radiograph) -> None:
        place, ready = self._films.position(number), self._films.ready(radiograph)
        self._grid.viewers[number].show_film(radiograph, place, ready)
        self._heat.begin(number)

    def _on_view_failed(self, number: int, film: FilmRef, error: XrayViewError) -> None:
        self._grid.viewers[number].show_error(film, error)

    def _on_frame_failed(self, number: int, film: FilmRef, error: XrayViewError) -> None:  # noqa: ARG002
        error.path = error.path or film.path
        self.message.emit(Message.of("film", error))


def _film_of_row(index: QModelIndex) -> FilmRef | None:
    return cast("FilmRef | None", index.data(Qt.ItemDataRole.UserRole).film)
