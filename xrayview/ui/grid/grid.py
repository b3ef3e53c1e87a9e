"""The views side by side: which of them are seen, and which is the active one."""

from __future__ import annotations

from collections.abc import Iterator

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
    """Places viewers; knows no session. Numbers count the views in reading order, from 0.

    The cell apart follows them, whether it is in a window of its own or not seen at all. The grid
    is whole after the last step of `build_steps`.
    """

    activated = Signal(int)
    """The user turned to a view: clicked, scrolled, or moved the keyboard there."""
    film_dropped = Signal(int, str)
    """A film's id was dropped on a view."""
    maximise_refused = Signal()
    """A double-click where one view already has all the room."""
    detached_maximised = Signal()
    """The same in the view apart."""
    viewer_changed = Signal()
    """Another viewer is the active one, or the film, window or placement of the active one is."""
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
        self._cells: list[ViewCell] = []

    def build_steps(self) -> Iterator[None]:
        """Make the views, each in a step of its own."""
        for _ in range(MOST_VIEWS):
            cell = ViewCell(self)
            self._connect(cell)
            self._cells.append(cell)
            yield
        self.detached = self._cells[-1]
        """The view that a window of its own may take."""
        self._beside = self._cells[0]
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
        """The active view's."""
        return self._cells[self.active].viewer

    @property
    def viewers(self) -> tuple[FilmViewer, ...]:
        """Of all views, those that the layout has no room for included."""
        return tuple(cell.viewer for cell in self._cells)

    @property
    def count(self) -> int:
        """Views of the layout."""
        return LAYOUTS[self.layout_name].count

    @property
    def maximised(self) -> bool:
        """True while the active view has the room of all."""
        return self._maximised

    def note_of(self, number: int) -> str:
        """What is said above a view's film."""
        return self._cells[number].line

    def show_note(self, number: int, text: str) -> None:
        """Say above a view's film what it is here for."""
        self._cells[number].show_note(text)

    def set_layout(self, name: str) -> None:
        """Another number of views; the active one stays, at the last place if its own is gone."""
        self._maximised = False
        self.layout_name = name
        beside = [cell for cell in self._cells if cell is not self.detached]
        if beside.index(self._beside) >= self.count:
            beside.remove(self._beside)
            beside.insert(self.count - 1, self._beside)
        for cell in beside[self.count :]:
            cell.viewer.show_empty("")
            cell.show_note("")
        self._lay_out(beside)

    def set_detached(self, shown: bool) -> None:
        """Whoever takes the cell apart says so, and when it gives it back."""
        self.is_detached = shown
        if not shown:
            self.detached.setParent(self)
            self.detached.viewer.show_empty("")
            self.detached.show_note("")
            self.active = self._cells.index(self._beside)
        self._place()

    def _lay_out(self, beside: list[ViewCell]) -> None:
        active = self._cells[self.active]
        self._cells = [*beside[: self.count], self.detached, *beside[self.count :]]
        self.active = self._cells.index(active)
        self._place()

    def swap(self, one: int, other: int) -> None:
        """Let two views change places; the active one stays active."""
        self._cells[one], self._cells[other] = self._cells[other], self._cells[one]
        self.active = {one: other, other: one}.get(self.active, self.active)
        self._place()

    def set_active(self, number: int) -> None:
        """Frame another view."""
        self.active = number
        if self._cells[number] is not self.detached:
            self._beside = self._cells[number]
        self._frame()
        if self._maximised:
            self._place()
        self.viewer_changed.emit()

    def maximise(self) -> None:
        """Give the active view the room of all, and back."""
        if self._cells[self.active] is self.detached:
            self.detached_maximised.emit()
            return
        if self.count == 1:
            self.maximise_refused.emit()
            return
        self._maximised = not self._maximised
        self._place()

    def take_keyboard(self) -> None:
        """The keyboard belongs to the active view's film, in whichever window it is."""
        self.viewer.setFocus()
        if self.is_detached:
            self.viewer.activateWindow()

    def set_tool(self, tool: Tool) -> None:
        """What the left button does, in every view."""
        for viewer in self.viewers:
            viewer.set_tool(tool)

    def _on_state(self, viewer: FilmViewer) -> None:
        if viewer is self.viewer:
            self.viewer_changed.emit()

    def _on_tool(self, viewer: FilmViewer, tool: str) -> None:
        if viewer is self.viewer:
            self.tool_changed.emit(tool)

    def _place(self) -> None:
        """Lay the cells anew: in the order of reading, so that Tab walks them so too."""
        columns = LAYOUTS[self.layout_name].columns
        before = None
        for number, cell in enumerate(self._cells):
            if cell is self.detached and self.is_detached:
                continue
            self._grid.removeWidget(cell)
            seen = cell is self._beside if self._maximised else number < self.count
            if seen:
                row, column = (0, 0) if self._maximised else divmod(number, columns)
                self._grid.addWidget(cell, row, column)
                if before is not None:
                    self.setTabOrder(before.viewer, cell.viewer)
                before = cell
            cell.viewer.setMinimumSize(*(SMALLEST_PX if self.count == 1 else _SMALLEST_PX))
            cell.setVisible(seen)
        for line in range(2):
            self._grid.setRowStretch(line, int(line < self._grid_rows()))
            self._grid.setColumnStretch(line, int(line < self._grid_columns()))
        self._frame()

    def _grid_rows(self) -> int:
        return 1 if self._maximised else LAYOUTS[self.layout_name].rows

    def _grid_columns(self) -> int:
        return 1 if self._maximised else LAYOUTS[self.layout_name].columns

    def _frame(self) -> None:
        several = self.is_detached or (self.count > 1 and not self._maximised)
        for number, cell in enumerate(self._cells):
            cell.set_frame(several, active=number == self.active)
