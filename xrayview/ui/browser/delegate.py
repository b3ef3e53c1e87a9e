"""How a row of the browser is drawn."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from xrayview.domain.film import FilmRef
from xrayview.domain.folder import Group
from xrayview.errors import XrayViewError
from xrayview.ui.browser.chip import Chip
from xrayview.ui.browser.row_model import NODE, AnyIndex, Row
from xrayview.ui.browser.thumbnails import Thumbnails
from xrayview.ui.style import fonts, icons
from xrayview.ui.style.colours import C

_THUMB = 52
_STAR = 16
_INDENT = 8
_LEAST_WIDTH_FOR_CHIP_PX = 130
"""In narrower rows the chip moves from the title's line to the one below."""
_LEAST_NOTE_PX = 32
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class FilmDelegate(QStyledItemDelegate):
    """Paints films with thumbnail, text and chip, groups with their count, files with a reason."""

    def __init__(
        self,
        thumbnails: Thumbnails,
        chip_of: Callable[[FilmRef], Chip | None],
        is_starred: Callable[[FilmRef], bool],
    ) -> None:
        super().__init__()
        self._thumbnails = thumbnails
        self._chip_of = chip_of
        self._is_starred = is_starred

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        row: Row = index.data(NODE)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        quiet = C.text if selected else C.quiet  # quiet text is illegible on the selection
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self._background(painter, option)
        area = option.rect.adjusted(4 + _INDENT * (row.depth + 1), 0, -8, 0)
        if row.film is not None:
            self._film(painter, area, row, row.film, quiet, selected=selected)
        elif row.is_group:
            self._group(painter, area, row, quiet)
        else:
            _two_lines(painter, area, row.title, row.note, quiet)
        painter.restore()

    def _background(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, QColor(C.accent_dim))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(option.rect, QColor(C.raised))

    def _group(self, painter: QPainter, area: QRect, row: Row, quiet: str) -> None:
        is_patient = row.depth == 0 and isinstance(row.item, Group)
        font = fonts.pixels(fonts.TEXT_PX)
        font.setBold(is_patient)
        colour = C.text if is_patient else quiet
        arrow = "chevron_down" if row.is_open else "chevron_right"
        icon = icons.pixmap(arrow, 14, C.faint, painter.device().devicePixelRatioF())
        painter.drawPixmap(area.left(), area.center().y() - 6, icon)
        count = QFontMetrics(font).horizontalAdvance(row.note) + 8
        _text(painter, area.adjusted(18, 0, -count, 0), row.title, font, colour)
        _text(painter, area, row.note, fonts.pixels(fonts.SMALL_PX), quiet, _RIGHT)

    def _film(
        self,
        painter: QPainter,
        area: QRect,
        row: Row,
        film: FilmRef,
        quiet: str,
        *,
        selected: bool,
    ) -> None:
        frame = QRect(area.left(), area.top() + 4, _THUMB, _THUMB)
        painter.fillRect(frame, QColor(C.film))
        _thumbnail(painter, frame, self._thumbnails.picture(film))
        text_area = area.adjusted(_THUMB + 10, 0, 0, 0)
        upper, lower = _lines(text_area)
        chip = self._chip_of(film)
        if self._is_starred(film):
            lower.setRight(_star(painter, lower) - 6)
        if chip is not None:
            line = upper if text_area.width() >= _LEAST_WIDTH_FOR_CHIP_PX else lower
            line.setRight(_chip(painter, line, chip, selected=selected) - 8)
        note = chip.note if chip is not None and chip.note else row.note
        # Neighbouring files differ at the end of their names.
        middle = Qt.TextElideMode.ElideMiddle
        _text(painter, upper, row.title, fonts.pixels(fonts.TEXT_PX), C.text, elide=middle)
        if lower.width() >= _LEAST_NOTE_PX:
            _text(painter, lower, note, fonts.pixels(fonts.SMALL_PX), quiet)


def _star(painter: QPainter, area: QRect) -> int:
    """Draw at the right end; return the left edge."""
    left = area.right() - _STAR - 2
    ratio = painter.device().devicePixelRatioF()
    icon = icons.pixmap("star_filled", _STAR, C.warn, ratio)
    painter.drawPixmap(left, area.center().y() - _STAR // 2 + 1, icon)
    return left


def _thumbnail(painter: QPainter, frame: QRect, picture: QPixmap | XrayViewError | None) -> None:
    if isinstance(picture, QPixmap):
        size = picture.size().scaled(frame.size(), Qt.AspectRatioMode.KeepAspectRatio)
        target = QRect(0, 0, size.width(), size.height())
        target.moveCenter(frame.center())
        painter.drawPixmap(target, picture)
        return
    name, colour = ("error", C.error) if picture else ("film", C.line)
    icon = icons.pixmap(name, 24, colour, painter.device().devicePixelRatioF())
    painter.drawPixmap(frame.center().x() - 11, frame.center().y() - 11, icon)


def _chip(painter: QPainter, area: QRect, chip: Chip, *, selected: bool) -> int:
    """Draw at the right end; return the left edge."""
    font = fonts.pixels(fonts.SMALL_PX)
    font.setBold(chip.filled)
    width = QFontMetrics(font).horizontalAdvance(chip.text) + 14
    box = QRectF(area.right() - width, area.center().y() - 10, width, 20)
    colour = QColor(chip.colour)
    fill = QColor(colour)
    fill.setAlphaF(1.0 if chip.filled else 0.16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(fill)
    painter.drawRoundedRect(box, 10, 10)
    bare = C.text if selected else chip.colour
    ink = C.on_accent if chip.filled else bare
    _text(painter, box.toRect(), chip.text, font, ink, Qt.AlignmentFlag.AlignCenter)
    return round(box.left())


def _two_lines(painter: QPainter, area: QRect, title: str, note: str, colour: str) -> None:
    upper, lower = _lines(area)
    _text(painter, upper, title, fonts.pixels(fonts.TEXT_PX), colour)
    _text(painter, lower, note, fonts.pixels(fonts.SMALL_PX), colour)


def _lines(area: QRect) -> tuple[QRect, QRect]:
    middle = area.center().y()
    upper = QRect(area.left(), middle - 19, area.width(), 19)
    return upper, QRect(area.left(), middle + 1, area.width(), 17)


def _text(
    painter: QPainter,
    area: QRect,
    text: str,
    font: QFont,
    colour: str,
    align: Qt.AlignmentFlag = _LEFT,
    elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
) -> None:
    painter.setFont(font)
    painter.setPen(QColor(colour))
    short = QFontMetrics(font).elidedText(text, elide, area.width() + 1)
    painter.drawText(area, align | Qt.TextFlag.TextSingleLine, short)
