"""How greys become what a network takes: a usual scale by its name, or figures of one's own."""

from __future__ import annotations

import math

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QLineEdit, QWidget

from xrayview.domain.input_scales import INPUT_SCALES, InputScale
from xrayview.ui.widgets.form_fields import combo

OWN = "own"
_TITLES = (*((name, scale.title) for name, scale in INPUT_SCALES.items()), (OWN, "Own figures"))
_FIGURES = {
    "value_range": ("Range", "Lowest and highest value that a grey of 0..1 becomes"),
    "mean": ("Mean", "Is taken from that: one figure, or one for each channel"),
    "std": ("Deviation", "Divides it then: one figure, or one for each channel"),
}


class ScaleFields(QWidget):
    """The figures of the chosen scale are always to be seen."""

    chosen = Signal(object)
    """The scale whose name was chosen."""
    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.names = combo("Scale of the input", _TITLES, "plain")
        self.names.setToolTip("What the network's training films were brought to")
        self.figures = {name: QLineEdit() for name in _FIGURES}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.addWidget(self.names, 0, 0, 1, 3)
        for column, (name, (title, tip)) in enumerate(_FIGURES.items()):
            words = QLabel(title)
            words.setProperty("role", "quiet")
            edit = self.figures[name]
            edit.setAccessibleName(f"{title} of the input")
            edit.setToolTip(tip)
            edit.textEdited.connect(self.edited)
            words.setBuddy(edit)
            grid.setColumnStretch(column, 2 if name == "value_range" else 3)
            grid.addWidget(words, 1, column)
            grid.addWidget(edit, 2, column)
        self.setFocusProxy(self.names)
        self.names.currentIndexChanged.connect(self._on_name)
        self._show(INPUT_SCALES["plain"])

    def scale(self) -> InputScale:
        """What is chosen.

        Raises:
            ValueError: figures of one's own that are no numbers; its text says which.
        """
        name = self.names.currentData()
        if name != OWN:
            return INPUT_SCALES[name]
        low, high = _numbers(self.figures["value_range"], "Range", exactly=2)
        return InputScale(
            "Own figures",
            _numbers(self.figures["mean"], "Mean"),
            _numbers(self.figures["std"], "Deviation"),
            (low, high),
        )

    def _on_name(self) -> None:
        name = self.names.currentData()
        if name == OWN:
            self._enable()
        else:
            self._show(INPUT_SCALES[name])
            self.chosen.emit(INPUT_SCALES[name])
        self.edited.emit()

    def _show(self, scale: InputScale) -> None:
        by_film = scale.standardize == "film"
        texts = {
            "value_range": _text(scale.value_range),
            "mean": "the film's" if by_film else _text(scale.mean),
            "std": "the film's" if by_film else _text(scale.std),
        }
        for name, text in texts.items():
            with QSignalBlocker(self.figures[name]):
                self.figures[name].setText(text)
                self.figures[name].setCursorPosition(0)
        self._enable()

    def _enable(self) -> None:
        for edit in self.figures.values():
            edit.setEnabled(self.names.currentData() == OWN)


def _text(figures: tuple[float, ...]) -> str:
    return "  ".join(f"{figure:g}" for figure in figures)


def _numbers(edit: QLineEdit, title: str, exactly: int = 0) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in edit.text().replace(",", " ").split())
    except ValueError:
        numbers = ()
    if not numbers or not all(map(math.isfinite, numbers)) or (exactly not in (0, len(numbers))):
        wanted = f"{exactly} numbers" if exactly else "a number, or one for each channel"
        raise ValueError(f"{title}: must be {wanted}")
    return numbers
