"""Nothing happens without a word: what is missing is named, and what is valid stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS, SharedEngine
from xrayview.domain.events import FilmResult
from xrayview.engine.client import Engine
from xrayview.errors import Status, StatusCode, UnreadableFilm, UsageError, XrayViewError
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.viewer.message_page import MessagePage
from xrayview.ui.widgets.banners import Message


def titles(window: MainWindow) -> list[str]:
    return [message.title for message in window.banners.messages()]


def classified(qtbot: QtBot, window: MainWindow) -> FilmResult:
    workspace = window.workspace
    workspace.model_controller.classify()
    session = workspace.session
    qtbot.waitUntil(lambda: session.result(session.current) is not None, timeout=WAIT_MS)
    result = session.result(session.current)
    assert result is not None
    return result


def test_that_commands_say_what_they_need(qtbot: QtBot, opened: MainWindow) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_B)
    assert titles(opened) == ["No model is loaded"]
    opened.banners.close_message("without a model")
    opened.workspace.model_controller.classify()
    assert titles(opened) == ["No model is loaded"]
    opened.banners.close_message("without a model")
    qtbot.keyClick(opened, Qt.Key.Key_G)
    assert titles(opened) == ["No model is loaded"]


def test_that_a_heat_map_of_an_unclassified_film_says_what_is_missing(
    qtbot: QtBot, ready: MainWindow
) -> None:
    qtbot.keyClick(ready, Qt.Key.Key_G)
    assert titles(ready) == ["This film has no scores yet"]
    classified(qtbot, ready)
    qtbot.waitUntil(lambda: titles(ready) == [], timeout=WAIT_MS)


def test_that_valid_scores_stay_when_a_later_try_fails(qtbot: QtBot, ready: MainWindow) -> None:
    result = classified(qtbot, ready)
    session = ready.workspace.session
    film, model = session.current, session.model
    assert film is not None
    assert model is not None
    error = UnreadableFilm("The decoder took too long", code=StatusCode.TIMED_OUT)
    ready.workspace.model_controller._on_failed(film, model, error)
    assert session.result(film) == result
    findings = ready.workspace.findings  # refreshed at the end of the event loop's turn
    qtbot.waitUntil(lambda: findings.state.kind == "classified", timeout=WAIT_MS)
    assert any("The decoder took too long" in title for title in titles(ready))


def test_that_escape_leaves_the_tool_in_every_view(qtbot: QtBot, opened: MainWindow) -> None:
    grid = opened.workspace.grid
    grid.set_tool("length")
    grid.viewer.measure.cancel()
    assert {viewer._canvas.tool for viewer in grid.viewers} == {"window"}


def test_that_playback_pauses_when_a_text_is_drawn(qtbot: QtBot, opened: MainWindow) -> None:
    viewer = opened.workspace.viewer
    layer = viewer.measure
    qtbot.waitUntil(lambda: layer.marks is not None and layer.marks.is_loaded, timeout=WAIT_MS)
    before = len(layer.annotations())  # the folder is shared with other tests
    paused: list[bool] = []
    layer.drawing_began.connect(lambda: paused.append(True))
    viewer.set_tool("text")
    layer.press(QPointF(200, 200))
    layer.release(QPointF(200, 200))
    assert paused
    layer.field.setText("opacity")
    film = layer.radiograph
    assert film is not None
    layer.show_frame(film)  # whatever turns the film, what was typed stays with it
    assert [a.text for a in layer.annotations()][before:] == ["opacity"]


def test_that_options_of_the_command_line_do_not_appear_in_the_window() -> None:
    error = UsageError("No", hint="Choose another --out, or use --restart. Or rename the file.")
    assert Message.of("x", error).text == "Or rename the file."


def test_that_a_model_of_one_start_is_not_the_next_default(
    qtbot: QtBot, engine: Engine, settings: Settings, tmp_path: Path, bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(bundle.parent)
    before = settings["model"]
    window = MainWindow(settings, tmp_path / "results")
    qtbot.addWidget(window)
    window.show()
    window.build_panels(SharedEngine(engine), Path(bundle.name))
    session = window.workspace.session
    qtbot.waitUntil(lambda: session.model is not None, timeout=WAIT_MS)
    assert session.model is not None
    assert session.model.model.path == bundle
    assert settings["model"] == before


def test_that_a_relative_folder_is_stored_absolute(
    qtbot: QtBot, window: MainWindow, settings: Settings, films: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(films.parent)
    with qtbot.waitSignal(window.workspace.films.finished_listing, timeout=WAIT_MS):
        window.open_paths([Path(films.name)])
    assert settings["recent_folders"][0] == str(films)


def test_that_a_missing_path_is_shown_whole(qtbot: QtBot, opened: MainWindow, films: Path) -> None:
    missing = films / "archive" / "\udcff of 2019" / "study"
    opened.open_paths([films, missing])
    (message,) = opened.banners.messages()
    assert message.title.startswith(f"{films}/archive/\\xff of 2019/study: ")
    assert "does not exist" in message.title


def test_that_no_message_is_shown_twice(qtbot: QtBot, opened: MainWindow) -> None:
    for key in "GBG":
        qtbot.keyClick(opened, key)
    assert titles(opened) == ["No model is loaded"]
    opened.banners.show_message(Message("film", "warn", "The same"))
    opened.banners.show_message(Message("export", "warn", "The same"))
    assert titles(opened).count("The same") == 1


def test_that_results_and_films_show_no_options(qtbot: QtBot, ready: MainWindow) -> None:
    workspace = ready.workspace
    film = workspace.session.current
    assert film is not None
    text = "It failed (why). Choose another --out. Try again."
    result = FilmResult(film.relative_path, Status.ERROR, StatusCode.MODEL_FAILED, text, film)
    workspace.result_table.start(())
    workspace.result_table.append([result])
    reason = workspace.result_table.rows.detail(result)
    assert "Try again." in reason
    workspace.session.accept_result(result, workspace.session.model_sha256)
    workspace.findings_controller.on_result(film.film_id)
    qtbot.waitUntil(lambda: workspace.findings.state.kind == "failed", timeout=WAIT_MS)
    page = MessagePage()
    qtbot.addWidget(page)
    page.show_error(film, XrayViewError("No", hint="Use --restart. Try again."))
    labels = "\n".join(label.text() for label in workspace.findings.findChildren(QLabel))
    for shown in (reason, labels, page.text()):
        assert "--" not in shown
