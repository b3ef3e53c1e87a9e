"""Measuring in the main window: keys, menu, list, the file beside the study, CSV, status line."""

from __future__ import annotations

import csv
import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QInputDialog
from pytestqt.qtbot import QtBot

from tests.builders import phantom, write_dicom, write_raster
from tests.ui.conftest import WAIT_MS, SharedEngine
from xrayview.display.measure import distance
from xrayview.domain.measurement import Annotation, FilmMarks, Mark
from xrayview.domain.radiograph import Spacing, SpacingKind
from xrayview.engine.client import Engine
from xrayview.io.tables.measurement_store import FILE_NAME, load_measurements
from xrayview.services.measurement_files import MeasurementFiles
from xrayview.services.settings import Settings
from xrayview.ui.measure.layer import MeasureLayer
from xrayview.ui.shell.main_window import MainWindow

A, B, C = QPointF(200, 200), QPointF(300, 260), QPointF(260, 330)
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    folder.mkdir()
    for number, spacing in enumerate((0.2, 0.1), 1):
        write_dicom(
            folder / f"film{number}.dcm",
            phantom(120, 100),
            SOPInstanceUID=f"1.2.3.{number}",
            PatientName="DOE^JOHN",
            PatientID="P17",
            ImagerPixelSpacing=[spacing, spacing],
        )
    return folder


def open_study(qtbot: QtBot, window: MainWindow, path: Path) -> MeasureLayer:
    workspace = window.workspace
    with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
        window.open_paths([path])
    return wait_for_film(qtbot, window)


def wait_for_film(qtbot: QtBot, window: MainWindow) -> MeasureLayer:
    layer = window.workspace.viewer.measure

    def loaded() -> bool:
        shown = layer.radiograph is not None
        current = window.workspace.session.current
        same = shown and current is not None and layer.radiograph.ref.path == current.path
        return bool(same and layer.marks is not None and layer.marks.is_loaded)

    qtbot.waitUntil(loaded, timeout=WAIT_MS)
    return layer


def send(window: MainWindow, kind: QEvent.Type, position: QPointF, button: Qt.MouseButton) -> None:
    target = window.workspace.viewer._canvas.viewport()
    none = Qt.KeyboardModifier.NoModifier
    everywhere = QPointF(target.mapToGlobal(position.toPoint()))
    QApplication.sendEvent(target, QMouseEvent(kind, position, everywhere, button, button, none))


def drag(window: MainWindow, *positions: QPointF) -> None:
    left = Qt.MouseButton.LeftButton
    send(window, QEvent.Type.MouseButtonPress, positions[0], left)
    for position in positions[1:]:
        send(window, QEvent.Type.MouseMove, position, left)
    send(window, QEvent.Type.MouseButtonRelease, positions[-1], left)


def draw(qtbot: QtBot, window: MainWindow, *positions: QPointF) -> None:
    qtbot.keyClick(window, Qt.Key.Key_D)
    drag(window, *(positions or (A, C, B)))


def saved(qtbot: QtBot, path: Path) -> None:
    qtbot.waitUntil(path.is_file, timeout=WAIT_MS)


def banners(window: MainWindow) -> list[str]:
    return [message.title for message in window.banners.messages()]


def test_that_keys_select_the_tools_and_the_toolbar_shows_them(
    qtbot: QtBot, window: MainWindow, study: Path
) -> None:
    open_study(qtbot, window, study)
    button = window.bar.buttons["menu_measure"]
    assert button.isEnabled()
    qtbot.keyClick(window, Qt.Key.Key_D)
    assert button.isChecked()
    assert window.status.left_text() == "Drag from one end to the other"
    tools = {viewer._canvas.tool for viewer in window.workspace.grid.viewers}
    assert tools == {"length"}
    qtbot.keyClick(window, Qt.Key.Key_W)
    assert not button.isChecked()
    assert window.bar.buttons["tool_window"].isChecked()
    button.click()  # the tool that was used last
    assert window.workspace.viewer._canvas.tool == "length"
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert window.workspace.viewer._canvas.tool == "window"


