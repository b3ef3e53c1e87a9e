"""Public data sets are read exactly: as they are published, and as people change them."""

from __future__ import annotations

import csv
import gzip
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.conftest import write_film
from tests.training.data.layouts.miniatures import MINIATURES, Truth, Truths, table
from training.config import DataConfig
from training.data.film_list import as_json, read_film_list
from training.data.manifest import FilmRow
from training.data.readers import READERS, list_films
from xrayview.errors import NothingUsable, UsageError

DATA = DataConfig()


def read(folder: Path) -> tuple[str, Truths]:
    found = read_film_list(folder, DATA)
    return found.reader, {
        path: Truth(
            film["patient"], film["split"], film["labels"], film["view"], film["sex"], film["age"],
            tuple(sorted((box[0], *map(float, box[1:])) for box in film["boxes"])),
        )
        for path, film in as_json(found).items()
    }  # fmt: skip


def in_order(truths: Truths) -> Truths:
    return {
        path: Truth(t.patient, t.split, t.labels, t.view, t.sex, t.age,
                    tuple(sorted((box[0], *map(float, box[1:])) for box in t.boxes)))
        for path, t in truths.items()
    }  # fmt: skip


def test_that_every_layout_has_a_miniature() -> None:
    assert {name for name, reader in READERS.items() if reader.find} == set(MINIATURES)


@pytest.mark.parametrize("name", MINIATURES)
def test_that_a_layout_is_recognised_and_read_exactly(name: str, tmp_path: Path) -> None:
    truths = MINIATURES[name](tmp_path / "data")
    reader, found = read(tmp_path / "data")
    assert reader == name
    assert found == in_order(truths)


# --- what people do to a data set


def tables_of(root: Path) -> list[Path]:
    return [p for p in root.rglob("*") if p.name.endswith((".csv", ".csv.gz"))]


