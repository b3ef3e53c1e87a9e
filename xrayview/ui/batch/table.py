"""The rows of a batch: every file that was tried, with what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape
from math import isnan

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
from xrayview.errors import Status
from xrayview.evaluation.intervals import Estimate
from xrayview.services.labels import Comparison, Labels, agrees, compare
from xrayview.ui import theme

AnyIndex = QModelIndex | QPersistentModelIndex
_SORT = Qt.ItemDataRole.UserRole
_FILE = 1
_RESULT = Qt.ItemDataRole.UserRole + 1
_AROUND_TITLE_PX = 24


@dataclass(frozen=True)
class Column:
    """One column: its title, what it shows, what it sorts by, how wide it starts."""

    title: str
    text: Callable[[FilmResult], str]
    sort: Callable[[FilmResult], object]
    width: int = 110
    figure: bool = False


def columns_of(findings: tuple[str, ...], labelled: tuple[Column, ...] = ()) -> tuple[Column, ...]:
    """The table of columns for a model's findings; `labelled` stand beside what is predicted."""
    return (
        Column("Status", lambda r: str(r.status), lambda r: list(Status).index(r.status), 98),
        Column("File", lambda r: r.name, _place, 146),
        Column("Predicted", _predicted, _predicted, 96),
        *labelled,
        *(_score_column(place, name) for place, name in enumerate(findings)),
        Column("Unlike", _unlike, _distance, 80, figure=True),
        Column("Reason", _reason, _reason, 120),
    )


def _score_column(place: int, name: str) -> Column:
    def score(result: FilmResult) -> float:
        said = result.prediction
        return said.scores[place] if said is not None else -1.0

    def text(result: FilmResult) -> str:
        return f"{score(result):.3f}" if result.prediction is not None else "–"

    return Column(name, text, score, 88, figure=True)


_VERDICTS: dict[bool | None, str] = {True: "yes", False: "no", None: "–"}


def _label_column(labels: Labels) -> Column:
    def text(result: FilmResult) -> str:
        return labels.of(result.relative_path, result.frame).replace("|", ", ")

    return Column("Label", text, text, 120)


def _verdict_column(labels: Labels, card: ModelCard) -> Column:
    def text(result: FilmResult) -> str:
        label, said = labels.of(result.relative_path, result.frame), result.prediction
        return _VERDICTS[agrees(said, label, card) if said else None]

    return Column("Agrees", text, text, 72)


def comparison_text(said: Comparison) -> str:
    """How far model and labels agree, in one line; nothing is said of what was not compared."""
    words = [f"Labels: {said.compared:,} of {said.judged:,} judged films compared"]
    if said.agreement is not None:
        words.append(f"agree {_with_interval(said.agreement, '.1%')}")
    words += [f"AUC {name} {_with_interval(auc, '.3f')}" for name, auc in said.aucs.items()]
    if said.unknown:
        listed = ", ".join(f"{label} ({n:,})" for label, n in list(said.unknown.items())[:3])
        words.append(f"labels that are no finding of the model: {listed}")
    return "   ".join(words)


def _with_interval(figure: Estimate, form: str) -> str:
    if isnan(figure.low):
        return f"{figure.value:{form}}"
    return f"{figure.value:{form}} [{figure.low:{form}}, {figure.high:{form}}]"


