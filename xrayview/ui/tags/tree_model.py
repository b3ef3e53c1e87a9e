"""The Qt model of the tag rows, which is replaced as a whole."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from xrayview.domain.tags import TagNode
from xrayview.ui.style.colours import C
from xrayview.ui.tags.rows import COLUMNS, Row, build_rows, is_attribute

AnyIndex = QModelIndex | QPersistentModelIndex
ROW = Qt.ItemDataRole.UserRole
_NAME, _VR = 1, 2


class TagTree(QAbstractItemModel):
    """A tree of rows; internal ids are positions in depth-first order."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._nodes: tuple[TagNode, ...] = ()
        self._query = ""
        self._hidden = False
        self.attributes = 0
        """Number of attributes of the film, at all levels."""
        self.listed = 0
        """Number of those attributes that are listed."""
        self._build()

    def show_tags(self, nodes: tuple[TagNode, ...]) -> None:
        """Replace the tree; the search and the mask still apply."""
        self._nodes = nodes
        self.attributes = sum(is_attribute(node) for top in nodes for node in top.walk())
        self._rebuild()

    @property
    def has_tags(self) -> bool:
        """Whether there are tags of a film, listed or not."""
        return bool(self._nodes)

    def search(self, query: str) -> None:
        """List only rows that match all words of the query, with their parents and children."""
        self._query = query
        self._rebuild()

    def set_identity_hidden(self, hidden: bool) -> None:
        """Show `hidden` instead of values that may identify the patient."""
        self._hidden = hidden
        self._rebuild()

    @property
    def root(self) -> Row:
        """The invisible root row."""
        return self._root

    def index_of(self, row: Row, column: int = 0) -> QModelIndex:
        """Return the index of a row of this tree; invalid for the root."""
        if row.parent_row is None:
            return QModelIndex()
        return self.createIndex(row.index, column, self._positions[id(row)])

    def row(self, index: AnyIndex) -> Row:
        """Return the row of an index; the root for an invalid one."""
        return self._rows[index.internalId()] if index.isValid() else self._root

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return len(self.row(parent).children) if parent.column() <= 0 else 0

    def columnCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: ARG002, B008
        return len(COLUMNS)

    def index(self, row: int, column: int, parent: AnyIndex = QModelIndex()) -> QModelIndex:  # noqa: B008
        children = self.row(parent).children
        if not (0 <= row < len(children) and 0 <= column < len(COLUMNS)):
            return QModelIndex()
        return self.index_of(children[row], column)

    def parent(self, index: AnyIndex) -> QModelIndex:  # type: ignore[override]
        parent_row = self.row(index).parent_row
        return self.index_of(parent_row) if parent_row is not None else QModelIndex()

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
        self._root = build_rows(self._nodes, self._query, hide_identity=self._hidden)
        self._rows = list(self._root.walk())
        self._positions = {id(row): position for position, row in enumerate(self._rows)}
        self.listed = sum(is_attribute(row.node) for row in self._rows)


def _colour(row: Row, column: int) -> str:
    if row.is_masked and column == len(COLUMNS) - 1:
        return C.quiet
    unnamed = column == _NAME and not row.node.keyword
    quiet = column in (0, _VR) or unnamed or not row.is_match
    return C.quiet if quiet else C.text


def _tip(row: Row) -> str:
    """Return rich text, so that it is wrapped; text from the file is escaped."""
    node = row.node
    head = "  ".join(part for part in (node.keyword or node.name, node.tag, node.vr) if part)
    return f"<p>{escape(head)}</p><p>{escape(row.value)}</p>"
