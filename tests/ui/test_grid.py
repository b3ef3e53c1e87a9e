"""Films side by side: layouts, linked views, priors, and a heat map for each view."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.builders import phantom, write_dicom
from tests.ui.conftest import WAIT_MS, SharedEngine
from xrayview.display.voi import VoiChoice, VoiKind
from xrayview.domain.film import FilmRef
from xrayview.domain.radiograph import Window
from xrayview.engine.client import Engine
from xrayview.services.settings import Settings
from xrayview.ui.grid.dragging import film_data
from xrayview.ui.grid.linking import linked_placement, linked_voi
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.shell.workspace import Workspace
from xrayview.ui.viewer.film_view import FilmViewer
from xrayview.ui.viewer.placement import Placement

ALT, CTRL, SHIFT = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
LEFT = Qt.MouseButton.LeftButton
STUDIES = (("20200301", "PA", 96), ("20230515", "PA", 48), ("20240119", "PA", 96))


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three studies of one patient, one of them at half the size; a lateral; another patient."""
    folder = tmp_path_factory.mktemp("studies")
    rows = [("P1", *study) for study in STUDIES]
    rows += [("P1", "20231231", "LL", 96), ("P2", "20240119", "PA", 96)]
    for number, (patient, day, view, size) in enumerate(rows, 1):
        write_dicom(
            folder / f"{number}.dcm",
            phantom(size, size - 10),
            windows=[(2048, 4096, "WHOLE")],
            PatientID=patient,
            StudyDate=day,
            StudyInstanceUID=f"1.2.4.{number}",
            SeriesInstanceUID=f"1.2.4.{number}.1",
            SOPInstanceUID=f"1.2.4.{number}.1.1",
            BodyPartExamined="CHEST",
            ViewPosition=view,
        )
    return folder


@pytest.fixture
def workspace(qtbot: QtBot, window: MainWindow, studies: Path) -> Workspace:
    workspace = window.workspace
    with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
        window.open_paths([studies])
    show(qtbot, workspace, "3.dcm")
    return workspace


def film(workspace: Workspace, name: str) -> FilmRef:
    return next(film for film in workspace.session.films if film.relative_path == name)


def show(qtbot: QtBot, workspace: Workspace, name: str) -> None:
    workspace.browser.film_chosen.emit(film(workspace, name))
    settle(qtbot, workspace)


def settle(qtbot: QtBot, workspace: Workspace) -> None:
    """Wait until every view shows its film."""
    views = workspace.session.views
    qtbot.waitUntil(
        lambda: all(v.film is None or v.radiograph or v.error for v in views), timeout=WAIT_MS
    )


def set_layout(qtbot: QtBot, workspace: Workspace, key: Qt.Key) -> None:
    qtbot.keyClick(workspace.window(), key, ALT)
    settle(qtbot, workspace)


def on_screen(workspace: Workspace) -> list[str]:
    return [Path(viewer.film_id.split("#")[0]).name for viewer in visible_viewers(workspace)]


def visible_viewers(workspace: Workspace) -> list[FilmViewer]:
    return [viewer for viewer in workspace.grid.viewers if viewer.isVisible()]


def pixels_of(viewer: FilmViewer) -> QWidget:
    canvas = viewer.focusProxy()
    return canvas.viewport()


def test_that_a_layout_shows_the_next_films_and_then_one_film_again(
    qtbot: QtBot, workspace: Workspace
) -> None:
    show(qtbot, workspace, "1.dcm")
    set_layout(qtbot, workspace, Qt.Key.Key_4)
    assert len(visible_viewers(workspace)) == 4
    assert on_screen(workspace)[0] == "1.dcm"
    assert len(set(on_screen(workspace))) == 4
    set_layout(qtbot, workspace, Qt.Key.Key_1)
    assert on_screen(workspace) == ["1.dcm"]


