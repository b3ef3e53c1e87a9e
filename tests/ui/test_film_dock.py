"""The dock with tags and pipeline: it follows the film; tags are searched, masked and copied."""

from __future__ import annotations

import gc
from concurrent.futures import Future
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.builders import phantom, write_dicom, write_raster
from tests.ui.conftest import WAIT_MS, SharedEngine
from xrayview.domain.radiograph import Spacing, SpacingKind, VoiFunction, Window
from xrayview.domain.tags import TagNode
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ReadTags
from xrayview.services.settings import Settings
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.tags.panel import NO_FILM, NO_MATCH, TagBrowser
from xrayview.ui.tags.rows import HIDDEN
from xrayview.ui.tags.tree_model import TagTree

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def cells(window: MainWindow) -> dict[str, str]:
    """The value of every listed row by keyword or tag."""
    rows = window.panels.dock.tags.model.root.walk()
    return {row.node.keyword or row.node.tag: row.value for row in rows if row.parent_row}


def open_film(qtbot: QtBot, window: MainWindow, path: Path) -> None:
    session = window.workspace.session
    window.open_paths([path])

    def there() -> bool:
        current = session.current
        on_screen = current is not None and current.path.is_relative_to(path)
        return on_screen and (session.radiograph is not None or session.film_error is not None)

    qtbot.waitUntil(there, timeout=WAIT_MS)


def show_tags(qtbot: QtBot, window: MainWindow) -> TagBrowser:
    if window.panels.dock.page != "tags":
        qtbot.keyClick(window, Qt.Key.Key_T)
    qtbot.waitUntil(lambda: window.panels.dock.tags.model.has_tags, timeout=WAIT_MS)
    return window.panels.dock.tags


def choose(browser: TagBrowser, keyword: str) -> None:
    row = next(row for row in browser.model.root.walk() if row.node.keyword == keyword)
    browser.view.setCurrentIndex(browser.model.index_of(row))


def kvp(value: str) -> tuple[TagNode, ...]:
    return (TagNode("(0018,0060)", "KVP", "KVP", "DS", value),)


