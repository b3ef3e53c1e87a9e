"""A picture of the real flow, for the people who build the window: open, classify, heat map."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, QTimer

from xrayview.domain.events import FilmResult
from xrayview.errors import ExitCode
from xrayview.ui.shell.main_window import MainWindow

_EVERY_MS = 100
_SETTLE_MS = 1500
_LONGEST_MS = 120_000
_NO_PICTURE = (
    "No picture was taken: no model could be loaded. "
    "If it is only not trusted yet, say so first: xrayview model show FILE --trust-model"
)


class Photographer(QObject):
    """Walks through the steps as a user would, waiting for each; then grabs and closes."""

    def __init__(self, window: MainWindow, path: Path) -> None:
        super().__init__(window)
        self._window = window
        self._path = path
        self._waited_ms = 0
        self._explained = False
        self._steps: list[tuple[Callable[[], bool], Callable[[], None]]] = [
            (lambda: window.awake, lambda: None),
            (self._ready, self._classify),
            (lambda: self._result() is not None, self._explain),
            (lambda: self._explained, lambda: None),
        ]
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(_EVERY_MS)

    def _look(self) -> None:
        self._waited_ms += _EVERY_MS
        if self._has_no_model():
            self._give_up()
            return
        if self._steps and self._steps[0][0]():
            self._steps.pop(0)[1]()
        if not self._steps or self._waited_ms > _LONGEST_MS:
            self._timer.stop()
            QTimer.singleShot(_SETTLE_MS, self._finish)

    def _ready(self) -> bool:
        session = self._window.workspace.session
        return session.radiograph is not None and session.model is not None

    def _has_no_model(self) -> bool:
        if not self._window.awake:
            return False
        space = self._window.workspace
        return space.session.model is None and not space.judging.loading

    def _give_up(self) -> None:
        """Nobody is there to answer a question or to choose another model."""
        self._timer.stop()
        said = [f"{m.title} {m.text}".strip() for m in self._window.banners.messages()]
        sys.stderr.write("\n".join([*said, _NO_PICTURE, ""]))
        self._window.close()
        QCoreApplication.exit(ExitCode.MODEL)

    def _classify(self) -> None:
        self._window.workspace.judging.classify()

    def _explain(self) -> None:
        space, result = self._window.workspace, self._result()
        space.judging.heat_map_ready.connect(self._on_explained)
        # A film that was refused or failed has no heat map to wait for.
        self._explained = result is None or result.prediction is None
        space.heat.set_on(True)

    def _on_explained(self) -> None:
        self._explained = True

    def _result(self) -> FilmResult | None:
        session = self._window.workspace.session
        return session.result(session.current)

    def _finish(self) -> None:
        self._window.grab().save(str(self._path))
        self._window.close()