def test_that_keys_list_and_findings_belong_to_the_clicked_view(
    qtbot: QtBot, workspace: Workspace
) -> None:
    set_layout(qtbot, workspace, Qt.Key.Key_2)
    first, second = visible_viewers(workspace)
    qtbot.mouseClick(pixels_of(second), LEFT)
    assert workspace.viewer is second
    assert workspace.session.current.film_id == second.film_id
    qtbot.keyClick(workspace.window(), Qt.Key.Key_I)
    assert (first.inverted, second.inverted) == (False, True)
    qtbot.waitUntil(workspace.window().bar.buttons["invert"].isChecked)
    before = first.film_id
    show(qtbot, workspace, "5.dcm")
    assert on_screen(workspace)[1] == "5.dcm"
    assert first.film_id == before


def test_that_tab_and_ctrl_tab_move_between_the_views(qtbot: QtBot, workspace: Workspace) -> None:
    set_layout(qtbot, workspace, Qt.Key.Key_2)
    first, second = visible_viewers(workspace)
    first.setFocus()
    qtbot.keyClick(first.focusProxy(), Qt.Key.Key_Tab)
    assert workspace.viewer is second
    for expected in (first, second):
        qtbot.keyClick(workspace.window(), Qt.Key.Key_Tab, CTRL)
        assert workspace.viewer is expected


def test_that_fewer_views_keep_the_active_film_with_its_window(
    qtbot: QtBot, workspace: Workspace
) -> None:
    set_layout(qtbot, workspace, Qt.Key.Key_4)
    last = visible_viewers(workspace)[3]
    qtbot.mouseClick(pixels_of(last), LEFT)
    last.set_window(Window(1000.0, 300.0))
    film_id = last.film_id
    set_layout(qtbot, workspace, Qt.Key.Key_1)
    assert workspace.viewer.film_id == workspace.session.current.film_id == film_id
    assert workspace.viewer.voi_window == Window(1000.0, 300.0)


def test_that_a_double_click_maximises_a_view_and_restores_the_others(
    qtbot: QtBot, workspace: Workspace
) -> None:
    set_layout(qtbot, workspace, Qt.Key.Key_4)
    before = on_screen(workspace)
    third = visible_viewers(workspace)[2]
    for expected in ([before[2]], before):
        qtbot.mouseClick(pixels_of(third), LEFT)
        qtbot.mouseDClick(pixels_of(third), LEFT)
        assert on_screen(workspace) == expected


def test_that_a_film_dropped_on_a_view_is_shown_there(qtbot: QtBot, workspace: Workspace) -> None:
    set_layout(qtbot, workspace, Qt.Key.Key_2)
    first, second = visible_viewers(workspace)
    before, data = first.film_id, film_data(film(workspace, "5.dcm"))
    copy, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(20, 20), copy, data, LEFT, none)
    QApplication.sendEvent(pixels_of(second), enter)
    assert enter.isAccepted()
    QApplication.sendEvent(pixels_of(second), QDropEvent(QPointF(20, 20), copy, data, LEFT, none))
    settle(qtbot, workspace)
    assert second.film_id == film(workspace, "5.dcm").film_id
    assert first.film_id == before
    assert workspace.viewer is second


def test_that_linked_views_show_the_same_part_of_films_of_other_sizes(
    qtbot: QtBot, workspace: Workspace
) -> None:
    show(qtbot, workspace, "1.dcm")
    set_layout(qtbot, workspace, Qt.Key.Key_2)
    show(qtbot, workspace, "1.dcm")
    qtbot.mouseClick(pixels_of(visible_viewers(workspace)[1]), LEFT)
    show(qtbot, workspace, "2.dcm")
    small, large = visible_viewers(workspace)[1], visible_viewers(workspace)[0]
    qtbot.keyClick(workspace.window(), Qt.Key.Key_L, CTRL)
    qtbot.waitUntil(workspace.window().bar.buttons["link_views"].isChecked)
    small.set_placement(small.placement.zoomed_at(QPointF(60, 80), 3.0))
    assert share(large.placement) == pytest.approx(share(small.placement))
    small.set_window(Window(1000.0, 500.0))
    assert large.voi_window.width == pytest.approx(500.0, rel=0.05)
    large.fit()  # not the active one: only this view moves
    assert share(small.placement) != pytest.approx(share(large.placement))
    qtbot.keyClick(workspace.window(), Qt.Key.Key_L, CTRL)
    before = large.voi
    small.set_window(Window(2000.0, 100.0))
    assert large.voi is before