def _of_status(status: Status | None) -> Callable[[FilmResult], bool] | None:
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
    """Where a reason is read that is too long for its column."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setContentsMargins(12, 6, 12, 6)
    flags = Qt.TextInteractionFlag
    label.setTextInteractionFlags(flags.TextSelectableByMouse | flags.TextSelectableByKeyboard)
    label.setAccessibleName("Reason of the chosen row")
    label.setToolTip("The reason of the chosen row in full")
    label.hide()
    return label


def _place(result: FilmResult) -> str:
    return f"{result.relative_path} {result.frame or 0:06}"


def _predicted(result: FilmResult) -> str:
    return result.prediction.predicted.replace("|", ", ") if result.prediction else ""


def _unlike(result: FilmResult) -> str:
    """The share of validation films that are more like the training films."""
    gate = result.gate
    if gate is None or gate.ood_percentile is None:
        return "–"
    return f"{gate.ood_percentile:.1f} %"


def _distance(result: FilmResult) -> float:
    gate = result.gate
    return gate.ood_score if gate is not None and gate.ood_score is not None else -1.0


def _reason(result: FilmResult) -> str:
    if result.status is Status.OK:
        return ""
    return f"{result.code}: {result.message}" if result.message else str(result.code)


class ResultRows(QAbstractTableModel):
    """Results in scan order; rows are only appended."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._findings: tuple[str, ...] = ()
        self._columns = columns_of(())
        self._hidden = False
        self._numbers: dict[str, int] = {}
        self.results: list[FilmResult] = []

    def set_identity_hidden(self, hidden: bool) -> None:
        """Show `File 12` in place of the file's name."""
        self._hidden = hidden
        if self.results:
            last = self.index(len(self.results) - 1, _FILE)
            self.dataChanged.emit(self.index(0, _FILE), last)

    def start(self, findings: tuple[str, ...]) -> None:
        """Empty the table for a model's findings."""
        self.beginResetModel()
        self._findings = findings
        self._columns = columns_of(findings)
        self.results = []
        self._numbers = {}
        self.endResetModel()

    def set_labelled(self, columns: tuple[Column, ...]) -> None:
        """Show these columns beside what is predicted."""
        self.beginResetModel()
        self._columns = columns_of(self._findings, columns)
        self.endResetModel()

    def append(self, results: list[FilmResult]) -> None:
        """Add rows at the end."""
        if results:
            first = len(self.results)
            self.beginInsertRows(QModelIndex(), first, first + len(results) - 1)
            self.results += results
            for result in results:
                self._numbers.setdefault(result.relative_path, len(self._numbers) + 1)
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
        if role == Qt.ItemDataRole.DisplayRole:
            return self._name(result) if index.column() == _FILE else column.text(result)
        if role == Qt.ItemDataRole.ToolTipRole:
            # Rich text is wrapped; plain text would be one line across the screen.
            return f"<p>{escape(str(self.data(index)))}</p>" if self.data(index) else None
        if role == _SORT:
            return column.sort(result)
        if role == _RESULT:
            return result
        if role == Qt.ItemDataRole.TextAlignmentRole and column.figure:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if index.column() == 0:
            return self._status(result.status, role)
        return None

    def _name(self, result: FilmResult) -> str:
        if not self._hidden:
            return result.name
        frame = result.ref.frame_text if result.ref is not None else ""
        return f"File {self._numbers[result.relative_path]} {frame}".rstrip()

    def detail(self, result: FilmResult) -> str:
        """The row's file and its reason in full; empty where there is nothing to say."""
        reason = _reason(result)
        return f"{self._name(result)}: {reason}" if reason else ""

    def _status(self, status: Status, role: int) -> object:
        colour = theme.STATUS_COLOUR[status]
        if role == Qt.ItemDataRole.DecorationRole:
            return theme.icon(theme.STATUS_ICON[status], colour)
        if role == Qt.ItemDataRole.ForegroundRole:
            return QColor(colour)
        return None


class ResultFilter(QSortFilterProxyModel):
    """Rows of one status, those that disagree with their label, or all."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setSortRole(_SORT)
        self._keep: Callable[[FilmResult], bool] | None = None

    def keep(self, accepted: Callable[[FilmResult], bool] | None) -> None:
        """Keep the rows that are accepted; None keeps all."""
        self._keep = accepted
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: AnyIndex) -> bool:
        if self._keep is None:
            return True
        return self._keep(self.sourceModel().index(row, 0, parent).data(_RESULT))


class _FileNames(QStyledItemDelegate):
    """A name that is too long loses its middle: its end, and the frame, tell rows apart."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        super().initStyleOption(option, index)
        option.textElideMode = Qt.TextElideMode.ElideMiddle


