"""Messages above the film: what happened, to which file, why, and what to do.

Banners stand until they are closed or replaced; the same matter never stacks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from xrayview.errors import XrayViewError
from xrayview.ui.style import icons
from xrayview.ui.style.colours import C
from xrayview.ui.widgets.icon_label import IconLabel

Kind = Literal["info", "warn", "error"]
_INK = {"info": "accent", "warn": "warn", "error": "error"}
_MOST = 3


@dataclass(frozen=True)
class Message:
    """One banner; `matter` names what it is about, and a newer one of it replaces it."""

    matter: str
    kind: Kind
    title: str
    text: str = ""
    actions: tuple[tuple[str, Callable[[], None]], ...] = field(default=(), compare=False)

    @property
    def words(self) -> str:
        """All of it in one line."""
        return f"{_sentence(self.title)} {self.text}".strip()

    @classmethod
    def of(cls, matter: str, error: XrayViewError) -> Message:
        """An error in the user's words: file and what, then why and what to do."""
        place = f"{error.path.name}: " if error.path else ""
        why = f"{_sentence(error.why)} " if error.why else ""
        return cls(matter, "error", f"{place}{error.what}", f"{why}{error.hint}".strip())


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


class Banners(QWidget):
    """The stack; the newest on top, at most a few."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(1)
        self._shown: dict[str, _Banner] = {}

    def show_message(self, message: Message) -> None:
        """Show a banner in place of the one of the same matter."""
        self.close_message(message.matter)
        while len(self._shown) >= _MOST:
            self.close_message(next(iter(self._shown)))
        banner = _Banner(message, lambda: self.close_message(message.matter))
        self._shown[message.matter] = banner
        self._rows.insertWidget(0, banner)

    def close_message(self, matter: str) -> None:
        """Take the banner of a matter away, if it stands."""
        if banner := self._shown.pop(matter, None):
            self._rows.removeWidget(banner)
            banner.hide()
            banner.deleteLater()

    def messages(self) -> tuple[Message, ...]:
        """What stands now, oldest first."""
        return tuple(banner.message for banner in self._shown.values())


class _Banner(QFrame):
    def __init__(self, message: Message, close: Callable[[], None]) -> None:
        super().__init__()
        self.message = message
        self.setProperty("banner", True)
        self.setProperty("kind", message.kind)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(12)
        row.addWidget(IconLabel(message.kind, 20, _INK[message.kind]), 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(self._words(message), 1)
        for text, act in message.actions:
            button = QPushButton(text)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(_then(act, close))
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        shut = QToolButton()
        shut.setIcon(icons.icon("close", C.quiet))
        shut.setIconSize(QSize(16, 16))
        shut.setToolTip("Close this message")
        shut.setAccessibleName("Close this message")
        shut.clicked.connect(close)
        row.addWidget(shut, 0, Qt.AlignmentFlag.AlignTop)

    def _words(self, message: Message) -> QVBoxLayout:
        words = QVBoxLayout()
        words.setSpacing(2)
        for text, role in ((message.title, ""), (message.text, "quiet")):
            if not text:
                continue
            label = QLabel(text)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setProperty("role", role)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            words.addWidget(label)
        return words


def _then(act: Callable[[], None], close: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        close()
        act()

    return run
