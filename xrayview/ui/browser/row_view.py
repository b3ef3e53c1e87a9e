"""A list view whose rows have one of three heights, all known beforehand.

Qt's own tree and list views query the model for every row at each layout, which blocks the window
for a third of a second at ten thousand films. This view queries only the rows that it paints. It
derives from QListView so that Qt exposes its rows to screen readers, but does its own layout.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QRegion, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyleOptionViewItem

from xrayview.ui.browser.row_model import NODE, AnyIndex, RowModel
from xrayview.ui.style.colours import C

_WHEEL_STEP_PX = 20


class RowView(QListView):
    """Paints the visible rows of a RowModel; scrolls by the pixel."""

    visible_rows_changed = Signal(int, int)
    """The first visible row, and one past the last."""

    def __init__(self, model: RowModel) -> None:
        super().__init__()
        self._rows = model
        self._tops_px = np.zeros(1, np.int64)
        self._hovered = -1
        self._visible = (0, 0)
        self.empty_text = ""
        """Shown while there are no rows."""
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMouseTracking(True)
        self.setModel(model)

    # Geometry

    def top_px(self, row: int) -> int:
        """The top of a row, in pixels below the top of the first."""
        return int(self._tops_px[row])

    def row_at_px(self, top_px: int) -> int:
        """The row at this many pixels below the top of the first; -1 past the last."""
        row = int(np.searchsorted(self._tops_px, top_px, side="right")) - 1
        return row if 0 <= row < len(self._tops_px) - 1 else -1

    def visualRect(self, index: AnyIndex) -> QRect:
        if not index.isValid() or index.row() >= len(self._tops_px) - 1:
            return QRect()
        top, bottom = self.top_px(index.row()), self.top_px(index.row() + 1)
        return QRect(0, top - self.verticalOffset(), self.viewport().width(), bottom - top)

    def indexAt(self, point: QPoint) -> QModelIndex:
        row = self.row_at_px(point.y() + self.verticalOffset())
        return self._rows.index(row, 0) if row >= 0 else QModelIndex()

    def scrollTo(
        self,
        index: AnyIndex,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        if not index.isValid():
            return
        rect, height, bar = (
            self.visualRect(index),
            self.viewport().height(),
            self.verticalScrollBar(),
        )
        if hint == QAbstractItemView.ScrollHint.PositionAtTop or rect.top() < 0:
            bar.setValue(bar.value() + rect.top())
        elif hint == QAbstractItemView.ScrollHint.PositionAtCenter:
            bar.setValue(bar.value() + rect.center().y() - height // 2)
        elif rect.bottom() >= height:
            bar.setValue(bar.value() + rect.bottom() - height + 1)

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def horizontalOffset(self) -> int:
        return 0

    def isIndexHidden(self, _index: AnyIndex) -> bool:
        return False

    # Changes of the model and of the size

    def reset(self) -> None:
        super().reset()
        self._hovered = -1
        self._tops_px = np.concatenate(([0], np.cumsum(self._rows.rows.heights_px, dtype=np.int64)))
        self._visible = (0, 0)
        self.updateGeometries()
        self.viewport().update()

    def updateGeometries(self) -> None:
        height, bar = self.viewport().height(), self.verticalScrollBar()
        bar.setSingleStep(_WHEEL_STEP_PX)
        bar.setPageStep(height)
        bar.setRange(0, max(0, int(self._tops_px[-1]) - height))
        QAbstractItemView.updateGeometries(self)

    def doItemsLayout(self) -> None:
        QAbstractItemView.doItemsLayout(self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        QAbstractItemView.resizeEvent(self, event)
        self.updateGeometries()

    def scrollContentsBy(self, _dx: int, dy: int) -> None:
        self.viewport().scroll(0, dy)
        self._hover(self.viewport().mapFromGlobal(self.cursor().pos()))

    # Selection and cursor

    def setSelection(self, rect: QRect, flags: QItemSelectionModel.SelectionFlag) -> None:
        index = self.indexAt(rect.topLeft())
        self.selectionModel().select(index, flags)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        region = QRegion()
        for index in selection.indexes():
            region += QRegion(self.visualRect(index))
        return region

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, _modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        rows, current = len(self._tops_px) - 1, self.currentIndex().row()
        steps = {
            QAbstractItemView.CursorAction.MoveUp: current - 1,
            QAbstractItemView.CursorAction.MovePrevious: current - 1,
            QAbstractItemView.CursorAction.MoveDown: current + 1,
            QAbstractItemView.CursorAction.MoveNext: current + 1,
            QAbstractItemView.CursorAction.MoveHome: 0,
            QAbstractItemView.CursorAction.MoveEnd: rows - 1,
        }
        return self._rows.index(min(max(steps.get(action, current), 0), rows - 1), 0)

    # Mouse and paint

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._hover(QPoint(-1, -1))
        return super().viewportEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._hover(event.position().toPoint())

    def _hover(self, point: QPoint) -> None:
        inside = self.viewport().rect().contains(point)
        row = self.indexAt(point).row() if inside else -1
        if row != self._hovered:
            self._hovered = row
            self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        offset, rows = self.verticalOffset(), len(self._tops_px) - 1
        first = max(self.row_at_px(event.rect().top() + offset), 0)
        last = self.row_at_px(event.rect().bottom() + offset)
        painter = QPainter(self.viewport())
        if not rows:
            self._paint_empty_text(painter)
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        base_state = option.state
        for row in range(first, (last if last >= 0 else rows - 1) + 1):
            index = self._rows.index(row, 0)
            option.rect = self.visualRect(index)
            option.state = base_state | self._state(index)
            self.itemDelegate().paint(painter, option, index)
        painter.end()
        self._report_visible()

    def _paint_empty_text(self, painter: QPainter) -> None:
        painter.setPen(QColor(C.quiet))
        area = self.viewport().rect().adjusted(12, 12, -12, -12)
        alignment = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop
        painter.drawText(area, alignment | Qt.TextFlag.TextWordWrap, self.empty_text)

    def _state(self, index: QModelIndex) -> QStyle.StateFlag:
        state = QStyle.StateFlag.State_None
        if self.selectionModel().isSelected(index):
            state |= QStyle.StateFlag.State_Selected
        if index.row() == self._hovered:
            state |= QStyle.StateFlag.State_MouseOver
        if index.data(NODE).is_open:
            state |= QStyle.StateFlag.State_Open
        return state

    def _report_visible(self) -> None:
        offset, rows = self.verticalOffset(), len(self._tops_px) - 1
        last = self.row_at_px(offset + self.viewport().height() - 1)
        visible = (max(self.row_at_px(offset), 0), (last if last >= 0 else rows - 1) + 1)
        if visible != self._visible:
            self._visible = visible
            self.visible_rows_changed.emit(*visible)