class ResultTable(QFrame):
    """The table with its filter; choosing a row opens its film."""

    film_chosen = Signal(object)
    labels_asked = Signal()
    close_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self.rows = ResultRows(self)
        self.filter = ResultFilter(self)
        self.filter.setSourceModel(self.rows)
        self._labels: tuple[Labels, ModelCard] | None = None
        self._buttons: dict[Status | None, QPushButton] = {}
        self._disagree = _segment("Disagree", lambda: self.filter.keep(self._disagrees))
        self._ask = QPushButton("Labels …")
        self._ask.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._ask.setToolTip(
            "Compare the scores with labels: a CSV with the columns path and label"
        )
        self._ask.clicked.connect(self.labels_asked)
        self._said = QLabel()
        self._said.setProperty("role", "quiet")
        self._said.setContentsMargins(12, 0, 12, 6)
        self._said.setWordWrap(True)
        self._said.hide()
        self.detail = _detail()
        self.view = self._view()
        self._told: FilmResult | None = None
        self.rows.dataChanged.connect(lambda: self._tell(self._told))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._head())
        column.addWidget(self._said)
        column.addWidget(self.view, 1)
        column.addWidget(self.detail)

    def start(self, findings: tuple[str, ...]) -> None:
        """A new batch begins."""
        self.rows.start(findings)
        self._labels = None
        self._said.hide()
        self._tell(None)
        self._widen()
        self._count()

    def compare_with(self, labels: Labels, card: ModelCard) -> None:
        """Show the labels of the films beside what the model says, and how far they agree."""
        self._labels = labels, card
        self.rows.set_labelled((_label_column(labels), _verdict_column(labels, card)))
        self._widen()
        self.compare()

    def compare(self) -> None:
        """Count anew how far model and labels agree."""
        if self._labels is not None:
            self._said.setText(comparison_text(compare(self.rows.results, *self._labels)))
            self._said.show()
        self._count()

    def _disagrees(self, result: FilmResult) -> bool:
        if self._labels is None or result.prediction is None:
            return False
        labels, card = self._labels
        label = labels.of(result.relative_path, result.frame)
        return agrees(result.prediction, label, card) is False

    def _widen(self) -> None:
        header = self.view.horizontalHeader()
        for place in range(self.rows.columnCount()):
            column = self.rows.column(place)
            title = header.fontMetrics().horizontalAdvance(column.title) + _AROUND_TITLE_PX
            self.view.setColumnWidth(place, max(column.width, title))

    def append(self, results: list[FilmResult]) -> None:
        """Rows that are finished."""
        self.rows.append(results)
        self._count()

    def show_only(self, status: Status | None) -> None:
        """Filter by status."""
        self._buttons[status].setChecked(True)
        self._keep(status)

    def _keep(self, status: Status | None) -> None:
        self.filter.keep(_of_status(status))

    def _count(self) -> None:
        counts = dict.fromkeys(Status, 0)
        for result in self.rows.results:
            counts[result.status] += 1
        self._buttons[None].setText(f"All {len(self.rows.results):,}")
        for status, count in counts.items():
            self._buttons[status].setText(f"{status} {count:,}")
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
            button = _segment("", partial(self._keep, status))
            group.addButton(button)
            self._buttons[status] = button
            row.addWidget(button)
        self._buttons[None].setChecked(True)
        group.addButton(self._disagree)
        row.addWidget(self._disagree)
        row.addStretch(1)
        row.addWidget(self._ask)
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
        view.setItemDelegateForColumn(_FILE, _FileNames(view))
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
        self._tell(result)
        if result is not None:
            self.film_chosen.emit(result)

    def _tell(self, result: FilmResult | None) -> None:
        self._told = result
        text = self.rows.detail(result) if result is not None else ""
        self.detail.setText(text)
        self.detail.setVisible(bool(text))
