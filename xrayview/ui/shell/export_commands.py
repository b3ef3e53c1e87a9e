"""The export commands of the window, by action id."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from xrayview.engine.client import Engine
from xrayview.engine.scan import root_of
from xrayview.errors import XrayViewError
from xrayview.io.tables.outputs import record_output
from xrayview.services.session import Session
from xrayview.services.settings import Settings
from xrayview.services.tasks import Tasks
from xrayview.ui.export.figure_dialog import FigureDialog
from xrayview.ui.export.folder_job import FolderJob
from xrayview.ui.export.shown_film import ShownFilm, shown_film
from xrayview.ui.export.stored_choices import StoredChoices
from xrayview.ui.findings.heat_controls import HeatControls
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.widgets.banners import Kind, Message

if TYPE_CHECKING:
    # imports pydicom with all its decoders
    from xrayview.io.tags.known_columns import KnownColumn

_MATTER = "export"
_NO_SOURCE = Message(
    _MATTER,
    "warn",
    "No folder is open",
    "Open the folder with the films to export; single files are not enough.",
)
_NO_FILM = Message("film", "warn", "No film is on screen", "Choose a film on the left.")


class ExportCommands(QObject):
    """Opens the export dialogs, at most one of each kind."""

    message = Signal(Message)

    def __init__(
        self,
        session: Session,
        grid: ViewGrid,
        heat_controls: HeatControls,
        hides_identity: Callable[[], bool],
        tasks: Tasks,
        engine: Engine,
        settings: Settings,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._session, self._grid, self._heat_controls = session, grid, heat_controls
        self._hides_identity = hides_identity
        self._tasks, self._engine, self._window = tasks, engine, window
        self._choices = StoredChoices(settings)
        self._open: dict[str, QDialog] = {}

    def commands(self) -> dict[str, Callable[..., object]]:
        """The commands by action id."""
        return {
            "copy_picture": self.copy_picture,
            "save_figure": self.save_figure,
            "export_folder": self.export_folder,
            "deidentify": self.deidentify,
            "tag_table": self.tag_table,
        }

    def dialog(self, name: str) -> QDialog | None:
        """The open dialog of a command, if any."""
        return self._open.get(name)

    def copy_picture(self) -> None:
        """Copy the picture on screen to the clipboard, without identity."""
        shown = self._shown()
        if shown is None:
            self.message.emit(_NO_FILM)
            return
        QApplication.clipboard().setImage(self._grid.viewer.picture(identity=False))
        note = shown.burned_in
        kind: Kind = "warn" if note.kind == "likely" else "info"
        self.message.emit(
            Message(_MATTER, kind, "The picture was copied without identity", note.text)
        )

    def save_figure(self) -> None:
        """Open the dialog to save a figure of the film on screen."""
        shown = self._shown()
        if shown is None:
            self.message.emit(_NO_FILM)
            return

        def make() -> QDialog:
            dialog = FigureDialog(shown, self._tasks, self._choices, self._window)
            dialog.saved.connect(self._on_saved)
            dialog.failed.connect(self._on_failed)
            return dialog

        self._show("save_figure", make)

    def export_folder(self) -> None:
        """Open the dialog to export pictures of the folder."""
        from xrayview.ui.export.folder_pictures import FolderPictures
        from xrayview.ui.export.heat_map_choice import heat_map_offer

        shown = self._shown()
        offer = heat_map_offer(self._session, self._heat_controls)
        self._with_source(
            "export_folder",
            lambda source: FolderPictures(
                source, shown, self._engine, self._tasks, self._choices, self._window, offer
            ),
        )

    def deidentify(self) -> None:
        """Open the dialog for de-identified DICOM copies."""
        from xrayview.ui.export.folder_deidentify import FolderDeidentify

        shown = self._shown()
        film = shown.radiograph.ref.path if shown else None
        self._with_source(
            "deidentify",
            lambda source: FolderDeidentify(
                source, film, self._engine, self._tasks, self._choices, self._window
            ),
        )

    def tag_table(self) -> None:
        """Open the dialog for a CSV of tags, once a thread has read the known columns."""
        if self._session.source is None:
            self.message.emit(_NO_SOURCE)
            return
        self._tasks.call("tag columns", _known_columns, self._show_tags, self._on_failed)

    def _show_tags(self, known: tuple[KnownColumn, ...]) -> None:
        from xrayview.ui.export.folder_tags import FolderTags

        self._with_source(
            "tag_table",
            lambda source: FolderTags(
                source, known, self._engine, self._tasks, self._choices, self._window
            ),
        )

    def _with_source(self, name: str, make: Callable[[Path], FolderJob]) -> None:
        source = self._session.source
        if source is None:
            self.message.emit(_NO_SOURCE)
            return

        def make_dialog() -> QDialog:
            dialog = make(source)
            dialog.hide_names = self._hides_identity()
            return dialog

        self._show(name, make_dialog)

    def _show(self, name: str, make: Callable[[], QDialog]) -> None:
        dialog = self._open.get(name)
        if dialog is None:
            dialog = self._open[name] = make()
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.finished.connect(lambda _result: self._open.pop(name, None))
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    def _shown(self) -> ShownFilm | None:
        return shown_film(self._grid.viewer, self._session)

    def _on_saved(self, path: Path) -> None:
        source = self._session.source
        if source is not None:
            # Saved among the films, a figure is left out when the folder is opened again.
            self._tasks.call(
                "record figure",
                lambda: record_output(root_of(source), path),
                lambda _: None,
                lambda _: None,
            )

        def open_folder() -> None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))

        self.message.emit(
            Message(_MATTER, "info", f"{path.name} was saved", "", (("Open folder", open_folder),))
        )

    def _on_failed(self, error: XrayViewError) -> None:
        self.message.emit(Message.of(_MATTER, error))


def _known_columns() -> tuple[KnownColumn, ...]:
    from xrayview.io.tags.known_columns import known_columns

    return known_columns()
