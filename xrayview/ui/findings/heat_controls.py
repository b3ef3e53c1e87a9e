"""The heat map's controls: on or off, of what, by which method, how strong."""

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

_METHOD_TIP = "How the heat map is made"
_OPACITY_STEP = 10


def abnormal_first(card: ModelCard) -> tuple[str, ...]:
    """The findings as lists of heat maps have them: where a film looks normal asks nobody first."""
    return tuple(known.name for known in sorted(card.findings, key=lambda f: not f.abnormal))


class HeatControls(QWidget):
    """Says what the user asked for; computes nothing."""

    toggled = Signal(bool)
    choice_changed = Signal()
    """Another finding or method."""
    opacity_changed = Signal(float)
    cutoff_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.switch = QPushButton("Off")
        self.switch.setCheckable(True)
        self.switch.setIcon(icons.icon("heat"))
        self.switch.setIconSize(QSize(16, 16))
        shortcuts.describe(self.switch, "heat_map")
        self.switch.toggled.connect(self._on_switch)
        self.finding = _combo()
        shortcuts.describe(self.finding, "heat_finding", "Finding of the heat map")
        self.method = _combo()
        self.method.setAccessibleName("Method of the heat map")
        self.method.setToolTip(_METHOD_TIP)
        for combo in (self.finding, self.method):
            combo.currentIndexChanged.connect(lambda _: self.choice_changed.emit())
        self.opacity, opacity_row = _slider("Opacity", 50, self.opacity_changed)
        self.opacity.setToolTip("Opacity of the strongest place")
        self.cutoff, cutoff_row = _slider("Cut-off", 20, self.cutoff_changed)
        self.cutoff.setToolTip("Evidence below this part of the peak is not drawn")
        self.note = QLabel()
        self.note.setProperty("role", "quiet")
        self.note.setWordWrap(True)
        self.note.hide()
        self._place(opacity_row, cutoff_row)

    def offer(self, findings: Sequence[str], methods: Sequence[str], note: str = "") -> None:
        """The model's findings and methods; the choice stays where it is still offered.

        `note` says where the network was cut for Grad-CAM, or why it cannot be.
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
        place = self.finding.findData(name)
        if place >= 0:
            self.finding.setCurrentIndex(place)

    def start_with(self, name: str, method: str = "") -> None:
        """Choose a finding, and perhaps a method, without asking for its map."""
        with QSignalBlocker(self.finding), QSignalBlocker(self.method):
            self.choose_finding(name)
            place = self.method.findData(method)
            if place >= 0:
                self.method.setCurrentIndex(place)

    def chosen(self) -> tuple[str, str]:
        """Finding and method that are chosen."""
        return self.finding.currentData() or "", self.method.currentData() or DEFAULT_METHOD

    def step_opacity(self, steps: int) -> None:
        """Fainter or stronger by steps of a tenth."""
        self.opacity.setValue(self.opacity.value() + steps * _OPACITY_STEP)

    def set_on(self, on: bool) -> None:
        """Show the switch in a position without telling anybody."""
        with QSignalBlocker(self.switch):
            self.switch.setChecked(on)
        self.switch.setText("On" if on else "Off")

    def show_note(self, text: str) -> None:
        """A line about the map: on its way, no positive evidence, why it failed."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _on_switch(self, on: bool) -> None:
        self.switch.setText("On" if on else "Off")
        self.toggled.emit(on)

    def _place(self, opacity_row: QHBoxLayout, cutoff_row: QHBoxLayout) -> None:
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
        column.addWidget(self.note)


def _combo() -> QComboBox:
    combo = QComboBox()
    combo.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    return combo


def _slider(name: str, value: int, changed: SignalInstance) -> tuple[QSlider, QHBoxLayout]:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(0, 100)
    slider.setValue(value)
    slider.setAccessibleName(name)
    slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    figure = QLabel(f"{value} %")
    figure.setProperty("role", "quiet")
    figure.setMinimumWidth(44)
    figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    slider.valueChanged.connect(lambda percent: figure.setText(f"{percent} %"))
    slider.valueChanged.connect(lambda percent: changed.emit(percent / 100))
    row = QHBoxLayout()
    row.setSpacing(8)
    row.addWidget(slider, 1)
    row.addWidget(figure)
    return slider, row


def _refill(combo: QComboBox, rows: Sequence[tuple[str, str]]) -> None:
    before = combo.currentData()
    combo.clear()
    for text, data in rows:
        combo.addItem(text, data)
    combo.setCurrentIndex(max(0, combo.findData(before)))
