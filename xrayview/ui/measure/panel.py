"""What is drawn on the film on screen, as a list: values, selection, deletion, export."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from xrayview.display.corners import spacing_text
from xrayview.display.measure_text import TITLES, label_lines
from xrayview.display.regions import roi_statistics
from xrayview.domain.measurement import Annotation, Mark, RoiStatistics
from xrayview.domain.radiograph import Spacing
from xrayview.ui.keys import shortcuts
from xrayview.ui.measure.controller import MeasurementController
from xrayview.ui.measure.region_histogram import RegionHistogram

NO_FILM = "No film is open."
NOTHING_DRAWN = "Nothing is drawn on this film. The Measure menu and D, A draw."
_REGIONS = frozenset({Mark.RECTANGLE, Mark.ELLIPSE, Mark.POLYGON})


class MeasurementList(QFrame):
    """Rows in the order of drawing; the chosen row is the selected annotation, either way."""

    export_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self._measuring: MeasurementController | None = None
        self._seen: Annotation | None = None
        self._shown: tuple[object, ...] = ()
        self.view = self._make_view()
        self.message = QLabel(NO_FILM)
        self.message.setProperty("role", "quiet")
        self.message.setWordWrap(True)
        self.spacing = QLabel()
        self.spacing.setProperty("role", "quiet")
        self.histogram = RegionHistogram()
        self.delete = _button("Delete", f"Delete the selected ({shortcuts.label('delete_mark')})")
        self.clear = _button("Delete all", "Delete all on this film; Undo brings them back")
        self.export = _button("Export …", "Export the measurements of the folder as CSV")
        self.uncalibrate = _button("Remove calibration", "Use the film's own spacing again")
        self._place()
        self.setFocusProxy(self.export)

    def follow(self, measuring: MeasurementController) -> None:
        """List what is drawn in the active view, from now on."""
        self._measuring = measuring
        measuring.changed.connect(self.refresh)
        self.delete.clicked.connect(lambda _checked: measuring.active_layer.delete_selected())
        self.clear.clicked.connect(lambda _checked: measuring.active_layer.clear())
        self.uncalibrate.clicked.connect(lambda _checked: measuring.calibrate(None))
        self.export.clicked.connect(lambda _checked: self.export_requested.emit())
        self.view.currentItemChanged.connect(self._on_current)
        self.view.itemDoubleClicked.connect(self._on_double_click)
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Draw the list anew; cheap where the panel is not seen."""
        if self._measuring is None or not self.isVisible():
            return
        active_layer = self._measuring.active_layer
        annotations = active_layer.annotations()
        values = tuple(active_layer.values(annotation) for annotation in annotations)
        shown = (
            active_layer.radiograph,
            active_layer.marks,
            active_layer.spacing,
            annotations,
            values,
            active_layer.selected,
        )
        if shown == self._shown:
            return
        self._shown = shown
        with QSignalBlocker(self.view):
            self.view.clear()
            for number, annotation in enumerate(annotations, 1):
                row = self._row(number, annotation)
                self.view.addTopLevelItem(row)
                if annotation == active_layer.selected:
                    self.view.setCurrentItem(row)
        has_film = active_layer.radiograph is not None
        self.message.setText(NOTHING_DRAWN if has_film else NO_FILM)
        self.message.setVisible(not annotations)
        self.view.setVisible(bool(annotations))
        # Tab would stay where it is before a page whose keyboard is with what is not seen.
        self.setFocusProxy(self.view if annotations else self.export)
        self._show_spacing(active_layer.spacing if has_film else None)
        self.delete.setEnabled(active_layer.selected is not None)
        self.clear.setEnabled(bool(annotations))
        marks = active_layer.marks
        self.uncalibrate.setVisible(marks is not None and marks.marks.calibration is not None)
        self._show_histogram(active_layer.selected)

    def _row(self, number: int, annotation: Annotation) -> QTreeWidgetItem:
        assert self._measuring is not None
        lines = label_lines(annotation, self._measuring.active_layer.values(annotation))
        row = QTreeWidgetItem([str(number), TITLES[annotation.kind], "\n".join(lines)])
        row.setData(0, Qt.ItemDataRole.UserRole, annotation)
        for column in range(3):
            row.setTextAlignment(column, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        row.setToolTip(2, "\n".join(lines))
        return row

    def _show_spacing(self, spacing: Spacing | None) -> None:
        text = f"Lengths rest on: {spacing_text(spacing)}" if spacing is not None else ""
        self.spacing.setText(text)

    def _show_histogram(self, annotation: Annotation | None) -> None:
        assert self._measuring is not None
        film = self._measuring.active_layer.radiograph
        self._seen = annotation
        is_region = annotation is not None and annotation.kind in _REGIONS
        self.histogram.setVisible(is_region)
        if film is None or annotation is None or not is_region:
            self.histogram.show_region(None)
            return

        def show(statistics: RoiStatistics) -> None:
            if self._seen == annotation:
                self.histogram.show_region(statistics)

        kind, points = annotation.kind, annotation.points
        self._measuring.active_layer.later(
            "histogram", lambda: roi_statistics(film, kind, points), show
        )

    def _on_current(self, row: QTreeWidgetItem | None) -> None:
        if self._measuring is not None and row is not None:
            self._measuring.active_layer.select(row.data(0, Qt.ItemDataRole.UserRole))

    def _on_double_click(self, row: QTreeWidgetItem) -> None:
        if self._measuring is not None:
            self._measuring.active_layer.edit_text(row.data(0, Qt.ItemDataRole.UserRole))

    def _make_view(self) -> QTreeWidget:
        view = QTreeWidget()
        view.setHeaderLabels(["#", "Kind", "Value"])
        view.setRootIsDecorated(False)
        view.setStyleSheet("QTreeView::item { padding: 4px 0; }")
        view.setAccessibleName(self.tr("Measurements on the film"))
        header = view.header()
        header.setStretchLastSection(True)
        for column in (0, 1):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        return view

    def _place(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.delete, self.clear):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.export)
        foot = QVBoxLayout()
        foot.setContentsMargins(12, 8, 12, 12)
        foot.setSpacing(8)
        foot.addWidget(self.histogram)
        foot.addWidget(self.spacing)
        foot.addWidget(self.uncalibrate, 0, Qt.AlignmentFlag.AlignLeft)
        foot.addLayout(buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.message.setContentsMargins(12, 8, 12, 8)
        column.addWidget(self.message, 1, Qt.AlignmentFlag.AlignTop)
        column.addWidget(self.view, 1)
        column.addLayout(foot)
        self.histogram.hide()
        self.uncalibrate.hide()


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
