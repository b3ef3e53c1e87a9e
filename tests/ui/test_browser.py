"""The browser: its rows and groups, its filter and its thumbnails."""

from __future__ import annotations

import itertools
import os
import shutil
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom.data
import pytest
from PySide6.QtCore import QModelIndex, QRect, Qt
from PySide6.QtGui import QAccessible, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QListView, QStyle, QStyleOptionViewItem
from pytestqt.qtbot import QtBot

from tests.builders import phantom, write_dicom, write_raster
from tests.ui.conftest import WAIT_MS
from tests.ui.test_theme import contrast
from xrayview.domain.events import FilmResult
from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.folder import FolderTree
from xrayview.domain.model import Finding, ModelCard, Prediction, PreprocessSpec
from xrayview.engine.client import ROUTES
from xrayview.engine.lane import Priority
from xrayview.engine.protocol import Limits, MakeThumbnail, ReadHeaders, Thumbnail
from xrayview.errors import Status, StatusCode
from xrayview.io.tables.stars import FILE_NAME
from xrayview.services.labels import Labels
from xrayview.services.stars import StarFiles
from xrayview.ui import film_controller
from xrayview.ui.batch.result_rows import RESULT_ROLE
from xrayview.ui.batch.table import ResultTable
from xrayview.ui.browser.chip import Chip, chip
from xrayview.ui.browser.filter import FilmLookup, Filter, Verdict
from xrayview.ui.browser.outline import NOT_FILMS, Content, Folding, Layout, key_of, outline
from xrayview.ui.browser.row_model import NODE, RowModel
from xrayview.ui.browser.thumbnails import Thumbnails
from xrayview.ui.heat_map_controller import leading
from xrayview.ui.shell.main_window import MainWindow
from xrayview.ui.style import theme
from xrayview.ui.style.colours import C

FOLDER = Path("root")
EMPTY_LOOKUP = FilmLookup(lambda _film: False, lambda _film: None)
CARD = ModelCard(
    1, "m", "1", "multiclass", "softmax",
    (Finding("Normal", abnormal=False), Finding("Opacity"), Finding("Nodule")),
    PreprocessSpec((8, 8)),
)  # fmt: skip


def dicom(name: str, **fields: object) -> FilmRef:
    return FilmRef(FOLDER / name, name, patient_id="P1", study_uid="1", series_uid="2", **fields)  # type: ignore[arg-type]


def rows_of(
    *films: FilmRef,
    rejected: tuple[RejectedFile, ...] = (),
    hidden: bool = False,
    criteria: Filter = Filter(),  # noqa: B008 - frozen
    lookup: FilmLookup = EMPTY_LOOKUP,
) -> RowModel:
    content = Content(FOLDER, FolderTree(films), rejected, hidden)
    folding = Folding().with_group(NOT_FILMS, opened=True)
    model = RowModel()
    model.replace(outline(content, folding, criteria, lookup), content)
    return model


def titles(model: RowModel) -> list[str]:
    rows = [model.row(i) for i in range(model.rowCount())]
    return [". " * row.depth + row.title for row in rows]


def everything(model: RowModel) -> list[list[str]]:
    """The text and the tooltip of every row."""
    roles = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
    indexes = [model.index(row, 0) for row in range(model.rowCount())]
    return [[str(index.data(role)) for role in roles] for index in indexes]


def test_that_a_film_is_titled_by_its_view_and_its_frames() -> None:
    film = dicom(
        "a.dcm", view_position="PA", laterality="L", body_part="CHEST", frame=1, frames=3,
        study_date="20040119", study_description="THORAX",
    )  # fmt: skip
    assert titles(rows_of(film)) == ["P1", ". 2004-01-19 · THORAX", ". . Chest PA · L · 3 frames"]


@pytest.mark.parametrize("order", [1, -1], ids=["at the end", "in between"])
def test_that_every_row_is_found_by_its_key_while_a_folder_grows(order: int) -> None:
    films = [
        replace(dicom(f"{n:03d}", instance_number=n), patient_id=f"P{n // 40}") for n in range(120)
    ][::order]
    tree, model = FolderTree(), RowModel()
    for first in range(0, len(films), 30):
        tree.add(films[first : first + 30])
        content = Content(FOLDER, tree, ())
        model.replace(outline(content, Folding(), Filter(), EMPTY_LOOKUP), content)
        items = model.rows.items
        assert model.rows.by_key == {key_of(item): row for row, item in enumerate(items)}


