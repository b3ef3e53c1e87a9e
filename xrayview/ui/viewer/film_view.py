"""The viewer of one film, with its window, its corner texts and its heat map."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QRectF, QSignalBlocker, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget

from xrayview.display.cine import frame_rate
from xrayview.display.corners import (
    RESEARCH_USE_ONLY,
    CornerTexts,
    EdgeLetters,
    ViewState,
    corner_texts,
    edge_letters,
)
from xrayview.display.first_frame import FirstFrame, make_first_frame
from xrayview.display.greyscale import build_lut
from xrayview.display.true_shape import stretch
from xrayview.display.voi import (
    Voi,
    VoiChoice,
    automatic,
    drag_window,
    of_next_frame,
    window_to_drag,
)
from xrayview.domain.figure import HeatLayer
from xrayview.domain.film import FilmRef
from xrayview.domain.model import HeatMap
from xrayview.domain.radiograph import Radiograph, Window
from xrayview.errors import XrayViewError
from xrayview.ui.measure.layer import MeasureLayer
from xrayview.ui.viewer.busy_line import BusyLine
from xrayview.ui.viewer.canvas import Canvas
from xrayview.ui.viewer.corners import CornerLayer
from xrayview.ui.viewer.film_item import FilmItem
from xrayview.ui.viewer.frame_bar import FrameBar
from xrayview.ui.viewer.heat_overlay import HeatOverlay
from xrayview.ui.viewer.message_page import MessagePage, sentence
from xrayview.ui.viewer.mouse import Tool
from xrayview.ui.viewer.placement import Placement

SMALLEST_PX = (320, 240)
_WITHOUT_FILM = CornerTexts((), (), (), (RESEARCH_USE_ONLY,)), EdgeLetters("", "", "", "")


class FilmViewer(QWidget):
    """Shows one film, or why there is none. Does not read files or run models."""

    step_requested = Signal(int)
    """Films to step forward (positive) or back."""
    maximise_requested = Signal()
    state_changed = Signal()
    """The film, its window, its zoom or its inversion has changed."""
    tool_changed = Signal(str)
    film_changed = Signal()
    """Another film is displayed, or none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Film"))
        self._radiograph: Radiograph | None = None
        self._film_id = ""
        self._voi: Voi | None = None
        self._choices: tuple[VoiChoice, ...] = ()
        self._inverted = False
        self._position = (0, 0)
        self._identity_hidden = False
        self._dragged_from: Window | None = None
        self._film = FilmItem()
        self._canvas = Canvas(self._film, self)
        self._canvas.setAccessibleName(self.accessibleName())
        self._heat = HeatOverlay(self._film, self._canvas.viewport(), self._canvas.magnifier)
        self.measure = MeasureLayer(self._film, self._canvas)
        self._corners = CornerLayer(self._canvas.viewport())
        self._message = MessagePage(self._canvas.viewport())
        self.setProperty("film", True)  # its texts are on black in every theme
        self.frames = FrameBar(self)
        self._busy = BusyLine(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._canvas, 1)
        layout.addWidget(self.frames)
        self.setFocusProxy(self._canvas)
        self.setMinimumSize(*SMALLEST_PX)
        self._connect()
        self.show_empty("")

    def _connect(self) -> None:
        canvas = self._canvas
        canvas.stepped.connect(self.step_requested)
        canvas.double_clicked.connect(self.maximise_requested)
        canvas.placement_changed.connect(self._refresh)
        canvas.window_drag_began.connect(self._begin_window_drag)
        canvas.window_dragged.connect(self._drag_window)
        self.measure.window_requested.connect(self.set_window)
        self.measure.spacing_changed.connect(self._refresh)
        self.measure.escaped.connect(lambda: self.set_tool("window"))
        self.measure.drawing_began.connect(self.frames.pause)

    # Content

    def show_film(
        self,
        radiograph: Radiograph,
        position: tuple[int, int],
        first_frame: FirstFrame | None = None,
    ) -> None:
        """Show a decoded film upright, whole and in its default window; `position` is n of N.

        Without a `first_frame` one is prepared here, which blocks the window.
        """
        first_frame = first_frame or make_first_frame(radiograph)
        voi = first_frame.choices[0].voi
        lut = build_lut(radiograph.greyscale, voi, radiograph.pixels_HW.dtype)
        self._radiograph, self._film_id = radiograph, radiograph.ref.film_id
        self._position = position
        self._heat.set_heat(None, "")
        self._voi, self._choices, self._inverted = voi, first_frame.choices, False
        self._film.set_film(first_frame.pyramid, lut, first_frame.shutter_mask)
        self._message.hide()
        self._busy.hide()
        self.measure.show_film(radiograph)
        self.frames.show_film(radiograph.ref.frames, radiograph.ref.frame, frame_rate(radiograph))
        self._canvas.show_film(self._film.size, stretch(radiograph.spacing))
        self.film_changed.emit()

    def show_frame(self, radiograph: Radiograph, first_frame: FirstFrame) -> None:
        """Show another frame of the same film with the same inversion, placement and window.

        A frame of another size or sample type than the one before is shown like a new film.
        """
        before = self._radiograph
        same_format = before is not None and _pixel_format(before) == _pixel_format(radiograph)
        if not same_format or self._voi is None:
            self.show_film(radiograph, self._position, first_frame)
            return
        self._radiograph, self._film_id = radiograph, radiograph.ref.film_id
        self._voi = of_next_frame(self._voi, self._choices, first_frame.choices)
        self._choices = first_frame.choices
        self._heat.set_heat(None, "")
        lut = build_lut(
            radiograph.greyscale, self._voi, radiograph.pixels_HW.dtype, invert=self._inverted
        )
        self._film.set_film(first_frame.pyramid, lut, first_frame.shutter_mask)
        self.measure.show_frame(radiograph)
        self.frames.show_frame(radiograph.ref.frame)
        self._refresh()

    def set_position(self, position: tuple[int, int]) -> None:
        """Show that the film is n of N, when its list has changed."""
        if position != self._position:
            self._position = position
            self._refresh()

    def show_busy(self, film: FilmRef) -> None:
        """Show that a film is loading; the displayed film stays until then."""
        self._busy.setAccessibleDescription(film.relative_path)
        self._busy.show()

    def show_error(self, film: FilmRef, error: XrayViewError) -> None:
        """Show why a film cannot be displayed, instead of the film."""
        self._clear_film(film.film_id)
        self._message.show_error(film, error)
        self._message.set_identity_hidden(self._identity_hidden)
        self._message.show()
        self._refresh()

    def show_empty(self, text: str) -> None:
        """Show no film; `text` says what to do."""
        self._clear_film("")
        self._message.show_text(text)
        self._message.show()
        self._refresh()

    @property
    def film_id(self) -> str:
        """Id of the displayed film, or of the film whose error is displayed; empty without one."""
        return self._film_id

    @property
    def radiograph(self) -> Radiograph | None:
        """The displayed film; None where there is none or an error is displayed."""
        return self._radiograph

    # Window and inversion

    @property
    def voi(self) -> Voi | None:
        """The window or VOI LUT in use; None without a film."""
        return self._voi

    @property
    def voi_window(self) -> Window | None:
        """Centre and width in use; None without a film and while a VOI LUT is in use."""
        return self._voi if isinstance(self._voi, Window) else None

    def set_window(self, window: Window) -> None:
        """Apply this window to the film; does nothing without a film."""
        if self._radiograph is not None and window != self._voi:
            self._show_through(window)

    def set_voi(self, voi: Voi) -> None:
        """Apply this window or VOI LUT to the film; does nothing without a film."""
        if self._radiograph is not None and voi is not self._voi and voi != self._voi:
            self._show_through(voi)

    @property
    def inverted(self) -> bool:
        """The user's inversion, on top of the film's own."""
        return self._inverted

    def voi_choices(self) -> tuple[VoiChoice, ...]:
        """Return the film's VOI LUTs and windows, the automatic window and the presets."""
        return self._choices

    def apply_voi(self, index: int) -> None:
        """Apply one of `voi_choices`; an index past their end changes nothing."""
        choices = self.voi_choices()
        if 0 <= index < len(choices):
            self._show_through(choices[index].voi)

    def auto_window(self) -> None:
        """Apply the automatic window."""
        if self._radiograph is not None:
            self._show_through(automatic(self._choices))

    def set_inverted(self, inverted: bool) -> None:
        if self._voi is not None and inverted != self._inverted:
            self._inverted = inverted
            self._show_through(self._voi)

    def _show_through(self, voi: Voi) -> None:
        assert self._radiograph is not None
        self._voi = voi
        pixels, greyscale = self._radiograph.pixels_HW, self._radiograph.greyscale
        self._film.set_lut(build_lut(greyscale, voi, pixels.dtype, invert=self._inverted))
        self._refresh()

    def _begin_window_drag(self) -> None:
        self._dragged_from = window_to_drag(self._voi) if self._voi is not None else None

    def _drag_window(self, right_px: float, down_px: float) -> None:
        if self._dragged_from is not None:
            self._show_through(drag_window(self._dragged_from, right_px, down_px))

    # Overlays and shutter of the file

    @property
    def overlays_shown(self) -> bool:
        """Whether the file's overlay planes are drawn, where it has any."""
        return self._film.overlays

    @property
    def shutter_shown(self) -> bool:
        """Whether the file's shutter is applied, where it has one."""
        return self._film.shutter

    def set_overlays_shown(self, shown: bool) -> None:
        """Show or hide the overlay planes of this and of later films."""
        self._film.set_layers(overlays=shown, shutter=self._film.shutter)
        self._refresh()

    def set_shutter_shown(self, shown: bool) -> None:
        """Apply the shutter of this and of later films, or leave it out."""
        self._film.set_layers(overlays=self._film.overlays, shutter=shown)
        self._refresh()

    # Placement

    @property
    def zoom(self) -> float:
        """Physical screen pixels per film pixel."""
        return self.placement.zoom

    @property
    def placement(self) -> Placement:
        """The film's placement: maps film pixels to physical pixels of the viewport and back."""
        return self._canvas.placement

    def set_placement(self, placement: Placement) -> None:
        """Place the film; a fitted film stays fitted when the viewport is resized."""
        if self._radiograph is not None:
            self._canvas.set_placement(placement, fitted=placement == placement.fitted())

    def fit(self) -> None:
        self._canvas.fit()

    def one_to_one(self) -> None:
        self._canvas.one_to_one()

    def flip_horizontal(self) -> None:
        self._canvas.turn(self.placement.flipped_horizontal())

    def flip_vertical(self) -> None:
        self._canvas.turn(self.placement.flipped_vertical())

    def rotate(self, quarter_turns: int) -> None:
        """Rotate clockwise; negative is counterclockwise."""
        self._canvas.turn(self.placement.rotated(quarter_turns))

    def reset_view(self) -> None:
        """Show the film upright, whole, in its default window and not inverted."""
        if self._radiograph is None:
            return
        self._inverted = False
        self._show_through(self._choices[0].voi)
        self._canvas.show_film(self._film.size, stretch(self._radiograph.spacing))

    def set_tool(self, tool: Tool) -> None:
        """Set what the left button does: drag "window", "zoom" or "pan", or draw with a tool."""
        if tool != self._canvas.tool:
            self._canvas.set_tool(tool)
            self.measure.set_tool(tool)
            self.tool_changed.emit(tool)

    # Heat map

    @property
    def heat_layer(self) -> HeatLayer | None:
        """The heat map as displayed; None where none is displayed."""
        return self._heat.layer

    def set_heat_map(self, heat: HeatMap | None, model_name: str = "") -> None:
        """Show a heat map over the film; one of another film is ignored."""
        shown = self._radiograph.ref.film_id if self._radiograph else ""
        if heat is None or heat.film_id == shown:
            self._heat.set_heat(heat, model_name)
            self._refresh()

    def set_heat_visible(self, visible: bool) -> None:
        self._heat.set_visible(visible)
        self._refresh()

    def set_heat_opacity(self, opacity: float) -> None:
        """Set the opacity of the map's maximum, 0..1."""
        self._heat.set_opacity(opacity)

    def set_heat_cutoff(self, cutoff: float) -> None:
        """Make values of the map up to this, 0..1, transparent."""
        self._heat.set_cutoff(cutoff)

    # Identity and pictures

    def set_identity_hidden(self, hidden: bool) -> None:
        """Hide or show names, numbers, dates and file names in the texts on screen."""
        self._identity_hidden = hidden
        self._message.set_identity_hidden(hidden)
        self._refresh()

    def picture(self, identity: bool = False) -> QImage:
        """Return what is on screen, at the screen's resolution; without identity unless requested.

        Names that are burned into the film's own pixels stay.
        """
        hidden = self._identity_hidden
        with QSignalBlocker(self):
            self.set_identity_hidden(hidden or not identity)
            self.measure.set_handles_hidden(True)
            self._film.end_motion()
            image = self._canvas.grab().toImage()
            self.measure.set_handles_hidden(False)
            self.set_identity_hidden(hidden)
        return image

    def _clear_film(self, film_id: str) -> None:
        self._radiograph, self._voi, self._film_id = None, None, film_id
        self._choices, self._inverted = (), False
        self._heat.set_heat(None, "")
        self._film.clear()
        self._canvas.end_drag()
        self._busy.hide()
        self.measure.show_film(None)
        self.frames.show_film(1)
        self.film_changed.emit()

    def _refresh(self) -> None:
        """Update texts and layers for the film, its window and its placement."""
        view = QRectF(self._canvas.viewport().rect())
        self._message.setGeometry(view.toRect())
        self._corners.setGeometry(view.toRect())
        film = self._radiograph
        warnings = tuple(sentence(text) for text in film.warnings) if film else ()
        self._corners.show_texts(*self._texts(), self._heat.caption, warnings)
        if film is not None:  # otherwise there is no map to lay out
            room = self._corners.current_layout().room_at_right
            self._heat.arrange(self._film.sceneBoundingRect(), room)
        self.measure.refresh_probe()
        self.state_changed.emit()

    def _texts(self) -> tuple[CornerTexts, EdgeLetters]:
        if self._radiograph is None or self._voi is None:
            return _WITHOUT_FILM
        placement = self.placement
        state = ViewState(
            self._voi,
            placement.zoom,
            *self._position,
            invert=self._inverted,
            overlays=self._film.overlays,
            shutter=self._film.shutter,
        )
        return (
            corner_texts(self._film_with_spacing(), state, hide_identity=self._identity_hidden),
            edge_letters(self._radiograph.orientation, placement.turns, flip_h=placement.mirrored),
        )

    def _film_with_spacing(self) -> Radiograph:
        """Return the film with the spacing in use, which may be the user's calibration."""
        assert self._radiograph is not None
        spacing = self.measure.spacing
        if spacing == self._radiograph.spacing:
            return self._radiograph
        return replace(self._radiograph, spacing=spacing)


def _pixel_format(radiograph: Radiograph) -> tuple[tuple[int, ...], str]:
    """Return what two frames must share to keep the window and the placement."""
    return radiograph.pixels_HW.shape, radiograph.pixels_HW.dtype.str
