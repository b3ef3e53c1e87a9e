"""An icon as a widget, sharp on every screen and in the colours of the theme."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from xrayview.ui.style import icons
from xrayview.ui.style.colours import C


class IconLabel(QWidget):
    """Draws an icon in a colour of the theme; it has no text for screen readers.

    Args:
        name: the icon.
        size_px: its width and height.
        ink: the name of a colour in `C`.
    """

    def __init__(self, name: str, size_px: int, ink: str = "quiet") -> None:
        super().__init__()
        self._name = name
        self._ink = ink
        self.setFixedSize(size_px, size_px)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colour = getattr(C, self._ink)
        picture = icons.pixmap(self._name, self.width(), colour, self.devicePixelRatioF())
        QPainter(self).drawPixmap(0, 0, picture)