def test_that_a_film_without_view_tags_is_titled_by_its_file_name() -> None:
    assert titles(rows_of(dicom("IM001"))) == ["P1", ". Study without date", ". . IM001"]


def test_that_films_of_one_folder_are_one_group() -> None:
    films = [FilmRef(FOLDER / n, n, format="png") for n in ("a.png", "sub/b.png")]
    assert titles(rows_of(*films)) == ["root", ". a.png", "sub", ". b.png"]


def test_that_series_are_rows_of_their_own_where_a_study_has_several() -> None:
    films = [replace(dicom(n), series_uid=n, series_number=k) for k, n in enumerate("ab", 1)]
    expected = [
        "P1",
        ". Study without date",
        ". . Series 1",
        ". . . a",
        ". . Series 2",
        ". . . b",
    ]
    assert titles(rows_of(*films)) == expected
    assert titles(rows_of(films[0])) == ["P1", ". Study without date", ". . a"]


def test_that_hidden_identity_leaves_no_trace_in_rows_or_search() -> None:
    film = dicom("DOE_JANE.dcm", study_date="20040119", study_description="DOE")
    png = FilmRef(FOLDER / "doe" / "jane.png", "doe/jane.png", format="png", rows=4, columns=5)
    file = RejectedFile(FOLDER / "doe.txt", "doe.txt", StatusCode.NOT_AN_IMAGE, "a text")
    shown = everything(rows_of(film, png, rejected=(file,), hidden=True))
    assert [row[0] for row in shown] == [
        "Patient 1 1", "Study 1", "Film 1 DICOM", "Patient 2 1", "Film 1 5 × 4", "Not films 1",
        "File 1 a text",
    ]  # fmt: skip
    texts = " ".join(text for row in shown for text in row).lower()
    assert not any(name in texts for name in ("p1", "2004", "doe", "jane"))
    for name in ("doe", "jane", "p1", "2004"):
        found = rows_of(film, png, rejected=(file,), hidden=True, criteria=Filter(name))
        assert titles(found) == []


def test_that_rejected_files_come_last_with_their_reason() -> None:
    file = RejectedFile(FOLDER / "n.txt", "n.txt", StatusCode.NOT_AN_IMAGE, "it is a text")
    model = rows_of(dicom("a.dcm"), rejected=(file,))
    assert titles(model)[-2:] == ["Not films", ". n.txt"]
    assert model.row(model.rowCount() - 1).note == "it is a text"


def result_of(scores: tuple[float, ...], flags: tuple[bool, ...], predicted: str) -> FilmResult:
    film = dicom("a.dcm")
    names = tuple(finding.name for finding in CARD.findings)
    prediction = Prediction(
        film.film_id, "m", names, scores, (0.0,) * 3, (0.5,) * 3, flags, predicted, 0.1, "cpu",
        "float32",
    )  # fmt: skip
    return FilmResult("a.dcm", Status.OK, StatusCode.OK, ref=film, prediction=prediction)


def test_that_a_chip_shows_the_leading_abnormal_finding() -> None:
    shown = chip(result_of((0.1, 0.2, 0.7), (False, False, True), "Nodule"), CARD)
    assert (shown.text, shown.filled, shown.note) == ("0.70", True, "Nodule")
    shown = chip(result_of((0.8, 0.15, 0.05), (True, False, False), "Normal"), CARD)
    assert (shown.text, shown.filled, shown.note) == ("0.15", False, "Normal")


def test_that_the_score_of_a_chip_belongs_to_the_first_name() -> None:
    several = result_of((0.7, 0.6, 0.9), (False, True, True), f"{CARD.findings[1].name}|Nodule")
    shown = chip(several, CARD)
    assert (shown.text, shown.note) == ("0.90", f"Nodule, {CARD.findings[1].name}")
    # A higher score that does not reach its own threshold does not lead.
    one = result_of((0.1, 0.6, 0.9), (False, True, False), CARD.findings[1].name)
    assert (chip(one, CARD).text, chip(one, CARD).note) == ("0.60", CARD.findings[1].name)
    assert leading(one, CARD) == CARD.findings[1].name


