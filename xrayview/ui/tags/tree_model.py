"""The tag rows for Qt: a tree model that is replaced as a whole."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from xrayview.domain.tags import TagNode
from xrayview.ui.style.colours import C
from xrayview.ui.tags.rows import COLUMNS, Row, build, is_attribute

AnyIndex = QModelIndex | QPersistentModelIndex
ROW = Qt.ItemDataRole.UserRole
_NAME, _VR = 1, 2


class TagTree(QAbstractItemModel):
    """Rows by their number; `COLUMNS` say what stands in each cell."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._nodes: tuple[TagNode, ...] = ()
        self._words = ""
        self._hidden = False
        self.attributes = 0
        """Of the film at all levels, found or not."""
        self.listed = 0
        """Of these, how many are listed."""
        self._build()

    def show_tags(self, nodes: tuple[TagNode, ...]) -> None:
        """Swap the tree; the search and the mask stay in force."""
        self._nodes = nodes
        self.attributes = sum(is_attribute(node) for top in nodes for node in top.walk())
        self._rebuild()

    @property
    def has_tags(self) -> bool:
        """True while it is over the tags of a film, whether or not any is found."""
        return bool(self._nodes)

    def search(self, words: str) -> None:
        """List only what holds all words, with the rows above and below."""
        self._words = words
        self._rebuild()

    def set_identity_hidden(self, hidden: bool) -> None:
        """Show `hidden` in place of values that may name the patient."""
        self._hidden = hidden
        self._rebuild()

    @property
    def root(self) -> Row:
        """The invisible row above all."""
        return self._root

    def index_of(self, row: Row, column: int = 0) -> QModelIndex:
        """The place of a row of this tree; invalid for the root."""
        if row.above is None:
            return QModelIndex()
        return self.createIndex(row.place, column, self._number[id(row)])

    def row(self, index: AnyIndex) -> Row:
        """The row of an index; the root for an invalid one."""
        return self._rows[index.internalId()] if index.isValid() else self._root

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return len(self.row(parent).below) if parent.column() <= 0 else 0

    def columnCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: ARG002, B008
        return len(COLUMNS)

    def index(self, row: int, column: int, parent: AnyIndex = QModelIndex()) -> QModelIndex:  # noqa: B008
        below = self.row(parent).below
        if not (0 <= row < len(below) and 0 <= column < len(COLUMNS)):
            return QModelIndex()
        return self.index_of(below[row], column)

    def parent(self, index: AnyIndex) -> QModelIndex:  # type: ignore[override]
        above = self.row(index).above
        return self.index_of(above) if above is not None else QModelIndex()

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].title
        return None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row, column = self.row(index), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[column].text(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tip(row)
        if role == Qt.ItemDataRole.ForegroundRole:
            return QColor(_colour(row, column))
        if role == ROW:
            return row
        return None

    def _rebuild(self) -> None:
        self.beginResetModel()
        self._build()
        self.endResetModel()

    def _build(self) -> None:
        self._root = build(self._nodes, self._words, hide_identity=self._hidden)
        self._rows = list(self._root.walk())
        self._number = {id(row): number for number, row in enumerate(self._rows)}
        self.listed = sum(is_attribute(row.node) for row in self._rows)


def _colour(row: Row, column: int) -> str:
    if row.is_masked and column == len(COLUMNS) - 1:
        return C.quiet
    unnamed = column == _NAME and not row.node.keyword
    quiet = column in (0, _VR) or unnamed or not row.is_hit
    return C.quiet if quiet else C.text


def _tip(row: Row) -> str:
    """Rich text, so that it is wrapped; a file's own words are never markup."""
    node = row.node
    head = "  ".join(part for part in (node.keyword or node.name, node.tag, node.vr) if part)
    return f"<p>{escape(head)}</p><p>{escape(row.value)}</p>"
