"""The film in a second window: follows the main window, or stays with its film."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QByteArray, QObject, Qt, Signal

from xrayview.domain.film import FilmRef
from xrayview.services.session import Session
from xrayview.ui.film_controller import FilmController
from xrayview.ui.grid.film_window import Act, FilmWindow
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.keys import shortcuts
from xrayview.ui.widgets.window_placement import stay_on_screen


class SecondWindow(QObject):
    """Gives one more view of the session a window of its own, and takes it back.

    While it follows, it and the active view beside it have the same film, whichever of them
    another one is chosen in; window and zoom are each one's own unless the views are linked.
    """

    layout_changed = Signal()
    """There is one view more, or less."""

    def __init__(
        self, session: Session, films: FilmController, grid: ViewGrid, state: Mapping[str, str]
    ) -> None:
        super().__init__(grid)
        self._session = session
        self._films = films
        self._grid = grid
        self._actions: Mapping[str, Act] = {}
        self._geometry = state.get("second_geometry", "")
        self._repeating = False
        self.window: FilmWindow | None = None
        films.view_loading.connect(self._on_loading)
        films.active_changed.connect(self._follow)
        films.folder_opened.connect(self._show_pinned)
        grid.detached_maximised.connect(self._on_maximised)
        if state.get("second"):
            once = Qt.ConnectionType.SingleShotConnection
            films.folder_opened.connect(self._open_unasked, once)

    def commands(self) -> dict[str, Callable[..., object]]:
        """What the keys do here, by the names of the key table."""
        return {"second_window": self.toggle, "pin_film": self.toggle_pin}

    def use(self, actions: Mapping[str, Act]) -> None:
        """What the keys do in the second window."""
        self._actions = actions

    def renew_keys(self) -> None:
        """The user's keys are others now."""
        if self.window is not None:
            self.window.keys.renew()
            shortcuts.refresh(self.window)

    @property
    def state(self) -> dict[str, str]:
        """As the settings keep it."""
        if self.window is not None:
            self._keep_place(self.window)
        shown = "shown" if self.window is not None else ""
        return {"second": shown, "second_geometry": self._geometry}

    def toggle(self) -> None:
        """Open the window, or close it."""
        if self.window is None:
            self.open()
        else:
            self.window.close()

    def toggle_pin(self) -> None:
        """Stay with the film, or follow again."""
        if self.window is not None:
            self._session.pinned = not self._session.pinned
            self._show_pinned()
            self._follow()

    def open(self, *, activate: bool = True) -> None:
        """Show the window with the film of the active view."""
        window = self.window = FilmWindow(self._grid.detachable_cell, self._actions)
        window.closed.connect(self._give_back)
        window.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, not activate)
        self._films.set_detached(True)
        self._grid.set_detached(True)
        self._place(window)
        window.show()
        self.layout_changed.emit()
        self._follow()

    def close(self) -> None:
        """The main window closes."""
        if self.window is not None:
            self.window.close()

    def _open_unasked(self) -> None:
        self.open(activate=False)

    def _place(self, window: FilmWindow) -> None:
        geometry = QByteArray.fromBase64(self._geometry.encode())
        if not window.restoreGeometry(geometry):
            window.move_to_other_screen(self._grid.window())
        stay_on_screen(window)

    def _keep_place(self, window: FilmWindow) -> None:
        self._geometry = window.saveGeometry().toBase64().toStdString()

    def _give_back(self) -> None:
        window, self.window = self.window, None
        if window is not None:
            self._keep_place(window)
            self._films.set_detached(False)
            self._grid.set_detached(False)
            window.deleteLater()
            self.layout_changed.emit()
            self._grid.activateWindow()
            self._grid.take_keyboard()

    def _on_loading(self, number: int, _film: FilmRef) -> None:
        session = self._session
        if self._repeating or session.detached is None or session.pinned:
            return
        if number == session.detached:
            self._repeat(number, session.beside)
        elif number == session.beside:
            self._repeat(number, session.detached)

    def _follow(self) -> None:
        session = self._session
        if session.detached is None or session.pinned or session.active == session.detached:
            return
        film, shown = session.current, session.views[session.detached].film
        if film is not None and (shown is None or shown.film_id != film.film_id):
            self._repeat(session.beside, session.detached)

    def _repeat(self, source: int, number: int) -> None:
        self._repeating = True
        try:
            self._films.repeat(source, number)
        finally:
            self._repeating = False

    def _show_pinned(self) -> None:
        if self.window is not None:
            self.window.show_pinned(self._session.pinned)

    def _on_maximised(self) -> None:
        if self.window is not None:
            self.window.toggle_full_screen()
