"""Exporting the measurements of the open folder as CSV."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from xrayview.batch.measurements import MeasuredFilm, measure_films
from xrayview.domain.sentences import counted
from xrayview.engine.client import Engine
from xrayview.errors import Cancelled, UsageError, XrayViewError
from xrayview.io.tables.measurements import export_measurements
from xrayview.services.session import Session
from xrayview.services.tasks import Tasks
from xrayview.ui.measure.controller import MeasurementController
from xrayview.ui.widgets.banners import Kind, Message

_TOPIC = "export measurements"
_USUAL_NAME = "measurements.csv"


class MeasurementExport(QObject):
    """Asks for a file, measures every annotated film, and reports the result."""

    message = Signal(Message)

    def __init__(
        self, session: Session, tasks: Tasks, engine: Engine, controller: MeasurementController
    ) -> None:
        super().__init__()
        self._session = session
        self._tasks = tasks
        self._engine = engine
        self._controller = controller

    def ask(self, parent: QWidget) -> None:
        """Let the user choose the file; does nothing without a folder."""
        if self._session.folder is None:
            return
        name, _ = QFileDialog.getSaveFileName(
            parent, "Export measurements", _USUAL_NAME, "CSV (*.csv)"
        )
        if name:
            self.write(Path(name))

    def write(self, path: Path) -> None:
        """Measure all films of the folder and write the file; a message reports the result."""
        self._controller.save()
        films, engine = self._session.films, self._engine
        load = self._controller.load_saved

        def work(stop: threading.Event) -> Iterator[tuple[int, int]]:
            done = list(measure_films(engine, films, load, stop))
            if stop.is_set():
                raise Cancelled("the export was cancelled")
            _write(path, done)
            yield sum(len(film.rows) for film in done), sum(bool(film.error) for film in done)

        self._tasks.stream(
            _TOPIC, work, lambda counts: self._on_written(path, *counts[0]), _nothing, self._failed
        )

    def _on_written(self, path: Path, annotations: int, unread: int) -> None:
        rows = counted(annotations, "annotation")
        text = f"{rows}, each with the kind of spacing behind its values."
        if unread:
            films = counted(unread, "unreadable film")
            text += f" The rows of {films} have no values."
        kind: Kind = "warn" if unread else "info"
        self.message.emit(Message(_TOPIC, kind, f"{path.name} was written", text))

    def _failed(self, error: XrayViewError) -> None:
        self.message.emit(Message.of(_TOPIC, error))


def _write(path: Path, films: list[MeasuredFilm]) -> None:
    try:
        export_measurements(path, (row for film in films for row in film.table))
    except OSError as error:
        raise UsageError(
            "The measurements cannot be written",
            path=path,
            why=error.strerror or type(error).__name__,
            hint="Choose another folder, or close the program that has the file open.",
        ) from error


def _nothing() -> None:
    return
