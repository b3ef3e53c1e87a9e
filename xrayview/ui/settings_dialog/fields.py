"""A widget for each kind of setting."""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import isfinite
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from xrayview.services.settings import Setting

_WIDTH_PX = 200
_FOLDER = Qt.ItemDataRole.UserRole
_SIGNS = ("+", "-")


class Field(QWidget):
    """Shows and edits the value of one setting."""

    edited = Signal(object)
    """The new value, of the setting's kind."""
    refused = Signal(str)
    """Why the typed text is not a value; the old value stays."""
    wide = False
    """The field needs its own line below the description."""

    def __init__(self, row: Setting) -> None:
        super().__init__()
        self.row = row
        self.line = QHBoxLayout(self)
        self.line.setContentsMargins(0, 0, 0, 0)
        self.line.setSpacing(8)

    def show_value(self, value: Any) -> None:
        """Show a value without emitting `edited`."""
        raise NotImplementedError

    def _emit(self, value: object) -> None:
        # Signals with different argument types cannot be connected directly.
        self.edited.emit(value)

    def _add(self, widget: QWidget) -> None:
        widget.setAccessibleName(self.row.description)
        self.setFocusProxy(widget)
        self.line.addWidget(widget)


class SwitchField(Field):
    """A check box for a Boolean."""

    def __init__(self, row: Setting) -> None:
        super().__init__(row)
        self.box = QCheckBox()
        self.box.toggled.connect(self._emit)
        self._add(self.box)

    def show_value(self, value: Any) -> None:
        with QSignalBlocker(self.box):
            self.box.setChecked(value)


class ChoiceField(Field):
    """A combo box for one of several choices."""

    def __init__(self, row: Setting) -> None:
        super().__init__(row)
        self.list = QComboBox()
        self.list.setFixedWidth(_WIDTH_PX)
        for choice in row.choices:
            self.list.addItem(row.title_of(choice), choice)
        self.list.activated.connect(lambda: self.edited.emit(self.list.currentData()))
        self._add(self.list)

    def show_value(self, value: Any) -> None:
        with QSignalBlocker(self.list):
            self.list.setCurrentIndex(self.list.findData(value))


