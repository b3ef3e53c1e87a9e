"""The grid of views: which of them are visible, and which one is active."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from xrayview.services.session import MOST_VIEWS
from xrayview.ui.grid.cell import ViewCell
from xrayview.ui.grid.layout import FIRST_LAYOUT, LAYOUTS
from xrayview.ui.viewer.film_view import SMALLEST_PX, FilmViewer
from xrayview.ui.viewer.mouse import Tool

_SMALLEST_PX = (200, 150)
"""Of one view among several."""


class ViewGrid(QWidget):
    """Arranges the viewers; does not know the session. View indices count in reading order from 0.

    The detachable cell comes last, whether it is in a window of its own or not visible at all.
    """

    activated = Signal(int)
    """The user clicked or scrolled in a view, or moved the keyboard focus there."""
    film_dropped = Signal(int, str)
    """A film's id was dropped on a view."""
    maximise_refused = Signal()
    """The only view was double-clicked."""
    detached_maximised = Signal()
    """The detached view was double-clicked."""
    viewer_changed = Signal()
    """The active viewer has changed, or its film, window or placement."""
    tool_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layout_name = FIRST_LAYOUT
        self.active = 0
        self._maximised = False
        self.is_detached = False
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(0)
        self._cells = [ViewCell(self) for _ in range(MOST_VIEWS)]
        for cell in self._cells:
            self._connect(cell)
        self.detachable_cell = self._cells[-1]
        """The cell that can move to a window of its own."""
        self._attached_active = self._cells[0]
        self._lay_out(self._cells[:-1])

    def _connect(self, cell: ViewCell) -> None:
        viewer = cell.viewer
        cell.activated.connect(lambda: self.activated.emit(self._cells.index(cell)))
        cell.film_dropped.connect(
            lambda film_id: self.film_dropped.emit(self._cells.index(cell), film_id)
        )
        viewer.maximise_requested.connect(self.maximise)
        viewer.state_changed.connect(lambda: self._on_state(viewer))
        viewer.tool_changed.connect(lambda tool: self._on_tool(viewer, tool))

    @property
    def viewer(self) -> FilmViewer:
        """The active viewer."""
        return self._cells[self.active].viewer

    @property
    def viewers(self) -> tuple[FilmViewer, ...]:
        """All viewers, including those that the layout has no room for."""
        return tuple(cell.viewer for cell in self._cells)

    @property
    def count(self) -> int:
        """Number of views in the layout."""
        return LAYOUTS[self.layout_name].count

    @property
    def maximised(self) -> bool:
        """Whether the active view fills the grid."""
        return self._maximised

    def note_of(self, view_index: int) -> str:
        """Return the note above a view's film."""
        return self._cells[view_index].note

    def show_note(self, view_index: int, text: str) -> None:
        """Show a note above a view's film."""
        self._cells[view_index].show_note(text)

    def set_layout(self, name: str) -> None:
        """Change the number of views; the active one stays, moved to the end if necessary."""
        self._maximised = False
        self.layout_name = name
        attached = [cell for cell in self._cells if cell is not self.detachable_cell]
        if attached.index(self._attached_active) >= self.count:
            attached.remove(self._attached_active)
            attached.insert(self.count - 1, self._attached_active)
        for cell in attached[self.count :]:
            cell.viewer.show_empty("")
            cell.show_note("")
        self._lay_out(attached)

    def set_detached(self, detached: bool) -> None:
        """Detach the detachable cell for a window of its own, or take it back into the grid."""
        self.is_detached = detached
        if not detached:
            self.detachable_cell.setParent(self)
            self.detachable_cell.viewer.show_empty("")
            self.detachable_cell.show_note("")
            self.active = self._cells.index(self._attached_active)
        self._arrange()

    def _lay_out(self, attached: list[ViewCell]) -> None:
        active = self._cells[self.active]
        self._cells = [*attached[: self.count], self.detachable_cell, *attached[self.count :]]
        self.active = self._cells.index(active)
        self._arrange()

    def swap(self, one: int, other: int) -> None:
        """Swap two views; the active one stays active."""
        self._cells[one], self._cells[other] = self._cells[other], self._cells[one]
        self.active = {one: other, other: one}.get(self.active, self.active)
        self._arrange()

    def set_active(self, view_index: int) -> None:
        """Make another view the active one."""
        self.active = view_index
        if self._cells[view_index] is not self.detachable_cell:
            self._attached_active = self._cells[view_index]
        self._frame()
        if self._maximised:
            self._arrange()
        self.viewer_changed.emit()

    def maximise(self) -> None:
        """Let the active view fill the grid, or restore the layout."""
        if self._cells[self.active] is self.detachable_cell:
            self.detached_maximised.emit()
            return
        if self.count == 1:
            self.maximise_refused.emit()
            return
        self._maximised = not self._maximised
        self._arrange()

    def take_keyboard(self) -> None:
        """Give the active viewer the keyboard focus, in whichever window it is."""
        self.viewer.setFocus()
        if self.is_detached:
            self.viewer.activateWindow()

    def set_tool(self, tool: Tool) -> None:
        """Set what the left button does in all views."""
        for viewer in self.viewers:
            viewer.set_tool(tool)

    def _on_state(self, viewer: FilmViewer) -> None:
        if viewer is self.viewer:
            self.viewer_changed.emit()

    def _on_tool(self, viewer: FilmViewer, tool: str) -> None:
        if viewer is self.viewer:
            self.tool_changed.emit(tool)

    def _arrange(self) -> None:
        """Arrange the cells in reading order, which is also the Tab order."""
        columns = LAYOUTS[self.layout_name].columns
        previous = None
        for view_index, cell in enumerate(self._cells):
            if cell is self.detachable_cell and self.is_detached:
                continue
            self._grid.removeWidget(cell)
            is_visible = (
                cell is self._attached_active if self._maximised else view_index < self.count
            )
            if is_visible:
                row, column = (0, 0) if self._maximised else divmod(view_index, columns)
                self._grid.addWidget(cell, row, column)
                if previous is not None:
                    self.setTabOrder(previous.viewer, cell.viewer)
                previous = cell
            cell.viewer.setMinimumSize(*(SMALLEST_PX if self.count == 1 else _SMALLEST_PX))
            cell.setVisible(is_visible)
        for index in range(2):
            self._grid.setRowStretch(index, int(index < self._grid_rows()))
            self._grid.setColumnStretch(index, int(index < self._grid_columns()))
        self._frame()

    def _grid_rows(self) -> int:
        return 1 if self._maximised else LAYOUTS[self.layout_name].rows

    def _grid_columns(self) -> int:
        return 1 if self._maximised else LAYOUTS[self.layout_name].columns

    def _frame(self) -> None:
        several = self.is_detached or (self.count > 1 and not self._maximised)
        for view_index, cell in enumerate(self._cells):
            cell.set_frame(several, active=view_index == self.active)