def numbered_results() -> list[FilmResult]:
    scored = [
        replace(
            result_of((0.1, share, 0.9 - share), (False, False, True), "Nodule"),
            relative_path=f"{share}.dcm",
        )
        for share in (0.2, 0.4, 0.3)
    ]
    failed = FilmResult("failed.dcm", Status.ERROR, StatusCode.DECODE_FAILED, "cut off")
    return [scored[0], failed, *scored[1:]]


@pytest.fixture
def table(qtbot: QtBot) -> ResultTable:
    table = ResultTable()
    qtbot.addWidget(table)
    table.start(tuple(finding.name for finding in CARD.findings))
    table.append(numbered_results())
    return table


def shown_paths(table: ResultTable) -> list[str]:
    rows = range(table.filter.rowCount())
    return [table.filter.index(row, 0).data(RESULT_ROLE).relative_path for row in rows]


def column(table: ResultTable, title: str) -> int:
    titles = [table.rows.column(i).title for i in range(table.rows.columnCount())]
    return titles.index(title)


def test_that_rows_without_a_score_come_last_in_both_directions(table: ResultTable) -> None:
    for title in ("Opacity", "Predicted", "Distance percentile"):
        for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
            table.view.sortByColumn(column(table, title), order)
            if title != "Distance percentile":  # where no row has one
                assert shown_paths(table)[-1] == "failed.dcm"
    table.view.sortByColumn(column(table, "Opacity"), Qt.SortOrder.DescendingOrder)
    assert shown_paths(table) == ["0.4.dcm", "0.3.dcm", "0.2.dcm", "failed.dcm"]


def test_that_labels_keep_the_order_and_the_current_row(table: ResultTable) -> None:
    table.view.sortByColumn(column(table, "Opacity"), Qt.SortOrder.DescendingOrder)
    table.view.setCurrentIndex(table.filter.index(1, 0))
    chosen: list[FilmResult] = []
    table.film_chosen.connect(chosen.append)
    table.compare_with(Labels({"0.2.dcm": "Nodule"}), CARD)
    assert shown_paths(table) == ["0.4.dcm", "0.3.dcm", "0.2.dcm", "failed.dcm"]
    assert table.view.currentIndex().data(RESULT_ROLE).relative_path == "0.3.dcm"
    assert chosen == []


def test_that_the_first_heat_map_is_of_the_leading_abnormal_finding() -> None:
    normal = result_of((0.8, 0.15, 0.05), (True, False, False), "Normal")
    assert leading(normal, CARD) == CARD.findings[1].name
    assert leading(result_of((0.3, 0.4, 0.3), (False, False, True), "Nodule"), CARD) == "Nodule"
    harmless = replace(CARD, findings=tuple(replace(f, abnormal=False) for f in CARD.findings))
    assert leading(normal, harmless) == CARD.findings[0].name


def test_that_a_chip_marks_a_caution() -> None:
    result = result_of((0.1, 0.2, 0.7), (False, False, True), "Nodule")
    shown = chip(replace(result, status=Status.WARN), CARD)
    assert (shown.text, shown.colour, shown.note) == ("0.70", C.warn, "Caution · Nodule")


@pytest.mark.parametrize(
    ("status", "title"), [(Status.REFUSED, "Out of scope"), (Status.ERROR, "Error")]
)
def test_that_a_film_without_a_prediction_never_shows_a_number(status: Status, title: str) -> None:
    result = FilmResult("a.dcm", status, StatusCode.DECODE_FAILED, "cut off", dicom("a.dcm"))
    assert (chip(result, CARD).text, chip(result, CARD).filled) == (title, False)


# -- Filter ------------------------------------------------------------------------------------

NOT_SCORED = frozenset({Verdict.REFUSED, Verdict.UNCLASSIFIED})
STARRED, WARNED, REFUSED, PLAIN = (dicom(name) for name in ("star", "warn", "refused", "plain"))
SCORED = result_of((0.3, 0.2, 0.5), (False, False, True), "Nodule")
RESULTS = {
    WARNED.film_id: replace(SCORED, status=Status.WARN, ref=WARNED),
    REFUSED.film_id: FilmResult("refused", Status.REFUSED, StatusCode.NOT_A_CHEST, ref=REFUSED),
}
LOOKUP = FilmLookup(lambda film: film == STARRED, lambda film: RESULTS.get(film.film_id))


