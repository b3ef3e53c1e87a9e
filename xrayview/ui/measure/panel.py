"""The list of the displayed film's annotations: values, selection, deletion, export."""

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

from xrayview.display.inspector import spacing_attributes
from xrayview.display.measure_text import TITLES, label_lines, lengths_text
from xrayview.display.regions import roi_statistics
from xrayview.domain.measurement import Annotation, Mark, RoiStatistics
from xrayview.domain.radiograph import Radiograph, Spacing
from xrayview.ui.keys import shortcuts
from xrayview.ui.measure.controller import MeasurementController
from xrayview.ui.measure.region_histogram import RegionHistogram

NO_FILM = "No film is open."
NOTHING_DRAWN = "No measurements on this film. Choose a tool in the Measure menu, or press D or A."
_REGIONS = frozenset({Mark.RECTANGLE, Mark.ELLIPSE, Mark.POLYGON})


class MeasurementList(QFrame):
    """Rows in the order of drawing; the current row and the selected annotation stay in step."""

    export_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self._controller: MeasurementController | None = None
        self._histogram_annotation: Annotation | None = None
        self._state: tuple[object, ...] = ()
        self.view = self._make_view()
        self.message = QLabel(NO_FILM)
        self.message.setProperty("role", "quiet")
        self.message.setWordWrap(True)
        self.spacing = QLabel()
        self.spacing.setProperty("role", "quiet")
        self.histogram = RegionHistogram()
        self.delete = _button(
            "Delete", f"Delete the selected annotation ({shortcuts.key_label('delete_mark')})"
        )
        self.clear = _button("Delete all", "Delete all annotations on this film; can be undone")
        self.export = _button("Export …", "Export the measurements of the folder as CSV")
        self.uncalibrate = _button("Remove calibration", "Use the film's own spacing again")
        self._lay_out()
        self.setFocusProxy(self.export)

    def follow(self, controller: MeasurementController) -> None:
        """List the annotations of the active view from now on."""
        self._controller = controller
        controller.changed.connect(self.refresh)
        self.delete.clicked.connect(lambda _checked: controller.active_layer.delete_selected())
        self.clear.clicked.connect(lambda _checked: controller.active_layer.clear())
        self.uncalibrate.clicked.connect(lambda _checked: controller.calibrate(None))
        self.export.clicked.connect(lambda _checked: self.export_requested.emit())
        self.view.currentItemChanged.connect(self._on_current)
        self.view.itemDoubleClicked.connect(self._on_double_click)
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Update the list; cheap while the panel is hidden."""
        if self._controller is None or not self.isVisible():
            return
        layer = self._controller.active_layer
        annotations = layer.annotations()
        values = tuple(layer.values(annotation) for annotation in annotations)
        state = (
            layer.radiograph,
            layer.marks,
            layer.spacing,
            annotations,
            values,
            layer.selected,
        )
        if state == self._state:
            return
        self._state = state
        with QSignalBlocker(self.view):
            self.view.clear()
            for number, annotation in enumerate(annotations, 1):
                row = self._row(number, annotation)
                self.view.addTopLevelItem(row)
                if annotation == layer.selected:
                    self.view.setCurrentItem(row)
        has_film = layer.radiograph is not None
        self.message.setText(NOTHING_DRAWN if has_film else NO_FILM)
        self.message.setVisible(not annotations)
        self.view.setVisible(bool(annotations))
        # Tab would stop in front of a page whose focus proxy is hidden.
        self.setFocusProxy(self.view if annotations else self.export)
        self._show_spacing(layer.spacing if has_film else None, layer.radiograph)
        self.delete.setEnabled(layer.selected is not None)
        self.clear.setEnabled(bool(annotations))
        marks = layer.marks
        self.uncalibrate.setVisible(marks is not None and marks.marks.calibration is not None)
        self._show_histogram(layer.selected)

    def _row(self, number: int, annotation: Annotation) -> QTreeWidgetItem:
        assert self._controller is not None
        lines = label_lines(annotation, self._controller.active_layer.values(annotation))
        row = QTreeWidgetItem([str(number), TITLES[annotation.kind], "\n".join(lines)])
        row.setData(0, Qt.ItemDataRole.UserRole, annotation)
        for column in range(3):
            row.setTextAlignment(column, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        row.setToolTip(2, "\n".join(lines))
        return row

    def _show_spacing(self, spacing: Spacing | None, film: Radiograph | None) -> None:
        attributes = spacing_attributes(film) if film is not None else ()
        self.spacing.setText(lengths_text(spacing, attributes) if spacing is not None else "")

    def _show_histogram(self, annotation: Annotation | None) -> None:
        assert self._controller is not None
        film = self._controller.active_layer.radiograph
        self._histogram_annotation = annotation
        is_region = annotation is not None and annotation.kind in _REGIONS
        self.histogram.setVisible(is_region)
        if film is None or annotation is None or not is_region:
            self.histogram.show_region(None)
            return

        def show(statistics: RoiStatistics) -> None:
            if self._histogram_annotation == annotation:
                self.histogram.show_region(statistics)

        kind, points = annotation.kind, annotation.points
        self._controller.active_layer.later(
            "histogram", lambda: roi_statistics(film, kind, points), show
        )

    def _on_current(self, row: QTreeWidgetItem | None) -> None:
        if self._controller is not None and row is not None:
            self._controller.active_layer.select(row.data(0, Qt.ItemDataRole.UserRole))

    def _on_double_click(self, row: QTreeWidgetItem) -> None:
        if self._controller is not None:
            self._controller.active_layer.edit_text(row.data(0, Qt.ItemDataRole.UserRole))

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

    def _lay_out(self) -> None:
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