class NumberField(Field):
    """A spin box; a number out of range can be typed, and is refused with a reason."""

    def __init__(self, row: Setting) -> None:
        super().__init__(row)
        self.spin = _spin(row)
        self.spin.setFixedWidth(_WIDTH_PX // 2 + 20)
        self.spin.setSuffix(f" {row.unit}" if row.unit else "")
        self.spin.lineEdit().setTextMargins(6, 0, 0, 0)  # not possible by style sheet
        self.spin.setKeyboardTracking(False)  # emit complete numbers only
        self.spin.valueChanged.connect(self._emit)
        self.spin.refused.connect(self._refuse)
        self._add(self.spin)

    def show_value(self, value: Any) -> None:
        with QSignalBlocker(self.spin):
            self.spin.setValue(value)

    def _refuse(self, text: str) -> None:
        self.refused.emit(f"{self._problem(text)}; the value stays {self.spin.value():g}.")

    def _problem(self, text: str) -> str:
        number = _number(text)
        if number is None:
            return f"“{text}” is not a number" if text else "The field is empty"
        if outside := self.row.problem(self.row.kind(number)):
            return f"{text} {outside}"
        return f"{text} has too many decimals"


class _WholeNumber(QSpinBox):
    refused = Signal(str)

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        return _lenient(super().validate(text, position), self.suffix())

    def fixup(self, text: str) -> str:
        self.refused.emit(_bare(text, self.suffix()))
        return super().fixup(text)


class _DecimalNumber(QDoubleSpinBox):
    refused = Signal(str)

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        return _lenient(super().validate(text, position), self.suffix())

    def fixup(self, text: str) -> str:
        self.refused.emit(_bare(text, self.suffix()))
        return super().fixup(text)


def _lenient(
    validated: tuple[QValidator.State, str, int], suffix: str
) -> tuple[QValidator.State, str, int]:
    """Accept a number out of range while it is typed; Qt would ignore the key silently."""
    state, text, position = validated
    bare = _bare(text, suffix)
    if state == QValidator.State.Invalid and (bare in _SIGNS or _number(bare) is not None):
        state = QValidator.State.Intermediate
    return state, text, position


def _bare(text: str, suffix: str) -> str:
    return text.removesuffix(suffix).strip()


def _number(text: str) -> float | None:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    return number if isfinite(number) else None


def _spin(row: Setting) -> _WholeNumber | _DecimalNumber:
    low, high = row.low or 0, row.high if row.high is not None else 1e9
    if row.kind is int:
        whole = _WholeNumber()
        whole.setRange(int(low), int(high))
        whole.setSingleStep(max(1, round((high - low) / 100)) if high < 1e4 else 256)
        return whole
    spin = _DecimalNumber()
    spin.setDecimals(2 if high <= 1 else 0)
    spin.setRange(low, high)
    spin.setSingleStep(0.05 if high <= 1 else 5)
    return spin


class TextField(Field):
    """A text field with a button to choose a file."""

    wide = True

    def __init__(self, row: Setting) -> None:
        super().__init__(row)
        self.text = QLineEdit()
        self.text.editingFinished.connect(lambda: self.edited.emit(self.text.text().strip()))
        self._add(self.text)
        self.line.addWidget(_button("Choose …", f"Choose a file: {row.description}", self._choose))

    def show_value(self, value: Any) -> None:
        if self.text.text() != value:
            self.text.setText(value)

    def _choose(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, self.row.description, self.text.text())
        if name:
            self.text.setText(name)
            self.edited.emit(name)


class FoldersField(Field):
    """A list of folders with buttons to add and remove."""

    wide = True

    def __init__(self, row: Setting) -> None:
        super().__init__(row)
        self.list = QListWidget()
        self.list.setFixedHeight(72)
        self.list.setProperty("lined", True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideLeft)
        self._add(self.list)
        column = QVBoxLayout()
        column.setSpacing(4)
        name = row.description
        column.addWidget(_button("Add …", f"Add: {name}", self._choose))
        self.remove = _button("Remove", f"Remove: {name}", self._remove)
        self.remove.setEnabled(False)
        self.list.currentRowChanged.connect(lambda row: self.remove.setEnabled(row >= 0))
        column.addWidget(self.remove)
        column.addStretch(1)
        self.line.addLayout(column)

    def show_value(self, value: Any) -> None:
        self.list.clear()
        for folder in value:
            self._append(folder)

    def show_missing(self, missing: Collection[str]) -> None:
        """Mark folders that do not exist now; they stay in the list."""
        for row in range(self.list.count()):
            item = self.list.item(row)
            folder = item.data(_FOLDER)
            item.setText(f"{folder}  (not found)" if folder in missing else folder)

    def folders(self) -> list[str]:
        """The listed folders."""
        return [self.list.item(row).data(_FOLDER) for row in range(self.list.count())]

    def add(self, folder: str) -> None:
        """Add a folder to the list."""
        if folder not in self.folders():
            self._append(folder)
            self.edited.emit(self.folders())

    def _append(self, folder: str) -> None:
        item = QListWidgetItem(folder)
        item.setData(_FOLDER, folder)
        self.list.addItem(item)

    def _choose(self) -> None:
        if name := QFileDialog.getExistingDirectory(self, self.row.description):
            self.add(name)

    def _remove(self) -> None:
        if self.list.takeItem(self.list.currentRow()) is not None:
            self.edited.emit(self.folders())


def _button(text: str, name: str, act: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setAccessibleName(name)
    button.setAutoDefault(False)
    button.clicked.connect(lambda _checked: act())
    return button


_FIELDS: dict[type, type[Field]] = {
    bool: SwitchField,
    int: NumberField,
    float: NumberField,
    str: TextField,
    list: FoldersField,
}


def make_field(row: Setting) -> Field:
    """Make the widget for a setting."""
    return ChoiceField(row) if row.choices else _FIELDS[row.kind](row)
