"""What its user knows of a TorchScript file without a card; refusals stand at their fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from xrayview.domain.input_scales import InputScale
from xrayview.domain.model import ModelCard
from xrayview.errors import ModelError
from xrayview.io.model.bundle import sidecar_of
from xrayview.io.model.card import MAX_SIDE
from xrayview.services.model_import import ModelDescription, make_card
from xrayview.ui.model_import.findings_table import FindingsTable
from xrayview.ui.model_import.scale_fields import ScaleFields
from xrayview.ui.widgets.banners import Banners
from xrayview.ui.widgets.form_fields import combo, label, rule

_LINE_PX = 28
_CHANNELS = ((1, "1, grey"), (3, "3, equal"))
_FITS = (
    ("letterbox", "Letterbox: whole, with borders"),
    ("stretch", "Stretch: whole, distorted"),
    ("center_crop", "Centre crop: filled, edges cut"),
)
_ACTIVATIONS = (
    ("sigmoid", "Each finding for itself (sigmoid)"),
    ("softmax", "One of the findings (softmax)"),
)
_OUTPUTS = (
    ("logits", "Logits: no activation at its end"),
    ("probabilities", "Probabilities: it ends in that activation"),
)
_PLACES = {
    "findings": "findings",
    "preprocessing.size": "size",
    "preprocessing.channels": "channels",
    "preprocessing.fit": "fit",
    "preprocessing.mean": "scale",
    "preprocessing.std": "scale",
    "preprocessing.value_range": "scale",
    "activation": "activation",
    "inference.outputs": "outputs",
}
"""Place in the card -> the field that it comes from."""


class ModelImportDialog(QDialog):
    """Asks; what becomes of the answers is its owner's."""

    answered = Signal(object)
    """A valid card of the answers, to be tried on the file."""

    def __init__(self, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Describe {path.name}")
        self.resize(960, 600)
        self._path = path
        self.findings = FindingsTable()
        self.height_px, self.width_px = _side("Height"), _side("Width")
        self.channels = _chooser("Channels", _CHANNELS, "Of the input; three are three times grey")
        self.fit = _chooser("Fit", _FITS, "How an oblong film becomes the input")
        self.scale = ScaleFields()
        self.activation = _chooser("Scores", _ACTIVATIONS, "What makes scores of its logits")
        self.outputs = _chooser("It gives", _OUTPUTS, "What comes out at the network's end")
        self._fields: dict[str, QWidget] = {
            "findings": self.findings,
            "size": self.height_px,
            "channels": self.channels,
            "fit": self.fit,
            "scale": self.scale,
            "activation": self.activation,
            "outputs": self.outputs,
        }
        self._refusals = {name: _refusal() for name in (*self._fields, "")}
        self.questions = Banners()
        self.state = label("", "quiet")
        self.save = QPushButton("Try, save and open")
        self.save.setProperty("primary", True)
        self.save.setDefault(True)
        self.save.setToolTip("Runs the network once on noise; what it does not keep is not saved")
        self.save.clicked.connect(self._on_save)
        self.scale.chosen.connect(self._on_scale)
        self.scale.edited.connect(lambda: self._forget("scale"))
        self.findings.edited.connect(lambda: self._forget("findings"))
        for name in ("channels", "fit", "activation", "outputs"):
            box = self._fields[name]
            assert isinstance(box, QComboBox)
            box.currentIndexChanged.connect(lambda _, n=name: self._forget(n))
        for spin in (self.height_px, self.width_px):
            spin.valueChanged.connect(lambda _: self._forget("size"))
        self._place()
        self.findings.setFocus()

    def show_state(self, text: str) -> None:
        """What is under way; while there is something, no other answers can be given."""
        self.state.setText(text)
        self.save.setEnabled(not text)
        self._body.setEnabled(not text)

    def show_refusal(self, error: Exception, place: str = "") -> None:
        """Why the answers do not hold, at the field that `place` of the card comes from."""
        self.show_state("")
        why = getattr(error, "why", "") or getattr(error, "what", "") or str(error)
        hint = getattr(error, "hint", "")
        self._refuse({_PLACES.get(place, ""): _sentence(f"{why}. {hint}".strip())})

    def refusal(self, field: str = "") -> str:
        """What stands at a field, empty where nothing does."""
        return self._refusals[field].text()

    def _on_save(self) -> None:
        card = self._card()
        if card is not None:
            self.answered.emit(card)

    def _card(self) -> ModelCard | None:
        self._refuse({})
        findings = self.findings.findings()
        if not findings:
            self._refuse({"findings": "Name what it scores, in the order of its outputs."})
            return None
        try:
            return make_card(
                self._path,
                ModelDescription(
                    findings,
                    (self.height_px.value(), self.width_px.value()),
                    self.channels.currentData(),
                    self.activation.currentData(),
                    self.outputs.currentData(),
                    self.scale.scale(),
                    self.fit.currentData(),
                ),
            )
        except ValueError as error:
            self._refuse({"scale": str(error)})
        except ModelError as error:
            self._refuse(_by_field(error.why))
        return None

    def _refuse(self, words: Mapping[str, str]) -> None:
        for name, told in self._refusals.items():
            told.setText(words.get(name, ""))
            told.setVisible(name in words)
            if name in self._fields:
                self._fields[name].setAccessibleDescription(words.get(name, ""))
        if field := self._fields.get(next(iter(words), "")):
            field.setFocus()

    def _forget(self, name: str) -> None:
        """A refusal goes with the answer that it was about."""
        for field in (name, ""):
            self._refusals[field].hide()
            self._refusals[field].setText("")
        self._fields[name].setAccessibleDescription("")

    def _on_scale(self, scale: InputScale) -> None:
        if scale.channels is not None:
            self.channels.setCurrentIndex(self.channels.findData(scale.channels))

    def _place(self) -> None:
        intro = label(
            f"{self._path.name} is a TorchScript file without a card. What you say of it here is "
            f"kept beside it, in {sidecar_of(self._path).name}.",
        )
        self._body = QWidget()
        body = QHBoxLayout(self._body)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(24)
        body.addLayout(self._left(), 3)
        body.addLayout(self._right(), 4)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton(self.save, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.rejected.connect(self.reject)
        last = QHBoxLayout()
        last.addWidget(self.state, 1)
        last.addWidget(buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(intro)
        column.addWidget(rule())
        column.addWidget(self._body, 1)
        column.addWidget(self._refusals[""])
        column.addWidget(self.questions)
        column.addLayout(last)

    def _left(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(label("WHAT IT SCORES", "heading"))
        column.addWidget(self.findings, 1)
        row = QHBoxLayout()
        row.setSpacing(8)
        acts: tuple[tuple[str, str, Callable[[], None]], ...] = (
            ("Up", "Move the finding up", lambda: self.findings.move_chosen(-1)),
            ("Down", "Move the finding down", lambda: self.findings.move_chosen(1)),
            ("Remove", "Remove the finding", self.findings.remove_chosen),
        )
        for text, tip, act in acts:
            button = QPushButton(text)
            button.setToolTip(tip)
            button.setAccessibleDescription(tip)
            button.setAutoDefault(False)
            button.clicked.connect(act)
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(label("In the order of its outputs; a list can be pasted.", "quiet"))
        column.addWidget(self._refusals["findings"])
        return column

    def _right(self) -> QVBoxLayout:
        size = QHBoxLayout()
        size.setSpacing(8)
        size.addWidget(self.height_px)
        size.addWidget(QLabel("×"))
        size.addWidget(self.width_px)
        size.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(label("WHAT IT TAKES", "heading"))
        self._rows(column, (("Size", "size", size), ("Channels", "channels", self.channels),
                            ("Fit", "fit", self.fit), ("Scale", "scale", self.scale)))  # fmt: skip
        column.addSpacing(8)
        column.addWidget(label("WHAT IT GIVES", "heading"))
        self._rows(column, (("It gives", "outputs", self.outputs),
                            ("Scores", "activation", self.activation)))  # fmt: skip
        column.addStretch(1)
        return column

    def _rows(
        self, column: QVBoxLayout, rows: tuple[tuple[str, str, QWidget | QHBoxLayout], ...]
    ) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        grid.setColumnMinimumWidth(0, 72)
        grid.setColumnStretch(1, 1)
        for number, (title, name, field) in enumerate(rows):
            words = QLabel(title)
            words.setBuddy(self._fields[name])
            words.setMinimumHeight(_LINE_PX)
            grid.addWidget(words, 2 * number, 0, Qt.AlignmentFlag.AlignTop)
            if isinstance(field, QWidget):
                grid.addWidget(field, 2 * number, 1)
            else:
                grid.addLayout(field, 2 * number, 1)
            grid.addWidget(self._refusals[name], 2 * number + 1, 1)
        column.addLayout(grid)


def _by_field(why: str) -> dict[str, str]:
    """The card's problems (`place: words; place: words`) by the fields that they come from."""
    words: dict[str, str] = {}
    for problem in why.split("; "):
        place, _, text = problem.partition(": ")
        field = _PLACES.get(place.partition("[")[0], "")
        words[field] = f"{words[field]}; {text}" if field in words else _sentence(text)
    return words


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _side(name: str) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(8, MAX_SIDE)
    spin.setValue(224)
    spin.setSuffix(" px")
    spin.setAccessibleName(f"{name} of the input")
    spin.setToolTip(f"{name} of the input in pixels")
    spin.lineEdit().setTextMargins(6, 0, 0, 0)  # a style sheet cannot
    spin.setFixedWidth(100)
    return spin


def _chooser(name: str, choices: tuple[tuple[object, str], ...], tip: str) -> QComboBox:
    box = combo(name, choices, "")  # type: ignore[arg-type]
    box.setToolTip(tip)
    return box


def _refusal() -> QLabel:
    told = label("", "error")
    told.setTextFormat(Qt.TextFormat.PlainText)
    told.hide()
    return told
