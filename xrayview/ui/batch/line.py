"""A folder classification in one line: progress, rate, time left and counts by verdict."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from xrayview.domain.events import (
    BatchEvent,
    BatchFinished,
    BatchStarted,
    FilmFinished,
    FilmResult,
)
from xrayview.domain.sentences import counted
from xrayview.domain.verdict import list_title
from xrayview.errors import Status
from xrayview.ui.style import theme
from xrayview.ui.style.colours import STATUS_COLOUR, C
from xrayview.ui.widgets.elided_label import ElidedLabel


class BatchLine(QFrame):
    """Shows the events of a folder classification; a click shows or hides the table."""

    table_requested = Signal()
    cancel_requested = Signal()
    resume_requested = Signal()
    """Classify the files that have no row yet."""
    pause_requested = Signal(bool)
    """True: start no further films; False: continue."""
    folder_requested = Signal()
    save_requested = Signal()
    close_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("batch_line")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip("Show or hide the results table")
        self._started_s = 0.0
        self._resumed = 0
        self._counts: Counter[tuple[Status, str]] = Counter()
        """By status and verdict."""
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._other_folder = QLabel("Another folder:")
        self._other_folder.setProperty("role", "quiet")
        self._other_folder.hide()
        self._text = QLabel()
        self._model_label = ElidedLabel()
        self._model_label.setProperty("role", "quiet")
        self._counts_label = QLabel()
        self._counts_label.setObjectName("counts")
        self._counts_label.setTextFormat(Qt.TextFormat.RichText)
        self._pause = _button("Pause", self.pause_requested)
        self._pause.setCheckable(True)
        self._pause.setToolTip("Start no further films; those in progress are finished")
        self._pause.toggled.connect(self._on_pause)
        self._paused_s: float | None = None
        self._cancel = _button("Cancel", self.cancel_requested)
        self._resume = _button("Classify the rest", self.resume_requested)
        self._resume.setToolTip("Classify the files that have no row yet, into the same CSV")
        self._table = _button("Table", self.table_requested)
        self._open = _button("Open CSV folder", self.folder_requested)
        self._save = _button("Save CSV as …", self.save_requested)
        self._close = _button("Close", self.close_requested)
        self._lay_out()
        self.hide()
        theme.on_switch(self._show_counts)

    def show_waiting(self, text: str) -> None:
        """Show that the folder is being listed."""
        self._text.setText(text)
        self._model_label.clear()
        self._counts_label.clear()
        self._bar.setRange(0, 0)
        self._show_running(True)
        self.show()

    def show_event(self, event: BatchEvent) -> None:
        """Show an event of the batch."""
        if isinstance(event, BatchStarted):
            self._started_s, self._resumed = time.monotonic(), event.resumed
            if not event.resumed:
                self._counts.clear()
            self._bar.setRange(0, max(1, event.total))
            self._model_label.setText(event.model_text)
            self._model_label.setToolTip(event.model_text)
            self._text.setText(f"Classifying 0 / {event.total:,}")
        elif isinstance(event, FilmFinished):
            self._counts[event.result.status, list_title(event.result)] += 1
            self._bar.setMaximum(max(1, event.total))
            self._bar.setValue(event.done)
            self._text.setText(self._progress(event))
            self._show_counts()
        else:
            self._finish(event)

    def show_counts(self, results: Iterable[FilmResult]) -> None:
        """Count the films again: their verdicts may have changed."""
        self._counts = Counter((result.status, list_title(result)) for result in results)
        self._show_counts()

    def show_other_folder(self, is_other: bool) -> None:
        """Say whether the run is of another folder than the open one."""
        self._other_folder.setVisible(is_other)

    def show_withdrawn(self) -> None:
        """Show that the batch was cancelled before its first film."""
        self._show_stopped("Folder classification cancelled before the first film")

    def show_failed(self) -> None:
        """Show that an error ended the batch; a banner says which."""
        self._show_stopped("Folder classification stopped by an error")

    def _show_stopped(self, text: str) -> None:
        self._bar.setRange(0, 1)
        self._text.setText(text)
        self._show_running(False)
        self._resume.setVisible(True)

    def text(self) -> str:
        """The progress as plain text."""
        other = "" if self._other_folder.isHidden() else f"{self._other_folder.text()} "
        return other + self._text.text()

    def _on_pause(self, paused: bool) -> None:
        self._pause.setText("Continue" if paused else "Pause")
        if paused:
            self._paused_s = time.monotonic()
            self._text.setText(f"{self._text.text().split('   ')[0]}   paused")
        elif self._paused_s is not None:
            # Pauses do not count for the rate.
            self._started_s += time.monotonic() - self._paused_s
            self._paused_s = None

    def _progress(self, event: FilmFinished) -> str:
        if self._paused_s is not None:
            return f"Classifying {event.done:,} / {event.total:,}   paused"
        seconds = time.monotonic() - self._started_s
        new = event.done - self._resumed
        parts = [f"Classifying {event.done:,} / {event.total:,}", f"{event.done / event.total:.0%}"]
        if new > 0 and seconds > 0.5:  # the first film says little about the rate
            rate = new / seconds
            left = _duration((event.total - event.done) / rate)
            parts += [f"{rate:.3g} films/s", f"{left} left"]
        return "   ".join(parts)

    def _show_counts(self) -> None:
        order = list(Status)
        counts = sorted(self._counts.items(), key=lambda item: order.index(item[0][0]))
        self._counts_label.setText(
            " &nbsp; ".join(
                f"<span style='color:{_colour(status)}'>{title} {count:,}</span>"
                for (status, title), count in counts
            )
        )

    def _finish(self, event: BatchFinished) -> None:
        total = sum(event.counts.values())
        outcome = "Folder classification cancelled" if event.cancelled else "Folder classified"
        self._bar.setRange(0, 1)
        self._bar.setValue(1)
        self._text.setText(f"{outcome}: {counted(total, 'row')} in {_duration(event.seconds)}")
        self._show_counts()
        self._show_running(False)
        self._resume.setVisible(event.cancelled)
        for button in (self._open, self._save):
            button.setVisible(event.csv_path is not None)

    def _show_running(self, running: bool) -> None:
        self._pause.setChecked(False)
        self._pause.setVisible(running)
        self._cancel.setVisible(running)
        self._bar.setVisible(running)
        self._close.setVisible(not running)
        for button in (self._resume, self._open, self._save):
            button.setVisible(False)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(12, 6, 8, 6)
        row.setSpacing(16)
        row.addWidget(self._other_folder)
        row.addWidget(self._text)
        row.addWidget(self._counts_label)
        row.addWidget(self._model_label, 1)
        for button in (
            *(self._resume, self._table, self._open, self._save),
            *(self._pause, self._cancel, self._close),
        ):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._bar)
        column.addLayout(row)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.table_requested.emit()


def _button(text: str, signal: SignalInstance) -> QPushButton:
    button = QPushButton(text)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setCursor(Qt.CursorShape.ArrowCursor)
    button.clicked.connect(signal)
    return button


def _colour(status: Status) -> str:
    # Green would approve of films of which something was not checked.
    return C.text if status is Status.OK else STATUS_COLOUR[status]


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
