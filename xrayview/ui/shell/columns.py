"""The panels beside each other: the list, the films over the table, the findings."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

_FIRST_PX = (272, 744, 264)
_LEAST_PX = (200, 420, 232)
_FILMS_OVER_TABLE_PX = (560, 240)


class Columns(QSplitter):
    """Films take what room there is more.

    Panels are made as children of `left`, `middle` and `right`: what is filled before it has its
    place is styled anew in it, to the last label.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._seen = False
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

    def place(self, listed: QWidget, films: QWidget, table: QWidget, *said: QWidget) -> None:
        """Lay the panels in their columns.

        Args:
            listed: at the left.
            films: in the middle.
            table: below the films; hidden until it is asked for.
            said: at the right, the first of them taking the room.
        """
        self.middle.addWidget(films)
        self.middle.addWidget(table)
        self.middle.setStretchFactor(0, 1)
        self.middle.setSizes(list(_FILMS_OVER_TABLE_PX))
        self._table = table
        table.hide()
        for column, panels in ((self.left, (listed,)), (self.right, said)):
            layout = QVBoxLayout(column)
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(0)
            for place, panel in enumerate(panels):
                layout.addWidget(panel, int(place == 0))

    def around_the_film(self) -> list[QWidget]:
        """The panels that go while the film has the whole screen."""
        return [self.left, self.right, self._table]

    def film_alone(self) -> None:
        """The film without panels, and back."""
        alone = self.left.isVisible()
        self.left.setVisible(not alone)
        self.right.setVisible(not alone)

    @property
    def widths(self) -> str:
        """As the settings keep them; empty until the panels were laid out once."""
        return ",".join(str(size) for size in self.sizes()) if self._seen else ""

    def set_widths(self, kept: str) -> None:
        """Lay the panels as `widths` said; anything else gives them their first widths."""
        sizes = kept.split(",")
        if len(sizes) == len(_FIRST_PX) and all(size.isdigit() and int(size) for size in sizes):
            self.setSizes([int(size) for size in sizes])
        else:
            self.setSizes(list(_FIRST_PX))

    def showEvent(self, event: QShowEvent) -> None:
        self._seen = True
        super().showEvent(event)
