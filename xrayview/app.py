"""The window's program: the start page first, everything else after the first paint."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from xrayview import __version__
from xrayview.errors import ExitCode, XrayViewError
from xrayview.services.log import crash_log, log_crashes, start_log
from xrayview.services.resources import require_resources
from xrayview.services.running_window import RunningWindow, StartRequest, hand_over
from xrayview.services.settings import Settings
from xrayview.services.user_folders import networks_folder, results_folder
from xrayview.ui.shell.application import (
    Application,
    plain_start_failures,
    show_start_failure,
)
from xrayview.ui.shell.end_signals import EndSignals
from xrayview.ui.shell.garbage_collection import GarbageCollector
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.style import theme
from xrayview.ui.widgets.banners import Message
from xrayview.ui.widgets.drop_target import dropped
from xrayview.ui.widgets.main_thread import MainThread

_TALL_PX = 1800
"""A screen of at least this height with no scale of its own is a high-density one."""
_COMFORTABLE_PX = 1080
_UNSEEN_MS = 1500
"""A window that is not painted by then (minimised, covered) builds its panels all the same."""


def main(argv: Sequence[str] | None = None) -> int:
    """Open the window; returns the exit code."""
    multiprocessing.freeze_support()
    options = _parse(sys.argv[1:] if argv is None else argv)
    request = _request(options)
    is_checked = options.self_check is not None
    if not (options.new_window or is_checked) and hand_over(request):
        return ExitCode.OK
    with plain_start_failures():
        _scale_by_screen()
        app = QApplication.instance()
        if not isinstance(app, QApplication):
            app = Application(sys.argv[:1])
    app.setApplicationName("XrayView")
    app.setApplicationVersion(__version__)
    start_log()
    log_crashes()
    settings = Settings()
    collector = GarbageCollector()
    try:
        require_resources()
        theme.apply(app, settings["theme"])
        window = MainWindow(settings, results_folder())
    except Exception as error:
        from xrayview.services.tasks import displayable

        collector.stop()
        show_start_failure(displayable(error))
        raise
    sys.excepthook = partial(_on_unforeseen, window)
    signals = EndSignals(window.end)
    running = _running_window(window, app)
    listen = running.start if not is_checked else lambda: False
    AfterFirstPaint(window.start_page, lambda: _load(window, settings, request, collector, listen))
    window.show()
    if is_checked:
        from xrayview.ui.shell.self_check import SelfCheck

        SelfCheck(window, options.self_check)
    try:
        code = app.exec()
        return ExitCode.INTERRUPTED if signals.received else code
    finally:
        running.close()
        signals.stop()
        collector.stop()


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="xrayview-app", description="Read, classify and explain chest radiographs."
    )
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="folders, films or a model to open"
    )
    parser.add_argument("--sample", action="store_true", help="open the bundled sample study")
    parser.add_argument("--model", type=Path, help="model bundle to load")
    parser.add_argument(
        "--new-window",
        action="store_true",
        help="open another window even if one is already running",
    )
    parser.add_argument("--self-check", type=Path, help=argparse.SUPPRESS)  # commands/self_test.py
    parser.add_argument("--version", action="version", version=f"XrayView {__version__}")
    return parser.parse_args(argv)


def _request(options: argparse.Namespace) -> StartRequest:
    what = dropped([path.absolute() for path in options.paths])
    model = _model(options.model) if options.model is not None else what.model
    return StartRequest(what.films, model, options.sample)


def _model(path: Path) -> Path:
    """The path of a bundle, which may be named as in the catalogue."""
    if path.exists():
        return path.absolute()
    from xrayview.services.catalogue import find_model

    try:
        return find_model(str(path)).absolute()
    except XrayViewError:
        return path  # the window looks in the folders of the settings, and says what is wrong


def _running_window(window: MainWindow, app: QApplication) -> RunningWindow:
    """What opens in the window what later starts of the program, and the system, ask for."""
    bridge = MainThread(window)
    if isinstance(app, Application):
        app.file_opened.connect(lambda path: window.open_request(_dropped_request([path])))
    return RunningWindow(
        lambda request: bridge.deliver(partial(window.open_request, request, to_front=True))
    )


def _dropped_request(paths: list[Path]) -> StartRequest:
    what = dropped(paths)
    return StartRequest(what.films, what.model)


class AfterFirstPaint(QObject):
    """Calls a function once, after a widget's first paint."""

    def __init__(self, widget: QObject, act: Callable[[], None]) -> None:
        super().__init__(widget)
        self._act: Callable[[], None] | None = act
        widget.installEventFilter(self)
        QTimer.singleShot(_UNSEEN_MS, self, self._run)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self, self._run)
        return False

    def _run(self) -> None:
        act, self._act = self._act, None
        if act is not None:
            act()


