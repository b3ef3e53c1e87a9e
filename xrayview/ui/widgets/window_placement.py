"""Where a window may lie: what was kept of it is only followed where it can still be seen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QRect, QTimer
from PySide6.QtWidgets import QApplication, QWidget

_GRIP_PX = 120
"""So much of the title bar must be on a screen for a hand to take it."""


def placed(window: QRect, screens: Sequence[QRect]) -> QRect:
    """The rectangle of a window, moved and made smaller until a screen holds it.

    Args:
        window: where it was.
        screens: what is free on each screen, the main one first; at least one.
    """
    held = max(screens, key=lambda screen: _area(screen & window))
    if _area(held & window) == 0:
        held = screens[0]
    size = window.size().boundedTo(held.size())
    place = QRect(window.topLeft(), size)
    grip = QRect(place.topLeft(), place.topRight()) & held
    if grip.width() < min(_GRIP_PX, size.width()) or size != window.size():
        place.moveCenter(held.center())
    return place


def keep_on_screen(window: QWidget) -> None:
    """Bring a window back whose monitor is gone, or is smaller than it was."""
    screens = QApplication.screens()
    first = QApplication.primaryScreen()
    free = [first.availableGeometry(), *(s.availableGeometry() for s in screens if s is not first)]
    frame, inside = window.frameGeometry(), window.geometry()
    place = placed(frame, free)
    if place != frame and not window.isMaximized() and not window.isFullScreen():
        start, end = inside.topLeft() - frame.topLeft(), inside.bottomRight() - frame.bottomRight()
        window.setGeometry(place.adjusted(start.x(), start.y(), end.x(), end.y()))


def stay_on_screen(window: QWidget) -> None:
    """Bring a window back now, once its frame is known, and again whenever a monitor goes."""
    keep_on_screen(window)
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    app.screenRemoved.connect(_Keeper(window).keep_soon)


class _Keeper(QObject):
    """Lives as long as its window."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self, self._fit_frame)
        return False

    def _fit_frame(self) -> None:
        """The frame is the window manager's: it comes on top of what was asked for."""
        free = self._window.screen().availableGeometry()
        if self._window.size().boundedTo(free.size()) == self._window.size():
            keep_on_screen(self._window)

    def keep_soon(self) -> None:
        # Qt itself moves the windows of the monitor, after it has told of its end.
        QTimer.singleShot(0, self, lambda: keep_on_screen(self._window))


def to_next_screen(window: QWidget) -> bool:
    """Move a window to the next monitor, as large a part of it; False where there is one alone."""
    screens = QApplication.screens()
    if len(screens) < 2:
        return False
    here = window.screen()
    there = screens[(screens.index(here) + 1) % len(screens)]
    state = window.windowState()
    window.showNormal()
    window.setGeometry(_carried(window.geometry(), here.geometry(), there.geometry()))
    window.setWindowState(state)
    return True


def _carried(window: QRect, here: QRect, there: QRect) -> QRect:
    """The same part of another screen."""
    across, down = there.width() / here.width(), there.height() / here.height()
    offset = window.topLeft() - here.topLeft()
    return QRect(
        there.left() + round(offset.x() * across),
        there.top() + round(offset.y() * down),
        round(window.width() * across),
        round(window.height() * down),
    )


def _area(rect: QRect) -> int:
    return rect.width() * rect.height() if rect.isValid() else 0
