"""How long the window's thread is not there for its user, through a session of many films.

A thread asks the window for a sign of life every few milliseconds. `extra_info` has of each step

- `stall_ms`: the longest wait for an answer, by the clock;
- `blocked_ms`: the longest wait less what the window's thread stood in the queue for a core that
  other programs had (Linux counts it for each thread): its own work, and what it waited for locks,
  files and the other threads of the program, which may have lost their core meanwhile. Where the
  system does not count, it is the same as `stall_ms`;
- `busy_ms`: the longest time on a core between two answers, which is the window's own work.
"""

from __future__ import annotations

import itertools
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from PySide6.QtCore import QEvent, QEventLoop, QObject, Qt, QTimer, Signal
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.builders import phantom, write_dicom
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ReadHeaders
from xrayview.services.settings import Settings
from xrayview.ui.shell.garbage_collection import GarbageCollector
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.style import theme

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

FILMS = int(os.environ.get("XRAYVIEW_BENCH_FILMS", "2000"))
ASK_EVERY_S = 0.004
WAIT_S = 120
TO_AND_FRO = itertools.cycle([*range(40), *range(40, 0, -1)])
"""Positions in the list, in fortieths."""


class Watch(QObject):
    """Asks from a thread of its own: a timer of the window would wait with it."""

    _asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._answered = threading.Event()
        self._asked.connect(self._answer, Qt.ConnectionType.QueuedConnection)
        self._longest_s: dict[str, float] = {}
        self._blocked_s: dict[str, float] = {}
        self._busiest_s: dict[str, float] = {}
        self._worked_s = time.thread_time()
        self._step = "start"
        self._stop = threading.Event()
        self._watched = threading.get_native_id()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def step(self, name: str) -> None:
        """What the window does from now on."""
        self._step = name

    def report(self) -> dict[str, dict[str, float]]:
        """The longest of each step, in milliseconds."""
        found = (self._longest_s, self._blocked_s, self._busiest_s)
        names = ("stall_ms", "blocked_ms", "busy_ms")
        return {name: _ms(of_step) for name, of_step in zip(names, found, strict=True)}

    def _answer(self) -> None:
        """On the window's thread."""
        worked = time.thread_time()
        busy, self._worked_s = worked - self._worked_s, worked
        self._busiest_s[self._step] = max(busy, self._busiest_s.get(self._step, 0.0))
        self._answered.set()

    def _ask(self) -> None:
        while not self._stop.wait(ASK_EVERY_S):
            self._answered.clear()
            step, queued_s, start = self._step, queued(self._watched), time.perf_counter()
            self._asked.emit()
            while not self._answered.wait(0.5):
                if self._stop.is_set():  # the session is over, nobody is left to answer
                    return
            waited = time.perf_counter() - start
            blocked = waited - (queued(self._watched) - queued_s)
            self._longest_s[step] = max(waited, self._longest_s.get(step, 0.0))
            self._blocked_s[step] = max(blocked, self._blocked_s.get(step, 0.0))

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def queued(thread: int) -> float:
    """Seconds that a thread of this process has waited for a core; 0 where nobody counts them."""
    try:
        text = Path(f"/proc/self/task/{thread}/schedstat").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return int(text.split()[1]) / 1e9


