"""The browser's rows: what they say, how they are grouped, and odd names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, Qt
from pytestqt.qtbot import QtBot

from tests.builders import phantom, write_dicom, write_raster
from tests.ui.conftest import WAIT_MS
from xrayview.domain.events import FilmResult
from xrayview.domain.film import FilmRef, RejectedFile, group_films
from xrayview.domain.model import Finding, ModelCard, Prediction, PreprocessSpec
from xrayview.errors import Status, StatusCode
from xrayview.ui.browser import nodes
from xrayview.ui.browser.chip import chip
from xrayview.ui.browser.tree_model import SEARCH, FilmTree
from xrayview.ui.main_window import MainWindow

FOLDER = Path("root")
CARD = ModelCard(
    1, "m", "1", "multiclass", "softmax",
    (Finding("Normal", abnormal=False), Finding("Opacity"), Finding("Nodule")),
    PreprocessSpec((8, 8)),
)  # fmt: skip


def dicom(name: str, **fields: object) -> FilmRef:
    return FilmRef(FOLDER / name, name, patient_id="P1", study_uid="1", series_uid="2", **fields)  # type: ignore[arg-type]


def titles(node: nodes.Node, depth: int = 0) -> list[str]:
    rows = []
    for child in node.children:
        rows += [". " * depth + child.title, *titles(child, depth + 1)]
    return rows


def everything(model: FilmTree, parent: QModelIndex = QModelIndex()) -> Iterator[list[str]]:  # noqa: B008
    """What every row shows, is found by, and says in its tip."""
    for row in range(model.rowCount(parent)):
        index = model.index(row, 0, parent)
        roles = (Qt.ItemDataRole.DisplayRole, SEARCH, Qt.ItemDataRole.ToolTipRole)
        yield [str(model.data(index, role)) for role in roles]
        yield from everything(model, index)


def tree(
    *films: FilmRef, rejected: tuple[RejectedFile, ...] = (), hidden: bool = False
) -> nodes.Node:
    return nodes.build(FOLDER, group_films(films), rejected, identity_hidden=hidden)


def test_that_a_film_is_called_by_its_view_and_frame() -> None:
    film = dicom(
        "a.dcm", view_position="PA", laterality="L", body_part="CHEST", frame=1, frames=3,
        study_date="20040119", study_description="THORAX",
    )  # fmt: skip
    assert titles(tree(film)) == ["P1", ". 2004-01-19 · THORAX", ". . Chest PA · L · frame 2/3"]


def test_that_a_film_that_says_nothing_is_called_by_its_file() -> None:
    assert titles(tree(dicom("IM001"))) == ["P1", ". Study without a date", ". . IM001"]


def test_that_films_of_one_folder_are_one_group() -> None:
    films = [FilmRef(FOLDER / n, n, format="png") for n in ("a.png", "sub/b.png")]
    assert titles(tree(*films)) == ["root", ". a.png", "sub", ". b.png"]


def test_that_hidden_identity_leaves_no_trace_in_rows_or_search() -> None:
    film = dicom("DOE_JANE.dcm", study_date="20040119", study_description="DOE")
    png = FilmRef(FOLDER / "doe" / "jane.png", "doe/jane.png", format="png", rows=4, columns=5)
    file = RejectedFile(FOLDER / "doe.txt", "doe.txt", StatusCode.NOT_AN_IMAGE, "a text")
    model = FilmTree()
    model.replace(tree(film, png, rejected=(file,), hidden=True))
    shown = list(everything(model))
    assert [row[0] for row in shown] == [
        "Patient 1 1", "Study 1", "Film 1 DICOM", "Patient 2 1", "Film 1 5 × 4", "Not films 1",
        "File 1 a text",
    ]  # fmt: skip
    said = " ".join(text for row in shown for text in row).lower()
    assert not any(name in said for name in ("p1", "2004", "doe", "jane"))


def test_that_rejected_files_stand_last_with_their_reason() -> None:
    file = RejectedFile(FOLDER / "n.txt", "n.txt", StatusCode.NOT_AN_IMAGE, "it is a text")
    root = tree(dicom("a.dcm"), rejected=(file,))
    assert titles(root)[-2:] == ["Not films", ". n.txt"]
    assert root.children[-1].children[0].note == "it is a text"


def said(scores: tuple[float, ...], flags: tuple[bool, ...], predicted: str) -> FilmResult:
    film = dicom("a.dcm")
    names = tuple(finding.name for finding in CARD.findings)
    prediction = Prediction(
        film.film_id, "m", names, scores, (0.0,) * 3, (0.5,) * 3, flags, predicted, 0.1, "cpu",
        "float32",
    )  # fmt: skip
    return FilmResult("a.dcm", Status.OK, StatusCode.OK, ref=film, prediction=prediction)


def test_that_a_chip_shows_the_leading_abnormal_finding() -> None:
    shown = chip(said((0.1, 0.2, 0.7), (False, False, True), "Nodule"), CARD)
    assert (shown.text, shown.filled, shown.note) == ("0.70", True, "Nodule")
    shown = chip(said((0.8, 0.15, 0.05), (True, False, False), "Normal"), CARD)
    assert (shown.text, shown.filled, shown.note) == ("0.15", False, "Normal")


@pytest.mark.parametrize("status", [Status.REFUSED, Status.ERROR])
def test_that_a_film_without_a_prediction_never_shows_a_number(status: Status) -> None:
    result = FilmResult("a.dcm", status, StatusCode.DECODE_FAILED, "cut off", dicom("a.dcm"))
    assert (chip(result, CARD).text, chip(result, CARD).filled) == (str(status), False)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_that_a_name_that_is_no_text_is_listed_and_opened(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    film = write_raster(tmp_path / "a.png", phantom(40, 40, 8))
    film.rename(tmp_path / os.fsdecode(b"f\xff.png"))
    space = window.workspace
    with qtbot.waitSignal(space.workbench.finished_listing, timeout=WAIT_MS):
        window.open_paths([tmp_path])
    qtbot.waitUntil(lambda: space.session.radiograph is not None, timeout=WAIT_MS)
    assert window.grab().width() > 0
    window.close()  # the folder's name goes into the settings


def test_that_the_neighbours_are_decoded_before_they_are_asked_for(
    qtbot: QtBot, opened: MainWindow
) -> None:
    session = opened.workspace.session
    qtbot.waitUntil(lambda: session.is_decoded(session.films[1]), timeout=WAIT_MS)
    assert session.current == session.films[0]


def test_that_page_down_goes_to_the_next_series(qtbot: QtBot, opened: MainWindow) -> None:
    space = opened.workspace
    places = []
    for _ in range(5):
        places.append(space.workbench.position()[0])
        space.workbench.step_series(1)
    assert places == [1, 2, 3, 4, 4]
    space.workbench.step_series(-1)
    assert space.workbench.position() == (3, 4)


def test_that_a_chest_is_shown_before_other_films(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    for name, part in (("a.dcm", "ANKLE"), ("b.dcm", "CHEST"), ("c.dcm", "CHEST")):
        uids = {"PatientID": name, "StudyInstanceUID": f"1.{ord(name[0])}"}
        write_dicom(tmp_path / name, phantom(40, 40), BodyPartExamined=part, **uids)
    space = window.workspace
    with qtbot.waitSignal(space.workbench.finished_listing, timeout=WAIT_MS):
        window.open_paths([tmp_path])
    assert space.session.current.relative_path == "b.dcm"