def _load(
    window: MainWindow,
    settings: Settings,
    request: StartRequest,
    collector: GarbageCollector,
    listen: Callable[[], bool],
) -> None:
    """Import the panels in a thread, then build them in turns; the window responds meanwhile.

    The modules take half a second to import. They create no Qt object, which would belong to the
    thread; they only define classes.
    """
    bridge = MainThread(window)

    def build() -> None:
        steps = _build_steps(window, settings, request, collector)
        run_in_turns(window, steps, lambda: not window.is_closed)

    def load() -> None:
        try:
            import xrayview.ui.shell.panels  # noqa: F401
        finally:  # an error is raised again where the panels are built, and shown there
            bridge.deliver(build)
        listen()

    threading.Thread(target=load, name="xrayview imports", daemon=True).start()


def _build_steps(
    window: MainWindow, settings: Settings, request: StartRequest, collector: GarbageCollector
) -> Iterator[None]:
    window.open_request(replace(request, model=None))  # the model is loaded with the panels
    from xrayview.engine.client import Engine
    from xrayview.engine.protocol import ReadHeaders

    workers = settings["decode_workers"] or None
    engine = Engine(workers, settings.limits(), crash_log=crash_log(), cache=networks_folder())
    yield from window.build_steps(engine, request.model)
    collector.settle()
    # Nothing to read: the workers start while the user looks for a folder.
    engine.submit(ReadHeaders((), Path()))
    last = settings["window_state"].get("source")
    if last and settings["reopen_folder"] and not (request.sample or request.paths):
        _reopen(window, Path(last))


def run_in_turns(window: QObject, steps: Iterator[None], goes_on: Callable[[], bool]) -> None:
    """Run one step in each turn of the event loop, to the last or until `goes_on()` is false."""
    timer = QTimer(window)  # its timeouts are last in each turn; single shots would delay others

    def step() -> None:
        if goes_on():
            for _ in steps:
                return
        timer.stop()
        timer.deleteLater()

    timer.timeout.connect(step)
    timer.start(0)


def _reopen(window: MainWindow, last: Path) -> None:
    """Open what was open last, if it still exists and the user has not opened anything yet."""
    bridge = MainThread(window)

    def open_it() -> None:
        if not window.is_closed and window.workspace.session.folder is None:
            window.open_paths([last])

    def look() -> None:  # a drive that is gone may take seconds to answer
        if last.exists():
            bridge.deliver(open_it)

    threading.Thread(target=look, name="xrayview last folder", daemon=True).start()


def _on_unforeseen(
    window: MainWindow, kind: type[BaseException], error: BaseException, _: TracebackType | None
) -> None:
    """Log an error that nobody handled, and show it as a banner; the film stays on screen."""
    if issubclass(kind, KeyboardInterrupt):
        window.end()
        return
    from xrayview.services.tasks import displayable

    window.banners.show_message(Message.of("inside", displayable(error)))


def _scale_by_screen() -> None:
    """Take the scale from the screen where the platform gives none, so that 4K is readable."""
    given = {"QT_SCALE_FACTOR", "QT_SCREEN_SCALE_FACTORS"} & os.environ.keys()
    if given or QCoreApplication.instance() or sys.platform in ("win32", "darwin"):
        return
    # The scale must be known before the program's own QApplication is created.
    probe = QGuiApplication(sys.argv[:1])
    screen = probe.primaryScreen()
    if screen.devicePixelRatio() == 1.0 and screen.size().height() >= _TALL_PX:
        factor = round(screen.size().height() / _COMFORTABLE_PX * 4) / 4
        os.environ["QT_SCALE_FACTOR"] = f"{factor:g}"
    probe.shutdown()


if __name__ == "__main__":
    sys.exit(main())
