"""The results table: every file of a folder classification with its outcome."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from xrayview.domain.events import FilmResult
from xrayview.domain.model import ModelCard
from xrayview.domain.verdict import list_title, status_title
from xrayview.errors import Status
from xrayview.services.labels import Labels, compare
from xrayview.ui.batch.labelled import comparison_text, disagrees, label_columns
from xrayview.ui.batch.result_rows import (
    FILE_COLUMN,
    RESULT_ROLE,
    AnyIndex,
    ResultFilter,
    ResultRows,
)
from xrayview.ui.style import icons
from xrayview.ui.style.colours import C

_AROUND_TITLE_PX = 24


class _FileNames(QStyledItemDelegate):
    """Elides long names in the middle, because rows differ in their ends and frames."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideMiddle


class ResultTable(QFrame):
    """The table with its filter buttons; choosing a row opens its film."""

    film_chosen = Signal(FilmResult)
    labels_requested = Signal()
    command_requested = Signal()
    close_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self.rows = ResultRows(self)
        self.filter = ResultFilter(self)
        self.filter.setSourceModel(self.rows)
        self._labels: tuple[Labels, ModelCard] | None = None
        self._buttons: dict[Status | None, QPushButton] = {}
        self._disagree = _segment("Disagree", lambda: self.filter.set_condition(self._disagrees))
        self._load_labels = QPushButton("Compare with labels …")
        self._load_labels.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._load_labels.setToolTip(
            "Compare the results with labels from a CSV with the columns path and label"
        )
        self._load_labels.clicked.connect(self.labels_requested)
        self.show_command = QPushButton("Show the command …")
        self.show_command.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.show_command.setToolTip("The command line that classifies the folder like this")
        self.show_command.clicked.connect(self.command_requested)
        self.model = QLabel()
        self.model.setProperty("role", "quiet")
        self.model.setWordWrap(True)
        self.comparison = QLabel()
        self.comparison.setProperty("role", "quiet")
        self.comparison.setContentsMargins(12, 0, 12, 6)
        self.comparison.setWordWrap(True)
        self.comparison.hide()
        self.detail = _detail()
        self.view = self._view()
        self._detailed: FilmResult | None = None
        self._is_restoring = False
        self.rows.dataChanged.connect(lambda: self._show_detail(self._detailed))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._head())
        column.addLayout(self._model_row())
        column.addWidget(self.comparison)
        column.addWidget(self.view, 1)
        column.addWidget(self.detail)

    def start(self, findings: tuple[str, ...]) -> None:
        """Empty the table for a new folder classification."""
        self.rows.start(findings)
        self._labels = None
        self.comparison.hide()
        self._show_detail(None)
        self._set_widths()
        self._update_counts()

    def compare_with(self, labels: Labels, card: ModelCard) -> None:
        """Add the columns of labels, and show how far the model agrees with them."""
        self._labels = labels, card
        current = self.view.currentIndex().data(RESULT_ROLE)
        section = self.view.horizontalHeader().sortIndicatorSection()
        is_sorted = 0 <= section < self.rows.columnCount()
        sorted_by = self.rows.column(section).title if is_sorted else ""
        self._is_restoring = True
        self.rows.set_labelled(label_columns(labels, card))
        self._restore(sorted_by, current)
        self._is_restoring = False
        self._set_widths()
        self.compare()

    def _restore(self, sorted_by: str, current: FilmResult | None) -> None:
        """Sort by a column and select a row as before the columns changed."""
        titles = [self.rows.column(i).title for i in range(self.rows.columnCount())]
        if sorted_by in titles:
            order = self.view.horizontalHeader().sortIndicatorOrder()
            self.view.sortByColumn(titles.index(sorted_by), order)
        if current is not None and current in self.rows.results:
            row = self.rows.results.index(current)
            self.view.setCurrentIndex(self.filter.mapFromSource(self.rows.index(row, 0)))

    def compare(self) -> None:
        """Update how far model and labels agree."""
        if self._labels is not None:
            self.comparison.setText(comparison_text(compare(self.rows.results, *self._labels)))
            self.comparison.show()
        self._update_counts()

    def _disagrees(self, result: FilmResult) -> bool:
        return self._labels is not None and disagrees(result, *self._labels)

    def _set_widths(self) -> None:
        header = self.view.horizontalHeader()
        for i in range(self.rows.columnCount()):
            column = self.rows.column(i)
            title = header.fontMetrics().horizontalAdvance(column.title) + _AROUND_TITLE_PX
            self.view.setColumnWidth(i, max(column.width, title))

    def append(self, results: list[FilmResult]) -> None:
        """Add finished rows."""
        self.rows.append(results)
        self._update_counts()

    def change(self, change: Callable[[FilmResult], FilmResult]) -> None:
        """Change the result of every row, for other operating points or another statement."""
        self.rows.change(change)
        self.compare()

    def show_only(self, status: Status | None) -> None:
        """Show the rows of one status; None shows all."""
        self._buttons[status].setChecked(True)
        self._filter_by(status)

    def _filter_by(self, status: Status | None) -> None:
        self.filter.set_condition(_has_status(status))

    def _update_counts(self) -> None:
        counts, titles = dict.fromkeys(Status, 0), {s: status_title(s) for s in Status}
        for result in self.rows.results:
            counts[result.status] += 1
            titles[result.status] = list_title(result)
        self._buttons[None].setText(f"All {len(self.rows.results):,}")
        for status, count in counts.items():
            self._buttons[status].setText(f"{titles[status]} {count:,}")
            self._buttons[status].setEnabled(count > 0)
        self._disagree.setVisible(self._labels is not None)
        if self._labels is not None:
            count = sum(map(self._disagrees, self.rows.results))
            self._disagree.setText(f"Disagree {count:,}")

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(8, 6, 8, 6)
        row.setSpacing(4)
        group = QButtonGroup(self)
        for status in (None, *Status):
            button = _segment("", partial(self._filter_by, status))
            group.addButton(button)
            self._buttons[status] = button
            row.addWidget(button)
        self._buttons[None].setChecked(True)
        group.addButton(self._disagree)
        row.addWidget(self._disagree)
        row.addStretch(1)
        row.addWidget(self._load_labels)
        close = QToolButton()
        close.setIcon(icons.icon("close", C.quiet))
        close.setIconSize(QSize(16, 16))
        close.setToolTip("Hide the table")
        close.setAccessibleName("Hide the table")
        close.clicked.connect(self.close_requested)
        row.addWidget(close)
        self._update_counts()
        return row

    def _model_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(12, 0, 8, 6)
        row.addWidget(self.model, 1)
        row.addWidget(self.show_command)
        return row

    def _view(self) -> QTableView:
        view = QTableView()
        view.setTabKeyNavigation(False)  # Tab leaves the table, the arrow keys move in it
        view.setModel(self.filter)
        view.setItemDelegateForColumn(FILE_COLUMN, _FileNames(view))
        view.setAccessibleName("Results of the folder")
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
        if self._is_restoring:  # the film on screen stays, whichever row is selected
            return
        result = index.data(RESULT_ROLE) if index.isValid() else None
        self._show_detail(result)
        if result is not None:
            self.film_chosen.emit(result)

    def _show_detail(self, result: FilmResult | None) -> None:
        self._detailed = result
        text = self.rows.detail(result) if result is not None else ""
        self.detail.setText(text)
        self.detail.setVisible(bool(text))


def _has_status(status: Status | None) -> Callable[[FilmResult], bool] | None:
    return None if status is None else lambda result: result.status is status


def _segment(text: str, act: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setCheckable(True)
    button.setProperty("flat", True)
    button.setProperty("segment", True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.clicked.connect(lambda _checked: act())
    return button


def _detail() -> QLabel:
    """The full reason of the current row, which may be too long for its column."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setContentsMargins(12, 6, 12, 6)
    flags = Qt.TextInteractionFlag
    label.setTextInteractionFlags(flags.TextSelectableByMouse | flags.TextSelectableByKeyboard)
    label.setAccessibleName("Reason for the selected row")
    label.setToolTip("The full reason for the selected row")
    label.hide()
    return label
