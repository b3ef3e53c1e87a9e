"""The view of the tag tree; expanded rows and the current row are kept from film to film."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QKeySequence, QPainter, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QMenu, QTreeView, QWidget

from xrayview.ui.style import icons
from xrayview.ui.style.colours import C
from xrayview.ui.tags.rows import COLUMNS, Row, clipboard_text
from xrayview.ui.tags.tree_model import AnyIndex, TagTree
from xrayview.ui.viewer.message_page import MessagePage

_COPIES: tuple[tuple[str, str, Callable[[Row], str]], ...] = (
    ("Copy value", "Ctrl+C", lambda row: row.value),
    ("Copy row", "Ctrl+Shift+C", clipboard_text),
    ("Copy keyword", "Ctrl+K", lambda row: row.node.keyword),
)
KEYS = tuple(QKeySequence(keys) for _, keys, _ in _COPIES)
"""Handled by the tree, before the main window's shortcuts."""
_CHEVRON_PX = 10
_MOST_EXPANDED = 200


class TagView(QTreeView):
    """A view of `TagTree`, with a message where there are no rows."""

    def __init__(self, model: TagTree, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self._tags = model
        self._expanded: set[tuple[str, ...]] = set()
        self._current_key: tuple[str, ...] = ()
        self._scrolled = 0
        self.setAccessibleName("Tags")
        self.setUniformRowHeights(True)
        self.setIndentation(10)
        self.setStyleSheet(
            "QTreeView::item { height: 24px; padding: 0 3px; }"
            "QHeaderView::section { padding: 5px 6px; }"
        )
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.header().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.header().setMinimumSectionSize(28)
        for index, column in enumerate(COLUMNS):
            if column.width_px:
                self.setColumnWidth(index, column.width_px)
        self.message = MessagePage(self.viewport())
        self.collapsed.connect(lambda index: self._expanded.discard(model.row(index).key))
        self.expanded.connect(lambda index: self._expanded.add(model.row(index).key))
        model.modelAboutToBeReset.connect(self._save_state)
        model.modelReset.connect(self._restore_state)

    def expand_rows(self, rows: Iterable[Row]) -> None:
        """Expand these rows, up to a limit, without recording it as the user's choice."""
        self.scheduleDelayedItemsLayout()  # otherwise each row repeats the whole layout
        self.blockSignals(True)
        for row in islice(rows, _MOST_EXPANDED):
            self.setExpanded(self._tags.index_of(row), True)
        self.blockSignals(False)

    def selected_rows(self) -> list[Row]:
        """Return the selected rows, from top to bottom."""
        indexes = self.selectionModel().selectedRows()
        indexes.sort(key=lambda index: self.visualRect(index).top())
        return [self._tags.row(index) for index in indexes]

    def select_first(self) -> None:
        """Make the first row current where no row is."""
        if not self.currentIndex().isValid():
            self.setCurrentIndex(self._tags.index(0, 0))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.message.setGeometry(self.viewport().rect())

    def copy(self, cell: Callable[[Row], str]) -> None:
        """Copy a text of each selected row to the clipboard, one line each; masks stay applied."""
        selected_rows = self.selected_rows()
        if selected_rows:
            QApplication.clipboard().setText("\n".join(map(cell, selected_rows)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        pressed = QKeySequence(event.keyCombination())
        for (_, _, cell), keys in zip(_COPIES, KEYS, strict=True):
            if pressed == keys:
                self.copy(cell)
                return
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if not self.selected_rows():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for text, keys, cell in _COPIES:
            action = menu.addAction(f"{text}\t{keys}")
            action.triggered.connect(lambda _=False, c=cell: self.copy(c))
        menu.popup(event.globalPos())

    def drawBranches(self, painter: QPainter, rect: QRect, index: AnyIndex) -> None:
        if not self._tags.rowCount(index):
            return
        name = "chevron_down" if self.isExpanded(index) else "chevron_right"
        sign = icons.pixmap(name, _CHEVRON_PX, C.quiet, self.devicePixelRatioF())
        left = rect.right() - _CHEVRON_PX + 1
        painter.drawPixmap(left, rect.center().y() - _CHEVRON_PX // 2 + 1, sign)

    def _save_state(self) -> None:
        # The tree is empty between two films; the state saved before that is still valid.
        if self._tags.root.children:
            self._current_key = self._tags.row(self.currentIndex()).key
            self._scrolled = self.verticalScrollBar().value()

    def _restore_state(self) -> None:
        root = self._tags.root
        self.expand_rows(row for row in map(root.find, self._expanded) if row is not None)
        self.executeDelayedItemsLayout()  # otherwise there is nothing to scroll to yet
        self.verticalScrollBar().setValue(self._scrolled)
        selected_rows = root.find(self._current_key)
        if selected_rows is not None and selected_rows is not root:
            self.setCurrentIndex(self._tags.index_of(selected_rows))
