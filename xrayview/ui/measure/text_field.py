"""The field on the film in which the text of an annotation is edited."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

_WIDTH_PX = 220
LONGEST = 200


class TextField(QLineEdit):
    """Enter and a click elsewhere accept the text, Esc discards it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._film = parent
        self.setAccessibleName(self.tr("Text of the annotation"))
        self.setPlaceholderText(self.tr("Text, then Enter"))
        self.setMaxLength(LONGEST)
        self.resize(_WIDTH_PX, self.sizeHint().height())
        self._done: Callable[[str | None], None] | None = None
        self.hide()

    def start_editing(
        self, position: QPointF, text: str, done: Callable[[str | None], None]
    ) -> None:
        """Edit a text; `done` is called once, with the new text, or None if it was discarded."""
        self._finish(None)
        self._done = done
        self.setText(text)
        self.selectAll()
        room = self._film.size() - self.size()
        x, y = round(position.x()), round(position.y() - self.height() / 2)
        self.move(max(0, min(x, room.width())), max(0, min(y, room.height())))
        self.show()
        self.setFocus()

    def accept(self) -> None:
        """Take what was typed, because the film is about to change."""
        self._finish(self.text().strip())

    def _finish(self, text: str | None) -> None:
        done, self._done = self._done, None
        if done is not None:
            had_focus = self.hasFocus()
            self.hide()
            if had_focus:
                self._film.setFocus()
            done(text)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()  # every key is text here, not a shortcut
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._finish(self.text().strip())
        elif event.key() == Qt.Key.Key_Escape:
            self._finish(None)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self._finish(self.text().strip())
