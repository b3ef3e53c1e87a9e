"""The three columns of the window: the list, the films above the table, the findings."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

_FIRST_PX = (272, 744, 264)
_LEAST_PX = (200, 420, 232)
_FILMS_OVER_TABLE_PX = (560, 240)


class Columns(QSplitter):
    """Splits the window; a wider window gives its width to the films.

    Panels are created as children of `left`, `middle` and `right`: a widget that is filled before
    it has its parent is styled twice, down to the last label.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._was_shown = False
        self.left = QWidget(self)
        self.middle = QSplitter(Qt.Orientation.Vertical, self)
        self.right = QWidget(self)
        for column, least in zip((self.left, self.middle, self.right), _LEAST_PX, strict=True):
            column.setMinimumWidth(least)
            self.addWidget(column)
        for splitter in (self.middle, self):
            splitter.setHandleWidth(1)
            splitter.setChildrenCollapsible(False)
        self.setStretchFactor(1, 1)

    def lay_out(
        self, browser: QWidget, films: QWidget, table: QWidget, right: Sequence[QWidget]
    ) -> None:
        """Put the panels in their columns.

        Args:
            browser: at the left.
            films: in the middle.
            table: below the films, hidden at first.
            right: from top to bottom; the first takes the height that the others leave.
        """
        self.middle.addWidget(films)
        self.middle.addWidget(table)
        self.middle.setStretchFactor(0, 1)
        self.middle.setSizes(list(_FILMS_OVER_TABLE_PX))
        self._table = table
        table.hide()
        for column, panels in ((self.left, (browser,)), (self.right, right)):
            layout = QVBoxLayout(column)
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)
            for index, panel in enumerate(panels):
                layout.addWidget(panel, int(index == 0))

    def around_the_film(self) -> list[QWidget]:
        """The panels that are hidden while the film has the whole screen."""
        return [self.left, self.right, self._table]

    def toggle_side_panels(self) -> None:
        """Hide the panels at the left and right of the film, or show them again."""
        shown = not self.left.isVisible()
        self.left.setVisible(shown)
        self.right.setVisible(shown)

    @property
    def widths(self) -> str:
        """What the settings store; empty until the columns were shown once."""
        return ",".join(str(size) for size in self.sizes()) if self._was_shown else ""

    def set_widths(self, stored: str) -> None:
        """Restore what `widths` returned; anything else gives the default widths."""
        sizes = stored.split(",")
        if len(sizes) == len(_FIRST_PX) and all(size.isdigit() and int(size) for size in sizes):
            self.setSizes([int(size) for size in sizes])
        else:
            self.setSizes(list(_FIRST_PX))

    def showEvent(self, event: QShowEvent) -> None:
        self._was_shown = True
        super().showEvent(event)