def rows_of(path: Path) -> list[list[str]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return list(csv.reader(io.StringIO(text)))


def rewrite(
    path: Path, rows: list[list[str]], delimiter: str = ",", encoding: str = "utf-8"
) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    data = text.getvalue().encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def with_semicolons(root: Path) -> None:
    for path in tables_of(root):
        rewrite(path, rows_of(path), ";", "cp1252")


def with_tabs(root: Path) -> None:
    for path in tables_of(root):
        rewrite(path, rows_of(path), "\t", "utf-16")


def gzipped(root: Path) -> None:
    for path in tables_of(root):
        if path.suffix != ".gz":
            rows = rows_of(path)
            path.unlink()
            rewrite(path.with_name(path.name + ".gz"), rows)


def with_more_columns(root: Path) -> None:
    for path in tables_of(root):
        first, *rows = rows_of(path)
        rewrite(path, [["No.", *first, "remark"], *([str(i), *r, ""] for i, r in enumerate(rows))])


def with_columns_in_capitals(root: Path) -> None:
    for path in tables_of(root):
        first, *rows = rows_of(path)
        rewrite(path, [[name.upper() for name in first], *rows])


def with_tables_elsewhere(root: Path) -> None:
    (root / "tables/of all").mkdir(parents=True)
    for path in tables_of(root):
        path.rename(root / "tables/of all" / path.name)


def with_leftovers(root: Path) -> None:
    for path in [p for p in root.rglob("*") if p.is_file()]:
        (path.parent / f"._{path.name}").write_bytes(b"\0\5\26\7")


CHANGES: dict[str, Callable[[Path], None]] = {
    change.__name__: change
    for change in (with_semicolons, with_tabs, gzipped, with_more_columns,
                   with_columns_in_capitals, with_tables_elsewhere, with_leftovers)
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", [name for name in MINIATURES if name != "jsrt"])
def test_that_a_changed_data_set_is_read_the_same(name: str, change: str, tmp_path: Path) -> None:
    truths = MINIATURES[name](tmp_path / "data")
    CHANGES[change](tmp_path / "data")
    reader, found = read(tmp_path / "data")
    assert reader == name
    assert found == in_order(truths)


@pytest.mark.parametrize("name", MINIATURES)
def test_that_names_in_capitals_and_a_folder_around_the_data_do_not_matter(
    name: str, tmp_path: Path
) -> None:
    truths = MINIATURES[name](tmp_path / "data")
    for path in [p for p in (tmp_path / "data").rglob("*") if p.is_file()]:
        path.rename(path.with_name(path.name.upper()))
    (tmp_path / "all/of it").mkdir(parents=True)
    shutil.move(tmp_path / "data", tmp_path / "all/of it/data")
    reader, found = read(tmp_path / "all")
    assert reader == name
    by_name = {path.rsplit("of it/data/", 1)[-1].upper(): truth for path, truth in found.items()}
    for path, truth in in_order(truths).items():
        same = by_name.pop(path.upper())
        assert (same.split, same.labels, same.view, same.sex, same.age, same.boxes) == (
            truth.split, truth.labels, truth.view, truth.sex, truth.age, truth.boxes,
        )  # fmt: skip
    assert not by_name


@pytest.mark.parametrize("name", MINIATURES)
def test_that_a_missing_film_is_never_replaced_by_another(name: str, tmp_path: Path) -> None:
    truths = MINIATURES[name](tmp_path / "data")
    gone = max(truths)
    (tmp_path / "data" / gone).unlink()
    (tmp_path / "data/chest_xray" / gone).unlink(missing_ok=True)
    assert read(tmp_path / "data")[1] == {
        path: truth for path, truth in in_order(truths).items() if path != gone
    }


def test_that_rows_without_films_and_films_without_rows_are_counted(tmp_path: Path) -> None:
    MINIATURES["rsna"](tmp_path)
    (tmp_path / "stage_2_train_images/0004.dcm").rename(tmp_path / "stage_2_train_images/0005.dcm")
    notes = " ".join(list_films(tmp_path, DATA).notes)
    assert "1 of the table's films have no image here" in notes
    assert "1 file of the folder not listed, and so not used." in notes


@pytest.mark.parametrize("name", ["nih", "chexpert", "padchest", "siim"])
def test_that_a_table_without_rows_is_refused(name: str, tmp_path: Path) -> None:
    MINIATURES[name](tmp_path)
    for path in tables_of(tmp_path):
        rewrite(path, rows_of(path)[:1])
    with pytest.raises(NothingUsable) as caught:
        read_film_list(tmp_path, DATA)
    assert caught.value.path is not None
    assert caught.value.hint


@pytest.mark.parametrize("name", ["nih", "chexpert", "mimic", "padchest", "rsna", "siim", "covidx"])
def test_that_a_data_set_without_its_tables_is_refused(name: str, tmp_path: Path) -> None:
    MINIATURES[name](tmp_path)
    for path in [*tables_of(tmp_path), *tmp_path.rglob("*.txt")]:
        path.unlink()
    with pytest.raises((UsageError, NothingUsable)):
        list_films(tmp_path, DATA)


# --- forms and traps of single sets


def rows_by_path(folder: Path, data: DataConfig = DATA) -> dict[str, list[FilmRow]]:
    rows: dict[str, list[FilmRow]] = {}
    for row in list_films(folder, data).rows:
        rows.setdefault(row.path, []).append(row)
    return rows


def test_that_every_reader_of_vindr_stays_a_row_and_is_voted_on(tmp_path: Path) -> None:
    MINIATURES["vindr"](tmp_path)
    rows = rows_by_path(tmp_path)["train/9a50.dicom"]
    assert [row.labels for row in rows] == [
        ("Cardiomegaly", "ILD"),
        ("Cardiomegaly",),
        ("No finding",),
    ]
    assert {row.patient for row in rows} == {"film:train/9a50.dicom"}


def test_that_vindr_of_kaggle_is_read_from_its_boxes(tmp_path: Path) -> None:
    for path in ("train/a.png", "train/b.png", "test/c.png"):
        write_film(tmp_path / path, 1, bright=False)
    table(
        tmp_path / "train.csv",
        ("image_id", "class_name", "class_id", "rad_id", "x_min", "y_min", "x_max", "y_max"),
        ("a", "No finding", 14, "R1", *[""] * 4), ("a", "No finding", 14, "R2", *[""] * 4),
        ("b", "Aortic enlargement", 0, "R1", 1, 2, 11, 22),
        ("b", "No finding", 14, "R2", *[""] * 4),
    )  # fmt: skip
    _, found = read(tmp_path)
    assert found["train/a.png"].labels == {"No finding": 2, "Aortic enlargement": 0}
    assert found["train/b.png"].labels == {"No finding": 1, "Aortic enlargement": 1}
    assert found["train/b.png"].boxes == (("Aortic enlargement", 1, 2, 10, 20),)
    assert found["test/c.png"] == Truth("c", "test", {})
    listing = list_films(tmp_path, DATA)
    assert [(o.path, o.code) for o in listing.omitted] == [("test/c.png", "NO_LABEL")]


def test_that_policies_decide_what_chexpert_leaves_open(tmp_path: Path) -> None:
    MINIATURES["chexpert"](tmp_path)
    path = "train/patient00002/study1/view1_frontal.jpg"
    (row,) = rows_by_path(tmp_path)[path]
    assert row.labels == ("Lung Opacity",)
    assert "Cardiomegaly" in row.unknown_labels
    policies = DataConfig(blank="zeros", uncertain="ones")
    (row,) = rows_by_path(tmp_path, policies)[path]
    assert row.labels == ("Cardiomegaly", "Lung Opacity")
    assert row.unknown_labels == ("No Finding",)
    single = DataConfig(uncertain="zeros", uncertain_of=("cardiomegaly=ones", "Edema=ignore"))
    (row,) = rows_by_path(tmp_path, single)[path]
    assert row.labels == ("Cardiomegaly", "Lung Opacity")
    (unknown,) = rows_by_path(tmp_path)["valid/patient64541/study1/view1_frontal.jpg"]
    assert (unknown.sex, unknown.age) == ("", "")


def test_that_chexpert_plus_takes_its_labels_from_json_and_dicom_films(tmp_path: Path) -> None:
    write_film(tmp_path / "PNG/train/patient1/study1/view1_frontal.png", 0, bright=False)
    table(
        tmp_path / "df_chexpert_plus_240401.csv",
        ("path_to_image", "path_to_dcm", "frontal_lateral", "ap_pa", "deid_patient_id", "age",
         "sex", "split"),
        ("train/patient1/study1/view1_frontal.jpg", "train/patient1/study1/view1_frontal.dcm",
         "Frontal", "AP", "patient1", "68", "Female", "train"),
    )  # fmt: skip
    (tmp_path / "findings_fixed.json").write_text(
        '{"path_to_image": "train/patient1/study1/view1_frontal.jpg", "Edema": 1.0,'
        ' "Fracture": 0.0, "Pneumonia": -1.0, "No Finding": null, "Cardiomegaly": null}\n'
    )
    (row,) = list_films(tmp_path, DATA).rows
    assert (row.labels, row.patient, row.view, row.age) == (("Edema",), "patient1", "AP", "68")
    assert set(row.unknown_labels) == {"Pneumonia", "No Finding", "Cardiomegaly"}


def test_that_a_study_without_labels_is_never_a_film_without_findings(tmp_path: Path) -> None:
    MINIATURES["mimic"](tmp_path)
    listing = list_films(tmp_path, DataConfig(blank="zeros"))
    assert [(o.path.rsplit("/", 1)[-1], o.code) for o in listing.omitted] == [
        ("0b0b0b0b.jpg", "NO_LABEL")
    ]
    assert "negbio" in " ".join(listing.notes)


def test_that_padchest_leaves_out_what_it_excludes(tmp_path: Path) -> None:
    MINIATURES["padchest"](tmp_path)
    listing = list_films(tmp_path, DATA)
    assert [o.code for o in listing.omitted] == ["EXCLUDED", "NO_LABEL"]
    (row,) = list_films(tmp_path, DataConfig(rows=("MethodLabel = Physician",))).rows
    assert row.labels == ("pulmonary fibrosis", "kyphosis")


def test_that_rows_of_rsna_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    MINIATURES["rsna"](tmp_path)
    with (tmp_path / "stage_2_train_labels.csv").open("a") as stream:
        stream.write("0031,1,1,5,5,1\n")
    with pytest.raises(UsageError, match="The column Target of 0031"):
        list_films(tmp_path, DATA)


def test_that_a_box_which_the_labels_deny_is_counted(tmp_path: Path) -> None:
    MINIATURES["nih"](tmp_path)
    assert "1 boxes are of findings that the labels deny" in list_films(tmp_path, DATA).notes[0]


def test_that_the_three_classes_of_covidx_are_read(tmp_path: Path) -> None:
    for name in ("a b.png", "c.png", "d.png"):
        write_film(tmp_path / "train" / name, 1, bright=False)
    (tmp_path / "train.txt").write_text(
        "1 a b.png normal rsna\n2 c.png pneumonia rsna\n3 d.png COVID-19 cohen\n"
    )
    rows = rows_by_path(tmp_path)
    assert {path: row.labels for path, (row,) in rows.items()} == {
        "train/a b.png": ("normal",), "train/c.png": ("pneumonia",), "train/d.png": ("COVID-19",),
    }  # fmt: skip


def test_that_kinds_of_pneumonia_come_from_the_names(tmp_path: Path) -> None:
    MINIATURES["kermany"](tmp_path)
    rows = [row for (row,) in rows_by_path(tmp_path).values()]
    assert {(row.labels[0], row.patient) for row in rows} == {
        ("NORMAL", "train:IM-0115"), ("NORMAL", "val:IM-1427"),
        ("bacterial pneumonia", "train:person1"), ("viral pneumonia", "train:person1"),
        ("bacterial pneumonia", "test:person1"),
    }  # fmt: skip


def test_that_masks_are_listed_and_are_no_films(tmp_path: Path) -> None:
    MINIATURES["nlm-tb"](tmp_path / "tb")
    MINIATURES["siim"](tmp_path / "siim")
    films = as_json(read_film_list(tmp_path / "tb", DATA))
    assert films["CXR_png/MCUCXR_0001_0.png"]["masks"] == [
        {"finding": "left lung", "who": "", "file": "ManualMask/leftMask/MCUCXR_0001_0.png"}
    ]
    codes = [film["masks"] for film in as_json(read_film_list(tmp_path / "siim", DATA)).values()]
    assert [len(own) for own in codes] == [0, 2]
    assert codes[1][0]["runs"] == "5243 20 108 22"
