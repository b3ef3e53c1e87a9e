"""The dialog that runs the self-test in a process of its own, and shows its table."""

from __future__ import annotations

import json
from contextlib import suppress

from PySide6.QtCore import QProcess, QProcessEnvironment, QSize, Qt
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from xrayview.domain.self_test import CheckResult, CheckStatus, has_passed, summary
from xrayview.services.program import program_command, program_environment
from xrayview.ui.style import icons
from xrayview.ui.style.colours import C

_COLUMNS = ("Check", "Result", "Time", "Details")
_SIZE = QSize(900, 440)
_ICONS = {
    CheckStatus.OK: ("ok", "ok"),
    CheckStatus.FAILED: ("error", "error"),
    CheckStatus.SKIPPED: ("info", "quiet"),
}
"""Icon and colour of each status."""
_END_MS = 3000
RUNNING = "Checking … This takes a minute at most. A second window opens and closes by itself."


class InstallationCheck(QDialog):
    """Runs `self-test` while it is open; closing it ends the check."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Check this installation")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.results: list[CheckResult] = []
        self.text = QLabel(RUNNING)
        self.text.setWordWrap(True)
        self.table = QTableWidget(0, len(_COLUMNS))
        self._set_up_table()
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._copy = QPushButton("Copy the table")
        self._buttons.addButton(self._copy, QDialogButtonBox.ButtonRole.ActionRole)
        self._copy.clicked.connect(self._copy_table)
        self._buttons.rejected.connect(self.close)
        column = QVBoxLayout(self)
        for widget in (self.text, self.table, self._buttons):
            column.addWidget(widget)
        self.resize(_SIZE)
        self._process = QProcess(self)
        self._start()

    @property
    def is_running(self) -> bool:
        """True until the last check has ended."""
        return self._process.state() is not QProcess.ProcessState.NotRunning

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.is_running:
            self._process.readyReadStandardOutput.disconnect()
            self._process.finished.disconnect()
            self._process.terminate()
            if not self._process.waitForFinished(_END_MS):
                self._process.kill()
                self._process.waitForFinished(_END_MS)
        super().closeEvent(event)

    def _set_up_table(self) -> None:
        table = self.table
        table.setHorizontalHeaderLabels(_COLUMNS)
        table.verticalHeader().hide()
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        table.setWordWrap(True)
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(len(_COLUMNS) - 1, QHeaderView.ResizeMode.Stretch)

    def _start(self) -> None:
        environment = QProcessEnvironment()
        for name, value in program_environment().items():
            environment.insert(name, value)
        self._process.setProcessEnvironment(environment)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)
        program, *arguments = program_command()
        self._process.start(program, [*arguments, "self-test", "--lines"])

    def _read(self) -> None:
        while self._process.canReadLine():
            line = bytes(self._process.readLine().data())
            with suppress(ValueError, KeyError, TypeError):
                self._add(CheckResult.of(json.loads(line)))

    def _add(self, result: CheckResult) -> None:
        self.results.append(result)
        row = self.table.rowCount()
        self.table.insertRow(row)
        icon, colour = _ICONS[result.status]
        status = QTableWidgetItem(icons.icon(icon, getattr(C, colour)), result.status.value)
        time = QTableWidgetItem(f"{result.seconds:.1f} s")
        name, detail = QTableWidgetItem(result.name), QTableWidgetItem(result.detail)
        for column, item in enumerate((name, status, time, detail)):
            self.table.setItem(row, column, item)
        self.table.resizeRowToContents(row)
        self.table.scrollToBottom()

    def _on_finished(self, code: int) -> None:
        self._read()
        seconds = sum(result.seconds for result in self.results)
        if code and has_passed(self.results):
            self.text.setText(f"The check ended with code {code}. The log file has the details.")
        else:
            self.text.setText(summary(self.results, seconds))

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self.text.setText(f"The check cannot start: {self._process.errorString()}.")

    def _copy_table(self) -> None:
        lines = [result.line for result in self.results]
        QGuiApplication.clipboard().setText("\n".join((self.text.text(), *lines)))