def test_that_the_menu_lists_every_tool(qtbot: QtBot, window: MainWindow, study: Path) -> None:
    layer = open_study(qtbot, window, study)
    menu = window.bar.buttons["menu_measure"].menu()
    titles = [action.text().partition("\t")[0] for action in menu.actions()]
    assert {"Length", "Angle", "Cobb angle", "Cardiothoracic ratio", "Polygon"} <= set(titles)
    next(action for action in menu.actions() if action.text().startswith("Ellipse")).trigger()
    drag(window, A, C, B)
    assert [a.kind for a in layer.annotations()] == [Mark.ELLIPSE]


def test_that_drawing_undo_redo_and_delete_have_keys(
    qtbot: QtBot, window: MainWindow, study: Path
) -> None:
    layer = open_study(qtbot, window, study)
    draw(qtbot, window)
    drawn = layer.annotations()
    assert len(drawn) == 1
    for key, modifier, expected in (
        (Qt.Key.Key_Z, CTRL, ()),
        (Qt.Key.Key_Y, CTRL, drawn),
    ):
        qtbot.keyClick(window, key, modifier)
        assert layer.annotations() == expected
    layer.select(drawn[0])
    qtbot.keyClick(window, Qt.Key.Key_Delete)
    assert layer.annotations() == ()


def test_that_the_pixel_under_the_pointer_is_in_the_status_line(
    qtbot: QtBot, window: MainWindow, study: Path
) -> None:
    layer = open_study(qtbot, window, study)
    assert window.status.left_text().startswith("DICOM")
    send(window, QEvent.Type.MouseMove, A, Qt.MouseButton.NoButton)
    row, column = (round(value) for value in layer.item.to_film(A))
    stored = layer.radiograph.pixels_HW[row, column]
    assert window.status.left_text().startswith(f"({row}, {column}) · stored {stored}")
    QApplication.sendEvent(window.workspace.viewer._canvas, QEvent(QEvent.Type.Leave))
    assert window.status.left_text().startswith("DICOM")


def test_that_drawings_are_saved_beside_the_study_and_restored(
    qtbot: QtBot, window: MainWindow, study: Path, settings: Settings, engine: Engine,
    tmp_path: Path,
) -> None:  # fmt: skip
    layer = open_study(qtbot, window, study)
    draw(qtbot, window)
    drawn = layer.annotations()
    saved(qtbot, study / FILE_NAME)
    text = (study / FILE_NAME).read_text(encoding="utf-8")
    assert list(json.loads(text)["films"]) == ["1.2.3.1"]
    assert "DOE" not in text
    assert "P17" not in text
    window.workspace.films.step(1)
    assert wait_for_film(qtbot, window).annotations() == ()
    window.workspace.films.step(-1)
    assert wait_for_film(qtbot, window).annotations() == drawn
    window.close()
    again = MainWindow(Settings(settings.path), tmp_path / "results")
    qtbot.addWidget(again)
    again.show()
    again.build_panels(SharedEngine(engine))
    assert open_study(qtbot, again, study).annotations() == drawn


def test_that_the_last_drawing_is_saved_when_the_window_closes(
    qtbot: QtBot, window: MainWindow, study: Path
) -> None:
    layer = open_study(qtbot, window, study)
    draw(qtbot, window)
    drawn = layer.annotations()
    window.close()
    assert load_measurements(study / FILE_NAME)["1.2.3.1"].annotations == drawn


def test_that_drawings_on_successive_films_are_all_saved(
    qtbot: QtBot, window: MainWindow, study: Path
) -> None:
    open_study(qtbot, window, study)
    draw(qtbot, window)
    window.workspace.films.step(1)
    wait_for_film(qtbot, window)
    draw(qtbot, window)
    window.workspace.measurement_controller.save()
    window.open_paths([study])
    qtbot.waitUntil(lambda: set(saved_films(study)) == {"1.2.3.1", "1.2.3.2"}, timeout=WAIT_MS)


