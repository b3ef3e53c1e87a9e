"""Drives the real program by a script that waits for states, never for times.

A script is a generator over the main window: it does something, then yields what must come true
before it goes on, with words for it. It runs inside the program's own event loop.

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
PATIENCE_S = 60.0
"""For one state: generous, the first answer of a model worker waits for torch."""


def drive(script: Callable[[MainWindow], Script], arguments: Sequence[str] = ()) -> int:
    """Run the program with these arguments and the script in it; returns its exit code.

    70 where the script found something wrong: no exit code of the program.
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
        self._wait: Wait = ("the window is awake", lambda: self._found())
        self._until_s = time.monotonic() + PATIENCE_S
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(EVERY_MS)

    def _found(self) -> bool:
        found = [w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow)]
        self._window = next((w for w in found if w.awake), None)
        return self._window is not None

    def _look(self) -> None:
        self._timer.stop()  # a dialog that the script opens has a loop of its own
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
        words, true = self._wait
        if not true():
            assert time.monotonic() < self._until_s, f"it did not come true that {words}"
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


class Told(QObject):
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


def xdo(*words: object) -> Wait:
    """Let xdotool's hand do something: through the X server, as a user's would."""
    hand = subprocess.Popen(["xdotool", *map(str, words)])
    return f"xdotool {' '.join(map(str, words))} ends", lambda: hand.poll() is not None


def at(widget: QWidget, x: float = 0.5, y: float = 0.5) -> tuple[int, int]:
    """A place of a widget, in shares of its size, as X counts the screen's pixels."""
    place = QPointF(x * widget.width(), y * widget.height()).toPoint()
    pixel = widget.mapToGlobal(place) * widget.devicePixelRatio()
    return pixel.x(), pixel.y()


def click(widget: QWidget) -> Wait:
    """Click in the middle of a widget."""
    return xdo("mousemove", *at(widget), "click", 1)


def drag(start: tuple[int, int], end: tuple[int, int], button: int = 1) -> Wait:
    """Press, move in two steps, let go."""
    middle = (start[0] + end[0]) // 2, (start[1] + end[1]) // 2
    return xdo(
        *("mousemove", *start, "mousedown", button, "mousemove", *middle),
        *("mousemove", *end, "mouseup", button),
    )