def _ms(seconds: dict[str, float]) -> dict[str, float]:
    return {step: round(1000 * longest, 1) for step, longest in seconds.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films of 8 to a patient, two to a study."""
    folder = tmp_path_factory.mktemp("films")
    pixels = phantom(64, 56)
    for n in range(FILMS):
        write_dicom(
            folder / f"{n:05d}.dcm", pixels, PatientID=f"P{n // 8}", StudyInstanceUID=f"1.{n // 2}",
            SeriesInstanceUID=f"1.{n // 2}.1", SOPInstanceUID=f"1.2.{n}", InstanceNumber=n,
        )  # fmt: skip
    return folder


@pytest.fixture
def window(qapp: QApplication, tmp_path: Path) -> Iterator[MainWindow]:
    theme.apply(qapp)
    settings = Settings(tmp_path / "settings.json")
    settings["model"] = "none"
    collector = GarbageCollector()
    shown = MainWindow(settings, tmp_path)
    shown.resize(1280, 800)
    shown.show()
    engine = Engine()
    shown.build_panels(engine)
    engine.submit(ReadHeaders((), Path())).result(WAIT_S)  # as the program does: workers are there
    collector.settle()
    run_for(1500)
    yield shown
    collector.stop()
    shown.close()
    shown.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def run_for(ms: int) -> None:
    """Let the window run. QTest.qWait would keep Python's lock, and every other thread waiting."""
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()


def until(done: Callable[[], bool], meanwhile: Callable[[], object] = lambda: None) -> None:
    end = time.monotonic() + WAIT_S
    while not done() and time.monotonic() < end:
        meanwhile()
        run_for(5)
    assert done()


def session(window: MainWindow, folder: Path, watch: Watch) -> None:
    """Open the folder, scrolling while it is read; scroll, step, window, filter, star."""
    workspace = window.workspace
    heard: list[bool] = []
    workspace.films.finished_listing.connect(lambda: heard.append(True))
    watch.step("open the folder")
    bar = workspace.browser.tree.verticalScrollBar()
    window.open_paths([folder])
    until(lambda: bool(heard), lambda: bar.setValue(next(TO_AND_FRO) * bar.maximum() // 40))
    bar.setValue(0)
    watch.step("scroll")
    for index in range(40):
        bar.setValue(bar.maximum() * index // 40)
        run_for(20)
    watch.step("next film")
    for _ in range(30):
        workspace.films.step(1)
        run_for(30)
    watch.step("window")
    for _ in range(20):
        QTest.keyClick(window, Qt.Key.Key_I)
        run_for(10)
    watch.step("filter")
    for text in ("0", "00", "001", "0017", ""):
        workspace.browser.field.setText(text)
        run_for(50)
    watch.step("star")
    for _ in range(5):
        QTest.keyClick(window, Qt.Key.Key_K)
        run_for(20)
    workspace.browser.filter.star.setChecked(True)
    run_for(50)
    workspace.browser.filter.star.setChecked(False)
    run_for(200)


def test_window_answers_through_a_session(benchmark: Any, window: MainWindow, folder: Path) -> None:
    with Watch() as watch:
        benchmark.pedantic(session, (window, folder, watch), rounds=1)
    benchmark.extra_info.update(watch.report())
    benchmark.extra_info["films"] = FILMS


def test_first_thumbnails_while_a_folder_is_read(
    benchmark: Any, window: MainWindow, folder: Path
) -> None:
    """From the click to the first row, its thumbnail and the last row."""
    workspace = window.workspace
    came: dict[str, float] = {}
    start = time.perf_counter()

    def note(what: str) -> None:
        came.setdefault(what, round(time.perf_counter() - start, 3))

    workspace.films.folder_opened.connect(lambda: note("first_film_s"))
    workspace.thumbnails.arrived.connect(lambda _film: note("first_thumbnail_s"))
    workspace.films.finished_listing.connect(lambda: note("all_films_s"))

    def opened() -> None:
        window.open_paths([folder])
        until(lambda: len(came) == 3)

    benchmark.pedantic(opened, rounds=1)
    benchmark.extra_info.update(came, films=FILMS)
    ratio = came["first_thumbnail_s"] / came["all_films_s"]
    benchmark.extra_info["first_to_all"] = round(ratio, 3)


@pytest.fixture(scope="module")
def large_films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Uncompressed films of 3000 x 3000 x 16 bit."""
    folder = tmp_path_factory.mktemp("large")
    pixels = np.random.default_rng(0).integers(1, 4096, (3000, 3000), dtype=np.uint16)
    for n in range(8):
        write_dicom(folder / f"{n}.dcm", pixels, InstanceNumber=n, SOPInstanceUID=f"1.2.{n}")
    return folder


def test_next_film_that_was_prefetched(
    benchmark: Any, window: MainWindow, large_films: Path
) -> None:
    workspace = window.workspace
    window.open_paths([large_films])

    def prefetched() -> None:
        until(lambda: workspace.session.radiograph is not None)
        following = workspace.films.listed().neighbour(workspace.session.current, 1)
        until(lambda: workspace.session.is_decoded(following))
        run_for(300)

    def step() -> None:
        workspace.films.step(1)
        QApplication.processEvents()

    benchmark.pedantic(step, setup=prefetched, rounds=6)
    paths = sorted(large_films.iterdir())
    decoded = [timed_s(lambda path=path: dcmread(path).pixel_array) for path in paths]
    ratio = benchmark.stats.stats.median / statistics.median(decoded)
    benchmark.extra_info["ours_to_pixel_array"] = round(ratio, 3)


def timed_s(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
