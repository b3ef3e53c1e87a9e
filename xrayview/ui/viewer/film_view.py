"""The viewport: one film with its window, its corner texts and its heat map."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget

from xrayview.display.greyscale import build_lut
from xrayview.display.pyramid import build_pyramid
from xrayview.display.voi import (
    Voi,
    VoiChoice,
    auto_window,
    default_voi,
    drag_window,
    voi_choices,
    window_to_drag,
)
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Radiograph, Window
from xrayview.errors import XrayViewError
from xrayview.ui.viewer.busy_line import BusyLine
from xrayview.ui.viewer.canvas import Canvas
from xrayview.ui.viewer.film_item import FilmItem
from xrayview.ui.viewer.message_page import MessagePage
from xrayview.ui.viewer.mouse import Tool


class FilmViewer(QWidget):
    """Shows one film, or why there is none. Nothing here reads a file or runs a model."""

    step_requested = Signal(int)
    """Films to go on (positive) or back."""
    maximise_requested = Signal()
    state_changed = Signal()
    """The film, its window, its zoom or its inversion is another."""
    tool_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Film"))
        self._radiograph: Radiograph | None = None
        self._film_id = ""
        self._voi: Voi | None = None
        self._inverted = False
        self._dragged_from: Window | None = None
        self._film = FilmItem()
        self._canvas = Canvas(self._film)
        self._message = MessagePage(self._canvas.viewport())
        self._busy = BusyLine(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._canvas)
        self.setFocusProxy(self._canvas)
        self._connect()

    def _connect(self) -> None:
        canvas = self._canvas
        canvas.stepped.connect(self.step_requested)
        canvas.double_clicked.connect(self.maximise_requested)
        canvas.placement_changed.connect(self.state_changed)
        canvas.resized.connect(self._arrange)
        canvas.window_drag_began.connect(self._begin_window_drag)
        canvas.window_dragged.connect(self._drag_window)

    # What is shown

    def show_film(self, radiograph: Radiograph, position: tuple[int, int]) -> None:
        """Show a decoded film upright, whole and in its default window; `position` is n of N."""
        pyramid, voi = build_pyramid(radiograph), default_voi(radiograph)
        lut = build_lut(radiograph.greyscale, voi, radiograph.pixels_HW.dtype)
        self._radiograph, self._film_id = radiograph, radiograph.ref.film_id
        self._position = position
        self._voi, self._inverted = voi, False
        self._film.set_film(pyramid, lut)
        self._message.hide()
        self._busy.hide()
        self._canvas.take_film(self._film.size)

    def show_busy(self, film: FilmRef) -> None:
        """A film is on its way; what is on screen stays until it is here."""
        self._busy.setAccessibleDescription(film.relative_path)
        self._busy.show()

    def show_error(self, film: FilmRef, error: XrayViewError) -> None:
        """The reason, in the place of the film that could not be shown."""
        self._take_away(film.film_id)
        self._message.show_error(film, error)
        self._message.show()
        self.state_changed.emit()

    def show_empty(self, text: str) -> None:
        """No film is chosen; `text` says what to do."""
        self._take_away("")
        self._message.show_text(text)
        self._message.show()
        self.state_changed.emit()

    @property
    def film_id(self) -> str:
        """The film on screen, or the one whose error is; empty when there is none."""
        return self._film_id

    # Window and inversion

    @property
    def window(self) -> Window | None:
        """The window in use; None without a film and while a VOI LUT shows it."""
        return self._voi if isinstance(self._voi, Window) else None

    @property
    def inverted(self) -> bool:
        """The user's inversion, on top of the film's own."""
        return self._inverted

    def voi_choices(self) -> tuple[VoiChoice, ...]:
        """VOI LUTs and windows of the film, then the automatic window."""
        return voi_choices(self._radiograph) if self._radiograph else ()

    def apply_voi(self, index: int) -> None:
        """Use one of `voi_choices`; a number past their end changes nothing."""
        choices = self.voi_choices()
        if 0 <= index < len(choices):
            self._show_through(choices[index].voi)

    def auto_window(self) -> None:
        if self._radiograph:
            self._show_through(auto_window(self._radiograph))

    def set_inverted(self, inverted: bool) -> None:
        if self._voi is not None and inverted != self._inverted:
            self._inverted = inverted
            self._show_through(self._voi)

    def _show_through(self, voi: Voi) -> None:
        assert self._radiograph is not None
        self._voi = voi
        pixels, greyscale = self._radiograph.pixels_HW, self._radiograph.greyscale
        self._film.set_lut(build_lut(greyscale, voi, pixels.dtype, invert=self._inverted))
        self.state_changed.emit()

    def _begin_window_drag(self) -> None:
        self._dragged_from = window_to_drag(self._voi) if self._voi is not None else None

    def _drag_window(self, right_px: float, down_px: float) -> None:
        if self._dragged_from is not None:
            self._show_through(drag_window(self._dragged_from, right_px, down_px))

    # Placement

    @property
    def zoom(self) -> float:
        """Screen pixels (physical) per film pixel."""
        return self._canvas.placement.zoom

    def fit(self) -> None:
        self._canvas.fit()

    def one_to_one(self) -> None:
        self._canvas.one_to_one()

    def flip_horizontal(self) -> None:
        self._canvas.turn(self._canvas.placement.flipped_horizontal())

    def flip_vertical(self) -> None:
        self._canvas.turn(self._canvas.placement.flipped_vertical())

    def rotate(self, quarter_turns: int) -> None:
        """Clockwise; negative is counterclockwise."""
        self._canvas.turn(self._canvas.placement.rotated(quarter_turns))

    def reset_view(self) -> None:
        """Upright, whole, in the film's default window, not inverted."""
        if self._radiograph is None:
            return
        self._inverted = False
        self._show_through(default_voi(self._radiograph))
        self._canvas.take_film(self._film.size)

    def set_tool(self, tool: Tool) -> None:
        """What the left button drags: "window", "zoom" or "pan"."""
        if tool != self._canvas.tool:
            self._canvas.set_tool(tool)
            self.tool_changed.emit(tool)

    def _take_away(self, film_id: str) -> None:
        self._radiograph, self._voi, self._film_id = None, None, film_id
        self._film.clear()
        self._busy.hide()

    def _arrange(self) -> None:
        self._message.setGeometry(self._canvas.viewport().rect())
