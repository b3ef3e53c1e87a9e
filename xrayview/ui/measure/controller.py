"""Annotations of all views: read when a film is shown, shared by its views, saved when changed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QInputDialog

from xrayview.display.measure import calibrated, distance
from xrayview.domain.measurement import FilmMarks
from xrayview.domain.radiograph import Point, Spacing
from xrayview.errors import XrayViewError
from xrayview.services.measurement_files import Kept, MeasurementFiles
from xrayview.services.tasks import Tasks
from xrayview.ui.measure.film_marks import FilmMarksModel, film_key
from xrayview.ui.measure.layer import MeasureLayer
from xrayview.ui.measure.tools import TOOLS
from xrayview.ui.viewer.film_view import FilmViewer
from xrayview.ui.widgets.banners import Message

SAVE_AFTER_MS = 400
_USUAL_LENGTH_MM = 100.0
_LONGEST_MM = 2000.0
_MATTER = "measurements"

_Key = tuple[Path, str]


class MeasurementController(QObject):
    """What the views' hands have in common.

    Args:
        tasks: for what must not hold up the window.
        viewers: all that there are.
        active: the one that keys and menus are about.
        set_tool: gives all of them a tool.
        files: where annotations are kept.
    """

    message = Signal(object)
    changed = Signal()
    """What is drawn on the active view's film, or selected there, is another."""

    def __init__(
        self,
        tasks: Tasks,
        viewers: Sequence[FilmViewer],
        active: Callable[[], FilmViewer],
        set_tool: Callable[[Any], None],
        files: MeasurementFiles | None = None,
    ) -> None:
        super().__init__()
        self._tasks = tasks
        self._active = active
        self._set_tool = set_tool
        self._files = files or MeasurementFiles()
        self._films: dict[_Key, FilmMarksModel] = {}
        self._kept: dict[Path, Kept] = {}
        self._edited: dict[_Key, FilmMarksModel] = {}
        self._told: set[Path] = set()
        self._saves = itertools.count(1)
        # One thread for all files: what is saved is read again in this order.
        self._worker = ThreadPoolExecutor(1, "xrayview measurements")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_AFTER_MS)
        self._timer.timeout.connect(self.save)
        for number, viewer in enumerate(viewers):
            self._follow(number, viewer)

    def commands(self) -> dict[str, Callable[..., object]]:
        """What the keys and buttons do here, by the names of the key table."""
        tools: dict[str, Callable[..., object]] = {
            f"tool_{tool.name}": partial(self._set_tool, tool.name) for tool in TOOLS
        }
        return tools | {
            "undo": partial(self._act, MeasureLayer.undo),
            "redo": partial(self._act, MeasureLayer.redo),
            "delete_mark": partial(self._act, MeasureLayer.delete_selected),
            "cancel_drawing": partial(self._act, MeasureLayer.cancel),
        }

    @property
    def active_layer(self) -> MeasureLayer:
        """The active view's."""
        return self._active().measure

    def _act(self, act: Callable[[MeasureLayer], None]) -> None:
        act(self.active_layer)

    def forget(self) -> None:
        """Another folder is open: what belonged to the earlier one is saved and let go."""
        self.save()
        self._films.clear()
        self._kept.clear()
        self._told.clear()

    def calibrate(self, spacing: Spacing | None) -> None:
        """Set the spacing of the active view's film; None is the film's own again."""
        if self.active_layer.marks is not None:
            self.active_layer.marks.calibrate(spacing)

    def close(self) -> None:
        """Write what is not written yet; waits for it."""
        self._timer.stop()
        for folder, films in self._unsaved():
            self._worker.submit(self._files.save, folder, films)
        self._worker.shutdown()

    def load_saved(self, folder: Path) -> Mapping[str, FilmMarks]:
        """The annotations of a folder once all that was drawn is written; not for this thread.

        Raises:
            UsageError: its file has a fault.
        """
        return self._worker.submit(self._files.load_all, folder).result()

    # Views

    def _follow(self, number: int, viewer: FilmViewer) -> None:
        layer = viewer.measure
        layer.later = partial(self._later, number)
        layer.changed.connect(lambda: self._on_changed(viewer))
        layer.length_drawn.connect(lambda a, b: self._ask_length(viewer, a, b))
        viewer.film_changed.connect(lambda: self._on_film(viewer))

    def _later(
        self, number: int, slot: str, work: Callable[[], Any], done: Callable[[Any], None]
    ) -> None:
        self._tasks.call(f"{slot} of view {number}", work, done, self._on_failed)

    def _on_changed(self, viewer: FilmViewer) -> None:
        if viewer is self._active():
            self.changed.emit()

    def _on_film(self, viewer: FilmViewer) -> None:
        film = viewer.radiograph
        if film is not None:
            viewer.measure.set_marks(self._marks(film.ref.path.parent, film_key(film)))

    def _ask_length(self, viewer: FilmViewer, a: Point, b: Point) -> None:
        film = viewer.radiograph
        if film is None:
            return
        marks, pixels = viewer.measure.marks, distance(a, b, Spacing())
        dialog = QInputDialog(viewer)
        dialog.setInputMode(QInputDialog.InputMode.DoubleInput)
        dialog.setWindowTitle("Calibrate")
        dialog.setLabelText(f"The line is {pixels:.1f} px long. Its true length in mm:")
        dialog.setDoubleRange(0.01, _LONGEST_MM)
        dialog.setDoubleDecimals(2)
        dialog.setDoubleValue(_USUAL_LENGTH_MM)

        def take(length_mm: float) -> None:
            if marks is not None:
                marks.calibrate(calibrated(a, b, length_mm, film.spacing))
                self._set_tool("window")

        dialog.doubleValueSelected.connect(take)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    # Files

    def _marks(self, folder: Path, key: str) -> FilmMarksModel:
        marks = self._films.get((folder, key))
        if marks is None:
            marks = self._films[folder, key] = FilmMarksModel(self)
            marks.edited.connect(partial(self._on_edited, (folder, key), marks))
            if (kept := self._kept.get(folder)) is not None:
                marks.take(kept.films.get(key, FilmMarks()))
            else:
                self._load(folder)
        return marks

    def _load(self, folder: Path) -> None:
        slot = f"read measurements of {folder}"
        if not self._tasks.busy(slot):
            self._tasks.start(
                slot,
                partial(self._worker.submit, self._files.load, folder),
                partial(self._on_loaded, folder),
                lambda error: self._on_loaded(folder, Kept({}), error),
            )

    def _on_loaded(self, folder: Path, kept: Kept, error: XrayViewError | None = None) -> None:
        self._kept[folder] = kept
        for (place, key), marks in self._films.items():
            if place == folder and not marks.is_loaded:
                marks.take(kept.films.get(key, FilmMarks()))
        error = error or kept.error
        if error is not None:
            self.message.emit(Message.of(_MATTER, error))

    def _on_edited(self, key: _Key, marks: FilmMarksModel) -> None:
        self._edited[key] = marks
        self._timer.start()

    def save(self) -> None:
        """Write what was changed since the last time, in a thread."""
        self._timer.stop()
        for folder, films in self._unsaved():
            self._tasks.start(
                f"save measurements {next(self._saves)}",  # no save takes the place of another
                partial(self._worker.submit, self._files.save, folder, films),
                partial(self._on_saved, folder),
                self._on_failed,
            )

    def _unsaved(self) -> list[tuple[Path, dict[str, FilmMarks]]]:
        """All that was edited in each folder with unsaved changes."""
        folders: dict[Path, dict[str, FilmMarks]] = {}
        for (folder, key), marks in self._edited.items():
            folders.setdefault(folder, {})[key] = marks.marks
        self._edited.clear()
        return list(folders.items())

    def _on_saved(self, folder: Path, path: Path) -> None:
        if path.parent != folder and folder not in self._told:
            self._told.add(folder)
            self.message.emit(
                Message(
                    _MATTER,
                    "warn",
                    "This folder is read-only: its measurements are saved with your settings",
                    "They are shown whenever you open these films on this computer. To share them, "
                    "export them as CSV.",
                )
            )

    def _on_failed(self, error: XrayViewError) -> None:
        self.message.emit(Message.of(_MATTER, error))
