"""The controls of the heat map: switch, finding, method, opacity and cut-off."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal, SignalInstance
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from xrayview.domain.heat_map_methods import DEFAULT_METHOD, HEAT_MAP_METHODS, method_title
from xrayview.domain.model import ModelCard
from xrayview.ui.keys import shortcuts
from xrayview.ui.style import icons

_METHOD_TIP = "Method that computes the heat map"
_OPACITY_STEP = 10


def abnormal_first(card: ModelCard) -> tuple[str, ...]:
    """The findings in the order of heat-map lists: abnormal ones first, as they matter more."""
    return tuple(finding.name for finding in sorted(card.findings, key=lambda f: not f.abnormal))


class HeatControls(QWidget):
    """Emits what the user chooses; computes nothing."""

    toggled = Signal(bool)
    choice_changed = Signal()
    """Another finding or method was chosen."""
    opacity_changed = Signal(float)
    cutoff_changed = Signal(float)
    cancel_requested = Signal()
    """The map in progress is not wanted any more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.switch = QPushButton("Off")
        self.switch.setCheckable(True)
        self.switch.setIcon(icons.icon("heat"))
        self.switch.setIconSize(QSize(16, 16))
        shortcuts.describe(self.switch, "heat_map")
        self.switch.toggled.connect(self._on_switch)
        self.finding = _combo_box()
        shortcuts.describe(self.finding, "heat_finding", "Finding of the heat map")
        self.method = _combo_box()
        self.method.setAccessibleName("Heat-map method")
        self.method.setToolTip(_METHOD_TIP)
        for combo in (self.finding, self.method):
            combo.currentIndexChanged.connect(lambda _: self.choice_changed.emit())
        self.opacity, opacity_row = _slider("Opacity", 50, self.opacity_changed)
        self.opacity.setToolTip("Opacity where the evidence is strongest")
        self.cutoff, cutoff_row = _slider("Cut-off", 20, self.cutoff_changed)
        self.cutoff.setToolTip("Evidence below this percentage of the peak is not drawn")
        self.note = QLabel()
        self.note.setProperty("role", "quiet")
        self.note.setWordWrap(True)
        self.note.hide()
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop computing this heat map")
        self.cancel.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.cancel.clicked.connect(self.cancel_requested)
        self.cancel.hide()
        self._lay_out(opacity_row, cutoff_row)

    def offer(self, findings: Sequence[str], methods: Sequence[str], note: str = "") -> None:
        """List the model's findings and methods; a choice that is still offered stays.

        `note` says where the network was cut for Grad-CAM, or why it could not be.
        """
        self.method.setToolTip(f"{_METHOD_TIP}\nThis network {note}" if note else _METHOD_TIP)
        with QSignalBlocker(self.finding), QSignalBlocker(self.method):
            _refill(self.finding, [(name, name) for name in findings])
            _refill(self.method, [(method_title(m), m) for m in methods])
            for index, method in enumerate(methods):
                reference = HEAT_MAP_METHODS[method].reference
                self.method.setItemData(index, reference, Qt.ItemDataRole.ToolTipRole)
        self.setEnabled(bool(findings and methods))

    def choose_finding(self, name: str) -> None:
        """Choose a finding; `choice_changed` follows if it changes."""
        index = self.finding.findData(name)
        if index >= 0:
            self.finding.setCurrentIndex(index)

    def start_with(self, name: str, method: str = "") -> None:
        """Choose a finding, and perhaps a method, without requesting a heat map."""
        with QSignalBlocker(self.finding), QSignalBlocker(self.method):
            self.choose_finding(name)
            index = self.method.findData(method)
            if index >= 0:
                self.method.setCurrentIndex(index)

    def chosen(self) -> tuple[str, str]:
        """The chosen finding (may be empty) and method."""
        return self.finding.currentData() or "", self.method.currentData() or DEFAULT_METHOD

    def step_opacity(self, steps: int) -> None:
        """Change the opacity by steps of 10 %."""
        self.opacity.setValue(self.opacity.value() + steps * _OPACITY_STEP)

    def set_on(self, on: bool) -> None:
        """Set the switch without emitting `toggled`."""
        with QSignalBlocker(self.switch):
            self.switch.setChecked(on)
        self.switch.setText("On" if on else "Off")

    def show_note(self, text: str, *, can_cancel: bool = False) -> None:
        """Show a line about the map: in progress, no positive evidence, or why it failed."""
        self.note.setText(text)
        self.note.setVisible(bool(text))
        self.cancel.setVisible(can_cancel)

    def _on_switch(self, on: bool) -> None:
        self.switch.setText("On" if on else "Off")
        self.toggled.emit(on)

    def _lay_out(self, opacity_row: QHBoxLayout, cutoff_row: QHBoxLayout) -> None:
        head = QHBoxLayout()
        title = QLabel("HEAT MAP")
        title.setProperty("role", "heading")
        head.addWidget(title, 1)
        head.addWidget(self.switch)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        rows: tuple[tuple[str, QWidget | QHBoxLayout], ...] = (
            ("Finding", self.finding),
            ("Method", self.method),
            ("Opacity", opacity_row),
            ("Cut-off", cutoff_row),
        )
        for row, (text, field) in enumerate(rows):
            label = QLabel(text)
            label.setProperty("role", "quiet")
            grid.addWidget(label, row, 0)
            if isinstance(field, QWidget):
                grid.addWidget(field, row, 1)
            else:
                grid.addLayout(field, row, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addLayout(grid)
        note_row = QHBoxLayout()
        note_row.setSpacing(8)
        note_row.addWidget(self.note, 1)
        note_row.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignTop)
        column.addLayout(note_row)


def _combo_box() -> QComboBox:
    box = QComboBox()
    box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(8)
    return box


def _slider(name: str, value: int, changed: SignalInstance) -> tuple[QSlider, QHBoxLayout]:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(0, 100)
    slider.setValue(value)
    slider.setAccessibleName(name)
    slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    reading = QLabel(f"{value} %")
    reading.setProperty("role", "quiet")
    reading.setMinimumWidth(44)
    reading.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    slider.valueChanged.connect(lambda percent: reading.setText(f"{percent} %"))
    slider.valueChanged.connect(lambda percent: changed.emit(percent / 100))
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(slider, 1)
    row.addWidget(reading)
    return slider, row


def _refill(box: QComboBox, rows: Sequence[tuple[str, str]]) -> None:
    previous = box.currentData()
    box.clear()
    for text, data in rows:
        box.addItem(text, data)
    box.setCurrentIndex(max(0, box.findData(previous)))
