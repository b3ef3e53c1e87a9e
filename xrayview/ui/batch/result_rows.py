"""The results of a folder classification as a table model, and a filter over it."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtGui import QColor

from xrayview.domain.events import FilmResult
from xrayview.ui.batch.columns import Column, columns_of, reason_of
from xrayview.ui.style import icons
from xrayview.ui.style.verdict_icon import verdict_icon

AnyIndex = QModelIndex | QPersistentModelIndex
SORT_ROLE = Qt.ItemDataRole.UserRole
RESULT_ROLE = Qt.ItemDataRole.UserRole + 1
"""The `FilmResult` of a row."""
FILE_COLUMN = 1


class ResultRows(QAbstractTableModel):
    """Results in scan order; a film that is tried again keeps its row."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._findings: tuple[str, ...] = ()
        self._columns = columns_of(())
        self._identity_hidden = False
        self._file_numbers: dict[str, int] = {}
        self._rows: dict[tuple[str, int | None], int] = {}
        self.results: list[FilmResult] = []

    def set_identity_hidden(self, hidden: bool) -> None:
        """Show `File 12` instead of the file name."""
        self._identity_hidden = hidden
        if self.results:
            last = self.index(len(self.results) - 1, FILE_COLUMN)
            self.dataChanged.emit(self.index(0, FILE_COLUMN), last)

    def start(self, findings: tuple[str, ...]) -> None:
        """Empty the table, with columns for these findings."""
        self.beginResetModel()
        self._findings = findings
        self._columns = columns_of(findings)
        self.results = []
        self._file_numbers = {}
        self._rows = {}
        self.endResetModel()

    def set_labelled(self, columns: tuple[Column, ...]) -> None:
        """Show these columns after the predicted finding."""
        self.beginResetModel()
        self._columns = columns_of(self._findings, columns)
        self.endResetModel()

    def append(self, results: list[FilmResult]) -> None:
        """Add rows at the end, or in place of an earlier result of the same frame."""
        results = [result for result in results if not self._replace(result)]
        if results:
            first = len(self.results)
            self.beginInsertRows(QModelIndex(), first, first + len(results) - 1)
            self.results += results
            for result in results:
                number = len(self._file_numbers) + 1
                self._file_numbers.setdefault(result.relative_path, number)
                self._rows[_frame_of(result)] = first
                first += 1
            self.endInsertRows()

    def _replace(self, result: FilmResult) -> bool:
        row = self._rows.get(_frame_of(result))
        if row is None:
            return False
        self.results[row] = result
        self.dataChanged.emit(self.index(row, 0), self.index(row, self.columnCount() - 1))
        return True

    def change(self, change: Callable[[FilmResult], FilmResult]) -> None:
        """Change the result of every row, for other operating points or another statement."""
        if self.results:
            self.results = [change(result) for result in self.results]
            last = self.index(len(self.results) - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def column(self, index: int) -> Column:
        """The definition of a column."""
        return self._columns[index]

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.results)

    def columnCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole and self._columns[section].is_numeric:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        result, column = self.results[index.row()], self._columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._name(result) if index.column() == FILE_COLUMN else column.text(result)
        if role == Qt.ItemDataRole.ToolTipRole:
            # Qt wraps tooltips only if they are rich text.
            return f"<p>{escape(str(self.data(index)))}</p>" if self.data(index) else None
        if role == SORT_ROLE:
            return column.sort(result)
        if role == RESULT_ROLE:
            return result
        if role == Qt.ItemDataRole.TextAlignmentRole and column.is_numeric:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if index.column() == 0:
            return self._verdict(result, role)
        return None

    def _name(self, result: FilmResult) -> str:
        if not self._identity_hidden:
            return result.name
        frame = result.ref.frame_text if result.ref is not None else ""
        return f"File {self._file_numbers[result.relative_path]} {frame}".rstrip()

    def detail(self, result: FilmResult) -> str:
        """The file and the full reason of a row; empty where there is no reason."""
        reason = reason_of(result)
        return f"{self._name(result)}: {reason}" if reason else ""

    def _verdict(self, result: FilmResult, role: int) -> object:
        icon, colour = verdict_icon(result)
        if role == Qt.ItemDataRole.DecorationRole:
            return icons.icon(icon, colour)
        if role == Qt.ItemDataRole.ForegroundRole:
            return QColor(colour)
        return None


def _frame_of(result: FilmResult) -> tuple[str, int | None]:
    return result.relative_path, result.frame


class ResultFilter(QSortFilterProxyModel):
    """Shows the rows that a condition accepts, or all."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setSortRole(SORT_ROLE)
        self._condition: Callable[[FilmResult], bool] | None = None

    def set_condition(self, condition: Callable[[FilmResult], bool] | None) -> None:
        """Show only the rows that meet the condition; None shows all."""
        self._condition = condition
        self.invalidate()

    def lessThan(self, left: AnyIndex, right: AnyIndex) -> bool:
        """Order by the sort key; rows without one come last in both directions."""
        one, other = left.data(SORT_ROLE), right.data(SORT_ROLE)
        if _is_missing(one) or _is_missing(other):
            descending = self.sortOrder() == Qt.SortOrder.DescendingOrder
            last = _is_missing(one) if descending else _is_missing(other)
            return last and _is_missing(one) != _is_missing(other)
        return bool(one < other)

    def filterAcceptsRow(self, row: int, parent: AnyIndex) -> bool:
        if self._condition is None:
            return True
        return self._condition(self.sourceModel().index(row, 0, parent).data(RESULT_ROLE))


def _is_missing(key: object) -> bool:
    return key == "" or (isinstance(key, float) and math.isnan(key))