@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        (Filter(starred=True), ["star"]),
        (Filter(verdicts=frozenset({Verdict.WARN})), ["warn"]),
        (Filter(verdicts=NOT_SCORED), ["star", "refused", "plain"]),
        (Filter(finding="Nodule", minimum=0.5), ["warn"]),
        (Filter(finding="Nodule", minimum=0.51), []),
        (Filter(finding="Nodule"), ["warn"]),
        (Filter(finding="Effusion"), []),
        (Filter("PLAI"), ["plain"]),
        (Filter(" p1 "), ["star", "warn", "refused", "plain"]),
        (Filter("star", verdicts=frozenset({Verdict.WARN})), []),
    ],
)
def test_that_a_filter_lists_what_meets_all_its_conditions(
    criteria: Filter, left: list[str]
) -> None:
    model = rows_of(STARRED, WARNED, REFUSED, PLAIN, criteria=criteria, lookup=LOOKUP)
    assert sorted(film.relative_path for film in model.rows.films) == sorted(left)
    assert (model.rowCount() > 0) == bool(left)  # an empty group has no row


def test_that_a_filter_describes_its_conditions() -> None:
    criteria = Filter("a", True, frozenset({Verdict.ERROR, Verdict.WARN}), "Nodule", 0.5)
    assert criteria.conditions() == ("starred", "Caution or Error", "Nodule ≥ 0.50")
    assert Filter().conditions() == ()


# -- In the window -----------------------------------------------------------------------------


def film_titles(window: MainWindow) -> list[str]:
    return [film.relative_path for film in window.workspace.browser.films().films]


