"""The start page: ways to open films, recent folders, and the model and device."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from xrayview.domain.formats import READABLE
from xrayview.ui.keys import shortcuts
from xrayview.ui.style import icons
from xrayview.ui.style.colours import C
from xrayview.ui.widgets.icon_label import IconLabel

_WIDTH = 720
_RECENT = 5
NOT_FOUND = "This folder was moved or deleted, or its drive is not connected."


class StartPage(QWidget):
    """Shown until a folder is open."""

    open_requested = Signal()
    sample_requested = Signal()
    folder_requested = Signal(Path)
    folder_forgotten = Signal(Path)
    """Remove this folder from the list."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)
        self._model = _line()
        self._device = _line()
        page = QWidget()
        page.setFixedWidth(_WIDTH)
        column = QVBoxLayout(page)
        column.setSpacing(0)
        column.addLayout(self._head())
        column.addSpacing(32)
        column.addLayout(self._choices())
        column.addSpacing(32)
        column.addWidget(self._lower())
        outer = QHBoxLayout(self)
        outer.addStretch(1)
        outer.addWidget(page, 0, Qt.AlignmentFlag.AlignVCenter)
        outer.addStretch(1)

    def show_recent(self, folders: Sequence[Path], missing: Collection[Path] = ()) -> None:
        """List recent folders; those that are `missing` cannot be opened."""
        while item := self._recent.takeAt(0):
            if widget := item.widget():
                widget.deleteLater()
        for folder in folders[:_RECENT]:
            self._recent.addWidget(self._recent_row(folder, missing=folder in missing))
        if not folders:
            self._recent.addWidget(_line("Folders that you open are listed here."))

    def show_keys(self) -> None:
        """Show the keys in force."""
        self._open_card.key.setText(shortcuts.key_label("open_folder"))

    def show_ready(self, model: str, device: str) -> None:
        """Show the loaded model and its device, or why there is none."""
        self._model.setText(model)
        self._device.setText(device or "The device is shown once a model is loaded.")

    def _head(self) -> QHBoxLayout:
        icon = QLabel()
        icon.setPixmap(icons.app_icon().pixmap(QSize(56, 56), self.devicePixelRatioF()))
        name = QLabel("XrayView")
        name.setProperty("role", "hero")
        text = QLabel("Read, classify and explain chest radiographs. For research use only.")
        text.setProperty("role", "quiet")
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(name)
        texts.addWidget(text)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(icon)
        row.addLayout(texts, 1)
        return row

    def _choices(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(12)
        open_card = _Choice("open", "Open a folder", f"{READABLE} films, including all subfolders.")
        self._open_card = open_card
        self.show_keys()
        sample_card = _Choice(
            "sample", "Try the sample study", "Films of children with and without pneumonia."
        )
        drop_card = _Choice(
            "drop",
            "Or drop files",
            "Films, folders, a DICOMDIR or a model, anywhere on this window.",
        )
        drop_card.setEnabled(False)
        open_card.clicked.connect(self.open_requested)
        sample_card.clicked.connect(self.sample_requested)
        for card in (open_card, sample_card, drop_card):
            row.addWidget(card, 1)
        return row

    def _lower(self) -> QWidget:
        box = QWidget()
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(32)
        recent = QVBoxLayout()
        recent.setSpacing(8)
        recent.addWidget(_heading("RECENT FOLDERS"))
        recent.addLayout(self._recent)
        recent.addStretch(1)
        ready = QVBoxLayout()
        ready.setSpacing(8)
        ready.addWidget(_heading("MODEL AND DEVICE"))
        for name, label in (("model", self._model), ("chip", self._device)):
            ready.addLayout(_with_icon(name, label))
        ready.addStretch(1)
        row.addLayout(recent, 3)
        row.addLayout(ready, 2)
        return box

    def _recent_row(self, folder: Path, *, missing: bool) -> QWidget:
        name = folder.name or str(folder)
        button = QPushButton(f"{name}  –  not found" if missing else name)
        button.setIcon(icons.icon("recent", C.quiet))
        button.setProperty("flat", True)
        button.setProperty("row", True)
        button.setToolTip(f"{folder}\n{NOT_FOUND}" if missing else str(folder))
        button.setAccessibleName(f"{name}: not found" if missing else f"Open {name}")
        button.setEnabled(not missing)
        button.clicked.connect(lambda: self.folder_requested.emit(folder))
        forget = QToolButton()
        forget.setIcon(icons.icon("close", C.quiet))
        forget.setIconSize(QSize(16, 16))
        forget.setToolTip(f"Remove {name} from this list")
        forget.setAccessibleName(f"Remove {name} from this list")
        forget.clicked.connect(lambda: self.folder_forgotten.emit(folder))
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(button, 1)
        line.addWidget(forget)
        return row


class _Choice(QPushButton):
    """A large button with an icon, a title and a description."""

    def __init__(self, icon: str, title: str, text: str) -> None:
        super().__init__()
        self.setAccessibleName(title)
        self.setProperty("choice", True)
        name = QLabel(title)
        name.setProperty("role", "title")
        description = QLabel(text)
        description.setProperty("role", "quiet")
        description.setWordWrap(True)
        top = QHBoxLayout()
        top.addWidget(IconLabel(icon, 28, "accent"))
        top.addStretch(1)
        self.key = _line()
        top.addWidget(self.key, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(4)
        column.addLayout(top)
        column.addSpacing(4)
        column.addWidget(name)
        column.addWidget(description)
        column.addStretch(1)
        for label in self.findChildren(QLabel):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


def _line(text: str = "") -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "quiet")
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def _heading(text: str) -> QFrame:
    frame = QFrame()
    column = QVBoxLayout(frame)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(6)
    label = QLabel(text)
    label.setProperty("role", "heading")
    rule = QFrame()
    rule.setProperty("rule", True)
    column.addWidget(label)
    column.addWidget(rule)
    return frame


def _with_icon(name: str, label: QLabel) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(IconLabel(name, 18), 0, Qt.AlignmentFlag.AlignTop)
    row.addWidget(label, 1)
    return row
