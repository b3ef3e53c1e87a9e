"""Readers: every kind of data folder becomes rows with path, patient, label and split."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.builders import phantom, write_dicom
from tests.bundles import tiny_card
from tests.training.conftest import write_film
from training.config import (
    DataConfig,
    FindingRule,
    TargetConfig,
    TrainingConfig,
    with_overrides,
)
from training.data.films import list_rows, load_films
from training.data.manifest import FilmRow, Manifest
from training.data.readers import READERS, list_films
from training.data.targets import select, targets_NK
from training.data.views import is_lateral
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


def test_that_the_pattern_sees_the_whole_path(tmp_path: Path):
    for path in ("train/normal/patient00012/study1/view1.png", "train/normal/patient00013/v.png"):
        write_film(tmp_path / path, 0, bright=False)
    found = list_films(tmp_path, DataConfig(patient_pattern="patient([0-9]+)/"))
    assert [row.patient for row in found.rows] == ["00012", "00013"]
    begins = list_films(tmp_path, DataConfig(patient_pattern="^v[a-z]*"))
    assert [row.patient for row in begins.rows] == ["view", "v"]


def test_that_a_pattern_that_matches_no_film_is_refused(tmp_path: Path):
    write_film(tmp_path / "train/normal/a.png", 0, bright=False)
    config = with_overrides(
        recipe("normal-pneumonia-small"), ["data.patient_pattern=child([0-9]+)"]
    )
    with pytest.raises(UsageError, match=r"matches no film \(the first is train/normal/a.png"):
        list_rows(config, tmp_path)


def test_that_an_unpacked_archive_counts_each_film_once(tmp_path: Path):
    for number, path in enumerate(("train/NORMAL/a.png", "test/PNEUMONIA/b.png")):
        for copy in ("", "chest_xray/"):
            write_film(tmp_path / copy / path, number, bright=False)
    write_film(tmp_path / "chest_xray/train/NORMAL/c.png", 9, bright=False)
    leftovers = ("__MACOSX/chest_xray/train/NORMAL/._a.png", "train/NORMAL/.DS_Store")
    for path in leftovers:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"\0\5\26\7")
    found = list_films(tmp_path, DATA)
    assert {(r.path, r.labels, r.official_split) for r in found.rows} == {
        ("train/NORMAL/a.png", ("NORMAL",), "train"),
        ("test/PNEUMONIA/b.png", ("PNEUMONIA",), "test"),
        ("chest_xray/train/NORMAL/c.png", ("NORMAL",), "train"),
    }
    assert {o.path: o.code for o in found.omitted} == {
        "chest_xray/train/NORMAL/a.png": "COPY", "chest_xray/test/PNEUMONIA/b.png": "COPY",
        **dict.fromkeys(leftovers, "LEFTOVER"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "names",
    [("images_001", "images_002"), ("stage_2_train_images", "stage_2_test_images"),
     ("patient00001", "patient00002"), ("dicom-images-train", "dicom-images-test"),
     ("0", "1", "54")],
)  # fmt: skip
def test_that_parts_of_a_data_set_are_no_classes(names: tuple[str, ...], tmp_path: Path):
    for name in names:
        write_film(tmp_path / name / "a.png", 0, bright=False)
    with pytest.raises(UsageError, match="look like parts of a data set, not like classes"):
        list_films(tmp_path, DATA)


@pytest.mark.parametrize(
    "names", [("grade1", "grade2"), ("0", "1"), ("1", "2", "3"), ("stage 1", "stage 4"), ("A", "B")]
)
def test_that_numbered_classes_are_classes(names: tuple[str, ...], tmp_path: Path):
    for name in names:
        write_film(tmp_path / "films" / name / "a.png", 0, bright=False)
    assert {row.labels for row in list_films(tmp_path, DATA).rows} == {(name,) for name in names}


def test_that_folders_around_the_classes_do_not_matter(tmp_path: Path):
    for path in ("archive/data/COVID/images/1.png", "archive/data/Normal/images/2.png"):
        write_film(tmp_path / path, 0, bright=False)
    (tmp_path / "archive/data/readme.txt").write_text("text")
    found = list_films(tmp_path, DataConfig(reader="folders"))
    assert [row.labels for row in found.rows] == [("COVID",), ("Normal",)]
    assert [omission.code for omission in found.omitted] == ["NOT_AN_IMAGE"]


def test_that_split_folders_can_be_inside_the_class_folders(tmp_path: Path):
    for path in ("NORMAL/Train/a.png", "PNEUMONIA/test/b.png"):
        write_film(tmp_path / path, 0, bright=False)
    found = list_films(tmp_path, DATA)
    assert {(r.labels, r.official_split) for r in found.rows} == {
        (("NORMAL",), "train"), (("PNEUMONIA",), "test"),
    }  # fmt: skip


@pytest.mark.parametrize(
    "path",
    ["COVID/masks/1.png", "normal/1_mask.png", "normal/leftMask/1.png", "normal/1-mask2.png",
     "ManualMask/leftMask/1.png", "normal/Lung_Masks/1.png", "normal/mask_1.png"],
)  # fmt: skip
def test_that_masks_beside_films_are_no_films(path: str, tmp_path: Path):
    write_film(tmp_path / "normal/masked man.png", 0, bright=False)
    write_film(tmp_path / path, 0, bright=False)
    found = list_films(tmp_path, DATA)
    assert [row.path for row in found.rows] == ["normal/masked man.png"]
    assert [(o.path, o.code) for o in found.omitted] == [(path, "MASK")]


def test_that_a_picture_of_two_greys_is_a_mask_whatever_its_name(
    tiny_config: TrainingConfig, tmp_path: Path
):
    for number in range(4):
        write_film(tmp_path / f"data/{'normal' if number % 2 else 'pneumonia'}/{number}.png",
                   number, bright=False)  # fmt: skip
    mask = np.zeros((40, 48), np.uint8)
    mask[10:30] = 255
    (tmp_path / "data/normal/lungs.bmp.png").write_bytes(cv2.imencode(".png", mask)[1].tobytes())
    found = load_films(tiny_config, tmp_path / "data", tmp_path / "cache")
    assert [(o.path, o.code) for o in found.manifest.omitted] == [
        ("normal/lungs.bmp.png", "NOT_A_RADIOGRAPH")
    ]


def test_that_links_that_leave_the_folder_are_counted(tmp_path: Path):
    for number in range(3):
        write_film(tmp_path / f"store/{number}.png", number, bright=False)
        link = tmp_path / f"data/train/normal/{number}.png"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(tmp_path / f"store/{number}.png")
    with pytest.raises(NothingUsable, match=r"the link leaves the folder .* \(3 films\)"):
        list_films(tmp_path / "data", DATA)
    write_film(tmp_path / "data/train/normal/own.png", 9, bright=False)
    assert [o.code for o in list_films(tmp_path / "data", DATA).omitted] == ["LINK"] * 3


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


@pytest.mark.parametrize("field", ["patient", "split", "sex", "age", "view", "source"])
def test_that_a_column_that_is_named_and_missing_is_an_error(field: str, tmp_path: Path):
    for name in ("labels.csv", "mine.csv"):
        write_csv(tmp_path / name, ("path", "label"), ("a.png", "normal"))
        columns = dataclasses.replace(DATA.columns, **{field: "pid"})
        with pytest.raises(UsageError, match=r"lacks columns \(pid"):
            list_films(tmp_path, DataConfig(table=name, columns=columns))
        list_films(tmp_path, DataConfig(table=name))


def test_that_the_columns_of_labels_csv_can_be_named(tmp_path: Path):
    write_csv(tmp_path / "labels.csv", ("path", "finding", "pid"), ("a.png", "normal", "7"))
    columns = dataclasses.replace(DATA.columns, label="finding", patient="pid")
    (row,) = list_films(tmp_path, DataConfig(columns=columns)).rows
    assert (row.labels, row.patient) == (("normal",), "7")


def test_that_two_columns_of_one_name_are_refused(tmp_path: Path):
    write_csv(tmp_path / "labels.csv", ("path", "label", "label"), ("a.png", "normal", "edema"))
    with pytest.raises(UsageError, match="two columns label"):
        list_films(tmp_path, DATA)


CHEXPERT = ("No Finding", "Edema", "Effusion", "Support Devices")


def chexpert(folder: Path, row: tuple[str, ...], **policies: str) -> list[float]:
    """The targets of a film with these cells."""
    write_csv(folder / "t.csv", ("path", *CHEXPERT), ("a.jpg", *row))
    columns = dataclasses.replace(DATA.columns, findings=CHEXPERT)
    data = DataConfig(table="t.csv", columns=columns, **policies)
    rows = tuple(FindingRule(name, (name,)) for name in CHEXPERT[1:])
    target = TargetConfig(rows, ("No Finding",), "multilabel")
    return targets_NK(list_films(folder, data).rows, target)[0].tolist()


NAN = float("nan")


@pytest.mark.parametrize(
    ("row", "policies", "expected"),
    [
        (("1", "", "", ""), {}, [0, 0, NAN]),
        (("1.0", "-1", "", "1.0"), {}, [0, 0, 1]),
        (("1", "", "", ""), {"blank": "ones"}, [0, 0, 1]),
        (("1", "-1", "", ""), {"uncertain": "ones", "blank": "zeros"}, [0, 0, 0]),
        (("", "", "-1", "1"), {}, [NAN, NAN, 1]),
        (("", "", "-1", "1"), {"blank": "zeros"}, [0, NAN, 1]),
        (("", "", "-1", "1"), {"blank": "zeros", "uncertain": "ones"}, [0, 1, 1]),
        (("", "", "-1", "1"), {"blank": "zeros", "uncertain": "zeros"}, [0, 0, 1]),
        (("", "", "-1.0", "nan"), {"blank": "ones"}, [1, NAN, 1]),
        (("", "", "", ""), {"blank": "zeros"}, [0, 0, 0]),
        (("0", "0", "0", "0"), {}, [0, 0, 0]),
        (("0.0", "", "", "0"), {}, [NAN, NAN, 0]),
    ],
)
def test_that_a_declared_negative_and_the_policies_decide_open_cells(
    row: tuple[str, ...], policies: dict[str, str], expected: list[float], tmp_path: Path
):
    np.testing.assert_array_equal(chexpert(tmp_path, row, **policies), expected)


def test_that_an_empty_label_beside_a_declared_negative_means_absent():
    target = recipe("normal-pneumonia-small").target
    row = FilmRow("a", "d", "p", ("normal",), "", unknown_labels=("pneumonia",))
    assert targets_NK([row], target).tolist() == [[0.0]]


def test_that_no_finding_is_a_negative_of_every_multilabel_and_binary_target(tmp_path: Path):
    config = recipe("normal-pneumonia-small")
    row = FilmRow("a", "d", "p", ("No Finding",), "")
    assert select([row], config.target)[0] == (row,)
    assert select([row], recipe("normal-bacterial-viral").target)[0] == ()


# --- what the headers say


def test_that_headers_give_patient_sex_age_view_and_manufacturer(tmp_path: Path):
    tags = {"PatientID": "P7", "PatientSex": "F", "PatientAge": "068Y", "ViewPosition": "PA",
            "Manufacturer": "ACME"}  # fmt: skip
    write_dicom(tmp_path / "a.dcm", phantom(), **tags)
    write_dicom(tmp_path / "p12_b.dcm", phantom(), **tags)
    write_film(tmp_path / "c.png", 0, bright=False)
    write_csv(
        tmp_path / "labels.csv",
        ("path", "label", "patient_id", "sex", "age", "view"),
        ("a.dcm", "normal", "", "", "", ""),
        ("a.dcm", "normal", "", "", "", ""),
        ("p12_b.dcm", "normal", "own", "M", "41", "AP"),
        ("c.png", "pneumonia", "", "", "", ""),
    )
    config = with_overrides(recipe("normal-pneumonia-small"), ["data.dataset="])
    found = {row.path: row for row in list_rows(config, tmp_path).rows}

    def values(path: str) -> tuple[str, ...]:
        row = found[path]
        return row.patient, row.sex, row.age, row.view, row.manufacturer

    assert values("a.dcm") == ("P7", "F", "068Y", "PA", "ACME")
    assert values("p12_b.dcm") == ("own", "M", "41", "AP", "ACME")
    assert values("c.png") == ("film:c.png", "", "", "", "")
    pattern = with_overrides(config, ["data.patient_pattern=p[0-9]+|a"])
    assert {row.patient for row in list_rows(pattern, tmp_path).rows} == {"a", "own", "film:c.png"}


def test_that_a_placeholder_in_the_header_is_no_patient(tmp_path: Path):
    (tmp_path / "normal").mkdir()
    for number, name in enumerate(("ANONYMOUS", "Anonymized", "0000", "unknown", "")):
        write_dicom(tmp_path / f"normal/{number}.dcm", phantom(), PatientID=name)
    rows = list_rows(recipe("normal-pneumonia-small"), tmp_path).rows
    assert len({row.patient for row in rows}) == 5


def test_that_films_of_a_patient_in_the_headers_stay_in_one_split(tmp_path: Path):
    (tmp_path / "normal").mkdir()
    for number in range(60):
        write_dicom(tmp_path / f"normal/{number}.dcm", phantom(), PatientID=f"P{number // 4}")
    splits: dict[str, set[str]] = {}
    for row in list_rows(recipe("normal-pneumonia-small"), tmp_path).rows:
        splits.setdefault(row.patient, set()).add(row.split)
    assert len(splits) == 15
    assert all(len(found) == 1 for found in splits.values())


@pytest.mark.parametrize(
    ("view", "name", "lateral"),
    [
        ("LL", "a", True), ("RL", "a", True), ("Lateral", "a", True), ("LEFT LATERAL", "a", True),
        ("L", "a", True), ("XTABLE LATERAL", "a", True), ("LLAT", "a", True),
        ("PA", "view2_lateral", False), ("AP", "a", False), ("AP_horizontal", "a", False),
        ("LATERAL DECUBITUS", "a", False), ("LLD", "a", False), ("Frontal", "a", False),
        ("", "view2_lateral", True), ("", "chest-LAT-1", True), ("", "bilateral_1", False),
        ("", "lateral_decubitus", False), ("", "plate3", False),
    ],
)  # fmt: skip
def test_that_lateral_films_are_recognised(view: str, name: str, lateral: bool):
    assert is_lateral(view, f"lateral folder/{name}.png") is lateral


def test_that_lateral_films_are_left_out_unless_they_are_asked_for(tmp_path: Path):
    (tmp_path / "normal").mkdir()
    write_dicom(tmp_path / "normal/a.dcm", phantom(), ViewPosition="LL")
    write_dicom(tmp_path / "normal/b.dcm", phantom(), ViewPosition="PA")
    write_dicom(tmp_path / "normal/c.dcm", phantom(), SeriesDescription="CHEST LAT")
    config = recipe("normal-pneumonia-small")
    found = list_rows(config, tmp_path)
    assert [row.path for row in found.rows] == ["normal/b.dcm"]
    assert {o.path: o.code for o in found.omitted} == dict.fromkeys(
        ("normal/a.dcm", "normal/c.dcm"), "LATERAL"
    )
    for setting in ("data.lateral=use", "bundle.scope.view_positions=LL"):
        assert len(list_rows(with_overrides(config, [setting]), tmp_path).rows) == 3


# --- nothing is left


def test_that_an_empty_list_has_its_reason(tmp_path: Path):
    write_csv(tmp_path / "labels.csv", ("path", "label"), *[(f"{n}.png", "0") for n in range(54)])
    config = recipe("normal-pneumonia-small")
    with pytest.raises(NothingUsable, match=r"label not in the target: 0 \(54 films\)") as refused:
        list_rows(config, tmp_path)
    assert "Known labels: normal, bacterial pneumonia" in refused.value.hint
    write_csv(tmp_path / "labels.csv", ("path", "label", "split"), ("a.png", "normal", "fold2"))
    with pytest.raises(NothingUsable, match=r"unknown split fold2 \(1 film\)"):
        list_rows(config, tmp_path)


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
