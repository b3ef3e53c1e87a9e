"""Form fields and small widgets that several dialogs share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QWidget,
)


class FolderField(QWidget):
    """A text field for a folder, with a button to choose one."""

    changed = Signal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = title
        self.edit = QLineEdit()
        self.edit.setAccessibleName(title)
        self.edit.setPlaceholderText(title)
        self.edit.textChanged.connect(self.changed)
        browse = QPushButton("Browse …")
        browse.setToolTip(title)
        browse.clicked.connect(self._choose)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.edit, 1)
        row.addWidget(browse)

    @property
    def path(self) -> Path | None:
        """The folder; None while the field is empty."""
        text = self.edit.text().strip()
        return Path(text).expanduser() if text else None

    def _choose(self) -> None:
        name = QFileDialog.getExistingDirectory(self, self._title, self.edit.text())
        if name:
            self.edit.setText(name)


def ask_for_file(parent: QWidget, title: str, name: str, suffix: str) -> Path | None:
    """Ask for a file to write; Qt's dialog asks before an existing one is replaced."""
    dialog = QFileDialog(parent, title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilter(f"{suffix.upper()} (*.{suffix})")
    # Without it, a name typed without its suffix would be replaced without a question.
    dialog.setDefaultSuffix(suffix)
    dialog.selectFile(f"{name}.{suffix}")
    chosen = dialog.exec() and dialog.selectedFiles()
    dialog.deleteLater()
    return Path(chosen[0]) if chosen else None


def combo(
    name: str, choices: Sequence[tuple[object, str]], chosen: object, tip: str = ""
) -> QComboBox:
    """A combo box of (value, text) pairs; its tooltip is the name by default."""
    box = QComboBox()
    box.setAccessibleName(name)
    box.setToolTip(tip or name)
    for value, text in choices:
        box.addItem(text, value)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    return box


def unset_combo(name: str, choices: Sequence[tuple[object, str]], tip: str) -> QComboBox:
    """A combo box without a default; its data is None until something is chosen."""
    box = combo(name, choices, None, tip)
    box.setPlaceholderText("Choose …")
    box.setCurrentIndex(-1)
    return box


def check(text: str, tip: str, on: bool) -> QCheckBox:
    """A check box whose tooltip is also its accessible description."""
    box = QCheckBox(text)
    box.setToolTip(tip)
    box.setAccessibleDescription(tip)
    box.setChecked(on)
    return box


def label(text: str, role: str = "") -> QLabel:
    """A label that wraps long text."""
    widget = QLabel(text)
    widget.setWordWrap(True)
    if role:
        widget.setProperty("role", role)
    return widget


def rule() -> QFrame:
    """A thin horizontal line."""
    line = QFrame()
    line.setProperty("rule", True)
    return line


def image_of(picture: npt.NDArray[np.unsignedinteger[Any]]) -> QImage:
    """Convert grey or RGB pixels (uint8 or uint16) to an image that owns its bytes."""
    if picture.dtype == np.uint16:
        picture = (picture >> 8).astype(np.uint8)
    pixels = np.ascontiguousarray(picture, dtype=np.uint8)
    grey = pixels.ndim == 2
    kind = QImage.Format.Format_Grayscale8 if grey else QImage.Format.Format_RGB888
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, pixels.strides[0], kind).copy()