def share(placement: Placement) -> tuple[float, float, float]:
    film = placement.film
    zoom = placement.zoom / placement.fitted().zoom
    return zoom, placement.center.x() / film.width(), placement.center.y() / film.height()


def test_that_a_film_that_joins_linked_views_is_shown_like_them(
    qtbot: QtBot, workspace: Workspace
) -> None:
    set_layout(qtbot, workspace, Qt.Key.Key_2)
    first, second = visible_viewers(workspace)
    qtbot.keyClick(workspace.window(), Qt.Key.Key_L, CTRL)
    first.set_placement(first.placement.zoomed_at(QPointF(40, 40), 2.0))
    qtbot.mouseClick(pixels_of(second), LEFT)
    show(qtbot, workspace, "2.dcm")
    assert share(second.placement) == pytest.approx(share(first.placement))


def test_that_a_linked_zoom_is_relative_to_the_fitted_one() -> None:
    wide = Placement(QSize(200, 100), QSize(400, 400)).fitted()
    tall = Placement(QSize(300, 600), QSize(400, 400), turns=1)
    assert linked_placement(wide, tall) == tall.fitted()
    half = wide.zoomed_at(QPointF(0, 0), 2.0)
    assert linked_placement(half, tall).zoom == pytest.approx(2 * tall.fitted().zoom)


def test_that_default_and_automatic_windows_are_matched_by_kind() -> None:
    def choices(low: float, high: float) -> tuple[VoiChoice, ...]:
        auto = Window((low + high) / 2, high - low)
        default = Window(high, 10.0)
        return (
            VoiChoice(VoiKind.WINDOW, "default", default),
            VoiChoice(VoiKind.AUTO, "Auto", auto),
        )

    one, other = choices(0, 100), choices(1000, 3000)
    assert linked_voi(one[0].voi, one, other) is other[0].voi
    assert linked_voi(one[-1].voi, one, other) is other[-1].voi
    assert linked_voi(Window(25.0, 50.0), one, other) == Window(1500.0, 1000.0)


def test_that_the_nearest_earlier_film_opens_at_the_right_with_its_age(
    qtbot: QtBot, workspace: Workspace
) -> None:
    qtbot.keyClick(workspace.window(), Qt.Key.Key_P, SHIFT)
    settle(qtbot, workspace)
    assert on_screen(workspace) == ["3.dcm", "2.dcm"]
    assert workspace.session.current.relative_path == "3.dcm"
    assert workspace.grid.note_of(0) == "Current   2024-01-19"
    assert workspace.grid.note_of(1) == "Prior   2023-05-15   8 mo earlier (249 days)"
    qtbot.keyClick(workspace.window(), Qt.Key.Key_X)
    assert workspace.grid.note_of(1) == "Prior   8 mo earlier (249 days)"
    show(qtbot, workspace, "5.dcm")
    assert (workspace.grid.note_of(0), workspace.grid.note_of(1)) == ("", "")


def test_that_the_current_film_moves_to_make_room_for_its_prior_at_the_right(
    qtbot: QtBot, workspace: Workspace
) -> None:
    set_layout(qtbot, workspace, Qt.Key.Key_2)
    qtbot.mouseClick(pixels_of(visible_viewers(workspace)[1]), LEFT)
    show(qtbot, workspace, "3.dcm")
    workspace.viewer.set_inverted(True)
    qtbot.keyClick(workspace.window(), Qt.Key.Key_P, SHIFT)
    settle(qtbot, workspace)
    assert on_screen(workspace) == ["3.dcm", "2.dcm"]
    assert [viewer.inverted for viewer in visible_viewers(workspace)] == [True, False]


def test_that_a_film_without_a_prior_shows_a_message_and_nothing_moves(
    qtbot: QtBot, workspace: Workspace
) -> None:
    show(qtbot, workspace, "5.dcm")
    qtbot.keyClick(workspace.window(), Qt.Key.Key_P, SHIFT)
    banners = [f"{m.title} {m.text}" for m in workspace.window().banners.messages()]
    assert any("no earlier study of this patient" in text for text in banners)
    assert on_screen(workspace) == ["5.dcm"]


