"""The film list between the user and the session: what it lists, and what is chosen in it."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import QModelIndex, QObject, Qt

from xrayview.domain.film import FilmRef
from xrayview.services.session import Session
from xrayview.ui.browser.panel import Browser
from xrayview.ui.browser.thumbnails import Thumbnails
from xrayview.ui.film_controller import FilmController
from xrayview.ui.grid.dragging import FilmDrag


class BrowserController(QObject):
    """Lists the films of the session's folder, marks the current one, opens the chosen one."""

    def __init__(
        self, session: Session, films: FilmController, browser: Browser, thumbnails: Thumbnails
    ) -> None:
        super().__init__(browser)
        self._session = session
        self._browser = browser
        self._selected_row = ""
        films.listed = browser.films
        films.listing_changed.connect(self._on_listing)
        films.listing_state.connect(browser.show_state)
        films.folder_opened.connect(self._forget_selected)
        films.view_changed.connect(self._select_current)
        browser.film_chosen.connect(films.open_film)
        browser.films_changed.connect(films.positions_changed)
        FilmDrag(browser.tree, _film_of_row, thumbnails.picture)

    def _on_listing(self) -> None:
        session = self._session
        assert session.folder is not None
        self._browser.show_folder(session.folder, session.tree, session.rejected)

    def _forget_selected(self) -> None:
        self._selected_row = ""

    def _select_current(self) -> None:
        film = self._session.current
        # Once for each film: selecting scrolls to its row, which the user may have left.
        if film is not None and film.row_id != self._selected_row:
            self._selected_row = film.row_id
            self._browser.select(film)


def _film_of_row(index: QModelIndex) -> FilmRef | None:
    return cast("FilmRef | None", index.data(Qt.ItemDataRole.UserRole).film)