class SlowTags(SharedEngine):
    """Holds requests for tags back until the test answers them."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._real = engine
        self.waiting: list[Future[tuple[TagNode, ...]]] = []
        self.submit = self._submit

    def _submit(self, request, **how):
        if not isinstance(request, ReadTags):
            return self._real.submit(request, **how)
        future: Future[tuple[TagNode, ...]] = Future()
        future.set_running_or_notify_cancel()
        self.waiting.append(future)
        return future


@pytest.fixture
def nested(tmp_path: Path) -> Path:
    """A film with a nested sequence and a private attribute."""
    modifier, view = Dataset(), Dataset()
    modifier.CodeMeaning = "erect"
    view.CodeMeaning = "postero-anterior"
    view.ViewModifierCodeSequence = [modifier]
    return write_dicom(tmp_path / "nested.dcm", phantom(), ViewCodeSequence=[view], KVP="120")


def test_that_t_lists_the_tags_of_a_real_film_and_t_hides_them(
    qtbot: QtBot, window: MainWindow
) -> None:
    path = get_testdata_file("RG1_UNCR.dcm", download=False)
    if path is None:
        pytest.skip("pydicom-data is not installed")
    open_film(qtbot, window, Path(path))
    browser = show_tags(qtbot, window)
    assert cells(window)["KVP"] == "150"
    assert cells(window)["PatientName"] == "CompressedSamples^RG1"
    assert browser.state.text() == f"{browser.model.attributes} tags · RG1_UNCR.dcm"
    assert browser.view.hasFocus()
    qtbot.keyClick(browser.view, Qt.Key.Key_T)
    assert window.panels.dock.isHidden()


def test_that_no_tags_are_read_while_the_dock_is_hidden(opened: MainWindow) -> None:
    assert not opened.panels.dock.tags.model.has_tags
    assert not opened.panels.dock.tags.isVisible()


def test_that_the_tags_follow_the_film_and_keep_the_selection(
    qtbot: QtBot, opened: MainWindow
) -> None:
    browser = show_tags(qtbot, opened)
    first = cells(opened)["SOPInstanceUID"]
    choose(browser, "BodyPartExamined")
    opened.workspace.films.step(1)
    qtbot.waitUntil(lambda: cells(opened).get("SOPInstanceUID", first) != first, timeout=WAIT_MS)
    current = opened.workspace.session.current
    assert current is not None
    assert cells(opened)["SOPInstanceUID"] == current.sop_uid
    assert browser.model.row(browser.view.currentIndex()).node.keyword == "BodyPartExamined"


def test_that_films_without_tags_say_so(qtbot: QtBot, opened: MainWindow) -> None:
    opened.workspace.films.open_at(-1)
    qtbot.keyClick(opened, Qt.Key.Key_T)
    assert opened.panels.dock.tags.view.message.text().startswith("PNG films have no tags")
    assert opened.panels.dock.tags.view.message.isVisible()
    assert cells(opened) == {}


def test_that_the_panel_is_empty_without_a_film(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert window.panels.dock.tags.view.message.text() == NO_FILM


def test_that_the_panel_is_busy_until_the_tags_of_the_film_on_screen_arrive(
    qtbot: QtBot, engine: Engine, settings: Settings, films: Path, tmp_path: Path
) -> None:
    window = MainWindow(settings, tmp_path / "results")
    qtbot.addWidget(window)
    window.show()
    slow = SlowTags(engine)
    window.build_panels(slow)
    open_film(qtbot, window, films)
    qtbot.keyClick(window, Qt.Key.Key_T)
    busy = window.panels.dock.tags.busy
    assert busy.isVisible()
    assert cells(window) == {}
    window.workspace.films.step(1)
    slow.waiting[0].set_result(kvp("60"))  # of the earlier film
    qtbot.wait(50)
    assert cells(window) == {}
    assert busy.isVisible()
    slow.waiting[1].set_result(kvp("120"))
    qtbot.waitUntil(lambda: cells(window) == {"KVP": "120"}, timeout=WAIT_MS)
    assert not busy.isVisible()


def test_that_a_film_whose_pixels_are_broken_still_has_tags(
    qtbot: QtBot, window: MainWindow, films: Path, tmp_path: Path
) -> None:
    whole = (films / "film1.dcm").read_bytes()
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(whole[: len(whole) // 2])
    open_film(qtbot, window, cut)
    show_tags(qtbot, window)
    assert cells(window)["BodyPartExamined"] == "CHEST"


def test_that_tags_that_cannot_be_read_show_the_reason(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    path = write_dicom(tmp_path / "gone.dcm", phantom())
    open_film(qtbot, opened, path)
    path.unlink()
    qtbot.keyClick(opened, Qt.Key.Key_T)
    message = opened.panels.dock.tags.view.message
    qtbot.waitUntil(lambda: "gone.dcm" in message.text(), timeout=WAIT_MS)
    assert message.isVisible()
    qtbot.keyClick(opened, Qt.Key.Key_X)
    assert "gone" not in message.text()


def test_that_the_search_unfolds_matches_and_counts_them(
    qtbot: QtBot, window: MainWindow, nested: Path
) -> None:
    open_film(qtbot, window, nested)
    browser = show_tags(qtbot, window)
    qtbot.keyClick(browser.view, Qt.Key.Key_F, CTRL)
    assert browser.field.hasFocus()
    qtbot.keyClicks(browser.field, "erect")
    found = [row.value for row in browser.model.root.walk() if row.parent_row]
    assert found == ["items: 1", "", "items: 1", "", "erect"]
    index = browser.model.index(0, 0)
    while browser.model.rowCount(index):
        assert browser.view.isExpanded(index)
        index = browser.model.index(browser.model.rowCount(index) - 1, 0, index)
    assert browser.state.text().startswith("3 of ")
    qtbot.keyClicks(browser.field, " no such")
    assert browser.view.message.text() == NO_MATCH
    qtbot.keyClick(browser.field, Qt.Key.Key_Escape)
    assert browser.state.text().startswith(f"{browser.model.attributes} tags")
    assert "KVP" in cells(window)
    assert not browser.view.message.isVisible()
    assert not window.panels.dock.isHidden()


def test_that_the_panel_can_be_used_with_the_keyboard(qtbot: QtBot, opened: MainWindow) -> None:
    browser = show_tags(qtbot, opened)
    film = opened.workspace.viewer.film_id
    qtbot.keyClick(browser.view, Qt.Key.Key_F, CTRL)
    qtbot.keyClicks(browser.field, "bodypart")
    qtbot.keyClick(browser.field, Qt.Key.Key_Down)
    assert browser.view.hasFocus()
    qtbot.keyClick(browser.view, Qt.Key.Key_C, CTRL)
    assert QApplication.clipboard().text() == "CHEST"
    qtbot.keyClick(browser.view, Qt.Key.Key_C, CTRL | SHIFT)
    row = "(0018,0015)\tBodyPartExamined\tBody Part Examined\tCS\tCHEST"
    assert QApplication.clipboard().text() == row
    assert browser.detail.toPlainText().endswith("BodyPartExamined\nCHEST")
    for key in (Qt.Key.Key_Down, Qt.Key.Key_PageDown, Qt.Key.Key_End, Qt.Key.Key_Return):
        qtbot.keyClick(browser.view, key)
    assert opened.workspace.viewer.film_id == film
    qtbot.keyClick(browser.view, Qt.Key.Key_Escape)
    assert opened.panels.dock.isHidden()
    qtbot.keyClick(opened, Qt.Key.Key_C, CTRL)
    assert not QApplication.clipboard().image().isNull()


def test_that_private_tags_are_named_where_they_are_known(qtbot: QtBot, window: MainWindow) -> None:
    open_film(qtbot, window, Path(str(get_testdata_file("CT_small.dcm", download=False))))
    browser = show_tags(qtbot, window)
    browser.field.setText("window value")
    assert list(cells(window)) == ["(0043,1010)"]


def test_that_letters_in_the_tree_still_reach_the_film(qtbot: QtBot, opened: MainWindow) -> None:
    browser = show_tags(qtbot, opened)
    qtbot.keyClick(browser.view, Qt.Key.Key_I)
    assert opened.workspace.viewer.inverted


def test_that_hidden_identity_is_also_hidden_in_the_tags(qtbot: QtBot, opened: MainWindow) -> None:
    browser = show_tags(qtbot, opened)
    choose(browser, "PatientID")
    assert cells(opened)["PatientID"] == "P1"
    qtbot.keyClick(browser.view, Qt.Key.Key_X)
    masked = {"PatientID", "PatientName", "StudyDate", "SOPInstanceUID"}
    assert {cells(opened)[keyword] for keyword in masked} == {HIDDEN}
    assert cells(opened)["BodyPartExamined"] == "CHEST"
    qtbot.keyClick(browser.view, Qt.Key.Key_C, CTRL)
    assert QApplication.clipboard().text() == HIDDEN
    assert browser.detail.toPlainText().endswith(HIDDEN)
    assert "film1" not in browser.state.text()


def test_that_the_model_keeps_qts_rules(qtbot: QtBot, window: MainWindow, nested: Path) -> None:
    model = TagTree()
    tester = QAbstractItemModelTester(model)
    open_film(qtbot, window, nested)
    show_tags(qtbot, window)
    model.show_tags(window.panels.dock.tags.model._nodes)
    model.search("erect")
    model.set_identity_hidden(True)
    inner = model.index(0, 0, model.index(0, 0))
    assert model.parent(model.parent(inner)) == QModelIndex()
    model.show_tags(())
    del tester
    gc.collect()


def pipeline(window: MainWindow) -> str:
    window.workspace.refresh.run_now()
    return window.panels.dock.pipeline.page.toPlainText()


def test_that_the_pipeline_is_live_with_window_and_inversion(
    qtbot: QtBot, opened: MainWindow
) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_T, SHIFT)
    viewer = opened.workspace.viewer
    assert "centre 2048, width 4096, LINEAR WHOLE" in pipeline(opened)
    assert "(0028,1050) WindowCenter = 2048" in pipeline(opened)
    assert "set by you" not in pipeline(opened)

    def says(text: str, times: int = 1) -> None:
        qtbot.waitUntil(lambda: pipeline(opened).count(text) == times, timeout=WAIT_MS)

    viewer.set_window(Window(700, 300, VoiFunction.LINEAR))
    says("centre 700, width 300")
    says("set by you")
    viewer.set_inverted(True)
    says("set by you", times=2)
    viewer.auto_window()
    says("from the pixels")
    viewer.reset_view()
    says("centre 2048, width 4096, LINEAR WHOLE")
    says("set by you", times=0)


def test_that_the_pipeline_gives_the_spacing_with_its_kind_and_its_tag(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    path = write_dicom(tmp_path / "a.dcm", phantom(), ImagerPixelSpacing=[0.143, 0.143])
    open_film(qtbot, window, path)
    qtbot.keyClick(window, Qt.Key.Key_T, SHIFT)
    assert "0.143 mm/px at detector" in pipeline(window)
    assert "(0018,1164) ImagerPixelSpacing = 0.143\\0.143" in pipeline(window)
    layer = window.workspace.viewer.measure
    qtbot.waitUntil(lambda: layer.marks is not None and layer.marks.is_loaded, timeout=WAIT_MS)
    layer.marks.calibrate(Spacing(0.1, 0.1, SpacingKind.USER))
    qtbot.waitUntil(
        lambda: "0.1 mm/px (user-calibrated), set by you" in pipeline(window), timeout=WAIT_MS
    )
    layer.undo()
    qtbot.waitUntil(lambda: "0.143 mm/px at detector" in pipeline(window), timeout=WAIT_MS)


def test_that_a_raster_film_has_a_pipeline_without_tags(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    open_film(qtbot, window, write_raster(tmp_path / "a.png", phantom(64, 64, 8)))
    qtbot.keyClick(window, Qt.Key.Key_T, SHIFT)
    assert "Stored values" in pipeline(window)
    assert "Lengths in pixels (no spacing in this file)" in pipeline(window)
    assert "(0028," not in pipeline(window)


def test_that_texts_of_a_file_are_never_markup_in_the_pipeline(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    windows = [(2048, 4096, "<b>bold</b>")]
    open_film(qtbot, window, write_dicom(tmp_path / "a.dcm", phantom(), windows=windows))
    qtbot.keyClick(window, Qt.Key.Key_T, SHIFT)
    assert "<b>bold</b>" in pipeline(window)


def test_that_the_pipeline_is_empty_without_a_film(qtbot: QtBot, window: MainWindow) -> None:
    qtbot.keyClick(window, Qt.Key.Key_T, SHIFT)
    assert window.panels.dock.pipeline.message.isVisible()
    assert not window.panels.dock.pipeline.page.isVisible()


def test_that_a_key_shows_its_page_and_hides_it_again(qtbot: QtBot, opened: MainWindow) -> None:
    pages = []
    for modifier in (SHIFT, Qt.KeyboardModifier.NoModifier, SHIFT, SHIFT):
        qtbot.keyClick(opened, Qt.Key.Key_T, modifier)
        pages.append(opened.panels.dock.page)
    assert pages == ["pipeline", "tags", "pipeline", ""]


def test_that_nothing_is_cut_at_1280_by_800_and_a_narrow_window_docks_below(
    qtbot: QtBot, opened: MainWindow
) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_T)
    side = Qt.DockWidgetArea.RightDockWidgetArea
    assert opened.dockWidgetArea(opened.panels.dock) == side
    qtbot.waitUntil(lambda: opened.panels.dock.width() >= 320, timeout=WAIT_MS)
    assert opened.rect().contains(opened.panels.dock.geometry())
    assert opened.width() == 1280
    qtbot.keyClick(opened, Qt.Key.Key_T)
    opened.resize(1000, 700)
    qtbot.keyClick(opened, Qt.Key.Key_T)
    assert opened.dockWidgetArea(opened.panels.dock) == Qt.DockWidgetArea.BottomDockWidgetArea


def test_that_the_page_is_restored_at_the_next_start(
    qtbot: QtBot, opened: MainWindow, settings: Settings, engine: Engine, films: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    qtbot.keyClick(opened, Qt.Key.Key_T, SHIFT)
    opened.close()
    again = MainWindow(Settings(settings.path), tmp_path / "results")
    qtbot.addWidget(again)
    again.show()
    again.build_panels(SharedEngine(engine))
    assert again.panels.dock.isHidden()
    open_film(qtbot, again, films / "film1.dcm")
    assert again.panels.dock.page == "pipeline"
