"""Drive the real program by a script that waits for states, never for fixed times.

A script is a generator over the main window: it does something, then yields the condition to wait
for and a description of it. It runs inside the program's own event loop.

    def script(window: MainWindow) -> Script:
        window.open_sample()
        yield "the film is on screen", lambda: window.workspace.session.radiograph is not None
"""

from __future__ import annotations

import subprocess
import time
import traceback
from collections.abc import Callable, Generator, Sequence

from PySide6.QtCore import QEvent, QObject, QPointF, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from xrayview import app as program
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.widgets.banners import Message

Wait = tuple[str, Callable[[], object]]
Script = Generator[Wait, None, None]
EVERY_MS = 10
PATIENCE_S = 120.0
"""For one state: generous, because the first reply of a model worker waits for torch."""


def drive(script: Callable[[MainWindow], Script], arguments: Sequence[str] = ()) -> int:
    """Run the program with these arguments and the script in it; returns its exit code.

    70 where the script failed: the program itself never exits with it.
    """
    program._scale_by_screen()
    driver = _Driver(QApplication([]), script)
    code = program.main(list(arguments))
    return 70 if driver.failed else code


class _Driver(QObject):
    def __init__(self, app: QApplication, script: Callable[[MainWindow], Script]) -> None:
        super().__init__(app)
        self.failed = False
        self._script = script
        self._run: Script | None = None
        self._window: MainWindow | None = None
        self._wait: Wait = ("the window is built", lambda: self._found())
        self._until_s = time.monotonic() + PATIENCE_S
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(EVERY_MS)

    def _found(self) -> bool:
        found = [w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow)]
        self._window = next((w for w in found if w.has_panels), None)
        return self._window is not None

    def _look(self) -> None:
        self._timer.stop()  # a dialog that the script opens runs its own event loop
        try:
            self._step()
        except StopIteration:
            return
        except BaseException:
            traceback.print_exc()
            self._give_up()
            return
        self._timer.start(EVERY_MS)

    def _step(self) -> None:
        state, is_reached = self._wait
        if not is_reached():
            assert time.monotonic() < self._until_s, f"timed out before this: {state}"
            return
        if self._run is None:
            assert self._window is not None
            self._run = self._script(self._window)
        self._wait = next(self._run)
        self._until_s = time.monotonic() + PATIENCE_S

    def _give_up(self) -> None:
        self.failed = True
        for widget in QApplication.topLevelWidgets():
            widget.close()


class BannerLog(QObject):
    """Every banner that was shown, in order."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.messages: list[Message] = []
        self._window = window
        window.banners.installEventFilter(self)

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ChildAdded:
            # The banner joins the list right after its row.
            QTimer.singleShot(0, self, self._note)
        return False

    def _note(self) -> None:
        for message in self._window.banners.messages():
            if message not in self.messages:
                self.messages.append(message)


def classify_with_heat_map(window: MainWindow) -> Script:
    """Classify the film on screen and draw its heat map, once there are a film and a model."""
    workspace = window.workspace
    session = workspace.session
    yield "a film is on screen", lambda: session.radiograph is not None
    yield "the model is loaded", lambda: session.model is not None
    workspace.model_controller.classify()
    yield "the film is classified", lambda: session.result(session.current) is not None
    workspace.heat_maps.set_on(True)
    yield "the heat map is on the film", lambda: workspace.viewer.heat_layer is not None


def xdo(*arguments: object) -> Wait:
    """Run xdotool: mouse and keyboard events reach the program through the X server."""
    process = subprocess.Popen(["xdotool", *map(str, arguments)])
    return f"xdotool {' '.join(map(str, arguments))} ends", lambda: process.poll() is not None


def at(widget: QWidget, x: float = 0.5, y: float = 0.5) -> tuple[int, int]:
    """A point of a widget, given in fractions of its size, in pixels of the X screen."""
    point = QPointF(x * widget.width(), y * widget.height()).toPoint()
    pixel = widget.mapToGlobal(point) * widget.devicePixelRatio()
    return pixel.x(), pixel.y()


def click(widget: QWidget) -> Wait:
    """Click in the middle of a widget."""
    return xdo("mousemove", *at(widget), "click", 1)


def drag(start: tuple[int, int], end: tuple[int, int], button: int = 1) -> Wait:
    """Press, move in two steps, release."""
    middle = (start[0] + end[0]) // 2, (start[1] + end[1]) // 2
    return xdo(
        *("mousemove", *start, "mousedown", button, "mousemove", *middle),
        *("mousemove", *end, "mouseup", button),
    )
