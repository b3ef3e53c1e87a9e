"""The status line: film or pixel, the research notice, and the device that the model runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QStatusBar

from xrayview.ui.widgets.elided_label import ElidedLabel

if TYPE_CHECKING:
    from xrayview.domain.radiograph import Radiograph
    from xrayview.engine.protocol import ModelReady

NOTICE = "RESEARCH USE ONLY · not for diagnosis"

_PIXEL_TIP = "Row and column from 0; stored value, value after the Modality LUT, displayed value"


class StatusLine(QStatusBar):
    """Three texts; the notice in the middle is always visible."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizeGripEnabled(False)
        self._film, self._hint, self._pixel = "", "", ""
        self._left, self._right = ElidedLabel(), QLabel()
        # The text of the pixel changes all the time, and does not move its neighbours.
        self.notice = QLabel(NOTICE)
        self.notice.setProperty("role", "notice")
        self.notice.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._right.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for label in (self._left, self._right):
            label.setContentsMargins(8, 3, 8, 3)
            label.setProperty("role", "quiet")
        # addWidget, not addPermanentWidget: equal stretch keeps the notice in the middle.
        self.addWidget(self._left, 1)
        self.addWidget(self.notice, 1)
        self.addWidget(self._right, 1)

    def show_film(self, film: Radiograph | None) -> None:
        """Show format, size and type of the film on screen; nothing that identifies a person."""
        self._film = _film_text(film) if film else ""
        self._update_left()

    def show_hint(self, text: str) -> None:
        """Show how the active tool is used, until a pixel is under the pointer."""
        self._hint = text
        self._update_left()

    def show_pixel(self, text: str) -> None:
        """Show the pixel under the pointer in place of film and hint; empty: none."""
        if text != self._pixel:
            self._pixel = text
            self._update_left()

    def left_text(self) -> str:
        """The text at the left."""
        return self._left.text()

    def _update_left(self) -> None:
        self._left.setText(self._pixel or self._hint or self._film)
        self._left.setToolTip(_PIXEL_TIP if self._pixel else self._left.text())

    def show_model(self, ready: ModelReady | None, text: str) -> None:
        """Show the real device and precision of the loaded model; `text` without one."""
        self._right.setText(device_text(ready) if ready else text)
        self._right.setToolTip(f"Requested device: {ready.model.device}" if ready else "")

    def right_text(self) -> str:
        """The text at the right."""
        return self._right.text()


def _film_text(film: Radiograph) -> str:
    rows, columns = film.pixels_HW.shape
    stored = film.pixels_HW.dtype.name
    return " · ".join((film.ref.format_title, f"{columns} × {rows}", stored, *film.notes))


def device_text(ready: ModelReady) -> str:
    """`CPU · float32 · Intel Xeon`, as the model worker reports it."""
    name = ready.device_name
    device = ready.device.upper() if ready.device == "cpu" else ready.device
    parts = [device, ready.precision]
    if name and name.lower() != ready.device:
        parts.append(name)
    return " · ".join(parts)
