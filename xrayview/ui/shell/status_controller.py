"""What toolbar and status line show of the current film, and which commands are possible."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from xrayview.display.measure_text import probe_text
from xrayview.domain.measurement import Probe
from xrayview.domain.radiograph import Radiograph
from xrayview.services.session import Session
from xrayview.ui.grid.controller import ViewController
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.heat_map_controller import HeatMapController
from xrayview.ui.histogram.panel import HistogramPanel
from xrayview.ui.measure.tools import BY_NAME
from xrayview.ui.shell.status_line import StatusLine
from xrayview.ui.shell.toolbar import FILM_BUTTONS, VIEW_BUTTONS, TopBar
from xrayview.ui.widgets.banners import Banners, Message
from xrayview.ui.widgets.refresh_scheduler import RefreshScheduler

_TOPIC = "film"


class StatusController(QObject):
    """Brings toolbar, status line and the banner of warnings in line with the session."""

    def __init__(
        self,
        session: Session,
        grid: ViewGrid,
        view_controller: ViewController,
        heat_maps: HeatMapController,
        histogram: HistogramPanel,
        bar: TopBar,
        status_line: StatusLine,
        banners: Banners,
        refresh: RefreshScheduler,
        hides_identity: Callable[[], bool],
    ) -> None:
        super().__init__(bar)
        self._session = session
        self._grid = grid
        self._view_controller = view_controller
        self._heat_maps = heat_maps
        self._histogram = histogram
        self._bar = bar
        self._status_line = status_line
        self._banners = banners
        self._hides_identity = hides_identity
        self._warned = ("", False)
        """The film whose warnings were shown last, and whether it was decoded."""
        refresh.due.connect(self._refresh)
        grid.tool_changed.connect(self._on_tool)
        for viewer in grid.viewers:
            viewer.measure.probed.connect(self._on_pixel)

    def _refresh(self) -> None:
        self._refresh_buttons()
        if not self._session.views[self._session.active].is_waiting:
            self._bar.show_windows([choice.title for choice in self._grid.viewer.voi_choices()])
            self._status_line.show_film(self._session.radiograph)
        self._refresh_warnings()

    def _refresh_buttons(self) -> None:
        session, bar = self._session, self._bar
        film, model = session.radiograph is not None, session.model is not None
        folder = session.folder is not None
        result = session.result(session.current)
        scored = film and result is not None and result.prediction is not None
        bar.set_enabled(FILM_BUTTONS, enabled=film)
        bar.set_enabled(VIEW_BUTTONS, enabled=folder)
        bar.set_enabled(("classify",), enabled=film and model)
        bar.set_enabled(("classify_folder",), enabled=folder and model)
        bar.set_enabled(("heat_map",), enabled=scored)
        bar.set_checked(f"layout_{self._grid.layout_name}", checked=True)
        bar.set_checked("link_views", checked=self._view_controller.linking.on)
        bar.set_checked("invert", checked=self._grid.viewer.inverted)
        bar.set_checked("histogram", checked=not self._histogram.isHidden())
        bar.set_checked("heat_map", checked=scored and self._heat_maps.on)

    def _refresh_warnings(self) -> None:
        film, radiograph = self._session.current, self._session.radiograph
        shown = film.row_id if film is not None else "", radiograph is not None
        if shown == self._warned:
            return
        self._warned = shown
        if radiograph is not None and radiograph.warnings:
            self._banners.show_message(_warnings(radiograph, self._hides_identity()))
        else:
            self._banners.close_message(_TOPIC)

    def _on_tool(self, tool: str) -> None:
        self._bar.show_tool(tool)
        self._status_line.show_hint(BY_NAME[tool].hint if tool in BY_NAME else "")

    def _on_pixel(self, pixel: Probe | None) -> None:
        self._status_line.show_pixel(probe_text(pixel) if pixel is not None else "")


def _warnings(radiograph: Radiograph, hides_identity: bool) -> Message:
    # A file name often contains a patient's name.
    title = "This film" if hides_identity else radiograph.ref.path.name
    return Message(_TOPIC, "warn", title, " ".join(dict.fromkeys(radiograph.warnings)))
