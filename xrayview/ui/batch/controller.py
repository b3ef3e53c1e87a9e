"""Folder classification: its runner, its line at the bottom, and the table of its results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from xrayview.domain.events import BatchFinished, BatchStarted, FilmFinished, FilmResult
from xrayview.domain.film import FilmRef
from xrayview.domain.model import ModelCard
from xrayview.services.film_list import FilmList
from xrayview.services.labels import read_labels
from xrayview.services.session import Session
from xrayview.services.tasks import Tasks
from xrayview.ui.batch.command_box import CommandBox
from xrayview.ui.batch.line import BatchLine
from xrayview.ui.batch.runner import BatchRunner
from xrayview.ui.batch.table import ResultTable
from xrayview.ui.batch.which_films import Chosen, WhichFilms
from xrayview.ui.widgets.banners import Message


class BatchController(QObject):
    """Shows the runner's progress, and carries out the commands of line and table."""

    film_classified = Signal(str)
    """A film's id: it has a result."""
    film_chosen = Signal(FilmRef)
    """The film of a row, at the frame of the row; only films in the list."""
    message = Signal(Message)

    def __init__(
        self,
        session: Session,
        tasks: Tasks,
        runner: BatchRunner,
        line: BatchLine,
        table: ResultTable,
        filtered: Callable[[], FilmList | None],
    ) -> None:
        """`filtered` gives the films that the filter lists; None without a filter."""
        super().__init__(table)
        self._session = session
        self._tasks = tasks
        self._runner = runner
        self._line = line
        self._table = table
        self._filtered = filtered
        self._card: ModelCard | None = None
        """The card of the model that the rows are from."""
        runner.waiting.connect(line.show_waiting)
        runner.waiting.connect(lambda _: line.show_other_folder(not runner.is_of_open_folder))
        runner.started.connect(self._on_started)
        runner.progressed.connect(self._on_films)
        runner.finished.connect(self._on_finished)
        runner.withdrawn.connect(line.show_withdrawn)
        runner.failed.connect(line.show_failed)
        runner.message.connect(self.message)
        line.cancel_requested.connect(runner.cancel)
        line.resume_requested.connect(runner.resume)
        line.pause_requested.connect(runner.set_paused)
        line.table_requested.connect(lambda: table.setVisible(not table.isVisible()))
        line.folder_requested.connect(self._open_csv_folder)
        line.save_requested.connect(self._save_csv)
        line.close_requested.connect(line.hide)
        line.close_requested.connect(table.hide)
        table.close_requested.connect(table.hide)
        table.labels_requested.connect(self._ask_for_labels)
        table.command_requested.connect(self._show_command)
        table.film_chosen.connect(self._on_row)

    def start(self) -> None:
        """Classify the open folder; under a filter, ask whether all of it."""
        if not self._runner.can_start():
            return
        listed = self._filtered()
        if listed is None:
            self._runner.start()
            return
        folder = self._session.folder

        def start(chosen: Chosen) -> None:
            if self._session.folder == folder:
                self._runner.start(chosen)

        self.question = WhichFilms(listed.films, start, self._table.window())
        self.question.open()

    def follow_folder(self) -> None:
        """Hide the results of another folder; a run that goes on says that it is of another."""
        self._table.hide()
        if not self._runner.running:
            self._line.hide()
        self._line.show_other_folder(not self._runner.is_of_open_folder)

    def refresh(self) -> None:
        """Show the run at the operating points and with the statement in force."""
        if self._runner.is_in_force:
            self._table.change(self._runner.in_force)
            self._line.show_counts(self._table.rows.results)
            self._runner.update_files()

    def compare_with_labels(self, path: Path) -> None:
        """Compare the results with a CSV of labels."""
        card = self._card
        if card is not None:
            self._tasks.call(
                "labels",
                lambda: read_labels(path),
                lambda labels: self._table.compare_with(labels, card),
                lambda error: self.message.emit(Message.of("labels", error)),
            )

    def _on_started(self, event: BatchStarted) -> None:
        self._line.show_event(event)
        self._table.model.setText(event.model_text)
        self._card = event.card
        if not event.resumed:  # a resumed batch keeps its rows
            self._table.start(tuple(finding.name for finding in event.card.findings))

    def _show_command(self) -> None:
        if (command := self._runner.command) is not None:
            self.command_box = CommandBox(*command, self._table.window())
            self.command_box.open()

    def _on_films(self, events: tuple[FilmFinished, ...]) -> None:
        for event in events:
            self._line.show_event(event)
            if event.result.ref is not None:
                self.film_classified.emit(event.result.ref.film_id)
        self._table.append([self._runner.in_force(event.result) for event in events])

    def _on_finished(self, event: BatchFinished) -> None:
        self._line.show_event(event)
        self._table.compare()
        if event.notes:
            title = "The folder classification has a note"
            self.message.emit(Message("batch notes", "info", title, " ".join(event.notes)))

    def _on_row(self, result: FilmResult) -> None:
        listed = self._session.film(result.ref.film_id) if result.ref is not None else None
        if result.ref is not None and listed is not None:
            self.film_chosen.emit(replace(listed, frame=result.ref.frame))

    def _ask_for_labels(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self._table, "Compare with labels", "", "CSV (*.csv);;All files (*)"
        )
        if name:
            self.compare_with_labels(Path(name))

    def _open_csv_folder(self) -> None:
        if self._runner.csv_path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._runner.csv_path.parent)))

    def _save_csv(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self._table, "Save the CSV as", "predictions.csv", "CSV (*.csv)"
        )
        if name:
            self._runner.save_as(Path(name))