def test_that_a_star_is_set_shown_filtered_by_and_saved_beside_the_films(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    for name in ("a.png", "b.png"):
        write_raster(tmp_path / name, phantom(40, 40, 8))
    workspace = window.workspace
    for _ in range(2):
        with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
            window.open_paths([tmp_path])
        first, second = workspace.session.films
        qtbot.waitUntil(lambda f=first: workspace.session.current == f, timeout=WAIT_MS)
        if not (tmp_path / FILE_NAME).exists():
            qtbot.keyClick(window, Qt.Key.Key_K)
            qtbot.waitUntil((tmp_path / FILE_NAME).exists, timeout=WAIT_MS)
        qtbot.waitUntil(lambda f=first: workspace.stars.is_starred(f), timeout=WAIT_MS)
        assert not workspace.stars.is_starred(second)
        workspace.browser.filter.star.setChecked(True)
        assert film_titles(window) == ["a.png"]
        workspace.browser.filter.star.setChecked(False)
    qtbot.keyClick(window, Qt.Key.Key_K)
    qtbot.waitUntil(lambda: not (tmp_path / FILE_NAME).exists(), timeout=WAIT_MS)


def test_that_stars_of_another_window_are_shown_and_kept(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    for name in ("a.png", "b.png"):
        write_raster(tmp_path / name, phantom(40, 40, 8))
    workspace = window.workspace
    with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
        window.open_paths([tmp_path])
    first, second = workspace.session.films
    qtbot.waitUntil(lambda: workspace.session.current == first, timeout=WAIT_MS)
    stars, other = workspace.stars, StarFiles()
    stars.toggle(first)
    qtbot.waitUntil((tmp_path / FILE_NAME).exists, timeout=WAIT_MS)
    other.save(tmp_path, {second: True, first: False})
    stars.look_for_changes()
    qtbot.waitUntil(lambda: stars.is_starred(second), timeout=WAIT_MS)
    assert not stars.is_starred(first)
    stars.toggle(second)
    qtbot.waitUntil(lambda: not (tmp_path / FILE_NAME).exists(), timeout=WAIT_MS)
    assert not stars.is_starred(first)


def test_that_the_filter_follows_the_models_results(qtbot: QtBot, ready: MainWindow) -> None:
    workspace, line = ready.workspace, ready.workspace.browser.filter
    line.page.verdicts[Verdict.UNCLASSIFIED].setChecked(True)
    assert len(film_titles(ready)) == 4
    line.page.finding.setCurrentIndex(line.page.finding.findData("Opacity"))
    assert film_titles(ready) == []
    line.page.verdicts[Verdict.UNCLASSIFIED].setChecked(False)
    line.page.minimum.setValue(0.0)
    workspace.model_controller.classify()
    qtbot.waitUntil(lambda: len(film_titles(ready)) == 1, timeout=WAIT_MS)
    assert "Opacity ≥ 0.00" in workspace.browser.state.text()
    line.page.clear.click()
    assert len(film_titles(ready)) == 4


def test_that_the_film_on_screen_is_unfolded_and_the_list_stays_where_it_was(
    qtbot: QtBot, window: MainWindow
) -> None:
    films = [
        replace(dicom(f"{n:04d}"), patient_id=f"P{n // 2}", study_uid=f"1.{n // 2}")
        for n in range(600)
    ]
    browser = window.workspace.browser
    window.pages.setCurrentWidget(window.workspace)
    folder = FolderTree(films)
    browser.show_folder(FOLDER, folder, ())
    assert len(browser.films()) == 600
    assert browser.tree.model().rowCount() == 300 + 1 + 2  # one of 300 patients is open
    browser.select(films[500])
    shown = browser.tree.currentIndex()
    assert shown.data(NODE).film == films[500]
    assert browser.tree.viewport().rect().contains(browser.tree.visualRect(shown))
    before = browser.tree.visualRect(shown)
    folder.add([replace(dicom("new"), patient_id="P0", study_uid="1.0")])
    browser.show_folder(FOLDER, folder, ())
    assert len(browser.films()) == 601
    assert browser.tree.visualRect(browser.tree.currentIndex()) == before


def test_that_only_rows_on_screen_are_built(qtbot: QtBot, window: MainWindow) -> None:
    """Ten thousand rows are laid out, but texts are made only for those that are painted."""
    browser, built = window.workspace.browser, []
    model = browser.tree.model()
    row = model.row
    model.row = lambda index: built.append(index) or row(index)
    films = [FilmRef(FOLDER / f"{n:05d}.png", f"{n:05d}.png", format="png") for n in range(10_000)]
    window.pages.setCurrentWidget(window.workspace)
    browser.show_folder(FOLDER, FolderTree(films), ())
    browser.tree.verticalScrollBar().setValue(300_000)
    QTest.qWait(50)
    assert built
    assert len(set(built)) < 100
    del model.row


def test_that_a_filter_checks_a_thousand_films_in_one_turn(
    qtbot: QtBot, window: MainWindow
) -> None:
    films = [FilmRef(FOLDER / f"{n:05d}.png", f"{n:05d}.png", format="png") for n in range(5500)]
    checked: list[str] = []
    lookup = FilmLookup(lambda film: checked.append(film.relative_path) or True, lambda _film: None)
    content = Content(FOLDER, FolderTree(films), ())
    layout = Layout(content, Folding(), Filter("9.png", starred=True), lookup)
    turns = [len(checked) for _ in layout.steps()]
    assert turns == [1000, 2000, 3000, 4000, 5000]
    assert len(checked) == 5500
    assert len(layout.rows.films) == 550
    browser = window.workspace.browser
    browser.show_folder(FOLDER, content.tree, ())
    browser.field.setText("9.png")
    assert len(browser.films()) == 5500  # the old rows stay until the new ones are complete
    qtbot.waitUntil(lambda: len(browser.films()) == 550, timeout=WAIT_MS)
    browser.field.clear()
    assert len(browser.films()) == 5500


def test_that_identity_is_hidden_at_once_in_a_large_folder(window: MainWindow) -> None:
    films = [dicom(f"{n}") for n in range(3000)]
    browser = window.workspace.browser
    browser.show_folder(FOLDER, FolderTree(films), ())
    browser.field.setText("p1")
    browser.set_identity_hidden(True)
    assert browser.tree.model().row(0).title == "Patient 1"


def test_that_a_folder_is_listed_in_several_turns(
    qtbot: QtBot, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One turn of the event loop adds a limited number of films, however many have arrived."""
    monkeypatch.setattr(film_controller, "_FILES_PER_TURN", 3)
    for n in range(10):
        write_raster(tmp_path / f"{n}.png", phantom(40, 40, 8))
    (tmp_path / "notes.txt").touch()
    workspace, grown = window.workspace, []
    workspace.films.listing_changed.connect(lambda: grown.append(len(workspace.session.films)))
    with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
        window.open_paths([tmp_path])
    steps = [after - before for before, after in itertools.pairwise([0, *grown])]
    assert sum(steps) == 10
    assert max(steps) == 3
    assert workspace.browser.state.text() == "10 films, 1 other file"


def test_that_thumbnails_that_scrolled_away_are_cancelled(window: MainWindow) -> None:
    requests: list[MakeThumbnail] = []

    def submit(request: MakeThumbnail, *, priority: Priority) -> Future[Thumbnail]:
        requests.append(request)
        return Future()

    thumbnails = Thumbnails(window.workspace.films._tasks, submit, Limits(), 96)
    films = [dicom(name) for name in "abcdef"]
    thumbnails.request(films[:3])
    assert [request.film for request in requests] == films[:2]
    thumbnails.request(films[3:])
    assert [request.film for request in requests] == [*films[:2], *films[3:5]]
    thumbnails.clear()


def test_that_the_first_thumbnails_do_not_wait_for_the_last_header(
    qtbot: QtBot, window: MainWindow
) -> None:
    priorities: list[Priority] = []

    def submit(request: MakeThumbnail, *, priority: Priority) -> Future[Thumbnail]:
        priorities.append(priority)
        made: Future[Thumbnail] = Future()
        made.set_result(Thumbnail(request.film.film_id, np.zeros((8, 8), np.uint8)))
        return made

    thumbnails = Thumbnails(window.workspace.films._tasks, submit, Limits(), 96)
    thumbnails.request(dicom(f"{n}") for n in range(20))
    qtbot.waitUntil(lambda: len(priorities) == 20, timeout=WAIT_MS)
    assert set(priorities[:8]) == {ROUTES[ReadHeaders].priority}
    assert priorities[-1] is Priority.PREFETCH
    thumbnails.request(())
    thumbnails.clear()
    thumbnails.request([dicom("another")])
    assert priorities[-1] is ROUTES[ReadHeaders].priority


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_that_a_file_name_that_is_not_valid_text_is_listed_and_opened(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    film = write_raster(tmp_path / "a.png", phantom(40, 40, 8))
    film.rename(tmp_path / os.fsdecode(b"f\xff.png"))
    workspace = window.workspace
    with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
        window.open_paths([tmp_path])
    qtbot.waitUntil(lambda: workspace.session.radiograph is not None, timeout=WAIT_MS)
    assert window.grab().width() > 0
    window.close()  # the folder's name goes into the settings


def test_that_the_neighbours_are_decoded_before_they_are_requested(
    qtbot: QtBot, opened: MainWindow
) -> None:
    session = opened.workspace.session
    qtbot.waitUntil(lambda: session.is_decoded(session.films[1]), timeout=WAIT_MS)
    assert session.current == session.films[0]


def test_that_page_down_goes_to_the_next_series(qtbot: QtBot, opened: MainWindow) -> None:
    workspace = opened.workspace
    positions = []
    for _ in range(5):
        positions.append(workspace.films.position()[0])
        workspace.films.step_series(1)
    assert positions == [1, 2, 3, 4, 4]
    workspace.films.step_series(-1)
    assert workspace.films.position() == (3, 4)


def test_that_page_down_stays_where_no_series_follows(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    for name in "abc":
        write_raster(tmp_path / f"{name}.png", phantom(40, 40, 8))
    films = window.workspace.films
    with qtbot.waitSignal(films.finished_listing, timeout=WAIT_MS):
        window.open_paths([tmp_path])
    films.step(1)
    films.step_series(1)
    assert films.position() == (2, 3)


def test_that_a_chest_is_shown_before_other_films(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    for name, part in (("a.dcm", "ANKLE"), ("b.dcm", "CHEST"), ("c.dcm", "CHEST")):
        uids = {"PatientID": name, "StudyInstanceUID": f"1.{ord(name[0])}"}
        write_dicom(tmp_path / name, phantom(40, 40), BodyPartExamined=part, **uids)
    workspace = window.workspace
    with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
        window.open_paths([tmp_path])
    assert workspace.session.current.relative_path == "b.dcm"


def test_that_a_dropped_dicomdir_lists_the_files_that_it_refers_to(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    disc = Path(pydicom.data.__file__).parent / "test_files" / "dicomdirtests"
    index = Path(shutil.copytree(disc, tmp_path / "disc")) / "DICOMDIR"
    deleted = next(
        path for path in sorted((tmp_path / "disc").rglob("*")) if _is_of(path, "77654033")
    )
    deleted.unlink()
    workspace = window.workspace
    with qtbot.waitSignal(workspace.films.finished_listing, timeout=WAIT_MS):
        window.open_paths([index])
    assert len(workspace.session.films) == 30
    (missing,) = workspace.session.rejected
    assert missing.path == deleted
    assert workspace.session.source is None  # only a folder can be classified as a whole


def _is_of(path: Path, patient: str) -> bool:
    return path.is_file() and patient in path.parts


def test_that_rows_are_exposed_to_a_screen_reader(qtbot: QtBot, opened: MainWindow) -> None:
    view = opened.workspace.browser.tree
    accessible = QAccessible.queryAccessibleInterface(view)
    assert accessible.text(QAccessible.Text.Name) == "Films"
    names = [accessible.child(row).text(QAccessible.Text.Name) for row in range(4)]
    assert names == ["P1 2", "2024-01-19", "Series", "Chest PA film1.dcm"]


@pytest.mark.parametrize("colours", ["dark", "light"])
def test_that_the_quiet_text_of_a_selected_row_is_legible(
    qtbot: QtBot, ready: MainWindow, colours: str
) -> None:
    """WCAG 2.1, 1.4.3: the strongest colour of a note against the selection's background."""
    workspace = ready.workspace
    with qtbot.waitSignal(workspace.model_controller.result_changed, timeout=WAIT_MS):
        workspace.model_controller.classify()
    theme.use(colours)
    view = workspace.browser.tree
    ratios = {}
    for i in range(view.model().rowCount()):
        index = view.model().index(i, 0)
        row = index.data(NODE)
        count_or_title = QRect(254, 0, 20, 24) if row.note else QRect(50, 0, 150, 24)
        quiet = count_or_title if row.is_group else QRect(100, 32, 160, 20)
        ratios[row.title] = strongest_contrast(selected_row(view, index), quiet)
    theme.use("dark")
    assert len(ratios) > 5
    assert {title: ratio for title, ratio in ratios.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("width_px", [200, 280])
def test_that_a_chip_leaves_room_for_the_title(
    opened: MainWindow, monkeypatch: pytest.MonkeyPatch, width_px: int
) -> None:
    view = opened.workspace.browser.tree
    model = view.model()
    rows = (model.index(i, 0) for i in range(model.rowCount()))
    index = next(row for row in rows if row.data(NODE).film is not None)
    title = QRect(88, 10, 60, 17)
    without_chip = selected_row(view, index, width_px)
    monkeypatch.setattr(view.itemDelegate(), "_chip_of", lambda _: Chip("refused", C.quiet, ""))
    with_chip = selected_row(view, index, width_px)
    assert with_chip != without_chip
    assert with_chip.copy(title) == without_chip.copy(title)


def selected_row(view: QListView, index: QModelIndex, width_px: int = 280) -> QImage:
    """The row as it is drawn while it is selected."""
    option = QStyleOptionViewItem()
    option.rect = QRect(0, 0, width_px, view.visualRect(index).height())
    option.state = QStyle.StateFlag.State_Selected
    image = QImage(option.rect.size(), QImage.Format.Format_RGB32)
    painter = QPainter(image)
    view.itemDelegate().paint(painter, option, index)
    painter.end()
    return image


def strongest_contrast(image: QImage, area: QRect) -> float:
    part = image.copy(area)
    pixels = ((x, y) for x in range(part.width()) for y in range(part.height()))
    colours = {part.pixelColor(x, y).name() for x, y in pixels}
    return max(contrast(colour, C.accent_dim) for colour in colours)


def test_that_escape_closes_the_filter_page(qtbot: QtBot, opened: MainWindow) -> None:
    line = opened.workspace.browser.filter
    line.more.click()
    assert line.page.isVisible()
    qtbot.keyClick(line.page, Qt.Key.Key_Escape)
    assert not line.page.isVisible()


def test_that_a_command_clears_the_thumbnails_on_disk(qtbot: QtBot, opened: MainWindow) -> None:
    workspace = opened.workspace
    store = workspace.thumbnail_store.folder
    qtbot.waitUntil(lambda: bool(list(store.rglob("*.png"))), timeout=WAIT_MS)
    workspace.commands()["clear_thumbnails"]()
    qtbot.waitUntil(lambda: not list(store.rglob("*.png")), timeout=WAIT_MS)
