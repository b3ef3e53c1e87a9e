"""The tag tree on screen: what is unfolded and chosen stays so from film to film."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QKeySequence, QPainter, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QMenu, QTreeView, QWidget

from xrayview.ui.style import icons
from xrayview.ui.style.colours import C
from xrayview.ui.tags.rows import COLUMNS, Row, as_text
from xrayview.ui.tags.tree_model import AnyIndex, TagTree
from xrayview.ui.viewer.message_page import MessagePage

_COPIES: tuple[tuple[str, str, Callable[[Row], str]], ...] = (
    ("Copy value", "Ctrl+C", lambda row: row.value),
    ("Copy row", "Ctrl+Shift+C", as_text),
    ("Copy keyword", "Ctrl+K", lambda row: row.node.keyword),
)
KEYS = tuple(QKeySequence(keys) for _, keys, _ in _COPIES)
"""What the tree does itself, before the main window's shortcuts."""
_CHEVRON_PX = 10
_UNFOLDED_AT_MOST = 200


class TagView(QTreeView):
    """A tree over `TagTree`, with a message in the place of rows that are not there."""

    def __init__(self, model: TagTree, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModel(model)
        self._tags = model
        self._open: set[tuple[str, ...]] = set()
        self._chosen: tuple[str, ...] = ()
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
        for place, column in enumerate(COLUMNS):
            if column.width_px:
                self.setColumnWidth(place, column.width_px)
        self.message = MessagePage(self.viewport())
        self.collapsed.connect(lambda index: self._open.discard(model.row(index).key))
        self.expanded.connect(lambda index: self._open.add(model.row(index).key))
        model.modelAboutToBeReset.connect(self._remember)
        model.modelReset.connect(self._recall)

    def unfold(self, rows: Iterable[Row]) -> None:
        """Open these rows, as many as can be read, without taking it for the user's own wish."""
        self.scheduleDelayedItemsLayout()  # else each of them lays all out again
        self.blockSignals(True)
        for row in islice(rows, _UNFOLDED_AT_MOST):
            self.setExpanded(self._tags.index_of(row), True)
        self.blockSignals(False)

    def chosen(self) -> list[Row]:
        """The rows that are selected, from top to bottom."""
        picked = self.selectionModel().selectedRows()
        picked.sort(key=lambda index: self.visualRect(index).top())
        return [self._tags.row(index) for index in picked]

    def choose_first(self) -> None:
        """Put the cursor on a row where it is on none."""
        if not self.currentIndex().isValid():
            self.setCurrentIndex(self._tags.index(0, 0))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.message.setGeometry(self.viewport().rect())

    def copy(self, cell: Callable[[Row], str]) -> None:
        """A text of each selected row to the clipboard, one line each; hidden values stay so."""
        chosen = self.chosen()
        if chosen:
            QApplication.clipboard().setText("\n".join(map(cell, chosen)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        pressed = QKeySequence(event.keyCombination())
        for (_, _, cell), keys in zip(_COPIES, KEYS, strict=True):
            if pressed == keys:
                self.copy(cell)
                return
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if not self.chosen():
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

    def _remember(self) -> None:
        # A tree that is empty between two films knows nothing of what was chosen.
        if self._tags.root.below:
            self._chosen = self._tags.row(self.currentIndex()).key
            self._scrolled = self.verticalScrollBar().value()

    def _recall(self) -> None:
        root = self._tags.root
        self.unfold(row for row in map(root.at, self._open) if row is not None)
        self.executeDelayedItemsLayout()  # without it there is nowhere to scroll to yet
        self.verticalScrollBar().setValue(self._scrolled)
        chosen = root.at(self._chosen)
        if chosen is not None and chosen is not root:
            self.setCurrentIndex(self._tags.index_of(chosen))
