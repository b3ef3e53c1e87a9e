"""Choose the columns of a table: available tags at the left, chosen columns at the right."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from xrayview.io.tags.known_columns import KnownColumn
from xrayview.ui.style.colours import C
from xrayview.ui.widgets.form_fields import label

_Index = QModelIndex | QPersistentModelIndex
_SEARCHED = Qt.ItemDataRole.UserRole
IDENTIFYING = Qt.ItemDataRole.UserRole + 1


class ColumnChooser(QWidget):
    """Lists the tags that may identify the patient only after `set_identifying(True)`."""

    changed = Signal()

    def __init__(self, known: Sequence[KnownColumn], chosen: Sequence[str]) -> None:
        super().__init__()
        self._known = {column.keyword: column for column in known}
        self.model = _Columns(known)
        self.filter = _Filter(self.model)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search tags")
        self.search.setAccessibleName("Search tags")
        self.search.setClearButtonEnabled(True)
        self.search.setProperty("search", True)
        self.search.textChanged.connect(self.filter.set_text)
        self.all = QListView()
        self.all.setAccessibleName("Available tags")
        self.all.setModel(self.filter)
        self.all.setUniformItemSizes(True)
        self.order = QListWidget()
        self.order.setAccessibleName("Columns of the table, in order")
        self.order.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.order.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.count = label("", "quiet")
        self.model.toggled.connect(self._on_toggled)
        self.order.model().rowsMoved.connect(self.changed)
        self._lay_out()
        self.choose(chosen)

    @property
    def chosen(self) -> tuple[str, ...]:
        """The columns, in order."""
        return tuple(self.order.item(row).text() for row in range(self.order.count()))

    def choose(self, keywords: Sequence[str]) -> None:
        """Replace the columns; unknown ones and those that are not offered are left out."""
        self.order.clear()
        for keyword in dict.fromkeys(keywords):
            column = self._known.get(keyword)
            if column is not None and (self.filter.identifying or not hides(column)):
                self.order.addItem(keyword)
        self._update()

    def set_identifying(self, shown: bool) -> None:
        """Offer tags that may identify the patient, or remove them from both lists."""
        self.filter.set_identifying(shown)
        if not shown:
            self.choose(self.chosen)

    def shift(self, step: int) -> None:
        """Move the selected columns up (-1) or down (1)."""
        rows = sorted(self.order.row(item) for item in self.order.selectedItems())
        if not rows or rows[0] + min(step, 0) < 0 or rows[-1] + step >= self.order.count():
            return
        for row in rows if step < 0 else reversed(rows):
            item = self.order.takeItem(row)
            self.order.insertItem(row + step, item)
            item.setSelected(True)
        self._update()

    def remove(self) -> None:
        """Remove the selected columns."""
        for item in self.order.selectedItems():
            self.order.takeItem(self.order.row(item))
        self._update()

    def _on_toggled(self, keyword: str, on: bool) -> None:
        if on:
            self.order.addItem(keyword)
            self.order.scrollToBottom()
        else:
            for item in self.order.findItems(keyword, Qt.MatchFlag.MatchExactly):
                self.order.takeItem(self.order.row(item))
        self._update()

    def _update(self) -> None:
        self.model.set_checked(self.chosen)
        self.count.setText(f"{self.order.count()} columns")
        self.changed.emit()

    def _lay_out(self) -> None:
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addWidget(self.search)
        left.addWidget(self.all, 1)
        head = QHBoxLayout()
        head.addWidget(self.count, 1)
        for text, tip, act in (
            ("Up", "Move the selected columns up", lambda: self.shift(-1)),
            ("Down", "Move the selected columns down", lambda: self.shift(1)),
            ("Remove", "Remove the selected columns", self.remove),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.setAutoDefault(False)
            button.clicked.connect(act)
            head.addWidget(button)
        right.addLayout(head)
        right.addWidget(self.order, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        for column in (left, right):
            column.setSpacing(8)
            row.addLayout(column, 1)


def hides(column: KnownColumn) -> bool:
    """True for columns not offered by default; PatientID has its own choice of anonymisation."""
    return column.is_identifying and column.keyword != "PatientID"


class _Columns(QAbstractListModel):
    toggled = Signal(str, bool)

    def __init__(self, known: Sequence[KnownColumn]) -> None:
        super().__init__()
        self._known = tuple(known)
        self._checked: frozenset[str] = frozenset()

    def safe(self) -> tuple[KnownColumn, ...]:
        """The columns offered by default."""
        return tuple(column for column in self._known if not hides(column))

    def set_checked(self, keywords: Sequence[str]) -> None:
        self._checked = frozenset(keywords)
        if self._known:
            self.dataChanged.emit(self.index(0), self.index(len(self._known) - 1))

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._known)

    def flags(self, index: _Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsUserCheckable

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        column = self._known[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.keyword
        if role == Qt.ItemDataRole.CheckStateRole:
            on = column.keyword in self._checked
            return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.ToolTipRole:
            warning = ": may identify the patient" if hides(column) else ""
            return f"{column.name}{warning}"
        if role == Qt.ItemDataRole.ForegroundRole and hides(column):
            return QColor(C.warn)
        if role == _SEARCHED:
            return f"{column.keyword} {column.name}".casefold()
        return hides(column) if role == IDENTIFYING else None

    def setData(self, index: _Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        on = Qt.CheckState(value) != Qt.CheckState.Unchecked
        self.toggled.emit(self._known[index.row()].keyword, on)
        return True


class _Filter(QSortFilterProxyModel):
    def __init__(self, source: _Columns) -> None:
        super().__init__()
        self._words: tuple[str, ...] = ()
        self.identifying = False
        self.setSourceModel(source)

    def set_text(self, text: str) -> None:
        self._words = tuple(text.casefold().split())
        self.invalidate()

    def set_identifying(self, shown: bool) -> None:
        self.identifying = shown
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: _Index) -> bool:
        index = self.sourceModel().index(row, 0, parent)
        if index.data(IDENTIFYING) and not self.identifying:
            return False
        searched = index.data(_SEARCHED)
        return all(word in searched for word in self._words)