def test_that_drawings_of_two_windows_on_one_film_are_all_kept(
    qtbot: QtBot, window: MainWindow, study: Path
) -> None:
    layer = open_study(qtbot, window, study)
    draw(qtbot, window)
    mine = layer.annotations()
    theirs = Annotation(
        Mark.LENGTH, ((1.0, 1.0), (9.0, 9.0)), "1.2.3.1", mark_id="theirs", modified_ms=1
    )
    MeasurementFiles().save(study, {"1.2.3.1": FilmMarks((theirs,))})
    window.workspace.measurement_controller.save()
    qtbot.waitUntil(lambda: theirs in layer.annotations(), timeout=WAIT_MS)
    assert load_measurements(study / FILE_NAME)["1.2.3.1"].annotations == (*mine, theirs)
    layer.undo()  # removes only what this window has drawn
    assert layer.annotations() == (theirs,)


def test_that_marks_that_another_window_draws_and_deletes_are_shown(
    qtbot: QtBot, window: MainWindow, study: Path
) -> None:
    layer = open_study(qtbot, window, study)
    other, look = MeasurementFiles(), window.workspace.measurement_controller.look_for_changes
    assert layer.radiograph is not None
    theirs = Annotation(
        Mark.LENGTH, ((1.0, 1.0), (9.0, 9.0)), "1.2.3.1", mark_id="theirs", modified_ms=1
    )
    other.save(study, {"1.2.3.1": FilmMarks((theirs,))})
    look()
    qtbot.waitUntil(lambda: layer.annotations() == (theirs,), timeout=WAIT_MS)
    assert "Another window has changed the measurements of this film" in banners(window)
    layer.select(theirs)
    moved = replace(theirs, points=((2.0, 2.0), (9.0, 9.0)), modified_ms=2)
    other.save(study, {"1.2.3.1": FilmMarks((moved,))})
    look()
    qtbot.waitUntil(lambda: layer.annotations() == (moved,), timeout=WAIT_MS)
    assert layer.selected == moved
    now_ms = round(time.time() * 1000)
    other.save(study, {"1.2.3.1": FilmMarks(deleted={"theirs": now_ms})})
    look()
    qtbot.waitUntil(lambda: layer.annotations() == (), timeout=WAIT_MS)
    assert layer.selected is None


def saved_films(study: Path) -> dict[str, object]:
    path = study / FILE_NAME
    return dict(load_measurements(path)) if path.is_file() else {}


def test_that_a_read_only_folder_is_reported_once_and_nothing_is_lost(
    qtbot: QtBot, window: MainWindow, study: Path
) -> None:
    (study / f"{FILE_NAME}.partial").mkdir()  # refuses the file, also for the superuser
    layer = open_study(qtbot, window, study)
    draw(qtbot, window)
    warning = "This folder is read-only: its measurements are saved with your settings"
    qtbot.waitUntil(lambda: warning in banners(window), timeout=WAIT_MS)
    window.banners.close_message("measurements")
    drawn = layer.annotations()
    layer.undo()
    layer.redo()
    window.workspace.measurement_controller.save()
    qtbot.wait(300)
    assert warning not in banners(window)
    open_study(qtbot, window, study)
    assert wait_for_film(qtbot, window).annotations() == drawn


def test_that_a_broken_file_is_reported_and_kept(
    qtbot: QtBot, window: MainWindow, study: Path
) -> None:
    (study / FILE_NAME).write_text("{broken", encoding="utf-8")
    open_study(qtbot, window, study)
    expected = f"{FILE_NAME}: The measurements cannot be read"
    qtbot.waitUntil(lambda: expected in banners(window), timeout=WAIT_MS)
    assert (study / FILE_NAME).read_text(encoding="utf-8") == "{broken"


def test_that_our_file_is_not_listed_as_a_rejected_file(
    qtbot: QtBot, window: MainWindow, study: Path
) -> None:
    open_study(qtbot, window, study)
    draw(qtbot, window)
    saved(qtbot, study / FILE_NAME)
    open_study(qtbot, window, study)
    assert window.workspace.session.rejected == ()


