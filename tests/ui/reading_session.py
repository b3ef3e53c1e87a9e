"""A reading session in the real program, with mouse and keyboard of an X server.

It runs in a process of its own (`test_session_xserver.py`) over a folder of `write_many_films`,
writes what it saw and measured to `report.json`, and leaves the files of a session.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QPushButton

from tests.driving import BannerLog, Script, at, click, drag, drive, xdo
from xrayview.ui.export.figure_dialog import FigureDialog
from xrayview.ui.export.folder_deidentify import FolderDeidentify
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.shell.workspace import Workspace


class ReadingSession:
    """The steps of a session; each waits for what must be on screen before the next one."""

    def __init__(self, window: MainWindow, films: int, out: Path) -> None:
        self.window, self.films, self.out = window, films, out
        self.workspace: Workspace = window.workspace
        self.session = self.workspace.session
        self.banner_log = BannerLog(window)
        self.report: dict[str, object] = {}

    def script(self) -> Script:
        """All steps, up to closing the window."""
        for step in (
            self.opens, self.scrolls, self.windows, self.measures, self.compares, self.classifies,
            self.moves_on_while_it_computes, self.classifies_the_folder, self.exports,
        ):  # fmt: skip
            yield from step()
        self.report["banners"] = [(m.topic, m.kind, m.title) for m in self.banner_log.messages]
        (self.out / "report.json").write_text(json.dumps(self.report), encoding="utf-8")
        self.window.close()

    def opens(self) -> Script:
        """Folder and model are given on the command line."""
        self.window.resize(1280, 800)
        self.window.activateWindow()
        yield "all films are listed", lambda: len(self.session.films) == self.films
        yield "a film is on screen", lambda: self.session.radiograph is not None
        yield "the model is loaded", lambda: self.session.model is not None

    def scrolls(self) -> Script:
        """The wheel over the list and over the film, and keys."""
        bar = self.workspace.browser.tree.verticalScrollBar()
        before = bar.value()
        yield xdo("mousemove", *at(self.workspace.browser.tree), "click", "--repeat", 5, 5)
        yield "the list scrolls", lambda: bar.value() > before
        first, second = self.session.films[:2]
        yield xdo("mousemove", *at(self.workspace.viewer), "click", 5)
        yield "the wheel shows the next film", lambda: self._shows(second.film_id)
        yield xdo("key", "End")
        yield "the last film is shown", lambda: self._shows(self.session.films[-1].film_id)
        yield xdo("key", "Home")
        yield "the first film is shown", lambda: self._shows(first.film_id)

    def windows(self) -> Script:
        """Drag, invert, flip, and reset."""
        viewer = self.workspace.viewer
        plain, start = viewer.voi_window, at(viewer)
        assert plain is not None
        yield drag(start, (start[0] + 120, start[1] - 40))
        yield "the drag widens the window", lambda: viewer.voi_window.width > plain.width
        yield xdo("key", "i")
        yield "the film is inverted", lambda: viewer.inverted
        upright = viewer.placement
        yield xdo("key", "h")
        yield "the film is flipped", lambda: viewer.placement != upright
        yield xdo("key", "space")
        yield (
            "window and inversion are reset",
            lambda: (viewer.voi_window, viewer.inverted) == (plain, False),
        )
        yield "the placement is reset", lambda: viewer.placement == upright

    def measures(self) -> Script:
        """A length and a rectangle; undo and redo."""
        viewer = self.workspace.viewer
        yield xdo("key", "d")
        yield drag(at(viewer, 0.35, 0.5), at(viewer, 0.65, 0.5))
        yield from self._drawn(1)
        yield xdo("key", "shift+r")
        yield drag(at(viewer, 0.4, 0.6), at(viewer, 0.55, 0.75))
        yield from self._drawn(2)
        self.report["marks"] = {
            mark.kind: {
                "points": mark.points,
                "values": {f.name: f.value for f in viewer.measure.values(mark)},
                "spacing": str(viewer.measure.spacing.kind),
            }
            for mark in viewer.measure.annotations()
        }
        yield xdo("key", "ctrl+z")
        yield "undo removes the rectangle", lambda: len(viewer.measure.annotations()) == 1
        yield xdo("key", "ctrl+y")
        yield from self._drawn(2)
        yield xdo("key", "Escape", "key", "w")

    def compares(self) -> Script:
        """Two films with linked pan, then prior beside current."""
        grid = self.workspace.grid
        yield xdo("key", "alt+2")
        yield (
            "two films are on screen",
            lambda: (
                all(view.radiograph is not None for view in self.session.views)
                and len(self.session.views) == 2
            ),
        )
        yield xdo("key", "ctrl+l")
        yield "the views are linked", lambda: self.workspace.view_controller.linking.on
        left, right = grid.viewers[:2]
        before = left.placement, right.placement
        start = at(left)
        yield drag(start, (start[0] + 60, start[1] + 30), button=2)
        yield "the left film is panned", lambda: left.placement != before[0]
        yield "the right film follows", lambda: right.placement != before[1]
        yield xdo("key", "ctrl+l", "key", "alt+1")
        yield "one film is on screen", lambda: len(self.session.views) == 1
        current = self.session.films[2]
        self.workspace.films.open_film(current)
        yield "the newest film is shown", lambda: self._shows(current.film_id)
        yield xdo("key", "shift+p")
        yield "the prior is at the right", lambda: grid.note_of(1).startswith("Prior")
        self.report["notes"] = [grid.note_of(0), grid.note_of(1)]
        self.report["prior"] = [view.film.relative_path for view in self.session.views]
        yield xdo("key", "alt+1")
        yield "one film is shown again", lambda: len(self.session.views) == 1

    def classifies(self) -> Script:
        """Classify the film; heat map on, stronger, off and on."""
        yield xdo("mousemove", *at(self.workspace.viewer), "key", "Return")
        yield "the film is classified", lambda: self.session.result(self.session.current)
        result = self.session.result(self.session.current)
        self.report["film_status"] = str(result.status)
        yield xdo("key", "g")
        yield "the heat map is shown", lambda: self.workspace.viewer.heat_layer
        opacity = self.workspace.findings.heat.opacity
        before = opacity.value()
        yield xdo("key", "bracketright")
        yield "the heat map is stronger", lambda: opacity.value() > before
        yield xdo("key", "g")
        yield "the heat map is off", lambda: self.workspace.viewer.heat_layer is None
        yield xdo("key", "g")
        yield "the heat map is on again", lambda: self.workspace.viewer.heat_layer

    def moves_on_while_it_computes(self) -> Script:
        """The result of one film is never shown on the next."""
        requested = self.session.films[4]
        following = self.session.films[5]
        self.workspace.films.open_film(requested)
        yield "the film to be classified is shown", lambda: self._shows(requested.film_id)
        yield xdo("key", "Return", "key", "Down")
        yield "the next film is shown", lambda: self._shows(following.film_id)
        yield "the first film has its result", lambda: self.session.result(requested)
        assert self.session.result(following) is None
        assert self.workspace.viewer.heat_layer is None

    def classifies_the_folder(self) -> Script:
        """Cancel the first batch while it runs, and let the second one end."""
        batch, ended = self.workspace.batch_runner, []
        batch.finished.connect(ended.append)
        once = Qt.ConnectionType.SingleShotConnection
        batch.started.connect(lambda _: batch.set_paused(True), once)  # until Cancel is clicked
        yield xdo("key", "b")
        yield "the folder is classified", lambda: "0 /" in self.workspace.batch_line.text()
        (cancel,) = (
            b for b in self.workspace.batch_line.findChildren(QPushButton) if b.text() == "Cancel"
        )
        yield click(cancel)
        yield "the cancelled batch ends", lambda: len(ended) == 1 and not batch.running
        self.report["cancelled"] = ended[0].cancelled, str(ended[0].csv_path)
        yield xdo("mousemove", *at(self.workspace.viewer), "key", "b")
        yield "the second batch ends", lambda: len(ended) == 2 and not batch.running
        self.report["finished"] = ended[1].cancelled, str(ended[1].csv_path)

    def exports(self) -> Script:
        """A figure of the film, a CSV of the measurements, and copies without the patient."""
        self.workspace.films.open_film(self.session.films[0])
        yield "the measured film is shown", lambda: self._shows(self.session.films[0].film_id)
        yield xdo("key", "ctrl+s")
        exports = self.window.panels.exports
        yield "the figure's dialog opens", lambda: exports.dialog("save_figure")
        figure = exports.dialog("save_figure")
        assert isinstance(figure, FigureDialog)
        yield from self._as_file(self.out / "figure.png", figure.save_button)
        yield "the figure's dialog closes", lambda: exports.dialog("save_figure") is None
        self.window.activateWindow()  # there is no window manager that would do it
        yield xdo("key", "ctrl+shift+m")
        yield from self._as_file(self.out / "measurements.csv")
        yield "the measurements are written", (self.out / "measurements.csv").exists
        self.window.activateWindow()
        yield xdo("key", "ctrl+shift+d")
        yield "the copies' dialog opens", lambda: exports.dialog("deidentify")
        copies = exports.dialog("deidentify")
        assert isinstance(copies, FolderDeidentify)
        yield click(copies.folder.edit)
        yield xdo("type", "--delay", 1, self.out / "copies")
        yield "the folder is entered", lambda: copies.folder.path == self.out / "copies"
        yield click(copies.start_button)
        yield "the copies are made", lambda: copies.open_button.isVisible()
        yield click(copies.close_button)
        yield "the copies' dialog closes", lambda: exports.dialog("deidentify") is None

    def _as_file(self, path: Path, button: QPushButton | None = None) -> Script:
        """Choose a file in the file dialog, which a button may have to open first."""
        if button is not None:
            yield "the button can be clicked", button.isVisible
            yield click(button)
        yield "the file dialog opens", lambda: next(_file_dialogs(), None)
        dialog = next(_file_dialogs())
        name = dialog.findChild(QLineEdit, "fileNameEdit")
        name.setText(str(path))
        dialog.accept()

    def _shows(self, film_id: str) -> bool:
        return self.workspace.viewer.film_id == film_id and self.session.radiograph is not None

    def _drawn(self, count: int) -> Script:
        layer = self.workspace.viewer.measure
        yield f"{count} marks are drawn", lambda: len(layer.annotations()) == count
        yield "they are measured", lambda: all(map(layer.values, layer.annotations()))


def _file_dialogs() -> Iterator[QFileDialog]:
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, QFileDialog) and widget.isVisible():
            yield widget


def run(folder: str, model: str, films: str, out: str) -> int:
    """The exit code of the program."""
    return drive(
        lambda window: ReadingSession(window, int(films), Path(out)).script(),
        [folder, "--model", model],
    )


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
