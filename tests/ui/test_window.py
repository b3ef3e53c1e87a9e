"""The main workflow in the window with real workers: open, view, classify, explain."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.conftest import WAIT_MS
from xrayview.errors import Status, StatusCode
from xrayview.services.session import Session
from xrayview.services.settings import Settings
from xrayview.ui.browser.outline import NOT_FILMS
from xrayview.ui.browser.row_model import NODE
from xrayview.ui.findings.controller import chip_of
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.shell.status_line import NOTICE


def rows(window: MainWindow) -> list[str]:
    """The rows of the browser, all unfolded, indented by depth."""
    browser = window.workspace.browser
    browser.set_open(NOT_FILMS, opened=True)
    model = browser.tree.model()
    listed = (model.index(row, 0).data(NODE) for row in range(model.rowCount()))
    return [". " * row.depth + row.title for row in listed]


def session_of(window: MainWindow) -> Session:
    return window.workspace.session


def show(qtbot: QtBot, window: MainWindow, name: str) -> None:
    """Choose a film and wait until it is on screen."""
    session = session_of(window)
    film = next(film for film in session.films if film.relative_path == name)
    window.workspace.browser.film_chosen.emit(film)
    qtbot.waitUntil(lambda: window.workspace.viewer.film_id == film.film_id, timeout=WAIT_MS)


def classify(qtbot: QtBot, window: MainWindow) -> None:
    session = session_of(window)
    window.workspace.model_controller.classify()
    qtbot.waitUntil(lambda: session.result(session.current) is not None, timeout=WAIT_MS)
    window.workspace.refresh.run_now()


def messages(window: MainWindow) -> str:
    return "\n".join(f"{m.title} {m.text}" for m in window.banners.messages())


def test_that_the_start_page_is_shown_first(qtbot: QtBot, window: MainWindow) -> None:
    assert window.pages.currentWidget() is window.start_page
    assert window.status.notice.text() == NOTICE
    assert window.workspace.findings.state.kind == "no model"


def test_that_a_folder_lists_patients_studies_films_and_other_files(opened: MainWindow) -> None:
    assert rows(opened) == [
        "P1",
        ". 2024-01-19",
        ". . Series",
        ". . . Chest PA",
        ". . Series",
        ". . . Chest PA",
        "P2",
        ". 2024-01-19",
        ". . Chest PA",
        "png",
        ". a.png",
        "Not films",
        ". empty.dcm",
        ". notes.txt",
    ]


def test_that_the_film_has_the_keyboard_focus_once_a_folder_is_open(opened: MainWindow) -> None:
    holder = opened.focusWidget()
    assert holder is not None
    assert opened.workspace.viewer.isAncestorOf(holder)


def test_that_the_first_film_is_shown_and_its_neighbours_follow_the_keys(
    qtbot: QtBot, opened: MainWindow
) -> None:
    workspace = opened.workspace
    first, second = workspace.session.films[:2]
    assert workspace.viewer.film_id == first.film_id
    qtbot.keyClick(opened, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: workspace.viewer.film_id == second.film_id, timeout=WAIT_MS)
    assert workspace.browser.tree.currentIndex().data(NODE).film == second
    workspace.browser.tree.setFocus()
    qtbot.keyClick(workspace.browser.tree, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: workspace.viewer.film_id == first.film_id, timeout=WAIT_MS)
    qtbot.keyClick(workspace.browser.tree, Qt.Key.Key_End)
    last = workspace.session.films[-1]
    qtbot.waitUntil(lambda: workspace.viewer.film_id == last.film_id, timeout=WAIT_MS)


def test_that_thumbnails_arrive(qtbot: QtBot, opened: MainWindow) -> None:
    workspace = opened.workspace
    film = workspace.session.films[0]
    qtbot.waitUntil(lambda: workspace.thumbnails.picture(film) is not None, timeout=WAIT_MS)
    assert workspace.thumbnails.picture(film).size().height() > 0


def test_that_the_filter_lists_only_films_with_the_word(opened: MainWindow) -> None:
    opened.workspace.browser.field.setText("a.png")
    assert rows(opened) == ["png", ". a.png"]
    assert opened.workspace.films.position() == (0, 1)
    opened.workspace.browser.field.setText("no such word")
    assert rows(opened) == []


def test_that_letters_typed_into_the_filter_do_not_reach_the_film(
    qtbot: QtBot, opened: MainWindow
) -> None:
    field = opened.workspace.browser.field
    field.setFocus()
    qtbot.keyClicks(field, "i1 x")
    assert field.text() == "i1 x"
    assert not opened.workspace.viewer.inverted


def test_that_letters_outside_the_filter_reach_the_film(qtbot: QtBot, opened: MainWindow) -> None:
    opened.workspace.browser.tree.setFocus()
    qtbot.keyClick(opened.workspace.browser.tree, Qt.Key.Key_I)
    assert opened.workspace.viewer.inverted


def test_that_the_scores_of_a_film_are_shown_in_panel_and_list(
    qtbot: QtBot, ready: MainWindow
) -> None:
    classify(qtbot, ready)
    workspace = ready.workspace
    prediction = workspace.session.result(workspace.session.current).prediction
    assert workspace.findings.state.kind == "classified"
    assert set(workspace.findings.findings_in_order()) == set(prediction.findings)
    best = workspace.findings.findings_in_order()[0]
    assert prediction.scores[prediction.findings.index(best)] == max(prediction.scores)
    chip = chip_of(workspace.session, workspace.session.current)
    assert chip.text == f"{prediction.scores[prediction.findings.index('Opacity')]:.2f}"


def test_that_the_display_window_never_changes_a_prediction(
    qtbot: QtBot, ready: MainWindow
) -> None:
    classify(qtbot, ready)
    session = session_of(ready)
    before = session.result(session.current).prediction.scores
    ready.workspace.viewer.apply_voi(1)
    ready.workspace.viewer.set_inverted(True)
    classify(qtbot, ready)
    assert session.result(session.current).prediction.scores == before


def test_that_a_heat_map_is_computed_shown_and_hidden(qtbot: QtBot, ready: MainWindow) -> None:
    classify(qtbot, ready)
    workspace = ready.workspace
    plain = workspace.viewer.picture()
    with qtbot.waitSignal(workspace.model_controller.heat_map_ready, timeout=WAIT_MS):
        workspace.heat_maps.set_on(True)
    assert workspace.viewer.picture() != plain
    qtbot.keyClick(ready, Qt.Key.Key_G)
    assert not workspace.heat_maps.on
    assert workspace.viewer.picture() == plain


def test_that_shift_and_a_number_chooses_the_finding_of_the_heat_map(
    qtbot: QtBot, ready: MainWindow
) -> None:
    classify(qtbot, ready)
    workspace = ready.workspace
    with qtbot.waitSignal(workspace.model_controller.heat_map_ready, timeout=WAIT_MS) as emitted:
        qtbot.keyClick(ready, Qt.Key.Key_2, Qt.KeyboardModifier.ShiftModifier)
    assert emitted.args[0].finding == workspace.findings.findings_in_order()[1]


def test_that_a_late_result_of_another_film_is_not_shown(qtbot: QtBot, ready: MainWindow) -> None:
    workspace = ready.workspace
    first = workspace.session.current
    workspace.model_controller.classify()
    workspace.films.open_at(-1)  # the result of the first film has not arrived yet
    qtbot.waitUntil(lambda: workspace.session.result(first) is not None, timeout=WAIT_MS)
    assert workspace.session.result(workspace.session.current) is None
    assert workspace.findings.findings_in_order() == ()
    assert workspace.findings.state.kind in ("unclassified", "busy")


def test_that_a_folder_opened_again_while_its_film_is_classified_can_be_classified(
    qtbot: QtBot, ready: MainWindow, films: Path
) -> None:
    workspace = ready.workspace
    workspace.model_controller.classify()
    with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
        ready.open_paths([films])
    workspace.refresh.run_now()
    assert workspace.findings.state.kind == "unclassified"
    classify(qtbot, ready)
    assert workspace.findings.state.kind == "classified"


def test_that_an_unreadable_film_shows_the_reason_and_the_next_one_works(
    qtbot: QtBot, ready: MainWindow, films: Path, tmp_path: Path
) -> None:
    whole = (films / "film1.dcm").read_bytes()
    (tmp_path / "cut.dcm").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "good.dcm").write_bytes((films / "film2.dcm").read_bytes())
    workspace = ready.workspace
    ready.open_paths([tmp_path])
    qtbot.waitUntil(lambda: workspace.session.film_error is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: workspace.findings.state.kind == "unreadable")
    classify(qtbot, ready)
    result = workspace.session.result(workspace.session.current)
    assert (result.status, result.code) == (Status.ERROR, StatusCode.DECODE_FAILED)
    assert result.prediction is None
    show(qtbot, ready, "good.dcm")
    assert workspace.session.film_error is None


@pytest.mark.parametrize("what", ["empty folder", "gone", "no film"])
def test_that_a_folder_that_cannot_be_opened_changes_nothing(
    qtbot: QtBot, opened: MainWindow, films: Path, tmp_path: Path, what: str
) -> None:
    paths = {
        "empty folder": tmp_path / "empty",
        "gone": tmp_path / "gone",
        "no film": films / "notes.txt",
    }
    paths["empty folder"].mkdir()
    before, shown = rows(opened), opened.workspace.viewer.film_id
    opened.open_paths([paths[what]])
    qtbot.waitUntil(lambda: bool(messages(opened)), timeout=WAIT_MS)
    assert paths[what].name in messages(opened)
    assert (rows(opened), opened.workspace.viewer.film_id) == (before, shown)
    assert session_of(opened).folder == films


def test_that_a_folder_without_films_clears_the_previous_film(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    qtbot.waitUntil(lambda: opened.status.left_text().startswith("DICOM"), timeout=WAIT_MS)
    (tmp_path / "notes.txt").write_text("not a film", encoding="utf-8")
    with qtbot.waitSignal(opened.workspace.films.finished_listing, timeout=WAIT_MS):
        opened.open_paths([tmp_path])
    assert session_of(opened).radiograph is None
    qtbot.waitUntil(lambda: opened.status.left_text() == "", timeout=WAIT_MS)


def test_that_dropped_files_are_listed(qtbot: QtBot, window: MainWindow, films: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(films / name)) for name in ("film1.dcm", "png")])
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(20, 20), copy, data, left, none)
    drop = QDropEvent(QPointF(20, 20), copy, data, left, none)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    with qtbot.waitSignal(window.workspace.films.finished_listing, timeout=WAIT_MS):
        QApplication.sendEvent(window, drop)
    assert [f.relative_path for f in session_of(window).films] == ["film1.dcm", "png/a.png"]


def test_that_hidden_identity_is_hidden_in_list_and_title_too(
    qtbot: QtBot, opened: MainWindow, films: Path
) -> None:
    assert films.name in opened.windowTitle()
    qtbot.keyClick(opened, Qt.Key.Key_X)
    assert opened.windowTitle() == "XrayView"
    listed = rows(opened)
    assert "Patient 1" in listed
    assert "P1" not in listed
    qtbot.keyClick(opened, Qt.Key.Key_X)
    assert "P1" in rows(opened)


def test_that_a_copied_picture_has_no_identity(qtbot: QtBot, opened: MainWindow) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    copied = QApplication.clipboard().image()
    viewer = opened.workspace.viewer
    assert copied == viewer.picture(identity=False)
    assert copied != viewer.picture(identity=True)


def test_that_the_state_of_the_window_is_stored_in_the_settings(
    qtbot: QtBot, ready: MainWindow, settings: Settings, bundle: Path, films: Path
) -> None:
    ready.workspace.findings.heat.opacity.setValue(80)
    ready.close()
    stored = Settings(settings.path)
    assert stored["model"] == str(bundle)
    assert stored["recent_folders"] == [str(films)]
    assert stored["heat_map_opacity"] == 0.8
    assert stored["window_state"]["geometry"]
