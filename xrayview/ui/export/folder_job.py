"""A dialog that works on the open folder: options, then progress, then the files that failed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from xrayview.domain.events import FilmFinished
from xrayview.domain.sentences import counted, without_options
from xrayview.domain.verdict import title_of
from xrayview.errors import Cancelled, Status, XrayViewError
from xrayview.services.progress import BatchProgress
from xrayview.services.tasks import Tasks
from xrayview.ui.widgets.form_dialog import ClosingQuestion, FormDialog, never_default
from xrayview.ui.widgets.form_fields import label

Events = Iterator[FilmFinished]
_LISTED = frozenset({Status.ERROR, Status.REFUSED, Status.WARN})
_COLUMNS = ("File", "Status", "Reason")
_MAX_LISTED = 2000
INSIDE_SOURCE = "This folder lies among the films: choose a folder outside"
"""The next scan of the films, by any program, would take the output for more films."""
_RUNNING = ClosingQuestion(
    "Stop and close?", "Files that are already written stay.", "Stop and close"
)


class FolderJob(FormDialog):
    """Runs one job at a time. Subclasses fill `form` and define the work."""

    slot = ""
    start_text = "Start"

    def __init__(self, title: str, source: Path, tasks: Tasks, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(720, 560)
        self.source = source
        self._tasks = tasks
        self.hide_names = False
        """Show numbers instead of file names, which may identify the patient."""
        self._cancelled = False
        self._progress: BatchProgress | None = None
        self.form = QWidget()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress")
        self.text = label("")
        self.hint = label("", "quiet")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.failures = _table()
        self.start_button = QPushButton(self.start_text)
        self.cancel_button = QPushButton("Cancel")
        self.open_button = QPushButton("Open folder")
        self.close_button = QPushButton("Close")
        self._lay_out()
        self._show_running(False)
        self.open_button.hide()
        self.failures.hide()
        self.bar.hide()

    # For subclasses

    def problem(self) -> str:
        """Why the job cannot start; empty when it can."""
        raise NotImplementedError

    def work(self) -> Callable[[threading.Event], Events]:
        """The work for the current options, to be run in a thread."""
        raise NotImplementedError

    def target(self) -> Path | None:
        """The folder that is written to."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Reset the counts of an earlier run and store the options for the next time."""

    def summary(self) -> str:
        """A text for the end, after the counts by status."""
        return ""

    def count(self, event: FilmFinished) -> None:
        """Count one finished file for the summary."""

    def show_outcome(self) -> None:
        """Show what the counts lead to, after the last file or when the job has stopped."""

    # Running

    @property
    def running(self) -> bool:
        """True from the start until the last file is done or the job has stopped."""
        return self._tasks.is_busy(self.slot)

    def start(self) -> None:
        """Start the job, unless it is running or has a problem."""
        if self.running or self.problem():
            return
        self.prepare()
        self.remember_answers()
        self._cancelled, self._progress = False, None
        self.failures.setRowCount(0)
        self.failures.hide()
        self.open_button.hide()
        self.bar.setRange(0, 0)
        self.bar.show()
        self.text.setText("Listing the folder …")
        work = self.work()

        def until_cancelled(stop: threading.Event) -> Events:
            try:
                yield from work(stop)
            except Cancelled:
                if not stop.is_set():
                    raise

        self._tasks.stream(
            self.slot, until_cancelled, self._on_events, self._on_end, self._on_failed
        )
        self._show_running(True)

    def cancel(self) -> None:
        """Stop soon; files already written stay."""
        if self.running:
            self._cancelled = True
            self.text.setText("Stopping …")
            self._tasks.stop(self.slot)

    def refresh(self) -> None:
        """Update the start button and the hint to the options."""
        problem = self.problem()
        self.start_button.setEnabled(not problem and not self.running)
        self.start_button.setToolTip(problem)
        self.hint.setText("" if self.running else problem)

    def _on_events(self, events: list[FilmFinished]) -> None:
        for event in events:
            if self._progress is None:
                self._progress = BatchProgress(event.total, title=title_of)
                self.bar.setRange(0, max(1, event.total))
            self._progress.add(event)
            self.count(event)
            if event.result.status in _LISTED:
                self._add_row(event)
            self.bar.setValue(event.done)
        if self._progress is not None and not self._cancelled:
            self.text.setText(self._progress.text)

    def _add_row(self, event: FilmFinished) -> None:
        row = self.failures.rowCount()
        if row >= _MAX_LISTED:
            return
        result = event.result
        self.failures.insertRow(row)
        name = f"File {event.done}" if self.hide_names else result.relative_path
        cells = (name, title_of(result), without_options(result.message))
        for column, text in enumerate(cells):
            item = QTableWidgetItem(text)
            item.setToolTip(text)
            self.failures.setItem(row, column, item)
        self.failures.show()

    def _on_end(self) -> None:
        done = self._progress.done if self._progress else 0
        by_status = self._progress.counts_text if self._progress else ""
        files = counted(done, "file")
        total = f"Stopped after {files}" if self._cancelled else files
        self.text.setText("\n".join(t for t in (f"{total}   {by_status}", self.summary()) if t))
        self.bar.hide()
        self.failures.resizeRowsToContents()
        self.open_button.setVisible(self.target() is not None)
        self.show_outcome()
        self._show_running(False)

    def _on_failed(self, error: XrayViewError) -> None:
        self.bar.hide()
        self.text.setText(without_options(str(error)))
        self._show_running(False)

    def _show_running(self, running: bool) -> None:
        if running:
            self.keep_focus()
        self.form.setEnabled(not running)
        self.start_button.setVisible(not running)
        self.cancel_button.setVisible(running)
        self.close_button.setVisible(not running)
        self.refresh()
        if not running:
            self.restore_focus()

    def closing_question(self) -> ClosingQuestion | None:
        """Ask before a running job is stopped, as before answers are discarded."""
        return _RUNNING if self.running else super().closing_question()

    def done(self, result: int) -> None:
        """Stop the job, then close."""
        self.cancel()
        self._tasks.cancel(self.slot)
        super().done(result)

    def _open(self) -> None:
        if (target := self.target()) is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(target)))

    def _lay_out(self) -> None:
        self.start_button.setProperty("primary", True)
        self.start_button.setDefault(True)
        self.start_button.clicked.connect(self.start)
        self.cancel_button.clicked.connect(self.cancel)
        self.open_button.clicked.connect(self._open)
        self.close_button.clicked.connect(self.reject)
        never_default(self.cancel_button, self.close_button, self.open_button)
        buttons = QHBoxLayout()
        buttons.addWidget(self.open_button)
        buttons.addWidget(self.hint, 1)
        for button in (self.cancel_button, self.close_button, self.start_button):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(self.form)
        column.addWidget(self.bar)
        column.addWidget(self.text)
        column.addWidget(self.failures, 1)
        column.addLayout(buttons)


def _table() -> QTableWidget:
    table = QTableWidget(0, len(_COLUMNS))
    table.setTabKeyNavigation(False)  # Tab leaves the table, the arrow keys move in it
    table.setAccessibleName("Files with problems")
    table.setHorizontalHeaderLabels(_COLUMNS)
    table.verticalHeader().hide()
    table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
    table.setWordWrap(True)
    table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
    table.horizontalHeader().setStretchLastSection(True)
    table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
    table.setColumnWidth(0, 200)
    table.setColumnWidth(1, 72)
    table.setProperty("own_keys", True)
    return table
