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

    Args:
        parent: it has its place there from the start.
        listed: the panel at the left.
        films: in the middle.
        table: below the films; hidden until it is asked for.
        said: the panels at the right, the first of them taking the room.
    """

    def __init__(
        self, parent: QWidget, listed: QWidget, films: QWidget, table: QWidget, *said: QWidget
    ) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._seen = False
        self._left, self._table = listed, table
        rows = QSplitter(Qt.Orientation.Vertical)
        self._right = QWidget()
        for panel, least in zip((listed, rows, self._right), _LEAST_PX, strict=True):
            panel.setMinimumWidth(least)
            self.addWidget(panel)
        # What is filled before it has its place is styled anew in it, to the last label.
        rows.addWidget(films)
        rows.addWidget(table)
        rows.setStretchFactor(0, 1)
        rows.setSizes(list(_FILMS_OVER_TABLE_PX))
        table.hide()
        right = QVBoxLayout(self._right)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        for place, panel in enumerate(said):
            right.addWidget(panel, int(place == 0))
        for splitter in (rows, self):
            splitter.setHandleWidth(1)
            splitter.setChildrenCollapsible(False)
        self.setStretchFactor(1, 1)

    def around_the_film(self) -> list[QWidget]:
        """The panels that go while the film has the whole screen."""
        return [self._left, self._right, self._table]

    def film_alone(self) -> None:
        """The film without panels, and back."""
        alone = self._left.isVisible()
        self._left.setVisible(not alone)
        self._right.setVisible(not alone)

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
