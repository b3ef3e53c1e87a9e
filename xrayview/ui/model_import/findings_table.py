"""A table for the findings of a network, in the order of its outputs."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QHeaderView, QTableWidget, QTableWidgetItem

from xrayview.domain.model import Finding

_NAME, _ABNORMAL = 0, 1
_FLAGS = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


class FindingsTable(QTableWidget):
    """One finding per row; a name typed into the last, empty row adds a row. Takes pasted lists."""

    edited = Signal()

    def __init__(self) -> None:
        super().__init__(0, 2)
        self.setHorizontalHeaderLabels(["Finding", "Abnormal"])
        self.setAccessibleName("Findings in the order of the outputs")
        self.setToolTip("One per row, in the order of the network's outputs; you can paste a list")
        self.setProperty("lined", True)
        self.setTabKeyNavigation(False)  # Tab leaves the table, the arrow keys move in it
        self.setShowGrid(False)
        self.verticalHeader().setDefaultSectionSize(28)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(_ABNORMAL, QHeaderView.ResizeMode.ResizeToContents)
        self._append("")
        self.itemChanged.connect(self._on_changed)

    def findings(self) -> tuple[Finding, ...]:
        """The rows that have a name."""
        rows = ((self._name(row), self._is_abnormal(row)) for row in range(self.rowCount()))
        return tuple(Finding(name, abnormal=abnormal) for name, abnormal in rows if name)

    def add(self, names: list[str]) -> None:
        """Append findings."""
        with QSignalBlocker(self):
            self.removeRow(self.rowCount() - 1)
            for name in [*filter(None, map(str.strip, names)), ""]:
                self._append(name)
        self.edited.emit()

    def remove_chosen(self) -> None:
        """Remove the current row, unless it is the empty last one."""
        if 0 <= self.currentRow() < self.rowCount() - 1:
            self.removeRow(self.currentRow())
            self.edited.emit()

    def move_chosen(self, step: int) -> None:
        """Swap the current row with the one above (-1) or below (1)."""
        row, other, last = self.currentRow(), self.currentRow() + step, self.rowCount() - 1
        if not (0 <= row < last and 0 <= other < last):
            return
        with QSignalBlocker(self):
            for column in (_NAME, _ABNORMAL):
                one, two = self.takeItem(row, column), self.takeItem(other, column)
                self.setItem(other, column, one)
                self.setItem(row, column, two)
        self.setCurrentCell(other, self.currentColumn())
        self.edited.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste):
            self.add(QApplication.clipboard().text().splitlines())
        elif event.matches(QKeySequence.StandardKey.Delete):
            self.remove_chosen()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        # Del and Ctrl+V are shortcuts of the window too; here the table gets them.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            for key in (QKeySequence.StandardKey.Paste, QKeySequence.StandardKey.Delete):
                if event.matches(key):
                    event.accept()
                    return True
        return super().event(event)

    def _append(self, name: str) -> None:
        row = self.rowCount()
        self.insertRow(row)
        self.setItem(row, _NAME, QTableWidgetItem(name))
        box = QTableWidgetItem()
        box.setFlags(_FLAGS | Qt.ItemFlag.ItemIsUserCheckable)
        box.setCheckState(Qt.CheckState.Checked)
        box.setData(Qt.ItemDataRole.AccessibleTextRole, "Abnormal")
        box.setToolTip("Clear this for a finding that is not abnormal, such as Normal")
        self.setItem(row, _ABNORMAL, box)

    def _on_changed(self, item: QTableWidgetItem) -> None:
        if item.row() == self.rowCount() - 1 and self._name(item.row()):
            with QSignalBlocker(self):
                self._append("")
        self.edited.emit()

    def _name(self, row: int) -> str:
        item = self.item(row, _NAME)
        return item.text().strip() if item else ""

    def _is_abnormal(self, row: int) -> bool:
        item = self.item(row, _ABNORMAL)
        return item is not None and item.checkState() == Qt.CheckState.Checked
