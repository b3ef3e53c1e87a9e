"""The panels around the films, their controllers, and how they hear of changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QVBoxLayout, QWidget

from xrayview.domain.radiograph import Window
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ThumbnailStore
from xrayview.services.session import Session
from xrayview.services.settings import Settings
from xrayview.services.tasks import Tasks
from xrayview.services.user_folders import cache_folder
from xrayview.ui.batch.controller import BatchController
from xrayview.ui.batch.line import BatchLine
from xrayview.ui.batch.runner import BatchRunner
from xrayview.ui.batch.table import ResultTable
from xrayview.ui.browser.controller import BrowserController
from xrayview.ui.browser.filter import FilmLookup
from xrayview.ui.browser.panel import Browser
from xrayview.ui.browser.star_controller import StarController
from xrayview.ui.browser.thumbnails import Thumbnails
from xrayview.ui.film_controller import FilmController
from xrayview.ui.findings.controller import FindingsController, chip_of
from xrayview.ui.findings.panel import FindingsPanel
from xrayview.ui.findings.statement_controller import StatementController
from xrayview.ui.frame_controller import FrameController
from xrayview.ui.grid.commands import film_commands
from xrayview.ui.grid.controller import ViewController
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.grid.layout import FIRST_LAYOUT
from xrayview.ui.grid.second_window import SecondWindow
from xrayview.ui.heat_map_controller import HeatMapController
from xrayview.ui.histogram.panel import HistogramPanel
from xrayview.ui.measure.controller import MeasurementController
from xrayview.ui.measure.export import MeasurementExport
from xrayview.ui.model_controller import ModelController
from xrayview.ui.reading.controller import ReadingController
from xrayview.ui.shell.columns import Columns
from xrayview.ui.shell.film_dock import FilmDock
from xrayview.ui.tags.controller import TagController
from xrayview.ui.viewer.film_view import FilmViewer
from xrayview.ui.widgets.banners import Message
from xrayview.ui.widgets.refresh_scheduler import RefreshScheduler


@dataclass(frozen=True)
class Blinding:
    """What a blinded session changes, as it was before."""

    hidden: tuple[bool, ...]
    """Whether each of the panels around the film was hidden."""
    identity: bool
    """Whether names and IDs were hidden."""


class Workspace(QWidget):
    """Browser, films, findings and batch of one session; complete after `build_steps`.

    What shows something of the active view connects to `refresh.due`, and reads the session and
    `grid.viewer` each time: another view may be the active one. What changes it requests a
    refresh.
    """

    message = Signal(Message)
    message_settled = Signal(str)
    """The topic of banners that no longer apply."""
    identity_hidden = Signal(bool)
    histogram_switched = Signal()
    state_changed = Signal()
    """Something that `save_state` stores was changed."""

    def __init__(
        self,
        session: Session,
        tasks: Tasks,
        engine: Engine,
        settings: Settings,
        results: Path,
        dock: FilmDock,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.session = session
        self._tasks = tasks
        self._engine = engine
        self._settings = settings
        self._dock = dock
        self._hides_identity = False
        self._before_blinding: Blinding | None = None
        self.refresh = RefreshScheduler(self)
        self.films = FilmController(session, tasks, engine)
        self.model_controller = ModelController(session, tasks, engine)
        self.model_controller.device = settings["device"]
        self.batch_runner = BatchRunner(session, tasks, engine, settings, results)
        self.thumbnail_store = ThumbnailStore(
            cache_folder() / "thumbnails", settings["thumbnail_cache_mib"]
        )
        self.thumbnails = Thumbnails(
            tasks, engine.submit, engine.limits, settings["thumbnail_px"], self.thumbnail_store
        )
        self.stars = StarController(session, tasks)

    def build_steps(self) -> Iterator[None]:
        """Build the panels, then their controllers; between the steps the window may respond."""
        session, columns = self.session, Columns(self)
        self._columns = columns
        lookup = FilmLookup(self.stars.is_starred, session.result)
        self.browser = Browser(self.thumbnails, partial(chip_of, session), lookup, columns.left)
        yield
        self.grid = ViewGrid(columns.middle)
        yield
        self.result_table = ResultTable(columns.middle)
        self.findings = FindingsPanel(columns.right)
        yield
        self.histogram = HistogramPanel(columns.right)
        self.batch_line = BatchLine(self)
        self._lay_out()
        self._build_controllers()
        self._connect()
        yield
        self._restore()

    def _build_controllers(self) -> None:
        """In the order in which they hear of a change: heat maps follow the film in its view."""
        session, tasks, engine = self.session, self._tasks, self._engine
        films, grid, models = self.films, self.grid, self.model_controller
        self.browser_controller = BrowserController(session, films, self.browser, self.thumbnails)
        self.view_controller = ViewController(session, films, grid)
        self.heat_maps = HeatMapController(session, films, models, self.findings, grid)
        self.second_window = SecondWindow(session, films, grid, self._settings["window_state"])
        self.frame_controller = FrameController(session, tasks, engine, grid)
        self.measurement_controller = MeasurementController(tasks, grid)
        self.measurement_export = MeasurementExport(
            session, tasks, engine, self.measurement_controller
        )
        self.findings_controller = FindingsController(
            session, models, self.findings, self.browser, self.heat_maps, self.refresh
        )
        self.statement_controller = StatementController(session, self._settings, self.findings)
        self.batch_controller = BatchController(
            session,
            tasks,
            self.batch_runner,
            self.batch_line,
            self.result_table,
            self.browser.filtered_films,
        )
        self.tag_controller = TagController(session, tasks, engine, self._dock.tags)
        self.reading_controller = ReadingController(
            session, grid, self.view_controller, self._dock.reading
        )

    def _connect(self) -> None:
        self._connect_refresh()
        self._connect_state()
        films, grid = self.films, self.grid
        films.folder_opened.connect(self.statement_controller.load)
        films.folder_opened.connect(self._on_folder)
        films.folder_opened.connect(self.measurement_controller.forget)
        films.folder_opened.connect(self.tag_controller.forget)
        films.folder_opened.connect(self.reading_controller.on_folder)
        self.reading_controller.blinded_changed.connect(self.set_blinded)
        self.frame_controller.settled.connect(self.heat_maps.restart)
        self.stars.changed.connect(self.browser.refresh_stars)
        grid.maximise_refused.connect(self._columns.toggle_side_panels)
        self.view_controller.layout_changed.connect(self.heat_maps.on_layout)
        self.second_window.layout_changed.connect(self.heat_maps.on_layout)
        self.histogram.window_dragged.connect(self._set_window)
        self.batch_controller.film_classified.connect(self.findings_controller.on_result)
        self.batch_controller.film_chosen.connect(self.view_controller.open_frame)
        self.statement_controller.changed.connect(self.findings_controller.on_statement)
        self.findings_controller.results_changed.connect(self.batch_controller.refresh)
        self.identity_hidden.connect(self._dock.tags.set_identity_hidden)
        self._dock.left.connect(grid.take_keyboard)
        self._dock.measurements.follow(self.measurement_controller)
        self._dock.measurements.export_requested.connect(self._export_measurements)
        for source in (
            films,
            self.view_controller,
            self.frame_controller,
            self.model_controller,
            self.heat_maps,
            self.batch_controller,
            self.statement_controller,
            self.measurement_controller,
            self.measurement_export,
            self.reading_controller,
            self.stars,
        ):
            source.message.connect(self.message)
        self.batch_runner.message_settled.connect(self.message_settled)

    def _connect_state(self) -> None:
        heat = self.findings.heat
        changed: tuple[SignalInstance, ...] = (
            self.identity_hidden,
            heat.opacity_changed,
            heat.cutoff_changed,
            self.view_controller.layout_changed,
            self.view_controller.linking.switched,
            self.second_window.layout_changed,
            self.histogram_switched,
            self._columns.splitterMoved,
            self._dock.pages.currentChanged,
            self._dock.visibilityChanged,
        )
        for signal in changed:
            signal.connect(lambda *_: self.state_changed.emit())

    def _connect_refresh(self) -> None:
        for changed in (
            self.films.folder_opened,
            self.films.view_changed,
            self.grid.viewer_changed,
            self.view_controller.layout_changed,
            self.view_controller.linking.switched,
            self.heat_maps.switched,
        ):
            changed.connect(self.refresh.request)
        due = self.refresh.due
        due.connect(self.tag_controller.follow)
        due.connect(self.reading_controller.follow)
        due.connect(lambda: self.histogram.show_film(self.viewer.radiograph, self.viewer.voi))
        due.connect(lambda: self._dock.show_viewer(self.viewer))

    @property
    def viewer(self) -> FilmViewer:
        """The viewer of the active view."""
        return self.grid.viewer

    def commands(self) -> dict[str, Callable[..., object]]:
        """The commands by action id."""
        own: dict[str, Callable[..., object]] = {
            "export_measurements": self._export_measurements,
            "clear_thumbnails": self._clear_thumbnails,
            "find": self._find,
            "classify": self.model_controller.classify,
            "classify_folder": self.batch_controller.start,
            "hide_identity": lambda: self.set_identity_hidden(not self._hides_identity),
            "histogram": lambda: self.show_histogram(not self.shows_histogram),
        }
        for part in (
            self.films,
            self.stars,
            self.view_controller,
            self.second_window,
            self.frame_controller,
            self.measurement_controller,
            self.heat_maps,
            self.statement_controller,
        ):
            own |= part.commands()
        return own | film_commands(self.grid)

    def setting_actions(self) -> dict[str, Callable[[Any], object]]:
        """Map settings to what applies a new value at once."""
        heat = self.findings.heat
        return {
            "hide_identity": self.set_identity_hidden,
            "heat_map_method": self.heat_maps.set_method,
            "heat_map_opacity": lambda opacity: heat.opacity.setValue(round(opacity * 100)),
            "heat_map_cutoff": lambda cutoff: heat.cutoff.setValue(round(cutoff * 100)),
            "device": self.model_controller.set_device,
        }

    def set_identity_hidden(self, hidden: bool) -> None:
        """Hide names and IDs on the films and in the lists."""
        self._hides_identity = hidden
        for viewer in self.grid.viewers:
            viewer.set_identity_hidden(hidden)
        self.view_controller.set_identity_hidden(hidden)
        self.browser.set_identity_hidden(hidden)
        self.result_table.rows.set_identity_hidden(hidden)
        self.identity_hidden.emit(hidden)

    def set_blinded(self, blinded: bool) -> None:
        """Hide scores, heat maps, lists and identity for a blinded session, or show them again."""
        panels = self._columns.around_the_film()
        before, self._before_blinding = self._before_blinding, None
        if before is not None:
            for panel, was_hidden in zip(panels, before.hidden, strict=True):
                panel.setHidden(was_hidden)
            self.set_identity_hidden(before.identity)
        if blinded:
            hidden = tuple(panel.isHidden() for panel in panels)
            self._before_blinding = Blinding(hidden, self._hides_identity)
            if self.heat_maps.on:
                self.heat_maps.toggle()
            for panel in panels:
                panel.hide()
            self.set_identity_hidden(True)
        self.films.hides_positions = blinded
        for index, viewer in enumerate(self.grid.viewers[: len(self.session.views)]):
            viewer.set_position(self.films.position(index))
        self._dock.set_blinded(blinded)
        self.refresh.request()

    @property
    def hides_identity(self) -> bool:
        """True while names and IDs are hidden."""
        return self._hides_identity

    @property
    def shows_histogram(self) -> bool:
        """True while the histogram is shown below the findings."""
        return not self.histogram.isHidden()

    def show_histogram(self, shown: bool) -> None:
        """Show or hide the histogram below the findings."""
        self.histogram.setVisible(shown)
        self.histogram_switched.emit()
        self.refresh.request()

    def around_the_film(self) -> list[QWidget]:
        """The panels that are hidden while the film has the whole screen."""
        return [*self._columns.around_the_film(), self.batch_line]

    def save_state(self) -> None:
        """Store panel sizes, layout and the heat map's look in the settings."""
        heat = self.findings.heat
        self._settings["heat_map_opacity"] = heat.opacity.value() / 100
        self._settings["heat_map_cutoff"] = heat.cutoff.value() / 100
        before = self._before_blinding
        self._settings["hide_identity"] = before.identity if before else self._hides_identity
        if widths := self._columns.widths:  # panels that were never shown have no widths
            state = self._settings["window_state"]
            state["columns"] = widths
            state["layout"] = self.grid.layout_name
            state |= self.second_window.state
            state["linked"] = "linked" if self.view_controller.linking.on else ""
            state["histogram"] = "shown" if self.shows_histogram else ""
            self._settings["window_state"] = state

    def _on_folder(self) -> None:
        assert self.session.folder is not None
        self.model_controller.forget_requests()
        self.thumbnails.clear()
        self.stars.open_folder(self.session.folder)
        self.batch_controller.follow_folder()
        if not self.session.films:
            self.viewer.show_empty(
                "No films in this folder. The list at the left shows the reasons."
            )

    def _set_window(self, window: Window) -> None:
        self.viewer.set_window(window)

    def _export_measurements(self) -> None:
        self.measurement_export.ask(self)

    def _clear_thumbnails(self) -> None:
        done = Message("thumbnails", "info", "The thumbnails on disk were cleared")
        self.thumbnails.clear_store(lambda: self.message.emit(done))

    def _find(self) -> None:
        self.activateWindow()  # the key may have been pressed in the second window
        self.browser.field.setFocus()
        self.browser.field.selectAll()

    def _lay_out(self) -> None:
        self._columns.lay_out(
            self.browser, self.grid, self.result_table, (self.findings, self.histogram)
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._columns, 1)
        column.addWidget(self.batch_line)

    def _restore(self) -> None:
        actions, heat = self.setting_actions(), self.findings.heat
        for name in ("heat_map_opacity", "heat_map_cutoff", "heat_map_method", "hide_identity"):
            actions[name](self._settings[name])
        for viewer in self.grid.viewers:
            viewer.set_heat_opacity(heat.opacity.value() / 100)
            viewer.set_heat_cutoff(heat.cutoff.value() / 100)
        state = self._settings["window_state"]
        self.view_controller.set_layout(state.get("layout", FIRST_LAYOUT))
        self.view_controller.linking.set_on(bool(state.get("linked")))
        self._columns.set_widths(state.get("columns", ""))
        self.histogram.setVisible(bool(state.get("histogram")))
        self.viewer.show_empty("Choose a film at the left.")
