"""Fields for the input scale of a network: a common scale by name, or custom numbers."""

from __future__ import annotations

import math

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QWidget

from xrayview.domain.input_scales import INPUT_SCALES, InputScale
from xrayview.ui.widgets.form_fields import unset_combo

CUSTOM = "own"
_CUSTOM_TITLE = "Custom"
_NOT_CHOSEN = (
    "Choose the scale of the training films: any other gives wrong scores without an error"
)
_TITLES = (
    *((name, scale.title) for name, scale in INPUT_SCALES.items()),
    (CUSTOM, _CUSTOM_TITLE),
)
_NUMBERS = {
    "value_range": ("Range", "Lowest and highest value, to which greys are scaled"),
    "mean": ("Mean", "Subtracted after scaling: one number, or one per channel"),
    "std": ("Deviation", "Divides the difference: one number, or one per channel"),
}


class ScaleFields(QWidget):
    """Shows the numbers of the chosen scale; they can be edited for a custom one."""

    chosen = Signal(InputScale)
    """A common scale was chosen."""
    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        tip = "Scale of the films that the network was trained on"
        self.names = unset_combo("Input scale", _TITLES, tip)
        self.numbers = {name: QLineEdit() for name in _NUMBERS}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.addWidget(self.names, 0, 0, 1, 3)
        for column, (name, (text, tip)) in enumerate(_NUMBERS.items()):
            title = QLabel(text)
            title.setProperty("role", "quiet")
            edit = self.numbers[name]
            edit.setAccessibleName(f"{text} of the input")
            edit.setToolTip(tip)
            edit.textEdited.connect(self.edited)
            title.setBuddy(edit)
            grid.setColumnStretch(column, 2 if name == "value_range" else 3)
            grid.addWidget(title, 1, column)
            grid.addWidget(edit, 2, column)
        self.setFocusProxy(self.names)
        self.names.currentIndexChanged.connect(self._on_name)
        self._enable()

    def scale(self) -> InputScale:
        """The chosen or custom scale.

        Raises:
            ValueError: none is chosen, or a field does not contain numbers; the message says which.
        """
        name = self.names.currentData()
        if name is None:
            raise ValueError(_NOT_CHOSEN)
        if name != CUSTOM:
            return INPUT_SCALES[name]
        low, high = _parse(self.numbers["value_range"], "Range", exactly=2)
        return InputScale(
            _CUSTOM_TITLE,
            _parse(self.numbers["mean"], "Mean"),
            _parse(self.numbers["std"], "Deviation"),
            (low, high),
        )

    def _on_name(self) -> None:
        name = self.names.currentData()
        if name == CUSTOM:
            if not self.numbers["mean"].text():
                self._show(INPUT_SCALES["plain"])
            self._enable()
        elif name is not None:
            self._show(INPUT_SCALES[name])
            self.chosen.emit(INPUT_SCALES[name])
        self.edited.emit()

    def _show(self, scale: InputScale) -> None:
        per_film = scale.standardize == "film"
        texts = {
            "value_range": _text(scale.value_range),
            "mean": "per film" if per_film else _text(scale.mean),
            "std": "per film" if per_film else _text(scale.std),
        }
        for name, text in texts.items():
            with QSignalBlocker(self.numbers[name]):
                self.numbers[name].setText(text)
                self.numbers[name].setCursorPosition(0)
        self._enable()

    def _enable(self) -> None:
        for edit in self.numbers.values():
            edit.setEnabled(self.names.currentData() == CUSTOM)


def _text(numbers: tuple[float, ...]) -> str:
    return "  ".join(f"{number:g}" for number in numbers)


def _parse(edit: QLineEdit, title: str, exactly: int = 0) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in edit.text().replace(",", " ").split())
    except ValueError:
        numbers = ()
    if not numbers or not all(map(math.isfinite, numbers)) or (exactly not in (0, len(numbers))):
        expected = f"{exactly} numbers" if exactly else "one number, or one per channel"
        raise ValueError(f"{title}: must be {expected}")
    return numbers
