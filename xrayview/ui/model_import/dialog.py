"""The dialog that describes a TorchScript file without a card; problems appear at their fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
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
from xrayview.domain.sentences import without_options
from xrayview.errors import ModelError
from xrayview.io.model.bundle import sidecar_of
from xrayview.io.model.card import MAX_SIDE
from xrayview.services.model_import import ModelDescription, make_card, propose
from xrayview.ui.model_import.findings_table import FindingsTable
from xrayview.ui.model_import.scale_fields import ScaleFields
from xrayview.ui.widgets.banners import Banners
from xrayview.ui.widgets.form_dialog import FormDialog, never_default
from xrayview.ui.widgets.form_fields import combo, label, rule, unset_combo

_LINE_PX = 28
_CHANNELS = ((1, "1 (grey)"), (3, "3 (identical greys)"))
_FITS = (
    ("letterbox", "Letterbox: whole film with borders"),
    ("stretch", "Stretch: whole film, distorted"),
    ("center_crop", "Centre crop: edges cut off"),
)
_NO_FIT = (
    "Choose how the training films were fitted: any other way gives wrong scores without an error"
)
_ACTIVATIONS = (
    ("sigmoid", "Sigmoid: findings are independent"),
    ("softmax", "Softmax: exactly one finding"),
)
_OUTPUTS = (
    ("logits", "Logits: ends without activation"),
    ("probabilities", "Probabilities: ends with activation"),
)
_FIELD_OF = {
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
"""The field of the dialog by the field of the card."""


class ModelImportDialog(FormDialog):
    """Asks for a description; its owner tests and saves the card."""

    described = Signal(ModelCard)
    """A valid card, to be tested on the file."""

    def __init__(self, path: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Describe {path.name}")
        self.resize(960, 600)
        self._path = path
        self.findings = FindingsTable()
        self.height_px, self.width_px = _side("Height"), _side("Width")
        self.channels = combo("Channels", _CHANNELS, 1, "Channels of the input")
        tip = "How the films were fitted to the input in training"
        self.fit = unset_combo("Fit", _FITS, tip)
        self.scale = ScaleFields()
        self.activation = combo(
            "Activation", _ACTIVATIONS, "sigmoid", "Function that turns logits into scores"
        )
        self.outputs = combo("Outputs", _OUTPUTS, "logits", "What the network returns")
        self._fields: dict[str, QWidget] = {
            "findings": self.findings,
            "size": self.height_px,
            "channels": self.channels,
            "fit": self.fit,
            "scale": self.scale,
            "activation": self.activation,
            "outputs": self.outputs,
        }
        self._errors = {name: _error_label() for name in (*self._fields, "")}
        self.questions = Banners()
        self.state = label("", "quiet")
        self.save = QPushButton("Test, save and load")
        self.save.setProperty("primary", True)
        self.save.setDefault(True)
        self.save.setToolTip("Runs the network once on noise; saves the description if it fits")
        self.save.clicked.connect(self._on_save)
        self.scale.chosen.connect(self._on_scale)
        self.scale.edited.connect(lambda: self._clear_error("scale"))
        self.findings.edited.connect(lambda: self._clear_error("findings"))
        for name in ("channels", "fit", "activation", "outputs"):
            box = self._fields[name]
            assert isinstance(box, QComboBox)
            box.currentIndexChanged.connect(lambda _, n=name: self._clear_error(n))
        for spin in (self.height_px, self.width_px):
            spin.valueChanged.connect(lambda _: self._clear_error("size"))
        proposal = self._choose_proposal()
        self._lay_out(proposal)
        self.findings.setFocus()
        self.remember_answers()

    def show_state(self, text: str) -> None:
        """Show what is in progress and block the fields meanwhile; empty unblocks them."""
        if text and self.save.isEnabled():
            self.keep_focus()
        self.state.setText(text)
        self.save.setEnabled(not text)
        self.form.setEnabled(not text)
        if not text:
            self.restore_focus()

    def show_error(self, error: Exception, card_field: str = "") -> None:
        """Show an error at the field for `card_field`, or below all fields."""
        self.show_state("")
        why = getattr(error, "why", "") or getattr(error, "what", "") or str(error)
        hint = getattr(error, "hint", "")
        text = _capitalised(without_options(f"{why}. {hint}").strip())
        self._show_errors({_FIELD_OF.get(card_field, ""): text})

    def error_text(self, field: str = "") -> str:
        """The error shown at a field; empty without one."""
        return self._errors[field].text()

    def _on_save(self) -> None:
        card = self._card()
        if card is not None:
            self.described.emit(card)

    def _card(self) -> ModelCard | None:
        self._show_errors({})
        findings = self.findings.findings()
        if not findings:
            text = "Name the findings, in the order of the network's outputs."
            self._show_errors({"findings": text})
            return None
        errors = {} if self.fit.currentData() else {"fit": _NO_FIT}
        try:
            scale = self.scale.scale()
        except ValueError as error:
            errors["scale"] = str(error)
        if errors:
            self._show_errors(errors)
            return None
        try:
            return make_card(
                self._path,
                ModelDescription(
                    findings,
                    (self.height_px.value(), self.width_px.value()),
                    scale,
                    self.fit.currentData(),
                    self.channels.currentData(),
                    self.activation.currentData(),
                    self.outputs.currentData(),
                ),
            )
        except ModelError as error:
            self._show_errors(_by_field(error.why))
        return None

    def _show_errors(self, texts: Mapping[str, str]) -> None:
        for name, error_label in self._errors.items():
            error_label.setText(texts.get(name, ""))
            error_label.setVisible(name in texts)
            if name in self._fields:
                self._fields[name].setAccessibleDescription(texts.get(name, ""))
        if field := self._fields.get(next(iter(texts), "")):
            field.setFocus()

    def _clear_error(self, name: str) -> None:
        """Clear the error of a field that was edited."""
        for field in (name, ""):
            self._errors[field].hide()
            self._errors[field].setText("")
        self._fields[name].setAccessibleDescription("")

    def _choose_proposal(self) -> str:
        """Choose the input of a network that is recognised, and say so."""
        try:
            proposal = propose(self._path)
        except ModelError:  # testing the description says what is wrong
            return ""
        if proposal is None:
            return ""
        for box, value in (
            (self.scale.names, proposal.scale),
            (self.fit, proposal.fit),
            (self.channels, proposal.channels),
        ):
            if value is not None:
                box.setCurrentIndex(box.findData(value))
        what = "scale, fit and channels are" if proposal.fit else "the scale is"
        return f" It looks like {proposal.title}: {what} chosen accordingly."

    def _on_scale(self, scale: InputScale) -> None:
        if scale.channels is not None:
            self.channels.setCurrentIndex(self.channels.findData(scale.channels))

    def _lay_out(self, proposal: str) -> None:
        intro = label(
            f"{self._path.name} is a TorchScript file without a card. Describe it here; the "
            f"description is saved beside it as {sidecar_of(self._path).name}.{proposal}",
        )
        self.form = QWidget()
        body = QHBoxLayout(self.form)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(24)
        body.addLayout(self._left(), 3)
        body.addLayout(self._right(), 4)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton(self.save, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.rejected.connect(self.reject)
        never_default(buttons.button(QDialogButtonBox.StandardButton.Cancel))
        last = QHBoxLayout()
        last.addWidget(self.state, 1)
        last.addWidget(buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addWidget(intro)
        column.addWidget(rule())
        column.addWidget(self.form, 1)
        column.addWidget(self._errors[""])
        column.addWidget(self.questions)
        column.addLayout(last)

    def _left(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(label("FINDINGS", "heading"))
        column.addWidget(self.findings, 1)
        row = QHBoxLayout()
        row.setSpacing(8)
        actions: tuple[tuple[str, str, Callable[[], None]], ...] = (
            ("Up", "Move the finding up", lambda: self.findings.move_chosen(-1)),
            ("Down", "Move the finding down", lambda: self.findings.move_chosen(1)),
            ("Remove", "Remove the finding", self.findings.remove_chosen),
        )
        for text, tip, act in actions:
            button = QPushButton(text)
            button.setToolTip(tip)
            button.setAccessibleDescription(tip)
            button.setAutoDefault(False)
            button.clicked.connect(act)
            row.addWidget(button)
        row.addStretch(1)
        column.addLayout(row)
        note = "In the order of the network's outputs. You can paste a list."
        column.addWidget(label(note, "quiet"))
        column.addWidget(self._errors["findings"])
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
        column.addWidget(label("INPUT", "heading"))
        self._rows(column, (("Size", "size", size), ("Channels", "channels", self.channels),
                            ("Fit", "fit", self.fit), ("Scale", "scale", self.scale)))  # fmt: skip
        note = "Fit and scale as in training: other ones give wrong scores without an error."
        column.addWidget(label(note, "quiet"))
        column.addSpacing(8)
        column.addWidget(label("OUTPUT", "heading"))
        self._rows(column, (("Outputs", "outputs", self.outputs),
                            ("Activation", "activation", self.activation)))  # fmt: skip
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
        for i, (text, name, field) in enumerate(rows):
            title = QLabel(text)
            title.setBuddy(self._fields[name])
            title.setMinimumHeight(_LINE_PX)
            grid.addWidget(title, 2 * i, 0, Qt.AlignmentFlag.AlignTop)
            if isinstance(field, QWidget):
                grid.addWidget(field, 2 * i, 1)
            else:
                grid.addLayout(field, 2 * i, 1)
            grid.addWidget(self._errors[name], 2 * i + 1, 1)
        column.addLayout(grid)


def _by_field(why: str) -> dict[str, str]:
    """Sort the problems of a card (`field: text; field: text`) by the dialog's fields."""
    texts: dict[str, str] = {}
    for problem in why.split("; "):
        card_field, _, text = problem.partition(": ")
        field = _FIELD_OF.get(card_field.partition("[")[0], "")
        texts[field] = f"{texts[field]}; {text}" if field in texts else _capitalised(text)
    return texts


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _side(name: str) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(8, MAX_SIDE)
    spin.setValue(224)
    spin.setSuffix(" px")
    spin.setAccessibleName(f"{name} of the input")
    spin.setToolTip(f"{name} of the input in pixels")
    spin.lineEdit().setTextMargins(6, 0, 0, 0)  # not possible by style sheet
    spin.setFixedWidth(100)
    return spin


def _error_label() -> QLabel:
    error_label = label("", "error")
    error_label.setTextFormat(Qt.TextFormat.PlainText)
    error_label.hide()
    return error_label
