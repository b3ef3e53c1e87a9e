"""The browser's rows for Qt: a tree model over nodes, and its filter."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)

from xrayview.domain.film import FilmRef
from xrayview.services.session import FilmList
from xrayview.ui.browser.nodes import Node

AnyIndex = QModelIndex | QPersistentModelIndex
NODE = Qt.ItemDataRole.UserRole
SEARCH = Qt.ItemDataRole.UserRole + 1


class FilmTree(QAbstractItemModel):
    """Nodes by their place; the whole tree is replaced at once."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._set(Node("root", ""))

    def replace(self, root: Node) -> None:
        """Swap the tree."""
        self.beginResetModel()
        self._set(root)
        self.endResetModel()

    def index_of(self, key: str) -> QModelIndex:
        """The row of a film or a group; an invalid index when it is not there."""
        number = self._by_key.get(key)
        if number is None:
            return QModelIndex()
        return self.createIndex(self._nodes[number].row, 0, number)

    def refresh(self, key: str) -> None:
        """Draw one row again."""
        index = self.index_of(key)
        if index.isValid():
            self.dataChanged.emit(index, index)

    def node(self, index: AnyIndex) -> Node:
        """The node of an index; the root for an invalid one."""
        return self._nodes[index.internalId()] if index.isValid() else self._nodes[0]

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return len(self.node(parent).children)

    def columnCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: ARG002, B008
        return 1

    def index(self, row: int, column: int, parent: AnyIndex = QModelIndex()) -> QModelIndex:  # noqa: B008
        children = self.node(parent).children
        if not 0 <= row < len(children) or column != 0:
            return QModelIndex()
        return self.createIndex(row, 0, self._number[id(children[row])])

    def parent(self, index: AnyIndex) -> QModelIndex:  # type: ignore[override]
        above = self.node(index).parent if index.isValid() else None
        if above is None or above.parent is None:
            return QModelIndex()
        return self.createIndex(above.row, 0, self._number[id(above)])

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        node = self.node(index)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{node.title} {node.note}".strip()
        if role == NODE:
            return node
        if role == SEARCH:
            return node.search
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tip(node)
        return None

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        usable = Qt.ItemFlag.ItemIsEnabled
        return usable | Qt.ItemFlag.ItemIsSelectable if self.node(index).film else usable

    def _set(self, root: Node) -> None:
        self._nodes = list(_walk(root))
        self._number = {id(node): number for number, node in enumerate(self._nodes)}
        self._by_key = {node.key: number for number, node in enumerate(self._nodes)}


class FilmFilter(QSortFilterProxyModel):
    """Keeps rows that hold the words, with the groups above them and all that is below."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setFilterRole(SEARCH)
        self.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setRecursiveFilteringEnabled(True)
        self.setAutoAcceptChildRows(True)
        self._films: FilmList | None = None
        for changed in (self.modelReset, self.layoutChanged, self.rowsInserted, self.rowsRemoved):
            changed.connect(self._forget)

    def films(self) -> FilmList:
        """The films that are listed now, in order."""
        if self._films is None:
            self._films = FilmList(self._below(QModelIndex()))
        return self._films

    def _forget(self) -> None:
        self._films = None

    def _below(self, parent: QModelIndex) -> Iterator[FilmRef]:
        for row in range(self.rowCount(parent)):
            index = self.index(row, 0, parent)
            film = self.data(index, NODE).film
            if film is not None:
                yield film
            yield from self._below(index)


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _tip(node: Node) -> str:
    if node.is_hidden:
        return node.title
    if node.rejected is not None:
        file = node.rejected
        return f"{file.relative_path}\n{file.code}: {file.why}\n{file.hint}".strip()
    if node.film is not None:
        film = node.film
        size = f"{film.columns} × {film.rows}" if film.rows else ""
        return "\n".join(word for word in (film.relative_path, film.modality, size) if word)
    return node.title