def test_that_each_view_keeps_the_heat_map_of_its_own_film(
    qtbot: QtBot, workspace: Workspace, bundle: Path
) -> None:
    workspace.window().open_model(bundle)
    qtbot.waitUntil(lambda: workspace.session.model is not None, timeout=WAIT_MS)
    set_layout(qtbot, workspace, Qt.Key.Key_2)
    first, second = visible_viewers(workspace)
    qtbot.keyClick(workspace.window(), Qt.Key.Key_Return)
    qtbot.mouseClick(pixels_of(second), LEFT)
    show(qtbot, workspace, "5.dcm")
    qtbot.keyClick(workspace.window(), Qt.Key.Key_Return)
    session = workspace.session
    films = [view.film for view in session.views]
    qtbot.waitUntil(lambda: all(session.result(film) for film in films), timeout=WAIT_MS)
    plain = [viewer.picture() for viewer in (first, second)]
    with qtbot.waitSignal(workspace.model_controller.heat_map_ready, timeout=WAIT_MS):
        qtbot.keyClick(workspace.window(), Qt.Key.Key_G)
    assert first.picture() == plain[0]
    assert second.picture() != plain[1]
    qtbot.mouseClick(pixels_of(first), LEFT)
    assert not workspace.heat_maps.on
    qtbot.waitUntil(lambda: not workspace.findings.heat.switch.isChecked())
    assert workspace.findings.state.result is session.result(films[0])
    qtbot.mouseClick(pixels_of(second), LEFT)
    assert workspace.heat_maps.on


def test_that_opening_another_folder_clears_every_view(
    qtbot: QtBot, workspace: Workspace, bundle: Path, films: Path, tmp_path: Path
) -> None:
    workspace.window().open_model(bundle)
    qtbot.waitUntil(lambda: workspace.session.model is not None, timeout=WAIT_MS)
    set_layout(qtbot, workspace, Qt.Key.Key_4)
    for viewer in visible_viewers(workspace)[:2]:
        qtbot.mouseClick(pixels_of(viewer), LEFT)
        qtbot.keyClick(workspace.window(), Qt.Key.Key_Return)
    (tmp_path / "one.dcm").write_bytes((films / "film1.dcm").read_bytes())
    with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
        workspace.window().open_paths([tmp_path])
    settle(qtbot, workspace)
    assert sorted(viewer.film_id for viewer in visible_viewers(workspace))[:3] == ["", "", ""]
    QTest.qWait(300)  # results requested for the earlier folder would arrive now
    only = film(workspace, "one.dcm")
    assert [viewer.film_id for viewer in visible_viewers(workspace) if viewer.film_id] == [
        only.film_id
    ]
    assert workspace.session.result(only) is None
    assert not workspace.model_controller.is_busy(only)


def test_that_layout_and_linking_are_restored_at_the_next_start(
    qtbot: QtBot, workspace: Workspace, settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    set_layout(qtbot, workspace, Qt.Key.Key_2)
    qtbot.keyClick(workspace.window(), Qt.Key.Key_L, CTRL)
    workspace.window().close()
    again = MainWindow(Settings(settings.path), tmp_path / "results")
    qtbot.addWidget(again)
    again.show()
    again.build_panels(SharedEngine(engine))
    assert again.workspace.grid.layout_name == "1x2"
    assert again.workspace.view_controller.linking.on
    qtbot.waitUntil(again.bar.buttons["layout_1x2"].isChecked)
    again.close()


@pytest.mark.parametrize("width", [960, 1060, 1130, 1210, 1280, 1600])
def test_that_the_toolbar_fits_its_buttons_and_disables_those_that_do_nothing(
    window: MainWindow, width: int
) -> None:
    window.resize(960, 700)
    window.resize(width, 700)
    QApplication.processEvents()
    bar = window.bar
    assert bar.sizeHint().width() <= bar.width() == width
    assert not any(bar.buttons[name].isEnabled() for name in ("invert", "fit", "link_views"))
