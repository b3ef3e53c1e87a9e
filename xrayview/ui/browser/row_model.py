"""The browser's rows as a flat Qt model that is replaced as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.folder import Group
from xrayview.ui.browser import row_text
from xrayview.ui.browser.outline import Content, Item, NotFilms, Rows, key_of, title

AnyIndex = QModelIndex | QPersistentModelIndex
NODE = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Row:
    """The texts of one row, made when the row is shown."""

    item: Item
    depth: int
    title: str
    note: str = ""
    is_open: bool = False
    tip: str = ""

    @property
    def film(self) -> FilmRef | None:
        """The film of this row, if it is the row of a film."""
        return self.item if isinstance(self.item, FilmRef) else None

    @property
    def is_group(self) -> bool:
        """True for a row that can be folded."""
        return isinstance(self.item, Group | NotFilms)


class RowModel(QAbstractListModel):
    """Serves rows by their index. Replacing all of them costs no work per row."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows = Rows()
        self._content: Content | None = None

    def replace(self, rows: Rows, content: Content) -> None:
        """Swap the rows."""
        rows.reuse_keys_of(self.rows)
        self.beginResetModel()
        self.rows, self._content = rows, content
        self.endResetModel()

    def index_of(self, key: str) -> QModelIndex:
        """The row of a film or a group; an invalid index when it has none."""
        row = self.rows.by_key.get(key)
        return QModelIndex() if row is None else self.index(row, 0)

    def refresh(self, key: str) -> None:
        """Redraw one row."""
        index = self.index_of(key)
        if index.isValid():
            self.dataChanged.emit(index, index)

    def row(self, index: int) -> Row:
        """The texts of a row."""
        content, rows = self._content, self.rows
        assert content is not None
        item, depth = rows.items[index], rows.depths[index]
        if isinstance(item, FilmRef):
            return _film_row(item, depth, content)
        if isinstance(item, RejectedFile):
            return _rejected_row(item, depth, content)
        is_open = key_of(item) in rows.opened
        if isinstance(item, NotFilms):
            tip = "Files that are not films"
            return Row(item, depth, "Not films", f"{item.count:,}", is_open, tip)
        text = title(item, content)
        note = f"{item.count:,}" if item.is_top else ""
        return Row(item, depth, text, note, is_open, text)

    def rowCount(self, parent: AnyIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.rows.items)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        if role == NODE:
            return self.row(index.row())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            row = self.row(index.row())
            return f"{row.title} {row.note}".strip()
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.row(index.row()).tip
        return None

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        usable = Qt.ItemFlag.ItemIsEnabled
        is_film = index.isValid() and isinstance(self.rows.items[index.row()], FilmRef)
        return usable | Qt.ItemFlag.ItemIsSelectable if is_film else usable


def _film_row(film: FilmRef, depth: int, content: Content) -> Row:
    if not content.identity_hidden:
        tip = row_text.film_tip(film)
        return Row(film, depth, row_text.film_title(film), row_text.film_note(film), tip=tip)
    text = row_text.view_text(film) or f"Film {_number(film, content)}"
    return Row(film, depth, text, row_text.size_text(film), tip=text)


def _number(film: FilmRef, content: Content) -> int:
    groups = content.tree.groups_of(film)
    films = groups[-1].films if groups else []
    return next((n for n, other in enumerate(films, 1) if other.film_id == film.film_id), 0)


def _rejected_row(file: RejectedFile, depth: int, content: Content) -> Row:
    if not content.identity_hidden:
        return Row(file, depth, file.path.name, file.why, tip=row_text.rejected_tip(file))
    text = f"File {content.rejected.index(file) + 1}"
    return Row(file, depth, text, file.why, tip=text)
