"""The annotations of all views: loaded with a film, shared by its views, saved after a change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QInputDialog

from xrayview.display.measure import calibrated, distance
from xrayview.domain.mark_keys import StoredMarks
from xrayview.domain.measurement import FilmMarks
from xrayview.domain.radiograph import Point, Spacing
from xrayview.errors import XrayViewError
from xrayview.services.folder_files import LOOK_EVERY_MS, FolderFiles
from xrayview.services.measurement_files import MeasurementFiles, StoredMeasurements
from xrayview.services.tasks import Tasks
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.measure.film_marks import FilmMarksModel, marks_key
from xrayview.ui.measure.layer import MeasureLayer
from xrayview.ui.measure.tools import TOOLS
from xrayview.ui.viewer.film_view import FilmViewer
from xrayview.ui.widgets.banners import Message

SAVE_AFTER_MS = 400
_DEFAULT_LENGTH_MM = 100.0
_MAX_LENGTH_MM = 2000.0
_TOPIC = "measurements"
_OTHER_WINDOW = Message(
    "measurements of others",
    "info",
    "Another window has changed the measurements of this film",
    "They are shown as they are now.",
)

_Key = tuple[Path, str]


class MeasurementController(QObject):
    """Loads, shares and saves the annotations of all views.

    Args:
        tasks: run work outside the main thread.
        grid: has the viewers; keys and menus act on its active one.
        files: read and write the annotations of a folder.
    """

    message = Signal(Message)
    changed = Signal()
    """The annotations of the active view, or their selection, changed."""

    def __init__(self, tasks: Tasks, grid: ViewGrid, files: MeasurementFiles | None = None) -> None:
        super().__init__()
        self._tasks = tasks
        self._grid = grid
        self._mark_files = files or MeasurementFiles()
        self._files = FolderFiles(tasks, self._mark_files, "measurements")
        self._films: dict[_Key, FilmMarksModel] = {}
        self._stored: dict[Path, StoredMeasurements] = {}
        self._edited: dict[_Key, FilmMarksModel] = {}
        self._length_dialog: QInputDialog | None = None
        self._reported: set[Path] = set()
        self._timer = QTimer(self, singleShot=True, interval=SAVE_AFTER_MS)
        self._timer.timeout.connect(self.save)
        self._looks = QTimer(self, interval=LOOK_EVERY_MS)
        self._looks.timeout.connect(self.look_for_changes)
        for view_index, viewer in enumerate(grid.viewers):
            self._follow(view_index, viewer)

    def commands(self) -> dict[str, Callable[..., object]]:
        """The commands by action id."""
        tools: dict[str, Callable[..., object]] = {
            f"tool_{tool.name}": partial(self._grid.set_tool, tool.name) for tool in TOOLS
        }
        return tools | {
            "undo": partial(self._act, MeasureLayer.undo),
            "redo": partial(self._act, MeasureLayer.redo),
            "delete_mark": partial(self._act, MeasureLayer.delete_selected),
            "cancel_drawing": partial(self._act, MeasureLayer.cancel),
        }

    @property
    def active_layer(self) -> MeasureLayer:
        """The measure layer of the active view."""
        return self._grid.viewer.measure

    def _act(self, act: Callable[[MeasureLayer], None]) -> None:
        act(self.active_layer)

    def forget(self) -> None:
        """Save and drop the annotations of the open folder, before another one is opened."""
        if self._length_dialog is not None:
            self._length_dialog.reject()  # its film is not open any more
        self.save()
        self._looks.stop()
        for folder in {folder for folder, _ in self._films}:
            # A read that began before this save does not have what it writes.
            self._files.cancel_load(folder)
        self._films.clear()
        self._stored.clear()
        self._reported.clear()

    def calibrate(self, spacing: Spacing | None) -> None:
        """Set the spacing of the active film; None restores the film's own."""
        if self.active_layer.marks is not None:
            self.active_layer.marks.calibrate(spacing)

    def close(self) -> None:
        """Write unsaved annotations and wait until they are written."""
        self._timer.stop()
        self._looks.stop()
        for folder, films in self._unsaved():
            self._files.submit(self._mark_files.save, folder, films)
        self._files.close()

    def load_saved(self, folder: Path) -> Mapping[str, FilmMarks]:
        """Read the annotations of a folder after pending saves; blocks, so call it in a thread.

        Raises:
            UsageError: the file of the folder is damaged.
        """
        return self._files.submit(self._mark_files.load_all, folder).result()

    # Views

    def _follow(self, view_index: int, viewer: FilmViewer) -> None:
        layer = viewer.measure
        layer.later = partial(self._later, view_index)
        layer.changed.connect(lambda: self._on_changed(viewer))
        layer.escaped.connect(lambda: self._grid.set_tool("window"))
        layer.length_drawn.connect(lambda a, b: self._ask_length(viewer, a, b))
        viewer.film_changed.connect(lambda: self._on_film(viewer))

    def _later(
        self, view_index: int, slot: str, work: Callable[[], Any], done: Callable[[Any], None]
    ) -> None:
        self._tasks.call(f"{slot} of view {view_index}", work, done, self._on_failed)

    def _on_changed(self, viewer: FilmViewer) -> None:
        if viewer is self._grid.viewer:
            self.changed.emit()

    def _on_film(self, viewer: FilmViewer) -> None:
        film = viewer.radiograph
        if film is not None:
            viewer.measure.set_marks(self._marks(film.ref.path.parent, marks_key(film)))

    def _ask_length(self, viewer: FilmViewer, a: Point, b: Point) -> None:
        film = viewer.radiograph
        if film is None:
            return
        marks, pixels = viewer.measure.marks, distance(a, b, Spacing())
        dialog = self._length_dialog = QInputDialog(viewer)
        dialog.setInputMode(QInputDialog.InputMode.DoubleInput)
        dialog.setWindowTitle("Calibrate")
        dialog.setLabelText(f"The line is {pixels:.1f} px long. Its true length in mm:")
        dialog.setDoubleRange(0.01, _MAX_LENGTH_MM)
        dialog.setDoubleDecimals(2)
        dialog.setDoubleValue(_DEFAULT_LENGTH_MM)

        def accept(length_mm: float) -> None:
            if marks is not None:
                marks.calibrate(calibrated(a, b, length_mm, film.spacing))
                self._grid.set_tool("window")

        dialog.doubleValueSelected.connect(accept)
        dialog.finished.connect(self._on_length_answered)
        dialog.open()

    def _on_length_answered(self) -> None:
        if self._length_dialog is not None:
            self._length_dialog.deleteLater()
            self._length_dialog = None

    # Files

    def _marks(self, folder: Path, key: str) -> FilmMarksModel:
        marks = self._films.get((folder, key))
        if marks is None:
            marks = self._films[folder, key] = FilmMarksModel(self)
            marks.edited.connect(partial(self._on_edited, (folder, key), marks))
            if (stored := self._stored.get(folder)) is not None:
                marks.take(StoredMarks(stored.films).of(key))
            else:
                self._files.load(
                    folder,
                    partial(self._on_loaded, folder),
                    lambda error: self._on_loaded(folder, StoredMeasurements({}), error),
                )
        return marks

    def _on_loaded(
        self, folder: Path, stored: StoredMeasurements, error: XrayViewError | None = None
    ) -> None:
        self._show_stored(folder, stored)
        self._looks.start()
        error = error or stored.error
        if error is not None:
            self.message.emit(Message.of(_TOPIC, error))

    def _show_stored(self, folder: Path, stored: StoredMeasurements) -> None:
        """Show what is stored, with what was drawn since."""
        self._stored[folder] = stored
        index = StoredMarks(stored.films)
        shown = [viewer.measure.marks for viewer in self._grid.viewers]
        for (marks_folder, key), marks in self._films.items():
            if marks_folder != folder:
                continue
            film = index.of(key)
            if not marks.is_loaded:
                marks.take(film)
            elif marks.merge(film) and marks in shown:
                self.message.emit(_OTHER_WINDOW)

    def look_for_changes(self) -> None:
        """Read the annotations of the films on screen again where another window has saved."""
        films = (viewer.radiograph for viewer in self._grid.viewers)
        for folder in {film.ref.path.parent for film in films if film is not None}:
            if (stored := self._stored.get(folder)) is not None:
                changed = partial(self._on_changed_outside, folder)
                self._files.look(folder, stored.version, changed, self._on_failed)

    def _on_changed_outside(self, folder: Path, stored: StoredMeasurements) -> None:
        if folder in self._stored:
            self._show_stored(folder, stored)

    def _on_edited(self, key: _Key, marks: FilmMarksModel) -> None:
        self._edited[key] = marks
        self._timer.start()

    def save(self) -> None:
        """Write changed annotations, in a thread."""
        self._timer.stop()
        for folder, films in self._unsaved():
            self._files.save(
                partial(self._mark_files.save, folder, films),
                partial(self._on_saved, folder),
                self._on_failed,
            )

    def _unsaved(self) -> list[tuple[Path, dict[str, FilmMarks]]]:
        """The unsaved annotations by folder and film."""
        folders: dict[Path, dict[str, FilmMarks]] = {}
        for (folder, key), marks in self._edited.items():
            folders.setdefault(folder, {})[key] = marks.marks
        self._edited.clear()
        return list(folders.items())

    def _on_saved(self, folder: Path, stored: StoredMeasurements) -> None:
        if folder in self._stored:
            self._show_stored(folder, stored)
        assert stored.path is not None
        if stored.path.parent != folder and folder not in self._reported:
            self._reported.add(folder)
            self.message.emit(
                Message(
                    _TOPIC,
                    "warn",
                    "This folder is read-only: its measurements are saved with your settings",
                    "They are shown whenever you open these films on this computer. To share them, "
                    "export them as CSV.",
                )
            )

    def _on_failed(self, error: XrayViewError) -> None:
        self.message.emit(Message.of(_TOPIC, error))
