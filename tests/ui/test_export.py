"""The export dialogs with real workers and real files; no identity without a request."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import pydicom
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.builders import phantom, write_dicom
from tests.bundles import tiny_card
from tests.ui.conftest import WAIT_MS
from xrayview.display.burned_in import burned_in
from xrayview.display.greyscale import render
from xrayview.domain.figure import FigureStyle
from xrayview.domain.measurement import Annotation, Mark
from xrayview.domain.model import Finding, GateVerdict
from xrayview.domain.radiograph import Window
from xrayview.engine.protocol import ModelReady, ModelRef
from xrayview.errors import Status
from xrayview.io.readers import read_film, read_header
from xrayview.io.scan import walk
from xrayview.io.tags.known_columns import known_columns
from xrayview.services.session import Session
from xrayview.services.settings import Settings
from xrayview.ui.export.column_chooser import ColumnChooser
from xrayview.ui.export.figure_dialog import FigureDialog
from xrayview.ui.export.folder_deidentify import FolderDeidentify
from xrayview.ui.export.folder_job import FolderJob
from xrayview.ui.export.folder_pictures import FolderPictures
from xrayview.ui.export.folder_tags import FolderTags
from xrayview.ui.export.heat_map_choice import HeatMapChoice, heat_map_offer
from xrayview.ui.export.shown_film import shown_film
from xrayview.ui.export.stored_choices import StoredChoices
from xrayview.ui.findings.heat_controls import HeatControls
from xrayview.ui.shell.main_window import MainWindow


def read(path: Path) -> np.ndarray:
    return cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)


def messages(window: MainWindow) -> str:
    return "\n".join(f"{m.title} {m.text}" for m in window.banners.messages())


def figure_dialog(qtbot: QtBot, window: MainWindow) -> FigureDialog:
    """The dialog with its preview drawn."""
    window.panels.exports.save_figure()
    dialog = window.panels.exports.dialog("save_figure")
    assert isinstance(dialog, FigureDialog)
    qtbot.waitUntil(lambda: not dialog.preview.face.pixmap().isNull(), timeout=WAIT_MS)
    return dialog


def write(qtbot: QtBot, dialog: FigureDialog, path: Path) -> Path:
    with qtbot.waitSignal(dialog.saved, timeout=WAIT_MS):
        dialog.write(path)
    return path


def run(qtbot: QtBot, dialog: FolderJob) -> None:
    dialog.start()
    qtbot.waitUntil(lambda: not dialog.running, timeout=WAIT_MS)


def listed(dialog: FolderJob) -> dict[str, str]:
    """The status of each file in the table of problems."""
    rows = range(dialog.failures.rowCount())
    return {dialog.failures.item(r, 0).text(): dialog.failures.item(r, 1).text() for r in rows}


def close(qtbot: QtBot, window: MainWindow, name: str) -> None:
    dialog = window.panels.exports.dialog(name)
    dialog.discard()
    qtbot.waitUntil(lambda: window.panels.exports.dialog(name) is None, timeout=WAIT_MS)


def test_that_a_figure_is_the_film_as_it_is_on_screen(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    viewer = opened.workspace.viewer
    viewer.set_window(Window(1500, 700))
    viewer.set_inverted(True)
    viewer.rotate(1)
    film = opened.workspace.session.radiograph
    dialog = figure_dialog(qtbot, opened)
    picture = read(write(qtbot, dialog, tmp_path / "figure.png"))
    expected = np.rot90(render(film, Window(1500, 700), invert=True), -1)
    rows, columns = expected.shape
    left = (picture.shape[1] - columns) // 2
    shown = picture[:rows, left : left + columns]
    assert (shown == expected).mean() > 0.7  # the rest is scale bar and letters
    assert "figure.png was saved" in messages(opened)


def test_that_measurements_and_heat_map_are_on_the_figure(
    qtbot: QtBot, ready: MainWindow, tmp_path: Path
) -> None:
    workspace = ready.workspace
    workspace.model_controller.classify()
    session = workspace.session
    qtbot.waitUntil(lambda: session.result(session.current) is not None, timeout=WAIT_MS)
    with qtbot.waitSignal(workspace.model_controller.heat_map_ready, timeout=WAIT_MS):
        workspace.heat_maps.set_on(True)
    layer = workspace.viewer.measure
    qtbot.waitUntil(lambda: layer.marks is not None and layer.marks.is_loaded, timeout=WAIT_MS)
    film = session.radiograph.ref
    layer.marks.add(Annotation(Mark.LENGTH, ((10.0, 10.0), (10.0, 40.0)), film.sop_uid))
    dialog = figure_dialog(qtbot, ready)
    dialog.kind.setCurrentIndex(dialog.kind.findData("svg"))
    text = "".join(ET.parse(write(qtbot, dialog, tmp_path / "figure.svg")).getroot().itertext())
    assert "Grad-CAM" in text
    assert "bright 1" in text
    assert "30.0 px" in text
    assert "RESEARCH USE ONLY" in text


def test_that_a_figure_states_the_caution_of_the_gate(qtbot: QtBot, ready: MainWindow) -> None:
    workspace, session = ready.workspace, ready.workspace.session
    workspace.model_controller.classify()
    qtbot.waitUntil(lambda: session.result(session.current) is not None, timeout=WAIT_MS)
    result = session.result(session.current)
    gate = GateVerdict(flags=("OUT_OF_DISTRIBUTION",), reasons=("The model is for AP.",))
    caution = replace(result, status=Status.WARN, gate=gate, pixel_gate=gate)
    session.accept_result(caution, session.model_sha256)
    shown = shown_film(workspace.viewer, session)
    assert shown.result_text.endswith("Caution: The model is for AP.")
    texts = [label.text for label in shown.figure(FigureStyle()).labels]
    assert "Caution: The model is for AP." in " ".join(texts)


def test_that_16_bits_exclude_the_heat_map_and_say_why(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    dialog = figure_dialog(qtbot, opened)
    assert not dialog.boxes["heat_map"].isEnabled()
    assert "No heat map" in dialog.boxes["heat_map"].toolTip()
    dialog.bits.setCurrentIndex(dialog.bits.findData("16"))
    picture = read(write(qtbot, dialog, tmp_path / "deep.png"))
    assert (picture.dtype, picture.ndim) == (np.uint16, 2)


def test_that_identity_is_off_and_never_stored(
    qtbot: QtBot, opened: MainWindow, settings: Settings, tmp_path: Path
) -> None:
    dialog = figure_dialog(qtbot, opened)
    identity = dialog.boxes["identity"]
    assert not identity.isChecked()
    assert not identity.isEnabled()
    dialog.boxes["corners"].setChecked(True)
    identity.setChecked(True)
    assert dialog.identity_warning.isVisible()
    dialog.kind.setCurrentIndex(dialog.kind.findData("svg"))
    named = write(qtbot, dialog, tmp_path / "named.svg").read_text(encoding="utf-8")
    assert "ID P1" in named
    again = figure_dialog(qtbot, opened)
    assert again.boxes["corners"].isChecked()
    assert not again.boxes["identity"].isChecked()
    assert again.kind.currentData() == "svg"
    assert "identity" not in str(settings["export"])
    plain = write(qtbot, again, tmp_path / "plain.svg").read_text(encoding="utf-8")
    assert "P1" not in plain
    assert "identity hidden" in plain


def test_that_a_figure_that_cannot_be_written_is_reported_and_can_be_tried_again(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    dialog = figure_dialog(qtbot, opened)
    (tmp_path / "taken").write_text("not a folder", encoding="utf-8")
    with qtbot.waitSignal(dialog.failed, timeout=WAIT_MS):
        dialog.write(tmp_path / "taken" / "figure.png")
    assert "cannot be written" in messages(opened)
    assert dialog.save_button.isEnabled()
    close(qtbot, opened, "save_figure")


def test_that_copying_warns_of_burned_in_names(qtbot: QtBot, opened: MainWindow) -> None:
    QApplication.clipboard().clear()
    opened.panels.exports.copy_picture()
    assert not QApplication.clipboard().image().isNull()
    assert "does not say whether a name" in messages(opened)


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"BurnedInAnnotation": "YES"}, "likely"),
        ({"BurnedInAnnotation": "NO"}, "none"),
        ({}, "unknown"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "likely"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "BurnedInAnnotation": "NO"}, "none"),
    ],
)
def test_that_burned_in_text_is_recognised_by_tag_and_kind_of_picture(
    tags: dict[str, str], kind: str, tmp_path: Path
) -> None:
    path = write_dicom(tmp_path / "a.dcm", phantom(), **tags)
    assert burned_in(read_film(read_header(path, tmp_path))).kind == kind


def pictures_dialog(window: MainWindow) -> FolderPictures:
    window.panels.exports.export_folder()
    dialog = window.panels.exports.dialog("export_folder")
    assert isinstance(dialog, FolderPictures)
    return dialog


def test_that_the_folder_is_exported_with_the_window_on_screen_and_bad_files_are_listed(
    qtbot: QtBot, opened: MainWindow, films: Path, tmp_path: Path
) -> None:
    opened.workspace.viewer.set_window(Window(1500, 700))
    dialog = pictures_dialog(opened)
    assert not dialog.start_button.isEnabled()
    dialog.folder.edit.setText(str(tmp_path / "out"))
    dialog.windows.setCurrentIndex(dialog.windows.findData("mine"))
    run(qtbot, dialog)
    path = films / "film2.dcm"
    expected = render(read_film(read_header(path, films)), Window(1500, 700))
    assert np.array_equal(read(tmp_path / "out" / "film2.dcm.png"), expected)
    assert (tmp_path / "out" / "png" / "a.png.png").is_file()
    assert listed(dialog) == {"empty.dcm": "error", "notes.txt": "error"}
    assert "may have a name" in dialog.text.text()
    existing = tmp_path / "out" / "film1.dcm.png"
    existing.write_bytes(b"of the first run")
    run(qtbot, dialog)
    assert existing.read_bytes() == b"of the first run"
    assert "existing pictures were left as they are" in dialog.text.text()
    dialog.replace.setChecked(True)
    run(qtbot, dialog)
    assert existing.read_bytes() != b"of the first run"
    close(qtbot, opened, "export_folder")


def test_that_the_folder_is_exported_with_the_chosen_heat_map(
    qtbot: QtBot, ready: MainWindow, films: Path, tmp_path: Path
) -> None:
    workspace = ready.workspace
    workspace.findings.heat.opacity.setValue(80)
    workspace.session.move_point("Opacity", 0.99)
    dialog = pictures_dialog(ready)
    assert "opacity 80%" in dialog.heat.toolTip()
    dialog.heat.box.setChecked(True)
    assert not dialog.figure.isEnabled()
    dialog.heat.finding.setCurrentIndex(dialog.heat.finding.findData("Opacity"))
    dialog.kind.setCurrentIndex(dialog.kind.findData("svg"))
    dialog.folder.edit.setText(str(tmp_path / "out"))
    run(qtbot, dialog)
    text = "".join(ET.parse(tmp_path / "out" / "film1.dcm.svg").getroot().itertext())
    assert "Grad-CAM" in text
    assert "below its operating point (0.99)" in text
    assert "RESEARCH USE ONLY" in text
    assert {"empty.dcm", "notes.txt"} <= listed(dialog).keys()
    dialog.bits.setCurrentIndex(dialog.bits.findData("16"))
    assert dialog.heat.selection is None
    assert "no colour" in dialog.heat.toolTip()
    close(qtbot, ready, "export_folder")


def test_that_the_abnormal_finding_is_offered_first(qtbot: QtBot) -> None:
    two = tiny_card(findings=(Finding("Normal", abnormal=False), Finding("Opacity")))
    model = ModelRef(Path("two.pt"), "0" * 64)
    session = Session()
    session.open_model(ModelReady(model, two, "cpu", "", "float32", ("grad-cam",)))
    controls = HeatControls()
    qtbot.addWidget(controls)
    offer = heat_map_offer(session, controls)
    assert offer is not None
    assert offer.findings == ("Opacity", "Normal")
    choice = HeatMapChoice(offer, on=True)
    qtbot.addWidget(choice)
    assert choice.selection is not None
    assert choice.selection.finding == "Opacity"
    controls.offer(offer.findings, ("grad-cam",))
    controls.start_with("Normal")
    changed = heat_map_offer(session, controls)
    assert changed is not None
    assert changed.settings.finding == "Normal"


def test_that_without_a_model_no_heat_map_is_offered(opened: MainWindow) -> None:
    dialog = pictures_dialog(opened)
    assert not dialog.heat.box.isEnabled()
    assert "Load a model" in dialog.heat.toolTip()
    dialog.close()


def test_that_hidden_identity_also_hides_file_names(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path
) -> None:
    opened.workspace.set_identity_hidden(True)
    dialog = pictures_dialog(opened)
    dialog.folder.edit.setText(str(tmp_path / "out"))
    run(qtbot, dialog)
    assert sorted(listed(dialog).values()) == ["error", "error"]
    assert all(name.startswith("File ") for name in listed(dialog))
    dialog.close()


def test_that_pictures_cannot_be_written_among_the_films(opened: MainWindow, films: Path) -> None:
    dialog = pictures_dialog(opened)
    for folder in (films, films / "png", films / "new" / "pictures"):
        dialog.folder.edit.setText(str(folder))
        assert not dialog.start_button.isEnabled()
        assert "choose a folder outside" in dialog.hint.text()
    dialog.close()
    opened.panels.exports.deidentify()
    copies = opened.panels.exports.dialog("deidentify")
    assert isinstance(copies, FolderDeidentify)
    copies.folder.edit.setText(str(films / "copies"))
    assert "choose a folder outside" in copies.start_button.toolTip()
    copies.close()


def test_that_a_figure_among_the_films_is_no_further_film(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    write_dicom(tmp_path / "film.dcm", phantom())
    (tmp_path / "notes.txt").write_text("none", encoding="utf-8")
    with qtbot.waitSignal(window.workspace.films.finished_listing, timeout=WAIT_MS):
        window.open_paths([tmp_path])
    qtbot.waitUntil(lambda: window.workspace.session.radiograph is not None, timeout=WAIT_MS)
    write(qtbot, figure_dialog(qtbot, window), tmp_path / "figure.png")
    qtbot.waitUntil((tmp_path / "xrayview-outputs.json").is_file, timeout=WAIT_MS)
    assert [path.name for path in walk(tmp_path)] == ["film.dcm", "notes.txt"]


def test_that_an_export_can_be_stopped_and_reports_its_progress(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for number in range(40):
        write_dicom(tmp_path / "in" / f"{number:03}.dcm", phantom(400, 400))
    with qtbot.waitSignal(window.workspace.films.finished_listing, timeout=WAIT_MS):
        window.open_paths([tmp_path / "in"])
    dialog = pictures_dialog(window)
    dialog.folder.edit.setText(str(tmp_path / "out"))
    dialog.start()
    assert not dialog.form.isEnabled()
    qtbot.waitUntil(lambda: dialog.bar.value() > 0, timeout=WAIT_MS)
    dialog.cancel()
    qtbot.waitUntil(lambda: not dialog.running, timeout=WAIT_MS)
    written = len(list((tmp_path / "out").iterdir()))
    assert 0 < written < 40
    assert dialog.text.text().startswith("Stopped after")
    assert dialog.form.isEnabled()
    dialog.close()


def test_that_the_window_writes_deidentified_copies_into_a_new_folder_only(
    qtbot: QtBot, opened: MainWindow, films: Path, tmp_path: Path
) -> None:
    opened.panels.exports.deidentify()
    dialog = opened.panels.exports.dialog("deidentify")
    assert isinstance(dialog, FolderDeidentify)
    dialog.folder.edit.setText(str(films))
    assert "not empty" in dialog.start_button.toolTip()
    dialog.folder.edit.setText(str(tmp_path / "copies"))
    run(qtbot, dialog)
    copies = sorted((tmp_path / "copies").rglob("*.dcm"))
    assert len(copies) == 3
    assert {pydicom.dcmread(path).PatientIdentityRemoved for path in copies} == {"YES"}
    assert len({path.parent for path in copies}) == 2  # two patients
    assert listed(dialog)["png/a.png"] == "error"
    assert "3 copies" in dialog.text.text()
    assert not dialog.start_button.isEnabled()  # the folder is no longer empty
    close(qtbot, opened, "deidentify")


def test_that_a_single_film_can_be_copied(qtbot: QtBot, opened: MainWindow, tmp_path: Path) -> None:
    opened.panels.exports.deidentify()
    dialog = opened.panels.exports.dialog("deidentify")
    assert isinstance(dialog, FolderDeidentify)
    dialog.what.setCurrentIndex(dialog.what.findData("film"))
    dialog.folder.edit.setText(str(tmp_path / "copies"))
    run(qtbot, dialog)
    assert len(list((tmp_path / "copies").rglob("*.dcm"))) == 1
    dialog.close()


def test_that_an_element_with_a_name_is_copied_unchanged_when_it_is_ticked(
    qtbot: QtBot, window: MainWindow, tmp_path: Path
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    write_dicom(
        films / "film.dcm", phantom(), PatientName="Ge^Wei", Manufacturer="GE",
        ManufacturerModelName="Wei", BurnedInAnnotation="NO",
    )  # fmt: skip
    with qtbot.waitSignal(window.workspace.films.finished_listing, timeout=WAIT_MS):
        window.open_paths([films])
    window.panels.exports.deidentify()
    dialog = window.panels.exports.dialog("deidentify")
    assert isinstance(dialog, FolderDeidentify)
    assert not dialog.found.isVisible()
    dialog.folder.edit.setText(str(tmp_path / "first"))
    run(qtbot, dialog)
    assert listed(dialog) == {"film.dcm": "warn"}
    assert dialog.found.isVisible()
    assert [dialog.found.list.item(row).text() for row in range(2)] == [
        "Manufacturer   1 film",
        "ManufacturerModelName   1 film",
    ]
    dialog.found.list.item(0).setCheckState(Qt.CheckState.Checked)
    dialog.folder.edit.setText(str(tmp_path / "second"))
    run(qtbot, dialog)
    (copy,) = (tmp_path / "second").rglob("*.dcm")
    dataset = pydicom.dcmread(copy)
    assert (dataset.Manufacturer, dataset.ManufacturerModelName) == ("GE", "ANONYMIZED")
    assert dialog.found.allowed == {"Manufacturer"}
    close(qtbot, window, "deidentify")


def tags_dialog(qtbot: QtBot, window: MainWindow) -> FolderTags:
    window.panels.exports.tag_table()
    qtbot.waitUntil(lambda: window.panels.exports.dialog("tag_table") is not None, timeout=WAIT_MS)
    dialog = window.panels.exports.dialog("tag_table")
    assert isinstance(dialog, FolderTags)
    return dialog


def wait_for(qtbot: QtBot, dialog: FolderTags, path: Path) -> list[dict[str, str]]:
    dialog.write(path)
    qtbot.waitUntil(lambda: not dialog.running, timeout=WAIT_MS)
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_that_the_chosen_tags_of_all_files_become_a_table(
    qtbot: QtBot, opened: MainWindow, settings: Settings, tmp_path: Path
) -> None:
    dialog = tags_dialog(qtbot, opened)
    dialog.columns.choose(["ViewPosition", "Rows", "PatientID"])
    rows = wait_for(qtbot, dialog, tmp_path / "tags.csv")
    assert list(rows[0])[-3:] == ["ViewPosition", "Rows", "PatientID"]
    film = next(row for row in rows if row["path"] == "film1.dcm")
    assert (film["ViewPosition"], film["Rows"]) == ("PA", "96")
    assert film["PatientID"] not in ("", "P1")
    assert {row["path"]: row["status"] for row in rows}["empty.dcm"] == "error"
    assert settings["export"]["tag_columns"] == "ViewPosition,Rows,PatientID"
    close(qtbot, opened, "tag_table")


def test_that_names_are_a_column_only_on_request_which_is_not_stored(
    qtbot: QtBot, opened: MainWindow, settings: Settings, tmp_path: Path
) -> None:
    dialog = tags_dialog(qtbot, opened)
    dialog.columns.choose(["Rows", "PatientName", "PatientBirthDate"])
    assert dialog.columns.chosen == ("Rows",)
    dialog.identifying.setChecked(True)
    dialog.columns.choose(["Rows", "PatientID", "PatientBirthDate"])
    rows = wait_for(qtbot, dialog, tmp_path / "tags.csv")
    assert next(row for row in rows if row["path"] == "film1.dcm")["PatientID"] == "P1"
    assert "PatientBirthDate" in rows[0]
    assert settings["export"]["tag_columns"] == "Rows,PatientID"
    dialog.identifying.setChecked(False)
    assert dialog.columns.chosen == ("Rows", "PatientID")
    close(qtbot, opened, "tag_table")


def test_that_columns_are_found_checked_and_ordered(qtbot: QtBot) -> None:
    chooser = ColumnChooser(known_columns(), ["Rows", "Columns"])
    qtbot.addWidget(chooser)
    chooser.search.setText("exposure index target")
    shown = [chooser.filter.index(row, 0).data() for row in range(chooser.filter.rowCount())]
    assert shown == ["TargetExposureIndex"]
    index = chooser.filter.index(0, 0)
    chooser.filter.setData(index, Qt.CheckState.Checked.value, Qt.ItemDataRole.CheckStateRole)
    assert chooser.chosen == ("Rows", "Columns", "TargetExposureIndex")
    chooser.order.item(2).setSelected(True)
    chooser.shift(-1)
    assert chooser.chosen == ("Rows", "TargetExposureIndex", "Columns")
    chooser.remove()
    assert chooser.chosen == ("Rows", "Columns")
    assert index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Unchecked
    chooser.search.setText("PatientName")
    assert chooser.filter.rowCount() == 0
    chooser.set_identifying(True)
    names = [chooser.filter.index(row, 0).data() for row in range(chooser.filter.rowCount())]
    assert "PatientName" in names


def test_that_without_a_folder_a_message_gives_the_reason(qtbot: QtBot, window: MainWindow) -> None:
    for act in (
        window.panels.exports.export_folder,
        window.panels.exports.deidentify,
        window.panels.exports.tag_table,
    ):
        act()
        assert "No folder is open" in messages(window)
    window.panels.exports.save_figure()
    assert window.panels.exports.dialog("save_figure") is None


def test_that_choices_are_stored_as_texts(settings: Settings) -> None:
    choices = StoredChoices(settings)
    style = choices.style()
    assert not style.identity
    choices.store_style(type(style)(bits=16, caption=False, corners=True, identity=True))
    stored = StoredChoices(settings).style()
    assert (stored.bits, stored.caption, stored.corners, stored.identity) == (
        16,
        False,
        True,
        False,
    )
