"""What the user states of the folder's films: asked, remembered, and in force for the session."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal

from xrayview.domain.stated import StatedFilms
from xrayview.services.session import Session
from xrayview.services.settings import Settings
from xrayview.services.statements import store_statement, stored_statement
from xrayview.ui.findings.panel import FindingsPanel
from xrayview.ui.findings.statement_dialog import StatementDialog
from xrayview.ui.widgets.banners import Message


class StatementController(QObject):
    """Keeps the session's statement in step with the folder and the user."""

    changed = Signal()
    """Verdicts may differ now; scores do not."""
    message = Signal(Message)

    def __init__(self, session: Session, settings: Settings, panel: FindingsPanel) -> None:
        super().__init__(panel)
        self._session = session
        self._settings = settings
        self._panel = panel
        self.dialog: StatementDialog | None = None
        panel.statement_requested.connect(self.ask)

    def load(self) -> None:
        """Put the remembered statement of the open folder in force."""
        if self._session.folder is not None:
            self._session.state_films(stored_statement(self._settings, self._session.folder))

    def commands(self) -> dict[str, Callable[..., object]]:
        """The commands by action id."""
        return {"state_films": self.ask}

    def ask(self) -> None:
        """Open the dialog, or say what is missing."""
        if self._session.folder is None:
            text = "Open the folder whose films it is about."
            self.message.emit(Message("statement", "warn", "No folder is open", text))
            return
        dialog = StatementDialog(self._session.stated, self._panel.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        folder = self._session.folder
        dialog.accepted.connect(
            lambda: self._state(dialog.stated) if folder == self._session.folder else None
        )
        self.dialog = dialog
        dialog.open()

    def _state(self, stated: StatedFilms) -> None:
        assert self._session.folder is not None
        self._session.state_films(stated)
        store_statement(self._settings, self._session.folder, stated)
        self.changed.emit()
