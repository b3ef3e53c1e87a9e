"""Icons drawn from SVG files in the colours of the theme."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from xrayview.services.resources import resource
from xrayview.ui.style.colours import C


def app_icon() -> QIcon:
    """The icon of the program."""
    return QIcon(str(resource("icons", "xrayview.svg")))


@cache
def icon(name: str, colour: str | None = None) -> QIcon:
    """An icon, sharp at any size; one in a colour of the theme changes with the theme.

    Args:
        name: the file name without its suffix.
        colour: a colour of `C`, or any other as `#rrggbb`; by default that of text.
    """
    inks = (ink for ink, value in asdict(C).items() if value == colour)
    return QIcon(_TintedIcon(name, next(inks, colour or "text")))


class _TintedIcon(QIconEngine):
    """Draws an icon in the colour that its ink has at that time; faint if disabled."""

    def __init__(self, name: str, ink: str) -> None:
        super().__init__()
        self._name = name
        self._ink = ink

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _: QIcon.State) -> None:
        ratio = painter.device().devicePixelRatioF()
        side = min(rect.width(), rect.height())
        target = QRect(0, 0, side, side)
        target.moveCenter(rect.center())
        painter.drawPixmap(target, pixmap(self._name, side, self._colour(mode), ratio))

    def pixmap(self, size: QSize, mode: QIcon.Mode, _: QIcon.State) -> QPixmap:
        return QPixmap(pixmap(self._name, min(size.toTuple()), self._colour(mode)))

    def clone(self) -> QIconEngine:
        return _TintedIcon(self._name, self._ink)

    def _colour(self, mode: QIcon.Mode) -> str:
        return C.faint if mode == QIcon.Mode.Disabled else getattr(C, self._ink, self._ink)


@cache
def pixmap(name: str, size: int, colour: str, ratio: float = 1.0) -> QPixmap:
    """An icon as a pixmap of `size` logical pixels for a screen with this pixel ratio."""
    svg = resource("icons", f"{name}.svg").read_bytes().replace(b"#000", colour.encode())
    picture = QPixmap(round(size * ratio), round(size * ratio))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(QByteArray(svg)).render(painter, QRectF(picture.rect()))
    painter.end()
    picture.setDevicePixelRatio(ratio)
    return picture
