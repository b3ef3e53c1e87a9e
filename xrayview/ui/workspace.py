"""The panels around the films, and who listens to whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

from PySide6.QtCore import QModelIndex, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QShowEvent
from PySide6.QtWidgets import QFileDialog, QSplitter, QVBoxLayout, QWidget

from xrayview.domain.events import BatchStarted, FilmFinished, FilmResult
from xrayview.domain.film import FilmRef
from xrayview.domain.model import ModelCard
from xrayview.domain.radiograph import Radiograph
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ThumbnailStore
from xrayview.errors import XrayViewError
from xrayview.services.labels import read_labels
from xrayview.services.places import cache_folder
from xrayview.services.session import Session
from xrayview.services.settings import Settings
from xrayview.services.tasks import Tasks
from xrayview.ui.banners import Message
from xrayview.ui.batch.line import BatchLine
from xrayview.ui.batch.runner import BatchRunner
from xrayview.ui.batch.table import ResultTable
from xrayview.ui.browser.chip import Chip, chip
from xrayview.ui.browser.filter import Known
from xrayview.ui.browser.panel import Browser
from xrayview.ui.browser.starring import Starring
from xrayview.ui.browser.thumbnails import Thumbnails
from xrayview.ui.findings.card_dialog import CardDialog
from xrayview.ui.findings.panel import FindingsPanel
from xrayview.ui.findings.state import findings_state
from xrayview.ui.frames import Frames
from xrayview.ui.grid.dragging import FilmDrag
from xrayview.ui.grid.grid import ViewGrid
from xrayview.ui.grid.layout import FIRST_LAYOUT
from xrayview.ui.grid.views import Views
from xrayview.ui.heat_flow import HeatFlow
from xrayview.ui.histogram.panel import HistogramPanel
from xrayview.ui.judging import Judging
from xrayview.ui.measure.exporting import MeasurementExport
from xrayview.ui.measure.measuring import Measuring
from xrayview.ui.viewer.film_view import FilmViewer
from xrayview.ui.workbench import Workbench

_SIDES_PX = (272, 264)


class Workspace(QWidget):
    """Browser, films, findings and batch over one session.

    `viewer` is the active view's: ask for it anew each time. What is to follow it connects to
    `grid.viewer_changed`, which also says when another view became the active one; what all views
    need (a tool, the heat map's opacity) goes to each of `grid.viewers`.
    """

    message = Signal(object)
    identity_hidden = Signal(bool)
    refreshed = Signal()
    """What is known of the active view's film is another."""

    def __init__(
        self, session: Session, tasks: Tasks, engine: Engine, settings: Settings, results: Path
    ) -> None:
        super().__init__()
        self.session = session
        self._settings = settings
        self.workbench = Workbench(session, tasks, engine)
        self.judging = Judging(session, tasks, engine)
        self.judging.device = settings["device"]
        self.batch = BatchRunner(session, tasks, engine, settings, results)
        self.thumbnail_store = ThumbnailStore(
            cache_folder() / "thumbnails", settings["thumbnail_cache_mib"]
        )
        self.thumbnails = Thumbnails(
            tasks, engine.submit, engine.limits, settings["thumbnail_px"], self.thumbnail_store
        )
        self.starring = Starring(tasks)
        known = Known(self.starring.is_starred, session.result)
        self.browser = Browser(self.thumbnails, self._chip, known)
        self.grid = ViewGrid()
        self.views = Views(session, self.workbench, self.grid)
        self.frames = Frames(session, tasks, engine, self.grid)
        self.measuring = Measuring(
            tasks, self.grid.viewers, lambda: self.grid.viewer, self.grid.set_tool
        )
        self.measurement_export = MeasurementExport(session, tasks, engine, self.measuring)
        self.findings = FindingsPanel()
        self.histogram = HistogramPanel()
        self.heat = HeatFlow(session, self.judging, self.findings, self.grid)
        self.table = ResultTable()
        self.line = BatchLine()
        self._tasks = tasks
        self._judged_by: ModelCard | None = None
        self._hidden = False
        self._seen = False
        self._place()
        self._connect_film()
        self._connect_model()
        self._connect_batch()
        self._restore()

    @property
    def viewer(self) -> FilmViewer:
        """The active view's."""
        return self.grid.viewer

    def commands(self) -> dict[str, Callable[..., object]]:
        """What the keys and buttons do here, by the names of the key table."""
        bench, grid, active = self.workbench, self.grid, self._on_active_view
        flows = self.views.commands() | self.frames.commands() | self.measuring.commands()
        return flows | {
            "export_measurements": lambda: self.measurement_export.ask(self),
            "star": self._toggle_star,
            "clear_thumbnails": self._clear_thumbnails,
            "previous_film": lambda: bench.step(-1),
            "next_film": lambda: bench.step(1),
            "previous_series": lambda: bench.step_series(-1),
            "next_series": lambda: bench.step_series(1),
            "first_film": bench.first,
            "last_film": bench.last,
            "find": self._find,
            "auto_window": active(FilmViewer.auto_window),
            "voi": active(FilmViewer.apply_voi),
            "invert": active(lambda viewer: viewer.set_inverted(not viewer.inverted)),
            "tool_window": lambda: grid.set_tool("window"),
            "tool_zoom": lambda: grid.set_tool("zoom"),
            "tool_pan": lambda: grid.set_tool("pan"),
            "tool_magnifier": lambda: grid.set_tool("magnifier"),
            "overlays": self._toggle_overlays,
            "shutter": self._toggle_shutter,
            "flip_horizontal": active(FilmViewer.flip_horizontal),
            "flip_vertical": active(FilmViewer.flip_vertical),
            "rotate_right": active(lambda viewer: viewer.rotate(1)),
            "rotate_left": active(lambda viewer: viewer.rotate(-1)),
            "fit": active(FilmViewer.fit),
            "one_to_one": active(FilmViewer.one_to_one),
            "reset_view": active(FilmViewer.reset_view),
            "classify": self.judging.classify,
            "classify_folder": self.batch.start,
            "heat_map": self.heat.toggle,
            "heat_fainter": lambda: self.findings.heat.step_opacity(-1),
            "heat_stronger": lambda: self.findings.heat.step_opacity(1),
            "heat_finding": self.heat.choose,
            "hide_identity": lambda: self.set_identity_hidden(not self._hidden),
            "histogram": lambda: self.show_histogram(not self.shows_histogram),
        }

    def _on_active_view(self, act: Callable[..., object]) -> Callable[..., object]:
        return lambda *args: act(self.viewer, *args)

    def set_identity_hidden(self, hidden: bool) -> None:
        """Hide names and IDs on the film and in the lists."""
        self._hidden = hidden
        for viewer in self.grid.viewers:
            viewer.set_identity_hidden(hidden)
        self.views.set_identity_hidden(hidden)
        self.browser.set_identity_hidden(hidden)
        self.table.rows.set_identity_hidden(hidden)
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
        return [self.browser, self._right, self.table, self.line]

    def film_alone(self) -> None:
        """The film without panels, and back."""
        alone = self.browser.isVisible()
        self.browser.setVisible(not alone)
        self._right.setVisible(not alone)

    def save_state(self) -> None:
        """Panel sizes and the heat map's look, into the settings."""
        heat = self.findings.heat
        self._settings["heat_map_opacity"] = heat.opacity.value() / 100
        self._settings["heat_map_cutoff"] = heat.cutoff.value() / 100
        self._settings["hide_identity"] = self._hidden
        if self._seen:  # panels that were never laid out have no sizes to keep
            state = self._settings["window_state"]
            state["columns"] = ",".join(str(size) for size in self._columns.sizes())
            state["layout"] = self.views.layout_name
            state["linked"] = "linked" if self.views.linking.on else ""
            state["histogram"] = "shown" if self.shows_histogram else ""
            self._settings["window_state"] = state

    def showEvent(self, event: QShowEvent) -> None:
        self._seen = True
        super().showEvent(event)

    # Film

    def _connect_film(self) -> None:
        bench, grid = self.workbench, self.grid
        bench.folder_opened.connect(self._on_folder)
        bench.folder_opened.connect(self.measuring.forget)
        self.measuring.message.connect(self.message)
        self.measurement_export.message.connect(self.message)
        bench.listing_changed.connect(self._on_listing)
        bench.listing_state.connect(self.browser.show_state)
        bench.view_loading.connect(self._on_view_loading)
        bench.view_shown.connect(self._on_view_shown)
        bench.view_failed.connect(self._on_view_failed)
        bench.active_changed.connect(self._on_active)
        bench.film_loading.connect(self._on_loading)
        bench.film_shown.connect(self.refresh_findings)
        bench.film_failed.connect(self.refresh_findings)
        bench.finished_listing.connect(self._on_listed)
        bench.message.connect(self.message)
        bench.listed = self.browser.films
        self.browser.film_chosen.connect(bench.open_film)
        self.starring.changed.connect(self.browser.refresh_stars)
        self.starring.message.connect(self.message)
        FilmDrag(self.browser.tree, _film_of_row, self.thumbnails.picture)
        for viewer in grid.viewers:
            viewer.step_requested.connect(bench.step)
        self.frames.shown.connect(self._on_frame)
        self.frames.settled.connect(self.heat.begin)
        self.frames.failed.connect(self._on_frame_failed)
        grid.maximise_refused.connect(self.film_alone)
        grid.viewer_changed.connect(self._on_touched)
        self.views.message.connect(self.message)
        self.views.changed.connect(self.refreshed)
        self.views.laid.connect(self.heat.on_layout)
        self.histogram.window_dragged.connect(self._on_active_view(FilmViewer.set_window))

    def _on_folder(self) -> None:
        assert self.session.folder is not None
        self.judging.forget_requests()
        self.thumbnails.clear()
        self.starring.open_folder(self.session.folder)
        self.table.hide()
        if not self.session.films:
            self.viewer.show_empty("No film in this folder. The list at the left says why.")
            self.refresh_findings()

    def _on_listing(self) -> None:
        session = self.session
        assert session.folder is not None
        self.browser.show_folder(session.folder, session.tree, session.rejected)

    def _on_view_loading(self, number: int, film: FilmRef) -> None:
        self.grid.viewers[number].show_busy(film)
        self.heat.begin(number)

    def _on_view_shown(self, number: int, radiograph: Radiograph) -> None:
        place, ready = self.workbench.position(number), self.workbench.ready(radiograph)
        self.grid.viewers[number].show_film(radiograph, place, ready)
        self.heat.begin(number)

    def _on_view_failed(self, number: int, film: FilmRef, error: XrayViewError) -> None:
        self.grid.viewers[number].show_error(film, error)

    def _on_frame(self, number: int) -> None:
        # What the model said is of one frame.
        if number == self.session.active:
            self.refresh_findings()

    def _on_frame_failed(self, number: int, film: FilmRef, error: XrayViewError) -> None:  # noqa: ARG002
        error.path = error.path or film.path
        self.message.emit(Message.of("film", error))

    def _on_active(self) -> None:
        self.refresh_findings()
        self.heat.follow()

    def _on_loading(self, film: FilmRef) -> None:
        self.browser.select(film)
        self.refresh_findings()

    def _on_listed(self) -> None:
        # A film was shown while its folder was still being read: now it is 1 of all, not of 8.
        for number, view in enumerate(self.session.views):
            if view.radiograph is not None:
                self.grid.viewers[number].set_position(self.workbench.position(number))

    def _on_touched(self) -> None:
        self.histogram.show_film(self.viewer.radiograph, self.viewer.voi)

    def _toggle_overlays(self) -> None:
        shown = not self.viewer.overlays_shown
        for viewer in self.grid.viewers:
            viewer.set_overlays_shown(shown)

    def _toggle_shutter(self) -> None:
        shown = not self.viewer.shutter_shown
        for viewer in self.grid.viewers:
            viewer.set_shutter_shown(shown)

    def _toggle_star(self) -> None:
        if self.session.current is not None:
            self.starring.toggle(self.session.current)

    def _clear_thumbnails(self) -> None:
        said = Message("thumbnails", "info", "The thumbnails on disk are cleared")
        self.thumbnails.clear_store(lambda: self.message.emit(said))

    def _find(self) -> None:
        self.browser.field.setFocus()
        self.browser.field.selectAll()

    # Model

    def _connect_model(self) -> None:
        self.judging.model_changed.connect(self._on_model)
        self.judging.result_changed.connect(self._on_result)
        self.judging.message.connect(self.message)
        self.findings.classify_asked.connect(self.judging.classify)
        self.findings.card_asked.connect(self.show_card)
        self.findings.point_moved.connect(self._on_point)

    def refresh_findings(self) -> None:
        """Draw the findings of the film on screen as the session has them."""
        state = findings_state(
            self.session,
            model_text=self.judging.model_text,
            loading=self.judging.loading,
            busy=self.judging.is_busy(self.session.current),
        )
        self.findings.show_state(state)
        self.refreshed.emit()

    def show_card(self) -> None:
        """The card of the model in force."""
        if self.session.model is not None:
            dialog = CardDialog(self.session.model, self)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.show()

    def _on_model(self) -> None:
        self.heat.forget_choice()
        self.refresh_findings()
        model = self.session.model
        findings = model.card.findings if model is not None else ()
        self.browser.show_findings([finding.name for finding in findings])
        self.browser.refresh_all()
        for number in range(len(self.session.views)):
            self.heat.begin(number)

    def _on_point(self, finding: str, threshold: float | None) -> None:
        self.session.move_point(finding, threshold)
        self.refresh_findings()
        self.browser.refresh_all()
        self.heat.ask_again()

    def _on_result(self, film_id: str) -> None:
        self.browser.refresh(film_id)
        for number in self.session.views_of(film_id):
            if number == self.session.active:
                self.refresh_findings()
            self.heat.begin(number)

    def _chip(self, film: FilmRef) -> Chip | None:
        result, model = self.session.result(film), self.session.model
        return chip(result, model.card) if result and model else None

    # Batch

    def _connect_batch(self) -> None:
        batch, line, table = self.batch, self.line, self.table
        batch.waiting.connect(line.show_waiting)
        batch.started.connect(self._on_batch_started)
        batch.progressed.connect(self._on_batch_films)
        batch.finished.connect(line.show_event)
        batch.failed.connect(line.show_failed)
        batch.message.connect(self.message)
        line.cancel_asked.connect(batch.cancel)
        line.pause_asked.connect(batch.set_paused)
        line.table_asked.connect(lambda: table.setVisible(not table.isVisible()))
        line.folder_asked.connect(self._open_csv_folder)
        line.save_asked.connect(self._save_csv)
        line.close_asked.connect(line.hide)
        line.close_asked.connect(table.hide)
        table.close_asked.connect(table.hide)
        table.labels_asked.connect(self._ask_for_labels)
        batch.finished.connect(lambda _event: table.compare())
        table.film_chosen.connect(self._on_row)

    def _on_batch_started(self, event: BatchStarted) -> None:
        self.line.show_event(event)
        self._judged_by = event.card
        self.table.start(tuple(finding.name for finding in event.card.findings))

    def _on_batch_films(self, events: list[FilmFinished]) -> None:
        for event in events:
            self.line.show_event(event)
            if event.result.ref is not None:
                self._on_result(event.result.ref.film_id)
        self.table.append([event.result for event in events])

    def _on_row(self, result: FilmResult) -> None:
        listed = self.session.film(result.ref.film_id) if result.ref is not None else None
        if result.ref is None or listed is None:
            return
        film, current = replace(listed, frame=result.ref.frame), self.session.current
        if current is None or current.row_id != film.row_id:
            self.workbench.open_film(film)
        elif self.session.radiograph is not None:
            self.viewer.frames.go(film.frame)  # window and placement stay
        elif current.film_id != film.film_id:
            self.workbench.open_film(film)

    def _ask_for_labels(self) -> None:
        name, _ = QFileDialog.getOpenFileName(
            self, "Compare with labels", "", "CSV (*.csv);;All files (*)"
        )
        if name:
            self.compare_with_labels(Path(name))

    def compare_with_labels(self, path: Path) -> None:
        """Hold the results of the batch against a CSV of labels."""
        card = self._judged_by
        if card is not None:
            self._tasks.call(
                "labels",
                lambda: read_labels(path),
                lambda labels: self.table.compare_with(labels, card),
                lambda error: self.message.emit(Message.of("labels", error)),
            )

    def _open_csv_folder(self) -> None:
        if self.batch.csv_path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.batch.csv_path.parent)))

    def _save_csv(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self, "Save the CSV as", "predictions.csv", "CSV (*.csv)"
        )
        if name:
            self.batch.save_as(Path(name))

    # Place

    def _place(self) -> None:
        self._rows = QSplitter(Qt.Orientation.Vertical)
        self._rows.addWidget(self.grid)
        self._rows.addWidget(self.table)
        self._rows.setStretchFactor(0, 1)
        self._rows.setSizes([560, 240])
        self.table.hide()
        self._right = QWidget()
        right = QVBoxLayout(self._right)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self.findings, 1)
        right.addWidget(self.histogram)
        self._columns = QSplitter(Qt.Orientation.Horizontal)
        for panel, least in ((self.browser, 200), (self._rows, 420), (self._right, 232)):
            panel.setMinimumWidth(least)
            self._columns.addWidget(panel)
        for splitter in (self._rows, self._columns):
            splitter.setHandleWidth(1)
            splitter.setChildrenCollapsible(False)
        self._columns.setStretchFactor(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._columns, 1)
        column.addWidget(self.line)

    def _restore(self) -> None:
        heat = self.findings.heat
        heat.opacity.setValue(round(self._settings["heat_map_opacity"] * 100))
        heat.cutoff.setValue(round(self._settings["heat_map_cutoff"] * 100))
        self.heat.prefer(self._settings["heat_map_method"])
        for viewer in self.grid.viewers:
            viewer.set_heat_opacity(heat.opacity.value() / 100)
            viewer.set_heat_cutoff(heat.cutoff.value() / 100)
        state = self._settings["window_state"]
        self.views.set_layout(state.get("layout", FIRST_LAYOUT))
        self.views.linking.set_on(bool(state.get("linked")))
        sizes = state.get("columns", "").split(",")
        if len(sizes) == 3 and all(size.isdigit() and int(size) for size in sizes):
            self._columns.setSizes([int(size) for size in sizes])
        else:
            self._columns.setSizes([_SIDES_PX[0], 744, _SIDES_PX[1]])
        self.histogram.setVisible(bool(state.get("histogram")))
        self.viewer.show_empty("Choose a film at the left.")
        self.set_identity_hidden(self._settings["hide_identity"])


def _film_of_row(index: QModelIndex) -> FilmRef | None:
    return cast("FilmRef | None", index.data(Qt.ItemDataRole.UserRole).film)
