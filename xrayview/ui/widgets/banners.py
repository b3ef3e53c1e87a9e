"""Messages above the film: what happened, to which file, why, and what to do.

A banner stays until it is closed or replaced by another one with the same topic.
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

from xrayview.domain.sentences import without_options
from xrayview.errors import XrayViewError
from xrayview.io.tables.cells import printable_name
from xrayview.ui.style import icons
from xrayview.ui.style.colours import C
from xrayview.ui.widgets.icon_label import IconLabel

Kind = Literal["info", "warn", "error"]
_INK = {"info": "accent", "warn": "warn", "error": "error"}
_MAX_SHOWN = 3
FOLDER_TOPICS = (
    "folder",
    "film",
    "prior",
    "batch",
    "batch notes",
    "statement",
    "run files",
    "save",
    "labels",
    "export",
    "export measurements",
    "measurements of others",
)
"""Topics of banners that are about the folder on screen, and end with it."""


@dataclass(frozen=True)
class Message:
    """The content of a banner; it replaces an earlier message with the same topic."""

    topic: str
    kind: Kind
    title: str
    text: str = ""
    actions: tuple[tuple[str, Callable[[], None]], ...] = field(default=(), compare=False)

    @property
    def one_line(self) -> str:
        """Title and text in one line."""
        return f"{_sentence(self.title)} {self.text}".strip()

    @classmethod
    def of(cls, topic: str, error: XrayViewError, *, whole_path: bool = False) -> Message:
        """Make a message of an error: file and what, then why and what to do.

        `whole_path` is for what is missing: its name alone does not say where it was looked for.
        """
        name = str(error.path) if whole_path else error.path.name if error.path else ""
        file = f"{printable_name(name)}: " if error.path else ""
        why = f"{_sentence(without_options(error.why))} " if error.why else ""
        hint = without_options(error.hint)
        return cls(topic, "error", f"{file}{error.what}", f"{why}{hint}".strip())


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


class Banners(QWidget):
    """A stack of banners, the newest on top."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(1)
        self._shown: dict[str, _Banner] = {}

    def show_message(self, message: Message) -> None:
        """Show a banner, in place of an earlier one with the same topic or the same text."""
        self.close_message(message.topic)
        for shown in self.messages():
            if shown.one_line == message.one_line:
                self.close_message(shown.topic)
        while len(self._shown) >= _MAX_SHOWN:
            self.close_message(next(iter(self._shown)))
        banner = _Banner(message, lambda: self.close_message(message.topic))
        self._shown[message.topic] = banner
        self._rows.insertWidget(0, banner)

    def close_message(self, topic: str) -> None:
        """Close the banner with this topic, if it is shown."""
        if banner := self._shown.pop(topic, None):
            self._rows.removeWidget(banner)
            banner.hide()
            banner.deleteLater()

    def messages(self) -> tuple[Message, ...]:
        """The messages shown, oldest first."""
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
        row.addLayout(_texts(message), 1)
        for text, act in message.actions:
            button = QPushButton(text)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(_then(act, close))
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        close_button = QToolButton()
        close_button.setIcon(icons.icon("close", C.quiet))
        close_button.setIconSize(QSize(16, 16))
        close_button.setToolTip("Close this message")
        close_button.setAccessibleName("Close this message")
        close_button.clicked.connect(close)
        row.addWidget(close_button, 0, Qt.AlignmentFlag.AlignTop)


def _texts(message: Message) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(2)
    for text, role in ((message.title, ""), (message.text, "quiet")):
        if not text:
            continue
        label = QLabel(text)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setProperty("role", role)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(label)
    return column


def _then(act: Callable[[], None], close: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        close()
        act()

    return run
