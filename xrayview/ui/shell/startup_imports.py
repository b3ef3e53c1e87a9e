"""What the panels need, brought in while the start page is already on screen.

Together it takes half a second, and the window would not answer for so long: what knows nothing of
Qt comes in a thread, the rest in turns between which the window may answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module

from PySide6.QtCore import QObject, QTimer

IN_A_THREAD = (
    "cv2",
    "xrayview.engine.client",
    "xrayview.services.session",
    "xrayview.services.film_decodes",
    "xrayview.services.model_import",
    "xrayview.services.catalogue",
    "xrayview.services.labels",
    "xrayview.services.measurement_files",
    "xrayview.services.priors",
    "xrayview.services.progress",
    "xrayview.services.stars",
    "xrayview.batch.run",
    "xrayview.batch.measurements",
    "xrayview.display.cine",
    "xrayview.display.corners",
    "xrayview.display.drawings",
    "xrayview.display.figure",
    "xrayview.display.figure_raster",
    "xrayview.display.histogram",
    "xrayview.display.inspector",
    "xrayview.display.overlay",
    "xrayview.io.figure_svg",
)
IN_TURNS = (
    "xrayview.ui.viewer.film_item",
    "xrayview.ui.viewer.canvas",
    "xrayview.ui.measure.hit",
    "xrayview.ui.measure.layer",
    "xrayview.ui.viewer.corners",
    "xrayview.ui.viewer.film_view",
    "xrayview.ui.film_controller",
    "xrayview.ui.grid.grid",
    "xrayview.ui.browser.row_model",
    "xrayview.ui.browser.row_view",
    "xrayview.ui.browser.panel",
    "xrayview.ui.batch.table",
    "xrayview.ui.batch.controller",
    "xrayview.ui.model_controller",
    "xrayview.ui.findings.panel",
    "xrayview.ui.findings.controller",
    "xrayview.ui.navigation_controller",
    "xrayview.ui.grid.second_window",
    "xrayview.ui.measure.export",
    "xrayview.ui.shell.workspace",
    "xrayview.ui.shell.status_controller",
    "xrayview.ui.export.figure_dialog",
    "xrayview.ui.shell.export_commands",
    "xrayview.ui.tags.panel",
    "xrayview.ui.shell.film_dock",
    "xrayview.ui.model_import.controller",
)
"""Each brings what the following ones need, so that none of them brings much."""


def import_all(names: tuple[str, ...]) -> Iterator[None]:
    """Import one module at each step."""
    for name in names:
        import_module(name)
        yield


def in_turns(window: QObject, steps: Iterator[None], wanted: Callable[[], bool]) -> None:
    """Take one step in each turn of the window, until there is none or it is not wanted."""
    timer = QTimer(window)  # comes last in each turn; single shots would hold up other timers

    def step() -> None:
        if wanted():
            for _ in steps:
                return
        timer.stop()
        timer.deleteLater()

    timer.timeout.connect(step)
    timer.start(0)
