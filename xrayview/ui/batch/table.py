"""The rows of a batch: every file that was tried, with what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from xrayview.domain.events import FilmResult
from xrayview.errors import Status
from xrayview.ui import theme

AnyIndex = QModelIndex | QPersistentModelIndex
_SORT = Qt.ItemDataRole.UserRole
_FILE = 1
_RESULT = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True)
class Column:
    """One column: its title, what it shows, what it sorts by, how wide it starts."""

    title: str
    text: Callable[[FilmResult], str]
    sort: Callable[[FilmResult], object]
    width: int = 110
    figure: bool = False


def columns_of(findings: tuple[str, ...]) -> tuple[Column, ...]:
    """The table of columns for a model's findings."""
    return (
        Column("Status", lambda r: str(r.status), lambda r: list(Status).index(r.status), 96),
        Column("File", lambda r: r.relative_path, lambda r: r.relative_path, 180),
        Column("Predicted", _predicted, _predicted, 104),
        *(_score_column(place, name) for place, name in enumerate(findings)),
        Column("Reason", _reason, _reason, 160),
    )


def _score_column(place: int, name: str) -> Column:
    def score(result: FilmResult) -> float:
        said = result.prediction
        return said.scores[place] if said is not None else -1.0

    def text(result: FilmResult) -> str:
        return f"{score(result):.3f}" if result.prediction is not None else "–"

    return Column(name, text, score, 88, figure=True)


def _predicted(result: FilmResult) -> str:
    return result.prediction.predicted.replace("|", ", ") if result.prediction else ""


def _reason(result: FilmResult) -> str:
    if result.status is Status.OK:
        return ""
    return f"{result.code}: {result.message}" if result.message else str(result.code)


class ResultRows(QAbstractTableModel):
    """Results in scan order; rows are only appended."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._columns = columns_of(())
        self._hidden = False
        self.results: list[FilmResult] = []

    def set_identity_hidden(self, hidden: bool) -> None:
        """Show `File 12` in place of the file's name."""
        self._hidden = hidden
        self.layoutChanged.emit()

    def start(self, findings: tuple[str, ...]) -> None:
        """Empty the table for a model's findings."""
        self.beginResetModel()
        self._columns = columns_of(findings)
        self.results = []
        self.endResetModel()

    def append(self, results: list[FilmResult]) -> None:
        """Add rows at the end."""
        if results:
            first = len(self.results)
            self.beginInsertRows(QModelIndex(), first, first + len(results) - 1)
            self.results += results
            self.endInsertRows()

    def column(self, place: int) -> Column:
        """What stands in a column."""
        return self._columns[place]

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.results)

    def columnCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole and self._columns[section].figure:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        result, column = self.results[index.row()], self._columns[index.column()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            hidden = self._hidden and index.column() == _FILE
            return f"File {index.row() + 1}" if hidden else column.text(result)
        if role == _SORT:
            return column.sort(result)
        if role == _RESULT:
            return result
        if role == Qt.ItemDataRole.TextAlignmentRole and column.figure:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if index.column() == 0:
            return self._status(result.status, role)
        return None

    def _status(self, status: Status, role: int) -> object:
        colour = theme.STATUS_COLOUR[status]
        if role == Qt.ItemDataRole.DecorationRole:
            return theme.icon(theme.STATUS_ICON[status], colour)
        if role == Qt.ItemDataRole.ForegroundRole:
            return QColor(colour)
        return None


class StatusFilter(QSortFilterProxyModel):
    """Rows of one status, or all."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setSortRole(_SORT)
        self._status: Status | None = None

    def show_only(self, status: Status | None) -> None:
        """Keep the rows of a status; None keeps all."""
        self._status = status
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: AnyIndex) -> bool:
        if self._status is None:
            return True
        result: FilmResult = self.sourceModel().index(row, 0, parent).data(_RESULT)
        return result.status is self._status


class ResultTable(QFrame):
    """The table with its filter; choosing a row opens its film."""

    film_chosen = Signal(object)
    close_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self.rows = ResultRows(self)
        self.filter = StatusFilter(self)
        self.filter.setSourceModel(self.rows)
        self._buttons: dict[Status | None, QPushButton] = {}
        self.view = self._view()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._head())
        column.addWidget(self.view, 1)

    def start(self, findings: tuple[str, ...]) -> None:
        """A new batch begins."""
        self.rows.start(findings)
        header = self.view.horizontalHeader()
        for place in range(self.rows.columnCount()):
            wide = max(self.rows.column(place).width, header.sectionSizeHint(place))
            self.view.setColumnWidth(place, wide)
        self._count()

    def append(self, results: list[FilmResult]) -> None:
        """Rows that are finished."""
        self.rows.append(results)
        self._count()

    def show_only(self, status: Status | None) -> None:
        """Filter by status."""
        self._buttons[status].setChecked(True)
        self.filter.show_only(status)

    def _count(self) -> None:
        counts = dict.fromkeys(Status, 0)
        for result in self.rows.results:
            counts[result.status] += 1
        self._buttons[None].setText(f"All {len(self.rows.results):,}")
        for status, count in counts.items():
            self._buttons[status].setText(f"{status} {count:,}")
            self._buttons[status].setEnabled(count > 0)

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(8, 6, 8, 6)
        row.setSpacing(4)
        group = QButtonGroup(self)
        for status in (None, *Status):
            button = QPushButton()
            button.setCheckable(True)
            button.setProperty("flat", True)
            button.setProperty("segment", True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _=False, s=status: self.filter.show_only(s))
            group.addButton(button)
            self._buttons[status] = button
            row.addWidget(button)
        self._buttons[None].setChecked(True)
        row.addStretch(1)
        shut = QToolButton()
        shut.setIcon(theme.icon("close", theme.C.quiet))
        shut.setIconSize(QSize(16, 16))
        shut.setToolTip("Hide the table")
        shut.setAccessibleName("Hide the table")
        shut.clicked.connect(self.close_asked)
        row.addWidget(shut)
        self._count()
        return row

    def _view(self) -> QTableView:
        view = QTableView()
        view.setModel(self.filter)
        view.setAccessibleName("Results of the batch")
        view.setProperty("own_keys", True)
        view.setSortingEnabled(True)
        view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        view.horizontalHeader().setStretchLastSection(True)
        view.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        view.horizontalHeader().setHighlightSections(False)
        view.verticalHeader().hide()
        view.verticalHeader().setDefaultSectionSize(28)
        view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        view.setShowGrid(False)
        view.setAlternatingRowColors(True)
        view.setWordWrap(False)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.selectionModel().currentRowChanged.connect(self._on_row)
        return view

    def _on_row(self, index: QModelIndex) -> None:
        result = index.data(_RESULT) if index.isValid() else None
        if result is not None:
            self.film_chosen.emit(result)
