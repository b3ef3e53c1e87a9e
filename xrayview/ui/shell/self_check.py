"""The window's part of the self-test: the real program, driven through the sample study."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication, QImage

from xrayview.io.atomic import replacing
from xrayview.ui.shell.main_window import MainWindow

_log = logging.getLogger(__name__)
_EVERY_MS = 20
_PATIENCE_S = 40.0
"""For one state: the first reply of the model waits for torch."""
_LEAST_COLOURS = 64
"""Of a painted window with a film; an empty one has a few."""

State = tuple[str, Callable[[], object]]


class SelfCheck(QObject):
    """Classifies and explains the first film of the sample study, then closes the window.

    Args:
        window: shown, with the sample study requested.
        report: the JSON file to write: seconds by state, the scores, and `error` if it failed.
    """

    def __init__(self, window: MainWindow, report: Path) -> None:
        super().__init__(window)
        self._window, self._path = window, report
        self._report: dict[str, Any] = {"platform": QGuiApplication.platformName(), "states": {}}
        self._steps = self._script()
        self._state: State = ("started", lambda: True)
        self._start_s = self._since_s = time.monotonic()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(_EVERY_MS)

    def _look(self) -> None:
        name, is_reached = self._state
        now_s = time.monotonic()
        try:
            if is_reached():
                self._report["states"][name] = round(now_s - self._start_s, 2)
                self._state, self._since_s = next(self._steps), now_s
                return
            if now_s - self._since_s < _PATIENCE_S:
                return
            self._report["error"] = f"not reached: {name}"
        except StopIteration:
            pass
        except Exception as error:
            _log.exception("the self-check ended")
            self._report["error"] = f"internal error ({type(error).__name__}) after: {name}"
        self._finish()

    def _script(self) -> Generator[State, None, None]:
        window = self._window
        yield "window is painted", lambda: window.isVisible() and _colours(window) > 1
        yield "panels are built", lambda: window.has_panels
        workspace = window.workspace
        session = workspace.session
        yield "film is on screen", lambda: session.radiograph is not None
        yield "model is loaded", lambda: session.model is not None
        workspace.model_controller.classify()
        yield "film is classified", lambda: session.result(session.current) is not None
        workspace.heat_maps.set_on(True)
        yield "heat map is drawn", lambda: workspace.viewer.heat_layer is not None
        yield "film is painted", lambda: _colours(window) >= _LEAST_COLOURS
        result = session.result(session.current)
        assert result is not None
        prediction = result.prediction
        self._report["film"] = result.relative_path
        self._report["status"] = result.status.value
        self._report["scores"] = (
            dict(zip(prediction.findings, prediction.scores, strict=True)) if prediction else {}
        )

    def _finish(self) -> None:
        self._timer.stop()
        try:
            with replacing(self._path) as stream:
                json.dump(self._report, stream)
        finally:
            self._window.close()


def _colours(window: MainWindow) -> int:
    """The number of colours in a coarse picture of the window."""
    image = window.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    small = image.scaled(160, 100)
    return len({small.pixel(x, y) for x in range(small.width()) for y in range(small.height())})
