"""Readers: every kind of data folder becomes rows with path, patient, label and split."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.bundles import tiny_card
from tests.training.conftest import write_film
from training.config import DataConfig, TrainingConfig, with_overrides
from training.data.films import load_films
from training.data.manifest import FilmRow, Manifest
from training.data.readers import READERS, list_films
from training.data.targets import targets_NK
from training.recipes import recipe
from xrayview.errors import NothingUsable, UsageError
from xrayview.io.tables.predictions import columns

DATA = DataConfig()


def write_csv(path: Path, *lines: tuple[str, ...]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(lines)


def labels(rows: tuple[FilmRow, ...]) -> dict[str, tuple[str, ...]]:
    return {row.path: row.labels for row in rows}


# --- class folders


def test_that_class_folders_keep_their_official_splits(tmp_path: Path):
    for path in ("train/NORMAL/a.png", "val/PNEUMONIA/b.png", "Test/NORMAL/deep/c.png"):
        write_film(tmp_path / path, 0, bright=False)
    found = list_films(tmp_path, DATA)
    assert {(r.path, r.labels, r.official_split) for r in found.rows} == {
        ("train/NORMAL/a.png", ("NORMAL",), "train"),
        ("val/PNEUMONIA/b.png", ("PNEUMONIA",), "val"),
        ("Test/NORMAL/deep/c.png", ("NORMAL",), "test"),
    }
    assert "no patient id for 3 of 3 films" in found.notes[0]
    assert len({row.patient for row in found.rows}) == 3


def test_that_plain_class_folders_have_no_split_and_files_beside_them_are_omitted(tmp_path: Path):
    write_film(tmp_path / "normal/a.png", 0, bright=False)
    (tmp_path / "README.txt").write_text("films")
    found = list_films(tmp_path, DATA)
    assert [row.official_split for row in found.rows] == [""]
    assert [(o.path, o.code) for o in found.omitted] == [("README.txt", "NO_CLASS")]


def test_that_a_pattern_finds_the_patient_in_the_name(tmp_path: Path):
    for name in ("person7_bacteria_1.png", "person7_bacteria_2.png", "scan.png"):
        write_film(tmp_path / "normal" / name, 0, bright=False)
    found = list_films(tmp_path, DataConfig(patient_pattern="(person[0-9]+)_"))
    assert [row.patient for row in found.rows] == ["person7", "person7", "film:normal/scan.png"]
    with pytest.raises(UsageError, match="regular expression"):
        with_overrides(recipe("normal-pneumonia-small"), ["data.patient_pattern=(person"])


# --- NIH

NIH = ("Image Index", "Finding Labels", "Patient ID", "Patient Age", "Patient Gender",
       "View Position")  # fmt: skip


def nih_folder(folder: Path) -> Path:
    folder.mkdir()
    write_csv(
        folder / "Data_Entry_2017.csv",
        NIH,
        ("00000001_000.png", "Cardiomegaly|Effusion", "1", "058Y", "M", "PA"),
        ("00000002_000.png", "No Finding", "2", "61", "F", "AP"),
        ("00000003_000.png", "Hernia", "3", "74", "F", "PA"),
        ("00000004_000.png", "Mass", "4", "10", "M", "PA"),
    )
    for number, subfolder in ((1, "images_001/images"), (2, "images_002/images"), (3, ".")):
        write_film(folder / subfolder / f"0000000{number}_000.png", number, bright=False)
    (folder / "test_list.txt").write_text("00000002_000.png\n")
    (folder / "train_val_list.txt").write_text("00000001_000.png\n00000003_000.png\n")
    return folder


def test_that_nih_films_are_found_with_labels_patients_and_official_lists(tmp_path: Path):
    found = list_films(nih_folder(tmp_path / "nih"), DATA)
    first, second, third = found.rows
    assert first == FilmRow(
        "images_001/images/00000001_000.png", "nih", "nih:1", ("Cardiomegaly", "Effusion"),
        "train", "M", "058Y", "PA",
    )  # fmt: skip
    assert (second.path, second.official_split) == ("images_002/images/00000002_000.png", "test")
    assert third.path == "00000003_000.png"
    assert found.notes == ("1 of the table's films have no image here and are left out.",)


def test_that_an_ambiguous_file_name_is_omitted_rather_than_guessed(tmp_path: Path):
    folder = nih_folder(tmp_path / "nih")
    write_film(folder / "other/00000003_000.png", 9, bright=True)
    found = list_films(folder, DATA)
    assert [(o.path, o.code) for o in found.omitted] == [("00000003_000.png", "TWO_FILES")]
    assert len(found.rows) == 2


@pytest.mark.films
def test_that_the_nih_table_and_labels_csv_agree(films_dir: Path):
    by_table = list_films(films_dir, DataConfig(reader="nih")).rows
    by_labels = list_films(films_dir, DataConfig(dataset="nih")).rows
    assert {(r.path, frozenset(r.labels), r.patient, r.view) for r in by_table} == {
        (r.path, frozenset(r.labels), r.patient, r.view) for r in by_labels
    }


# --- tables


def test_that_any_csv_is_read_by_the_names_of_its_columns(tmp_path: Path):
    write_csv(
        tmp_path / "mine.csv",
        ("file", "diagnosis", "pid", "fold"),
        ("a\\b.dcm", "Normal| Effusion", "7", "train"),
        ("c.dcm", "", "8", "test"),
    )
    settings = ["data.table=mine.csv", "data.columns.path=file", "data.columns.label=diagnosis",
                "data.columns.patient=pid", "data.columns.split=fold", "data.dataset="]  # fmt: skip
    found = list_films(tmp_path, with_overrides(recipe("normal-pneumonia-small"), settings).data)
    (row,) = found.rows
    assert (row.path, row.labels, row.patient, row.official_split) == (
        "a/b.dcm", ("Normal", "Effusion"), "7", "train",
    )  # fmt: skip
    assert [(o.path, o.code) for o in found.omitted] == [("c.dcm", "NO_LABEL")]


def test_that_a_column_per_finding_distinguishes_unknown_from_absent(tmp_path: Path):
    write_csv(
        tmp_path / "chexpert.csv",
        ("path", "Effusion", "Edema"),
        ("a.jpg", "1.0", ""),
        ("b.jpg", "0", "-1.0"),
        ("c.jpg", "0", "0"),
    )
    data = with_overrides(
        recipe("multilabel-densenet121"),
        ["data.table=chexpert.csv", 'data.columns.findings=["Effusion","Edema"]', "data.dataset="],
    ).data
    found = list_films(tmp_path, data).rows
    assert labels(found) == {"a.jpg": ("Effusion",), "b.jpg": (), "c.jpg": ("No Finding",)}
    target = recipe("multilabel-densenet121").target
    names = [rule.name for rule in target.findings]
    values_NK = targets_NK(found, target)[:, [names.index("Effusion"), names.index("Edema")]]
    np.testing.assert_array_equal(values_NK, [[1, np.nan], [0, np.nan], [0, 0]])
    assert (
        Manifest(found).sha256
        != Manifest(tuple(dataclasses.replace(row, unknown_labels=()) for row in found)).sha256
    )


@pytest.mark.parametrize(
    ("header", "row", "settings", "message"),
    [
        (("path", "x"), ("a", "b"), {}, "lacks columns"),
        (("path", "Edema"), ("a", "maybe"), {"findings": ("Edema",)}, "Edema is 'maybe'"),
    ],
)
def test_that_a_wrong_table_is_refused_with_the_fix(
    header: tuple[str, ...], row: tuple[str, ...], settings: dict[str, object], message: str,
    tmp_path: Path,
):  # fmt: skip
    write_csv(tmp_path / "t.csv", header, row)
    columns = dataclasses.replace(DATA.columns, **settings)
    with pytest.raises(UsageError, match=message):
        list_films(tmp_path, DataConfig(table="t.csv", columns=columns))


# --- labelled predictions


def test_that_a_labelled_predictions_csv_is_a_label_table(tmp_path: Path):
    names = columns(finding.name for finding in tiny_card().findings)

    def line(**cells: str) -> tuple[str, ...]:
        return tuple(cells.get(name, "") for name in names)

    write_csv(
        tmp_path / "predictions.csv",
        names,
        line(path="a.dcm", label="normal", PatientID="9f", PatientSex="F", frame="0"),
        line(path="b.dcm", PatientID="9e"),
        line(path="c.dcm", label="viral pneumonia", frame="3"),
    )
    found = list_films(tmp_path, DATA)
    assert [(r.path, r.labels, r.patient, r.sex) for r in found.rows] == [
        ("a.dcm", ("normal",), "9f", "F")
    ]
    assert {o.path: o.code for o in found.omitted} == {"b.dcm": "NO_LABEL", "c.dcm": "FRAME"}


def test_that_predictions_without_any_label_are_refused(tmp_path: Path):
    names = columns(["Opacity"])
    write_csv(tmp_path / "predictions.csv", names, ("a.dcm", *[""] * (len(names) - 1)))
    with pytest.raises(NothingUsable, match="Fill in the column"):
        list_films(tmp_path, DATA)


def test_that_an_unknown_kind_of_folder_is_refused_with_all_readers_named(tmp_path: Path):
    with pytest.raises(UsageError, match="class folders") as caught:
        list_films(tmp_path, DATA)
    assert all(reader.needs in caught.value.hint for reader in READERS.values())


def test_that_dicoms_and_rasters_of_class_folders_become_films(
    tiny_config: TrainingConfig, tmp_path: Path
):
    from pydicom.data import get_testdata_file

    dicom = Path(str(get_testdata_file("CT_small.dcm", download=False)))
    for number in range(12):
        write_film(tmp_path / f"train/normal/{number}.png", number, bright=False)
        write_film(tmp_path / f"test/viral_pneumonia/{number}.png", 50 + number, bright=True)
    (tmp_path / "train/normal/ct.dcm").write_bytes(dicom.read_bytes())
    config = with_overrides(tiny_config, ["data.dataset="])
    found = load_films(config, tmp_path, tmp_path.with_name("cache"))
    assert "train/normal/ct.dcm" in {row.path for row in found.manifest.rows}
    assert "no patient id" in found.manifest.notes[0]
    assert found.targets_NK.sum() == 12
