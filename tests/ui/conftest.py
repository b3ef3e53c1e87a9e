"""What the tests of the window share: a real engine, a small model, films; and no leftovers."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.builders import phantom, write_dicom, write_raster
from tests.bundles import write_bundle
from xrayview.domain.model import Finding, OperatingPoint
from xrayview.domain.radiograph import Radiograph
from xrayview.engine.client import Engine
from xrayview.io.readers import read_film, read_header
from xrayview.services.catalogue import trust_model
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.style import theme
from xrayview.ui.viewer.film_view import FilmViewer
from xrayview.ui.widgets.form_dialog import FormDialog

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before the first QApplication

WAIT_MS = 90_000
"""Generous: the first answer of a model worker waits for torch on a busy machine."""
FINDINGS = (Finding("Normal", "nothing found", abnormal=False), Finding("Opacity", "bright"))


class SharedEngine:
    """An engine for one window of many: the window may close it without ending it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.limits = engine.limits
        self.decode_workers = engine.decode_workers
        self.submit = engine.submit
        self.hasten = engine.hasten

    def close(self) -> None:
        return


class _TimerWatch(QObject):
    """Notes which timers fire; walking all objects of Python would disturb its threads."""

    def __init__(self) -> None:
        super().__init__()
        self.fired: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Timer and isinstance(watched, QTimer):
            self.fired.append(repr(watched))
        return False


@pytest.fixture(scope="session")
def _libraries_stay() -> Iterator[None]:
    """What was imported is not looked through after every test."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _nothing_is_left_over(qapp: QApplication, _libraries_stay: None) -> Iterator[None]:
    """Windows, threads and timers of a test end with it.

    As in the program, garbage is collected on this thread only: a widget in a cycle that is found
    by another thread is destroyed there, and the process dies.
    """
    windows = set(_windows())
    gc.disable()
    yield
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    gc.enable()
    assert [w for w in _windows() if w not in windows] == []
    assert _ended(lambda: [t for t in threading.enumerate() if t.name.startswith("xrayview task")])
    watch = _TimerWatch()
    qapp.installEventFilter(watch)
    QTest.qWait(30)
    qapp.removeEventFilter(watch)
    assert watch.fired == []


def _windows() -> list[QWidget]:
    return [w for w in QApplication.topLevelWidgets() if w.parent() is None]


def _ended(find) -> bool:
    until = time.monotonic() + 5
    while find() and time.monotonic() < until:
        time.sleep(0.01)
    return not find()


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with Engine(1) as engine:
        yield engine


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trusted model of two findings that scores how bright a film is."""
    path = tmp_path_factory.mktemp("models") / "bright.pt"
    point = OperatingPoint("Opacity", "test", 0.6, "chosen for the test")
    write_bundle(
        path,
        name="bright",
        task="multiclass",
        activation="softmax",
        findings=FINDINGS,
        operating_points=(point,),
    )
    trust_model(path)
    return path


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two patients, three DICOM films, a folder of PNG films, and two files that are none."""
    folder = tmp_path_factory.mktemp("films")
    for number, patient in enumerate(("P1", "P1", "P2"), 1):
        write_dicom(
            folder / f"film{number}.dcm",
            phantom(96, 80 + number),
            windows=[(2048, 4096, "WHOLE"), (1000, 500, "NARROW")],
            PatientID=patient,
            StudyDate="20240119",
            StudyInstanceUID=f"1.2.3.{patient[1]}",
            SeriesInstanceUID=f"1.2.3.{number}",
            SOPInstanceUID=f"1.2.3.{number}.1",
            BodyPartExamined="CHEST",
            ViewPosition="PA",
        )
    (folder / "png").mkdir()
    write_raster(folder / "png" / "a.png", phantom(64, 64, 8))
    (folder / "notes.txt").write_text("not a film", encoding="utf-8")
    (folder / "empty.dcm").touch()
    return folder


def real_film(name: str) -> Radiograph:
    """A film of pydicom's test data; the test is skipped where it is not installed."""
    found = get_testdata_file(name, download=False)
    if found is None:
        pytest.skip("pydicom-data is not installed")
    path = Path(str(found))
    return read_film(read_header(path, path.parent))


@pytest.fixture
def viewer(qtbot: QtBot) -> FilmViewer:
    """A viewer on screen, without a film."""
    shown = FilmViewer()
    qtbot.addWidget(shown)
    shown.resize(640, 480)
    shown.show()
    return shown


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(tmp_path_factory.mktemp("settings") / "settings.json")
    settings["device"] = "cpu"
    settings["model"] = "none of those that ship"
    return settings


def _discard_answers(window: MainWindow) -> None:
    """Close dialogs, which would ask about their answers, before the window closes."""
    for dialog in window.findChildren(FormDialog):
        dialog.discard()


@pytest.fixture
def window(qtbot: QtBot, engine: Engine, settings: Settings, tmp_path: Path) -> MainWindow:
    """A window with its panels, without a model."""
    theme.apply(QApplication.instance())
    window = MainWindow(settings, tmp_path / "results")
    qtbot.addWidget(window, before_close_func=_discard_answers)
    window.resize(1280, 800)
    window.show()
    window.build_panels(SharedEngine(engine))
    window.banners.close_message("model")  # says that there is no such model
    return window


@pytest.fixture
def opened(qtbot: QtBot, window: MainWindow, films: Path) -> MainWindow:
    """The window with the films listed and the first one on screen."""
    workspace = window.workspace
    with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
        window.open_paths([films])
    qtbot.waitUntil(lambda: workspace.session.radiograph is not None, timeout=WAIT_MS)
    return window


@pytest.fixture
def ready(qtbot: QtBot, opened: MainWindow, bundle: Path) -> MainWindow:
    """The window with films and a model."""
    opened.open_model(bundle)
    qtbot.waitUntil(lambda: opened.workspace.session.model is not None, timeout=WAIT_MS)
    return opened
