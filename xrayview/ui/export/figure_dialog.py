"""Save or copy a figure of the film on screen: preview at the left, options at the right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from xrayview.domain.figure import FigureStyle
from xrayview.errors import XrayViewError
from xrayview.services.tasks import Tasks
from xrayview.ui.export.shown_film import SVG, ShownFilm
from xrayview.ui.export.stored_choices import StoredChoices
from xrayview.ui.widgets.form_dialog import FormDialog, never_default
from xrayview.ui.widgets.form_fields import ask_for_file, check, combo, image_of, label, rule

_FORMATS = (("png", "PNG"), ("tiff", "TIFF"), (SVG, "SVG (lines and text as vectors)"))
_DEPTHS = (("8", "8 bits"), ("16", "16 bits, grey"))
_PREVIEW_PX = 1000
_SLOT, _SAVE_SLOT, _COPY_SLOT = "figure preview", "save figure", "copy figure"
_OPTIONS = (
    ("heat_map", "Heat map", "As shown on the film"),
    ("colour_bar", "Colour bar", "Scale of the heat map, 0 to 1"),
    ("caption", "Caption", "Finding, score, model and method; window and spacing"),
    ("measurements", "Measurements", "Annotations of the film with their values"),
    ("scale_bar", "Scale bar", "A round length and the kind of spacing; pixels without a spacing"),
    ("letters", "Orientation letters", "Sides of the patient, as on screen"),
    ("corners", "Corner texts", "Sex, age, view and window, as on screen"),
    ("identity", "Name, ID, dates, institution", "Identify the patient in the corner texts"),
)  # fmt: skip
_NO_HEAT = "No heat map is shown on the film"
_NO_MARKS = "Nothing is drawn on the film"
_NO_COLOUR = "16-bit figures have no colour"
_NO_CORNERS = "Part of the corner texts: select these first"


class FigureDialog(FormDialog):
    """Stores its choices for the next figure, except for identity."""

    saved = Signal(Path)
    failed = Signal(XrayViewError)

    def __init__(
        self, film: ShownFilm, tasks: Tasks, choices: StoredChoices, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Save figure")
        self.resize(1040, 700)
        self._film, self._tasks, self._choices = film, tasks, choices
        style = choices.style()
        self.kind = combo("File format", _FORMATS, choices.text("figure_format", "png"))
        self.bits = combo("Grey depth", _DEPTHS, str(style.bits))
        self.boxes: dict[str, QCheckBox] = {
            name: check(text, tip, getattr(style, name)) for name, text, tip in _OPTIONS
        }
        self.preview = _Preview()
        self.size_text = label("", "quiet")
        self.identity_warning = label("The figure identifies the patient.", "warn")
        self.save_button = QPushButton("Save …")
        self.copy_button = QPushButton("Copy")
        self._lay_out()
        for box in self.boxes.values():
            box.toggled.connect(self._on_choice)
        self.kind.currentIndexChanged.connect(self._on_choice)
        self.bits.currentIndexChanged.connect(self._on_choice)
        self.save_button.clicked.connect(self._choose_file)
        self.copy_button.clicked.connect(self._copy)
        self._on_choice()
        self.remember_answers()

    @property
    def style_chosen(self) -> FigureStyle:
        """The style for the figure; options that are not available are off."""
        on = {name: box.isChecked() and box.isEnabled() for name, box in self.boxes.items()}
        return FigureStyle(bits=16 if self._is_deep else 8, **on)

    @property
    def _is_deep(self) -> bool:
        return bool(self.bits.currentData() == "16")

    def write(self, path: Path) -> None:
        """Write the figure; then `saved` or `failed` is emitted."""
        film, style, kind = self._film, self.style_chosen, self.kind.currentData()
        self._store_choices()
        self.keep_focus()
        self.save_button.setEnabled(False)

        def save() -> Path:
            try:
                return film.save(path, style, kind)
            except OSError as error:
                raise _unwritable(path, error) from error

        self._tasks.call(_SAVE_SLOT, save, self._on_saved, self._on_failed)

    def _choose_file(self) -> None:
        path = ask_for_file(self, "Save figure", "figure", self.kind.currentData())
        if path is not None:
            self.write(path)

    def _copy(self) -> None:
        film, style = self._film, self.style_chosen
        self._store_choices()
        self._tasks.call(
            _COPY_SLOT,
            lambda: image_of(film.picture(style)),
            QApplication.clipboard().setImage,
            self.failed.emit,
        )

    def _on_saved(self, path: Path) -> None:
        self.saved.emit(path)
        self.accept()

    def _on_failed(self, error: XrayViewError) -> None:
        self.save_button.setEnabled(True)
        self.restore_focus()
        self.failed.emit(error)

    def _store_choices(self) -> None:
        # An option that is not available for this film keeps its choice for the next one.
        on = {name: box.isChecked() for name, box in self.boxes.items()}
        self._choices.store_style(FigureStyle(bits=16 if self._is_deep else 8, **on))
        self._choices.store(figure_format=self.kind.currentData())
        self.remember_answers()

    # Options and preview

    def _on_choice(self) -> None:
        heat = _NO_HEAT if self._film.heat is None else _NO_COLOUR if self._is_deep else ""
        bar = heat or ("" if self.boxes["heat_map"].isChecked() else _NO_HEAT)
        self._set_available("heat_map", heat)
        self._set_available("colour_bar", bar)
        self._set_available("measurements", "" if self._film.drawings else _NO_MARKS)
        self._set_available("identity", "" if self.boxes["corners"].isChecked() else _NO_CORNERS)
        self.identity_warning.setVisible(self.style_chosen.identity)
        film, style = self._film, self.style_chosen
        self._tasks.call(
            _SLOT, lambda: _small(film.picture(style)), self._on_preview, self.failed.emit
        )

    def _set_available(self, name: str, why_not: str) -> None:
        box = self.boxes[name]
        box.setEnabled(not why_not)
        box.setToolTip(why_not or next(tip for option, _, tip in _OPTIONS if option == name))

    def _on_preview(self, preview: tuple[npt.NDArray[np.uint8], tuple[int, int]]) -> None:
        picture, (height, width) = preview
        self.preview.show_image(image_of(picture))
        self.size_text.setText(f"{width:,} × {height:,} pixels, at the film's resolution")

    def done(self, result: int) -> None:
        for slot in (_SLOT, _SAVE_SLOT, _COPY_SLOT):
            self._tasks.cancel(slot)
        super().done(result)

    def _lay_out(self) -> None:
        side = QVBoxLayout()
        side.setSpacing(8)
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        for row, (text, widget) in enumerate((("Format", self.kind), ("Depth", self.bits))):
            grid.addWidget(QLabel(text), row, 0)
            grid.addWidget(widget, row, 1)
        grid.setColumnStretch(1, 1)
        side.addLayout(grid)
        side.addWidget(self.size_text)
        side.addWidget(rule())
        side.addWidget(label("ON THE FIGURE", "heading"))
        for name, box in self.boxes.items():
            indented = QHBoxLayout()
            indented.addSpacing(22 if name == "identity" else 0)
            indented.addWidget(box)
            side.addLayout(indented)
        side.addWidget(self.identity_warning)
        side.addWidget(label("Every figure says “research use only”.", "quiet"))
        side.addStretch(1)
        note = self._film.burned_in
        if note.text:
            side.addWidget(label(note.text, "warn" if note.kind == "likely" else "quiet"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.save_button.setProperty("primary", True)
        self.save_button.setDefault(True)
        buttons.addButton(self.copy_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.save_button, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.rejected.connect(self.reject)
        never_default(buttons.button(QDialogButtonBox.StandardButton.Cancel), self.copy_button)
        side.addWidget(buttons)
        panel = QWidget()
        panel.setFixedWidth(300)
        panel.setLayout(side)
        side.setContentsMargins(0, 0, 0, 0)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(16, 16, 16, 16)
        whole.setSpacing(16)
        whole.addWidget(self.preview, 1)
        whole.addWidget(panel)


class _Preview(QFrame):
    """Shows the figure as large as fits."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("film", True)
        self.setStyleSheet("background: #000;")
        self.setMinimumSize(QSize(360, 360))
        self._image: QImage | None = None
        self.face = QLabel("Drawing the figure …")
        self.face.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.face.setAccessibleName("Preview of the figure")
        self.face.setMinimumSize(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.face)

    def show_image(self, image: QImage) -> None:
        self._image = image
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._image is None:
            return
        ratio = self.devicePixelRatioF()
        fitted = self._image.scaled(
            self.size() * ratio,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        fitted.setDevicePixelRatio(ratio)
        self.face.setPixmap(QPixmap.fromImage(fitted))


def _small(
    picture: npt.NDArray[Any],
) -> tuple[npt.NDArray[np.uint8], tuple[int, int]]:
    """Scale a picture down for the preview; also return its full size (height, width)."""
    height, width = picture.shape[:2]
    share = min(1.0, _PREVIEW_PX / max(height, width))
    size = max(1, round(width * share)), max(1, round(height * share))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA) if share < 1 else picture
    steps = 257 if picture.dtype == np.uint16 else 1
    return (small // steps).astype(np.uint8), (height, width)


def _unwritable(path: Path, error: OSError) -> XrayViewError:
    return XrayViewError(
        "the figure cannot be written",
        path=path,
        why=error.strerror or type(error).__name__,
        hint="Choose another folder, or close the program that has the file open.",
    )