def test_that_a_known_length_calibrates_the_film(
    qtbot: QtBot, window: MainWindow, study: Path
) -> None:
    layer = open_study(qtbot, window, study)
    qtbot.keyClick(window, Qt.Key.Key_D, SHIFT)
    drag(window, A, C, B)
    dialog = window.findChild(QInputDialog)
    assert dialog is not None
    dialog.setDoubleValue(50.0)
    dialog.accept()
    assert layer.spacing.kind is SpacingKind.USER
    ends = (layer.item.to_film(A), layer.item.to_film(B))
    assert distance(*ends, layer.spacing) == pytest.approx(50.0)
    assert window.workspace.viewer._canvas.tool == "window"
    draw(qtbot, window, A, C)
    (drawing,) = layer.drawings()
    assert drawing.lines[0].endswith("mm (user-calibrated)")
    saved(qtbot, study / FILE_NAME)
    open_study(qtbot, window, study)
    assert wait_for_film(qtbot, window).spacing.kind is SpacingKind.USER


def ask_length(qtbot: QtBot, window: MainWindow) -> QInputDialog:
    """Draw a line of known length; the dialog that asks for it."""
    qtbot.keyClick(window, Qt.Key.Key_D, SHIFT)
    drag(window, A, C, B)
    dialog = window.findChild(QInputDialog)
    assert dialog is not None
    dialog.setDoubleValue(50.0)
    return dialog


def test_that_a_length_belongs_to_the_film_on_which_it_was_drawn(
    qtbot: QtBot, window: MainWindow, study: Path
) -> None:
    open_study(qtbot, window, study)
    dialog = ask_length(qtbot, window)
    window.workspace.films.step(1)
    second = wait_for_film(qtbot, window)
    dialog.accept()
    assert second.spacing.kind is not SpacingKind.USER
    window.workspace.films.step(-1)
    assert wait_for_film(qtbot, window).spacing.kind is SpacingKind.USER


def test_that_the_length_of_a_film_is_not_asked_for_in_another_folder(
    qtbot: QtBot, window: MainWindow, study: Path, films: Path
) -> None:
    open_study(qtbot, window, study)
    ask_length(qtbot, window)
    open_study(qtbot, window, films)
    qtbot.waitUntil(lambda: window.findChild(QInputDialog) is None, timeout=WAIT_MS)


def test_that_a_tool_is_that_of_all_views_also_of_views_that_come_later(
    qtbot: QtBot, window: MainWindow, study: Path
) -> None:
    open_study(qtbot, window, study)
    workspace = window.workspace
    grid = workspace.grid
    for name, key in (("zoom", Qt.Key.Key_Z), ("length", Qt.Key.Key_D), ("pan", Qt.Key.Key_P)):
        qtbot.keyClick(window, key)
        assert {viewer._canvas.tool for viewer in grid.viewers} == {name}
    workspace.view_controller.set_layout("2x2")
    workspace.second_window.open()
    assert {viewer._canvas.tool for viewer in grid.viewers} == {"pan"}
    second = workspace.second_window.window
    assert second is not None
    qtbot.keyClick(second, Qt.Key.Key_E)
    assert {viewer._canvas.tool for viewer in grid.viewers} == {"ellipse"}
    workspace.second_window.close()
    assert {viewer._canvas.tool for viewer in grid.viewers} == {"ellipse"}


def test_that_the_list_shows_selects_and_deletes(
    qtbot: QtBot, window: MainWindow, study: Path
) -> None:
    layer = open_study(qtbot, window, study)
    qtbot.keyClick(window, Qt.Key.Key_M, SHIFT)
    panel = window.panels.dock.measurements
    assert window.panels.dock.page == "measurements"
    assert panel.message.isVisible()
    draw(qtbot, window)
    qtbot.keyClick(window, Qt.Key.Key_R, SHIFT)
    drag(window, C, B, QPointF(330, 400))
    first, second = layer.annotations()
    rows = [panel.view.topLevelItem(n) for n in range(panel.view.topLevelItemCount())]
    assert [row.text(1) for row in rows] == ["Length", "Rectangle"]
    assert rows[0].text(2).endswith("mm at detector")
    assert layer.selected == second
    qtbot.waitUntil(lambda: panel.histogram.statistics is not None, timeout=WAIT_MS)
    assert panel.histogram.statistics.counts.sum() == panel.histogram.statistics.pixels > 0
    panel.view.setCurrentItem(panel.view.topLevelItem(0))
    assert layer.selected == first
    assert not panel.histogram.isVisible()
    panel.delete.click()
    assert layer.annotations() == (second,)
    panel.clear.click()
    assert layer.annotations() == ()
    assert panel.message.isVisible()
    assert "0.2 mm/px at detector" in panel.spacing.text()


