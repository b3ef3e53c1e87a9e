"""The panels around the films, and who listens to whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from PySide6.QtCore import Signal
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
from xrayview.ui.browser.filter import FilmLookup
from xrayview.ui.browser.panel import Browser
from xrayview.ui.browser.star_controller import StarController
from xrayview.ui.browser.thumbnails import Thumbnails
from xrayview.ui.film_controller import FilmController
from xrayview.ui.findings.controller import FindingsController, chip_of
from xrayview.ui.findings.panel import FindingsPanel
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
from xrayview.ui.navigation_controller import NavigationController
from xrayview.ui.shell.columns import Columns
from xrayview.ui.viewer.film_view import FilmViewer
from xrayview.ui.widgets.banners import Message


class Workspace(QWidget):
    """Browser, films, findings and batch over one session.

    `viewer` is the active view's: ask for it anew each time. What is to follow it connects to
    `grid.viewer_changed`, which also says when another view became the active one; what all views
    need (a tool, the heat map's opacity) goes to each of `grid.viewers`.

    It is whole after the last step of `build_steps`; nobody else is given it before.
    """

    message = Signal(object)
    identity_hidden = Signal(bool)
    refreshed = Signal()
    """What is known of the active view's film is another."""

    def __init__(
        self,
        session: Session,
        tasks: Tasks,
        engine: Engine,
        settings: Settings,
        results: Path,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.session = session
        self._tasks = tasks
        self._engine = engine
        self._settings = settings
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
        self.stars = StarController(tasks)
        self._hidden = False

    def build_steps(self) -> Iterator[None]:
        """Make the panels, each in a step of its own: between them the window may answer."""
        session, columns = self.session, Columns(self)
        self._columns = columns
        lookup = FilmLookup(self.stars.is_starred, session.result)
        self.browser = Browser(self.thumbnails, partial(chip_of, session), lookup, columns.left)
        yield
        self.grid = ViewGrid(columns.middle)
        yield from self.grid.build_steps()
        self.result_table = ResultTable(columns.middle)
        yield
        self.findings = FindingsPanel(columns.right)
        yield
        self.histogram = HistogramPanel(columns.right)
        self.batch_line = BatchLine(self)
        self._place()
        yield
        self._make_flows()
        self._connect()
        self._restore()

    def _make_flows(self) -> None:
        session, tasks, engine = self.session, self._tasks, self._engine
        self.view_controller = ViewController(session, self.films, self.grid)
        self.second_window = SecondWindow(
            session, self.films, self.grid, self._settings["window_state"]
        )
        self.frame_controller = FrameController(session, tasks, engine, self.grid)
        self.measurement_controller = MeasurementController(
            tasks, self.grid.viewers, lambda: self.grid.viewer, self.grid.set_tool
        )
        self.measurement_export = MeasurementExport(
            session, tasks, engine, self.measurement_controller
        )
        self.heat_maps = HeatMapController(session, self.model_controller, self.findings, self.grid)
        self.navigation = NavigationController(
            session,
            self.films,
            self.frame_controller,
            self.grid,
            self.browser,
            self.thumbnails,
            self.heat_maps,
        )
        self.findings_controller = FindingsController(
            session, self.model_controller, self.findings, self.browser, self.heat_maps
        )
        self.batch_controller = BatchController(
            session, tasks, self.batch_runner, self.batch_line, self.result_table
        )

    @property
    def viewer(self) -> FilmViewer:
        """The active view's."""
        return self.grid.viewer

    def commands(self) -> dict[str, Callable[..., object]]:
        """What the keys and buttons do here, by the names of the key table."""
        own: dict[str, Callable[..., object]] = {
            "export_measurements": lambda: self.measurement_export.ask(self),
            "star": self._toggle_star,
            "clear_thumbnails": self._clear_thumbnails,
            "find": self._find,
            "classify": self.model_controller.classify,
            "classify_folder": self.batch_runner.start,
            "heat_map": self.heat_maps.toggle,
            "heat_fainter": lambda: self.findings.heat.step_opacity(-1),
            "heat_stronger": lambda: self.findings.heat.step_opacity(1),
            "heat_finding": self.heat_maps.choose,
            "hide_identity": lambda: self.set_identity_hidden(not self._hidden),
            "histogram": lambda: self.show_histogram(not self.shows_histogram),
        }
        for part in (
            self.navigation,
            self.view_controller,
            self.second_window,
            self.frame_controller,
            self.measurement_controller,
        ):
            own |= part.commands()
        return own | film_commands(self.grid)

    def set_identity_hidden(self, hidden: bool) -> None:
        """Hide names and IDs on the film and in the lists."""
        self._hidden = hidden
        for viewer in self.grid.viewers:
            viewer.set_identity_hidden(hidden)
        self.view_controller.set_identity_hidden(hidden)
        self.browser.set_identity_hidden(hidden)
        self.result_table.rows.set_identity_hidden(hidden)
        self.identity_hidden.emit(hidden)

    @property
    def hides_identity(self) -> bool:
        """True while names and IDs are hidden."""
        return self._hidden

    @property
    def shows_histogram(self) -> bool:
        """True while the histogram has its place at the right."""
        return not self.histogram.isHidden()

    def show_histogram(self, shown: bool) -> None:
        """Give the histogram its place below the findings, or take it."""
        self.histogram.setVisible(shown)
        self.refreshed.emit()

    def around_the_film(self) -> list[QWidget]:
        """The panels that go while the film has the whole screen."""
        return [*self._columns.around_the_film(), self.batch_line]

    def save_state(self) -> None:
        """Panel sizes and the heat map's look, into the settings."""
        heat = self.findings.heat
        self._settings["heat_map_opacity"] = heat.opacity.value() / 100
        self._settings["heat_map_cutoff"] = heat.cutoff.value() / 100
        self._settings["hide_identity"] = self._hidden
        if widths := self._columns.widths:  # panels that were never laid out have none to keep
            state = self._settings["window_state"]
            state["columns"] = widths
            state["layout"] = self.view_controller.layout_name
            state |= self.second_window.state
            state["linked"] = "linked" if self.view_controller.linking.on else ""
            state["histogram"] = "shown" if self.shows_histogram else ""
            self._settings["window_state"] = state

    def _connect(self) -> None:
        films, grid = self.films, self.grid
        films.folder_opened.connect(self._on_folder)
        films.folder_opened.connect(self.measurement_controller.forget)
        films.active_changed.connect(self._on_active)
        films.film_loading.connect(self.findings_controller.refresh)
        films.film_shown.connect(self.findings_controller.refresh)
        films.film_failed.connect(self.findings_controller.refresh)
        self.frame_controller.shown.connect(self._on_frame)
        self.stars.changed.connect(self.browser.refresh_stars)
        grid.maximise_refused.connect(self._columns.film_alone)
        grid.viewer_changed.connect(self._on_viewer)
        self.view_controller.layout_changed.connect(self.heat_maps.on_layout)
        self.second_window.layout_changed.connect(self.heat_maps.on_layout)
        self.histogram.window_dragged.connect(self._on_window_dragged)
        self.batch_controller.film_judged.connect(self.findings_controller.on_result)
        self.batch_controller.film_chosen.connect(self.navigation.open_frame)
        self.findings_controller.refreshed.connect(self.refreshed)
        self.view_controller.changed.connect(self.refreshed)
        for part in (
            films,
            self.navigation,
            self.view_controller,
            self.model_controller,
            self.batch_controller,
            self.measurement_controller,
            self.measurement_export,
            self.stars,
        ):
            part.message.connect(self.message)

    def _on_folder(self) -> None:
        assert self.session.folder is not None
        self.model_controller.forget_requests()
        self.thumbnails.clear()
        self.stars.open_folder(self.session.folder)
        self.result_table.hide()
        if not self.session.films:
            self.viewer.show_empty(
                "No films in this folder. The list at the left shows the reasons."
            )
            self.findings_controller.refresh()

    def _on_active(self) -> None:
        self.findings_controller.refresh()
        self.heat_maps.follow()

    def _on_frame(self, number: int) -> None:
        # What the model said is of one frame.
        if number == self.session.active:
            self.findings_controller.refresh()

    def _on_viewer(self) -> None:
        self.histogram.show_film(self.viewer.radiograph, self.viewer.voi)

    def _on_window_dragged(self, window: Window) -> None:
        self.viewer.set_window(window)

    def _toggle_star(self) -> None:
        if self.session.current is not None:
            self.stars.toggle(self.session.current)

    def _clear_thumbnails(self) -> None:
        said = Message("thumbnails", "info", "The thumbnails on disk were cleared")
        self.thumbnails.clear_store(lambda: self.message.emit(said))

    def _find(self) -> None:
        self.activateWindow()  # the second window may have asked
        self.browser.field.setFocus()
        self.browser.field.selectAll()

    def _place(self) -> None:
        self._columns.place(
            self.browser, self.grid, self.result_table, self.findings, self.histogram
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._columns, 1)
        column.addWidget(self.batch_line)

    def _restore(self) -> None:
        heat = self.findings.heat
        heat.opacity.setValue(round(self._settings["heat_map_opacity"] * 100))
        heat.cutoff.setValue(round(self._settings["heat_map_cutoff"] * 100))
        self.heat_maps.prefer(self._settings["heat_map_method"])
        for viewer in self.grid.viewers:
            viewer.set_heat_opacity(heat.opacity.value() / 100)
            viewer.set_heat_cutoff(heat.cutoff.value() / 100)
        state = self._settings["window_state"]
        self.view_controller.set_layout(state.get("layout", FIRST_LAYOUT))
        self.view_controller.linking.set_on(bool(state.get("linked")))
        self._columns.set_widths(state.get("columns", ""))
        self.histogram.setVisible(bool(state.get("histogram")))
        self.viewer.show_empty("Choose a film at the left.")
        self.set_identity_hidden(self._settings["hide_identity"])
