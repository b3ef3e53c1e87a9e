"""Keeps windows on the connected screens, also after monitors were removed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QRect, QTimer
from PySide6.QtWidgets import QApplication, QWidget

_GRIP_PX = 120
"""Width of the title bar that must be visible so that the window can be dragged."""


def placed(window: QRect, screens: Sequence[QRect]) -> QRect:
    """Move and shrink the rectangle of a window until it fits a screen.

    Args:
        window: the stored rectangle.
        screens: the available area of each screen, the primary one first; at least one.
    """
    screen = max(screens, key=lambda candidate: _area(candidate & window))
    if _area(screen & window) == 0:
        screen = screens[0]
    size = window.size().boundedTo(screen.size())
    rect = QRect(window.topLeft(), size)
    grip = QRect(rect.topLeft(), rect.topRight()) & screen
    if grip.width() < min(_GRIP_PX, size.width()) or size != window.size():
        rect.moveCenter(screen.center())
    return rect


def keep_on_screen(window: QWidget) -> None:
    """Move a window back onto a screen if its monitor was removed or is smaller now."""
    screens = QApplication.screens()
    first = QApplication.primaryScreen()
    free = [first.availableGeometry(), *(s.availableGeometry() for s in screens if s is not first)]
    frame, inside = window.frameGeometry(), window.geometry()
    rect = placed(frame, free)
    if rect != frame and not window.isMaximized() and not window.isFullScreen():
        start, end = inside.topLeft() - frame.topLeft(), inside.bottomRight() - frame.bottomRight()
        window.setGeometry(rect.adjusted(start.x(), start.y(), end.x(), end.y()))


def stay_on_screen(window: QWidget) -> None:
    """Keep a window on screen: now, once its frame is known, and whenever a monitor is removed."""
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
        """Account for the frame, which the window manager adds to the requested size."""
        free = self._window.screen().availableGeometry()
        if self._window.size().boundedTo(free.size()) == self._window.size():
            keep_on_screen(self._window)

    def keep_soon(self) -> None:
        # Qt moves the windows of a removed monitor itself, but only after this signal.
        QTimer.singleShot(0, self, lambda: keep_on_screen(self._window))


def to_next_screen(window: QWidget) -> bool:
    """Move a window to the next monitor, scaled to its size; False if there is only one."""
    screens = QApplication.screens()
    if len(screens) < 2:
        return False
    current = window.screen()
    following = screens[(screens.index(current) + 1) % len(screens)]
    state = window.windowState()
    window.showNormal()
    window.setGeometry(_scaled(window.geometry(), current.geometry(), following.geometry()))
    window.setWindowState(state)
    return True


def _scaled(window: QRect, source: QRect, target: QRect) -> QRect:
    """The rectangle that takes the same share of the target screen as `window` of the source."""
    across, down = target.width() / source.width(), target.height() / source.height()
    offset = window.topLeft() - source.topLeft()
    return QRect(
        target.left() + round(offset.x() * across),
        target.top() + round(offset.y() * down),
        round(window.width() * across),
        round(window.height() * down),
    )


def _area(rect: QRect) -> int:
    return rect.width() * rect.height() if rect.isValid() else 0