def test_that_the_calibration_can_be_removed_in_the_list(
    qtbot: QtBot, window: MainWindow, study: Path
) -> None:
    layer = open_study(qtbot, window, study)
    qtbot.keyClick(window, Qt.Key.Key_M, SHIFT)
    panel = window.panels.dock.measurements
    assert not panel.uncalibrate.isVisible()
    layer.marks.calibrate(Spacing(1.0, 1.0, SpacingKind.USER))
    panel.uncalibrate.click()
    assert layer.spacing.kind is SpacingKind.DETECTOR
    assert not panel.uncalibrate.isVisible()


def test_that_the_csv_has_every_film_of_the_folder_and_no_patient(
    qtbot: QtBot, window: MainWindow, study: Path, tmp_path: Path
) -> None:
    write_raster(study / "z.png", phantom(64, 64, 8))
    open_study(qtbot, window, study)
    for _ in range(3):
        draw(qtbot, window)
        window.workspace.films.step(1)
        wait_for_film(qtbot, window)
    out = tmp_path / "m.csv"
    window.workspace.measurement_export.write(out)
    qtbot.waitUntil(lambda: "m.csv was written" in banners(window), timeout=WAIT_MS)
    with out.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["SOPInstanceUID"].partition(":")[0] for row in rows] == [
        "1.2.3.1", "1.2.3.2", "sha256",
    ]  # fmt: skip
    assert [(row["unit"], row["spacing_kind"]) for row in rows] == [
        ("mm", "at detector"), ("mm", "at detector"), ("px", "px"),
    ]  # fmt: skip
    text = out.read_text(encoding="utf-8")
    assert "DOE" not in text
    assert "P17" not in text


def test_that_a_csv_that_cannot_be_written_is_reported(
    qtbot: QtBot, window: MainWindow, study: Path, tmp_path: Path
) -> None:
    open_study(qtbot, window, study)
    draw(qtbot, window)
    window.workspace.measurement_export.write(tmp_path / "nowhere" / "m.csv")
    expected = "m.csv: The measurements cannot be written"
    qtbot.waitUntil(lambda: expected in banners(window), timeout=WAIT_MS)


def test_that_a_real_chest_film_is_measured_in_the_window(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    found = get_testdata_file("RG1_UNCR.dcm", download=False)
    if found is None:
        pytest.skip("pydicom-data is not installed")
    path = tmp_path / "chest.dcm"
    shutil.copy(str(found), path)
    layer = open_study(qtbot, window, path)
    qtbot.keyClick(window, Qt.Key.Key_C)
    drag(window, QPointF(300, 400), QPointF(420, 400))
    drag(window, QPointF(200, 440), QPointF(500, 440))
    (drawing,) = layer.drawings()
    assert drawing.lines[0] == "CTR 0.40"
    assert drawing.lines[1].endswith(" px")


def test_that_films_with_one_uid_do_not_share_drawings(
    qtbot: QtBot, window: MainWindow, study: Path
) -> None:
    for number, brightness in ((1, 0), (2, 9)):
        write_dicom(
            study / f"film{number}.dcm", phantom(120, 100) + brightness, SOPInstanceUID="1.2.3.1"
        )
    layer = open_study(qtbot, window, study)
    draw(qtbot, window)
    drawn = layer.annotations()
    window.workspace.films.step(1)
    assert wait_for_film(qtbot, window).annotations() == ()
    draw(qtbot, window)
    layer.undo()
    saved(qtbot, study / FILE_NAME)
    window.workspace.films.step(-1)
    assert wait_for_film(qtbot, window).annotations() == drawn
    workspace = window.workspace
    first, second = workspace.session.films
    workspace.stars.toggle(second)
    assert [workspace.stars.is_starred(film) for film in (first, second)] == [False, True]
