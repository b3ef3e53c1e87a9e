"""The second window: its view follows the main window, or stays with a pinned film."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QByteArray, QObject, Qt, Signal

from xrayview.services.session import Session
from xrayview.ui.film_controller import FilmController, ViewChange, ViewEvent
from xrayview.ui.grid.film_window import Act, FilmWindow
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.keys import shortcuts
from xrayview.ui.widgets.window_placement import stay_on_screen


class SecondWindow(QObject):
    """Moves the detached view into a window of its own, and back into the grid.

    Unless it is pinned, it has the film of the active view in the main window, whichever of the
    two a film is chosen in. Each keeps its own window and zoom unless the views are linked.
    """

    layout_changed = Signal()
    """The detached view was added or removed."""

    def __init__(
        self, session: Session, films: FilmController, grid: ViewGrid, state: Mapping[str, str]
    ) -> None:
        super().__init__(grid)
        self._session = session
        self._films = films
        self._grid = grid
        self._actions: Mapping[str, Act] = {}
        self._geometry = state.get("second_geometry", "")
        self.window: FilmWindow | None = None
        films.view_changed.connect(self._on_view_changed)
        films.folder_opened.connect(self._show_pinned)
        grid.detached_maximised.connect(self._on_maximised)
        if state.get("second"):
            once = Qt.ConnectionType.SingleShotConnection
            films.folder_opened.connect(lambda: self.open(activate=False), once)

    def commands(self) -> dict[str, Callable[..., object]]:
        """The commands by action id."""
        return {"second_window": self.toggle, "pin_film": self.toggle_pin}

    def set_actions(self, actions: Mapping[str, Act]) -> None:
        """Set what the keys do in the second window."""
        self._actions = actions

    def renew_keys(self) -> None:
        """Bind the user's keys after a change."""
        if self.window is not None:
            self.window.keys.renew()
            shortcuts.refresh(self.window)

    @property
    def state(self) -> dict[str, str]:
        """What the settings store."""
        if self.window is not None:
            self._store_geometry(self.window)
        shown = "shown" if self.window is not None else ""
        return {"second": shown, "second_geometry": self._geometry}

    def toggle(self) -> None:
        """Open the window, or close it."""
        if self.window is None:
            self.open()
        else:
            self.window.close()

    def toggle_pin(self) -> None:
        """Pin the film, or follow the main window again."""
        if self.window is not None:
            self._session.pinned = not self._session.pinned
            self._show_pinned()
            self._follow()

    def open(self, *, activate: bool = True) -> None:
        """Show the window with the film of the active view; `activate` gives it the keyboard."""
        window = self.window = FilmWindow(self._grid.detachable_cell, self._actions)
        window.closed.connect(self._on_closed)
        window.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, not activate)
        self._films.set_detached(True)
        self._grid.set_detached(True)
        self._restore_geometry(window)
        window.show()
        self.layout_changed.emit()
        self._follow()

    def close(self) -> None:
        """Close the window, if it is open."""
        if self.window is not None:
            self.window.close()

    def _restore_geometry(self, window: FilmWindow) -> None:
        geometry = QByteArray.fromBase64(self._geometry.encode())
        if not window.restoreGeometry(geometry):
            window.move_to_other_screen(self._grid.window())
        stay_on_screen(window)

    def _store_geometry(self, window: FilmWindow) -> None:
        self._geometry = window.saveGeometry().toBase64().toStdString()

    def _on_closed(self) -> None:
        window, self.window = self.window, None
        if window is not None:
            self._store_geometry(window)
            self._films.set_detached(False)
            self._grid.set_detached(False)
            window.deleteLater()
            self.layout_changed.emit()
            self._grid.activateWindow()
            self._grid.take_keyboard()

    def _on_view_changed(self, change: ViewChange) -> None:
        session, changed = self._session, change.view_index
        if change.event is ViewEvent.ACTIVE:
            self._follow()
        elif session.detached is None or session.pinned:
            return
        elif changed in (session.active_in_grid, session.detached):
            other = session.active_in_grid if changed == session.detached else session.detached
            if session.views[other] is not session.views[changed]:
                self._films.repeat(changed, other)

    def _follow(self) -> None:
        session = self._session
        if session.detached is None or session.pinned or session.active == session.detached:
            return
        film, shown = session.current, session.views[session.detached].film
        if film is not None and (shown is None or shown.film_id != film.film_id):
            self._films.repeat(session.active_in_grid, session.detached)

    def _show_pinned(self) -> None:
        if self.window is not None:
            self.window.show_pinned(self._session.pinned)

    def _on_maximised(self) -> None:
        if self.window is not None:
            self.window.toggle_full_screen()
