"""The first page: what to do, where one was last, and what is ready."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from xrayview.ui import shortcuts, theme

_WIDTH = 720
_RECENT = 5


class StartPage(QWidget):
    """Shown until a folder is open."""

    open_asked = Signal()
    sample_asked = Signal()
    folder_asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
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

    def show_recent(self, folders: Sequence[Path]) -> None:
        """List the folders that were opened last and still exist."""
        while item := self._recent.takeAt(0):
            if widget := item.widget():
                widget.deleteLater()
        here = [folder for folder in folders if folder.is_dir()][:_RECENT]
        for folder in here:
            self._recent.addWidget(self._recent_row(folder))
        if not here:
            self._recent.addWidget(_line("None yet. Folders that you open are listed here."))

    def show_ready(self, model: str, device: str) -> None:
        """Which model and which device are ready, or why they are not."""
        self._model.setText(model)
        self._device.setText(device)

    def _head(self) -> QHBoxLayout:
        sign = QLabel()
        sign.setPixmap(theme.app_icon().pixmap(QSize(56, 56), self.devicePixelRatioF()))
        name = QLabel("XrayView")
        name.setProperty("role", "hero")
        text = QLabel("Read, classify and explain chest radiographs. For research use only.")
        text.setStyleSheet(f"color: {theme.C.quiet}")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(name)
        words.addWidget(text)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(sign)
        row.addLayout(words, 1)
        return row

    def _choices(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(12)
        open_card = _Choice(
            "open", "Open a folder", "DICOM, PNG, JPEG or TIFF films, with all folders below it.",
            shortcuts.label("open_folder"),
        )  # fmt: skip
        sample_card = _Choice(
            "sample", "Try the sample study", "Real radiographs that come with XrayView."
        )
        drop_card = _Choice("drop", "Or drop files", "Films or folders, anywhere on this window.")
        drop_card.setEnabled(False)
        open_card.clicked.connect(self.open_asked)
        sample_card.clicked.connect(self.sample_asked)
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
        ready.addWidget(_heading("READY"))
        for name, label in (("model", self._model), ("chip", self._device)):
            ready.addLayout(_with_icon(name, label))
        ready.addStretch(1)
        row.addLayout(recent, 3)
        row.addLayout(ready, 2)
        return box

    def _recent_row(self, folder: Path) -> QPushButton:
        row = QPushButton(folder.name or str(folder))
        row.setIcon(theme.icon("recent", theme.C.quiet))
        row.setProperty("flat", True)
        row.setStyleSheet("text-align: left; padding: 5px 6px;")
        row.setToolTip(str(folder))
        row.clicked.connect(lambda: self.folder_asked.emit(folder))
        return row


class _Choice(QPushButton):
    """A large button: sign, title, what it does."""

    def __init__(self, icon: str, title: str, text: str, key: str = "") -> None:
        super().__init__()
        self.setAccessibleName(title)
        # In the sheet, not by setMinimumHeight: the sheet of the application has a say in it too.
        self.setStyleSheet("QPushButton { padding: 0; border-radius: 6px; min-height: 136px; }")
        sign = QLabel()
        sign.setPixmap(theme.pixmap(icon, 28, theme.C.accent, self.devicePixelRatioF()))
        name = QLabel(title)
        name.setProperty("role", "title")
        words = QLabel(text)
        words.setProperty("role", "quiet")
        words.setWordWrap(True)
        top = QHBoxLayout()
        top.addWidget(sign, 1)
        if key:
            top.addWidget(_line(key), 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(4)
        column.addLayout(top)
        column.addSpacing(4)
        column.addWidget(name)
        column.addWidget(words)
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
    sign = QLabel()
    sign.setPixmap(theme.pixmap(name, 18, theme.C.quiet, label.devicePixelRatioF()))
    row.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
    row.addWidget(label, 1)
    return row
