"""The line above the films: words, stars, and a page of further conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from xrayview.ui.browser.filter import Filter, Verdict
from xrayview.ui.keys import shortcuts
from xrayview.ui.style import icons
from xrayview.ui.style.colours import C

_ANY = "Any finding"


class FilterLine(QWidget):
    """One line of 272 px and less; says which films are asked for."""

    changed = Signal(object)
    confirmed = Signal()
    """Return in the field: the first film that passes is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._chosen = Filter()
        self.field = self._make_field()
        self.star = _button("star", "Starred films only")
        self.star.setCheckable(True)
        self.star.toggled.connect(lambda on: self._choose(replace(self._chosen, starred=on)))
        self.more = _button("filter", "Filter by status and score")
        self.more.clicked.connect(self._open_page)
        self.page = FilterPage(self)
        self.page.changed.connect(self._on_page)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(2)
        for widget in (self.field, self.star, self.more):
            line.addWidget(widget)
        self._draw()

    @property
    def chosen(self) -> Filter:
        """The conditions in force."""
        return self._chosen

    def choose(self, chosen: Filter) -> None:
        """Put other conditions in force."""
        self.field.setText(chosen.text)
        self.star.setChecked(chosen.starred)
        self.page.show_filter(chosen)
        self._choose(chosen)

    def show_findings(self, findings: Sequence[str]) -> None:
        """The findings of the model in force; a condition on another one is dropped."""
        self.page.show_findings(findings)
        if self._chosen.finding and self._chosen.finding not in findings:
            self.choose(replace(self._chosen, finding="", least=0.0))

    def _on_page(self, verdicts: frozenset[Verdict], finding: str, least: float) -> None:
        self._choose(
            replace(
                self._chosen, verdicts=verdicts, finding=finding, least=least if finding else 0.0
            )
        )

    def _choose(self, chosen: Filter) -> None:
        if chosen != self._chosen:
            self._chosen = chosen
            self._draw()
            self.changed.emit(chosen)

    def _draw(self) -> None:
        starred, further = self._chosen.starred, self._chosen.asks_results
        self.star.setIcon(icons.icon("star_filled" if starred else "star"))
        self.more.setIcon(icons.icon("filter", C.accent if further else None))

    def _open_page(self) -> None:
        self.page.show_filter(self._chosen)
        self.page.setFixedWidth(max(self.width(), self.page.sizeHint().width()))
        corner = self.mapToGlobal(QPoint(0, self.height() + 4))
        self.page.move(corner)
        self.page.show()

    def _make_field(self) -> QLineEdit:
        field = QLineEdit()
        field.setAcceptDrops(False)  # a file over it is for the window, not its name for the field
        field.setPlaceholderText("Filter")
        field.setToolTip(f"Words of the film, its path or its group ({shortcuts.label('find')})")
        field.setAccessibleName("Filter the films")
        field.setClearButtonEnabled(True)
        sign = QAction(icons.icon("search"), "", field)
        field.addAction(sign, QLineEdit.ActionPosition.LeadingPosition)
        field.textChanged.connect(lambda text: self._choose(replace(self._chosen, text=text)))
        field.returnPressed.connect(self.confirmed)
        return field


class FilterPage(QFrame):
    """Status, and a finding with the score that it must have."""

    changed = Signal(object, str, float)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("popup", True)
        self.setAccessibleName("Filter by status and score")
        self._shows = False
        self.verdicts = {verdict: _check(verdict) for verdict in Verdict}
        self.finding = QComboBox()
        self.finding.setAccessibleName("Finding")
        self.finding.setToolTip("List films with a score of this finding")
        self.finding.addItem(_ANY, "")
        self.least = QDoubleSpinBox()
        self.least.setRange(0.0, 1.0)
        self.least.setSingleStep(0.05)
        self.least.setValue(0.5)
        self.least.setPrefix("≥ ")
        self.least.setAccessibleName("Score at least")
        self.least.setToolTip("Score at least")
        self.clear = QPushButton("Clear")
        self.clear.setToolTip("List the films of any status and score")
        self._place()
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.hide)
        for box in self.verdicts.values():
            box.toggled.connect(self._tell)
        self.finding.currentIndexChanged.connect(self._tell)
        self.least.valueChanged.connect(self._tell)
        self.clear.clicked.connect(self._clear)

    def show_findings(self, findings: Sequence[str]) -> None:
        """Offer the findings of the model in force."""
        self._shows = True
        kept = self.finding.currentData()
        self.finding.clear()
        self.finding.addItem(_ANY, "")
        for name in findings:
            self.finding.addItem(name, name)
        self.finding.setCurrentIndex(max(0, self.finding.findData(kept)))
        self.finding.setEnabled(bool(findings))
        self._shows = False

    def show_filter(self, chosen: Filter) -> None:
        """Show the conditions in force."""
        self._shows = True
        for verdict, box in self.verdicts.items():
            box.setChecked(verdict in chosen.verdicts)
        self.finding.setCurrentIndex(max(0, self.finding.findData(chosen.finding)))
        if chosen.finding:
            self.least.setValue(chosen.least)
        self.least.setEnabled(bool(chosen.finding))
        self._shows = False

    def _tell(self) -> None:
        if self._shows:
            return
        finding = self.finding.currentData() or ""
        self.least.setEnabled(bool(finding))
        verdicts = frozenset(v for v, box in self.verdicts.items() if box.isChecked())
        self.changed.emit(verdicts, finding, self.least.value())

    def _clear(self) -> None:
        self.show_filter(Filter())
        self._tell()

    def _place(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 12, 12, 12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(1, 2)
        grid.addWidget(_heading("Status"), 0, 0, 1, 2)
        for place, box in enumerate(self.verdicts.values()):
            grid.addWidget(box, 1 + place // 2, place % 2)
        grid.addWidget(_heading("Score"), 4, 0, 1, 2)
        grid.addWidget(self.finding, 5, 0)
        grid.addWidget(self.least, 5, 1)
        grid.addWidget(self.clear, 6, 0, 1, 2)


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label


def _check(verdict: Verdict) -> QCheckBox:
    box = QCheckBox(str(verdict).capitalize())
    box.setAccessibleName(f"Status {verdict}")
    return box


def _button(icon: str, text: str) -> QToolButton:
    button = QToolButton()
    button.setIcon(icons.icon(icon))
    button.setIconSize(QSize(16, 16))
    button.setToolTip(text)
    button.setAccessibleName(text)
    return button
