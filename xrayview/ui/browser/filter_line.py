"""The line above the films: a text field, the star filter, and a page of further conditions."""

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
    """Edits the filter in one line, which may be as narrow as 272 px."""

    changed = Signal(Filter)
    confirmed = Signal()
    """Return was pressed in the field: open the first film that passes."""

    def __init__(self) -> None:
        super().__init__()
        self._criteria = Filter()
        self.field = self._make_field()
        self.star = _button("star", "Starred films only")
        self.star.setCheckable(True)
        self.star.toggled.connect(lambda on: self._apply(replace(self._criteria, starred=on)))
        self.more = _button("filter", "Filter by verdict and score")
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
    def criteria(self) -> Filter:
        """The conditions in force."""
        return self._criteria

    def set_criteria(self, criteria: Filter) -> None:
        """Replace the conditions."""
        self.field.setText(criteria.text)
        self.star.setChecked(criteria.starred)
        self.page.show_filter(criteria)
        self._apply(criteria)

    def show_findings(self, findings: Sequence[str]) -> None:
        """Offer the findings of the model; drop a condition on any other."""
        self.page.show_findings(findings)
        if self._criteria.finding and self._criteria.finding not in findings:
            self.set_criteria(replace(self._criteria, finding="", minimum=0.0))

    def _on_page(self, verdicts: frozenset[Verdict], finding: str, minimum: float) -> None:
        minimum = minimum if finding else 0.0
        self._apply(replace(self._criteria, verdicts=verdicts, finding=finding, minimum=minimum))

    def _apply(self, criteria: Filter) -> None:
        if criteria != self._criteria:
            self._criteria = criteria
            self._draw()
            self.changed.emit(criteria)

    def _draw(self) -> None:
        starred, further = self._criteria.starred, self._criteria.needs_results
        self.star.setIcon(icons.icon("star_filled" if starred else "star"))
        self.more.setIcon(icons.icon("filter", C.accent if further else None))

    def _open_page(self) -> None:
        self.page.show_filter(self._criteria)
        self.page.setFixedWidth(max(self.width(), self.page.sizeHint().width()))
        corner = self.mapToGlobal(QPoint(0, self.height() + 4))
        self.page.move(corner)
        self.page.show()

    def _make_field(self) -> QLineEdit:
        field = QLineEdit()
        field.setAcceptDrops(False)  # a dropped file opens in the window
        field.setPlaceholderText("Filter")  # longer texts do not fit a narrow panel
        field.setToolTip(f"Text in the film, its path or its group ({shortcuts.key_label('find')})")
        field.setAccessibleName("Filter films")
        field.setClearButtonEnabled(True)
        search = QAction(icons.icon("search"), "", field)
        field.addAction(search, QLineEdit.ActionPosition.LeadingPosition)
        field.textChanged.connect(lambda text: self._apply(replace(self._criteria, text=text)))
        field.returnPressed.connect(self.confirmed)
        return field


class FilterPage(QFrame):
    """A page to filter by verdict and by the score of a finding."""

    changed = Signal(frozenset, str, float)
    """The verdicts, the finding (may be empty) and its minimum score."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("popup", True)
        self.setAccessibleName("Filter by verdict and score")
        self._is_filling = False
        self.verdicts = {verdict: _check(verdict) for verdict in Verdict}
        self.finding = QComboBox()
        self.finding.setAccessibleName("Finding")
        self.finding.setToolTip("List only films scored for this finding")
        self.finding.addItem(_ANY, "")
        self.minimum = QDoubleSpinBox()
        self.minimum.setRange(0.0, 1.0)
        self.minimum.setSingleStep(0.05)
        self.minimum.setValue(0.5)
        self.minimum.setPrefix("≥ ")
        self.minimum.setAccessibleName("Minimum score")
        self.minimum.setToolTip("Minimum score")
        self.clear = QPushButton("Clear")
        self.clear.setToolTip("List films of any verdict and score")
        self._lay_out()
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.hide)
        for box in self.verdicts.values():
            box.toggled.connect(self._emit)
        self.finding.currentIndexChanged.connect(self._emit)
        self.minimum.valueChanged.connect(self._emit)
        self.clear.clicked.connect(self._clear)

    def show_findings(self, findings: Sequence[str]) -> None:
        """Offer the findings of the model."""
        self._is_filling = True
        previous = self.finding.currentData()
        self.finding.clear()
        self.finding.addItem(_ANY, "")
        for name in findings:
            self.finding.addItem(name, name)
        self.finding.setCurrentIndex(max(0, self.finding.findData(previous)))
        self.finding.setEnabled(bool(findings))
        self._is_filling = False

    def show_filter(self, criteria: Filter) -> None:
        """Show these conditions."""
        self._is_filling = True
        for verdict, box in self.verdicts.items():
            box.setChecked(verdict in criteria.verdicts)
        self.finding.setCurrentIndex(max(0, self.finding.findData(criteria.finding)))
        if criteria.finding:
            self.minimum.setValue(criteria.minimum)
        self.minimum.setEnabled(bool(criteria.finding))
        self._is_filling = False

    def _emit(self) -> None:
        if self._is_filling:
            return
        finding = self.finding.currentData() or ""
        self.minimum.setEnabled(bool(finding))
        verdicts = frozenset(v for v, box in self.verdicts.items() if box.isChecked())
        self.changed.emit(verdicts, finding, self.minimum.value())

    def _clear(self) -> None:
        self.show_filter(Filter())
        self._emit()

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 12, 12, 12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(1, 2)
        grid.addWidget(_heading("Verdict"), 0, 0, 1, 2)
        for i, box in enumerate(self.verdicts.values()):
            grid.addWidget(box, 1 + i // 2, i % 2)
        grid.addWidget(_heading("Score"), 4, 0, 1, 2)
        grid.addWidget(self.finding, 5, 0)
        grid.addWidget(self.minimum, 5, 1)
        grid.addWidget(self.clear, 6, 0, 1, 2)


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label


def _check(verdict: Verdict) -> QCheckBox:
    box = QCheckBox(str(verdict))
    box.setAccessibleName(f"Verdict {verdict}")
    return box


def _button(icon: str, text: str) -> QToolButton:
    button = QToolButton()
    button.setIcon(icons.icon(icon))
    button.setIconSize(QSize(16, 16))
    button.setToolTip(text)
    button.setAccessibleName(text)
    return button
