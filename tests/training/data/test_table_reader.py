"""Any table: separators, encodings, templates, joins, filters, lists, patterns."""

from __future__ import annotations

import dataclasses
import gzip
import zipfile
from pathlib import Path

import pytest

from tests.training.conftest import write_film
from training.config import ColumnsConfig, DataConfig, FindingRule, TargetConfig
from training.data.manifest import FilmRow
from training.data.readers import list_films
from training.data.row_filter import conditions
from training.data.table_file import read_header, read_table
from training.data.targets import select, targets_NK
from xrayview.errors import NothingUsable, UsageError

DATA = DataConfig(table="t.csv")


def columns(**names: object) -> DataConfig:
    return dataclasses.replace(DATA, columns=ColumnsConfig(**names))


def labels(folder: Path, data: DataConfig = DATA) -> dict[str, tuple[str, ...]]:
    return {row.path: row.labels for row in list_films(folder, data).rows}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_that_separator_and_encoding_follow_from_the_content(
    separator: str, encoding: str, tmp_path: Path
) -> None:
    rows = [("path", "label", "remark"), ("a.png", "Ödem", "1,5"), ("b.png", "normal", "")]
    text = "\r\n".join(separator.join(f'"{cell}"' for cell in row) for row in rows)
    data = (text + "\r\n\r\n").encode(encoding)
    (tmp_path / "t.csv").write_bytes(data)
    assert labels(tmp_path) == {"a.png": ("Ödem",), "b.png": ("normal",)}
    (tmp_path / "t.csv").write_bytes(gzip.compress(data))
    assert labels(tmp_path) == {"a.png": ("Ödem",), "b.png": ("normal",)}
    assert read_header(tmp_path / "t.csv") == ("path", "label", "remark")


def test_that_a_table_in_an_archive_of_kaggle_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.csv", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labels.csv", "path;label\na.png;normal\n")
        archive.writestr("__MACOSX/._labels.csv", "x")
    assert labels(tmp_path) == {"a.png": ("normal",)}
    assert read_header(tmp_path / "t.csv") == ("path", "label")
    with zipfile.ZipFile(tmp_path / "t.csv", "a") as archive:
        archive.writestr("others.csv", "path,label\n")
    with pytest.raises(UsageError, match="the archive has 2 tables"):
        list_films(tmp_path, DATA)


def test_that_the_line_of_excel_about_its_separator_is_understood(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("sep=;\npath;label\na.png;normal, as far as seen\n")
    assert labels(tmp_path) == {"a.png": ("normal, as far as seen",)}


def test_that_labels_joined_by_another_separator_than_the_table_are_no_columns(
    tmp_path: Path,
) -> None:
    (tmp_path / "t.csv").write_text("path,label\na.png,Mass|Edema\nb.png,Mass|Nodule|Edema\n")
    assert read_table(tmp_path / "t.csv").delimiter == ","
    assert labels(tmp_path)["b.png"] == ("Mass", "Nodule", "Edema")


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\1\2\3" * 50, gzip.compress(b"path,label\n")[:-9]],
    ids=["empty", "binary", "cut"],
)
def test_that_a_file_that_is_no_table_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        list_films(tmp_path, DATA)
    assert caught.value.path == tmp_path / "t.csv"
    assert caught.value.hint


def test_that_a_table_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,label,sex\na.png,normal,F\nb.png,no")
    with pytest.raises(UsageError, match=r"cut short \(it has 2 cells of 3"):
        list_films(tmp_path, DATA)
    (tmp_path / "t.csv").write_text("path,label,sex\na.png,normal\nb.png,normal\n")
    assert len(labels(tmp_path)) == 2


def test_that_a_table_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    for name in ("normal", "ill"):
        write_film(tmp_path / name / "a.png", 0, bright=False)
    (tmp_path / "labels of all.csv").write_bytes(bytes(range(256)) * 9)
    with pytest.raises(UsageError, match=r"labels of all.csv is not a table"):
        list_films(tmp_path, DataConfig())


def test_that_columns_are_found_in_any_case(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("Path,LABEL,Patient ID,Sex\na.png,normal,7,F\n")
    (row,) = list_films(tmp_path, DATA).rows
    assert (row.path, row.labels, row.patient, row.sex) == ("a.png", ("normal",), "7", "F")


def test_that_a_template_makes_the_path_of_several_columns(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("subject,study,image,label\n10046166,5.0,ab,normal\n")
    template = "files/p{subject:.2}/p{subject}/s{study}/{image}.jpg"
    assert labels(tmp_path, columns(path=template)) == {
        "files/p10/p10046166/s5/ab.jpg": ("normal",)
    }
    with pytest.raises(UsageError, match=r"lacks columns \(nothing"):
        list_films(tmp_path, columns(path="{nothing}.png"))
    with pytest.raises(UsageError, match="is not a template"):
        list_films(tmp_path, columns(path="{study"))


def test_that_tables_are_joined_by_their_common_columns(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,study\na.png,1\nb.png,2\nc.png,3\n")
    (tmp_path / "labels.tsv").write_text("study\tlabel\tnote\n1.0\tnormal\tx\n2\tMass\ty\n")
    (tmp_path / "patients.csv").write_text("study;patient_id;path\n1;p1;z\n2;p2;z\n")
    data = dataclasses.replace(DATA, join=("labels.tsv", "patients.csv"), join_on=("study",))
    listing = list_films(tmp_path, data)
    assert [(r.path, r.labels, r.patient) for r in listing.rows] == [
        ("a.png", ("normal",), "p1"), ("b.png", ("Mass",), "p2"),
    ]  # fmt: skip
    assert [(o.path, o.code) for o in listing.omitted] == [("c.png", "NO_LABEL")]


def test_that_a_join_that_would_guess_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,study\na.png,1\n")
    data = dataclasses.replace(DATA, join=("o.csv",))
    with pytest.raises(UsageError, match=r"There is no o\.csv"):
        list_films(tmp_path, data)
    (tmp_path / "o.csv").write_text("study,label\n1,normal\n1,Mass\n")
    with pytest.raises(UsageError, match="several rows for 1"):
        list_films(tmp_path, data)
    (tmp_path / "o.csv").write_text("exam,label\n1,normal\n")
    with pytest.raises(UsageError, match="no column to join it by"):
        list_films(tmp_path, data)


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ("view in PA,AP", "ab"), ("View = pa", "a"), ("view != PA", "bc"), ("age >= 18", "bc"),
        ("age<18", "a"), ("view not in PA, AP", "c"), ("missing = 1", ""), ("age = 40", "b"),
    ],
)  # fmt: skip
def test_that_rows_are_filtered(condition: str, left: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,label,view,age\na,n,PA,7.5\nb,n,AP,40.0\nc,n,L,050\n")
    data = dataclasses.replace(DATA, rows=(condition,))
    if not left:
        with pytest.raises(NothingUsable):
            list_films(tmp_path, data)
        return
    listing = list_films(tmp_path, data)
    assert "".join(row.path for row in listing.rows) == left
    assert {o.code for o in listing.omitted} == {"FILTERED"}


@pytest.mark.parametrize("text", ["view", "age > old", "= 3", ""])
def test_that_a_condition_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a condition"):
        conditions([text])


def test_that_a_list_of_labels_is_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "path;label\na;['mass', ' edema ']\nb;[]\nc;['broken\nd;mass, edema\n"
    )
    assert labels(tmp_path) == {
        "a": ("mass", "edema"), "c": ("['broken",), "d": ("mass, edema",)
    }  # fmt: skip
    assert labels(tmp_path, dataclasses.replace(DATA, label_separator=","))["d"] == (
        "mass",
        "edema",
    )


def test_that_a_pattern_finds_the_label_with_and_without_a_table(tmp_path: Path) -> None:
    for name in ("x/CHN_0001_0.png", "x/CHN_0002_1.png", "x/other.png", "masks/CHN_0001_0.png"):
        write_film(tmp_path / name, 0, bright=False)
    data = DataConfig(label_pattern=r"_([01])\.png$", patient_pattern=r"CHN_\d+")
    listing = list_films(tmp_path, data)
    assert [(r.path, r.labels, r.patient) for r in listing.rows] == [
        ("x/CHN_0001_0.png", ("0",), "CHN_0001"), ("x/CHN_0002_1.png", ("1",), "CHN_0002"),
    ]  # fmt: skip
    assert [(o.path, o.code) for o in listing.omitted] == [("x/other.png", "NO_LABEL")]
    (tmp_path / "t.csv").write_text("path\nx/CHN_0002_1.png\n")
    assert labels(tmp_path, dataclasses.replace(data, table="t.csv")) == {
        "x/CHN_0002_1.png": ("1",)
    }
    with pytest.raises(NothingUsable, match="matches no film"):
        list_films(tmp_path, DataConfig(label_pattern="never"))


def test_that_films_of_a_table_are_found_elsewhere_but_never_mistaken(tmp_path: Path) -> None:
    for name in ("data/p1/view1.PNG", "data/p2/view2.png"):
        write_film(tmp_path / name, 0, bright=False)
    (tmp_path / "t.csv").write_text("path,label\nold/p1/view1.jpg,n\nold/p3/view2.jpg,n\n")
    assert list(labels(tmp_path)) == ["data/p1/view1.PNG", "old/p3/view2.jpg"]


def test_that_other_labels_are_left_out_or_mean_that_the_findings_are_absent() -> None:
    rows = [FilmRow("a", "d", "p", ("kyphosis",), ""), FilmRow("b", "d", "q", ("mass", "x"), "")]
    target = TargetConfig((FindingRule("Mass", ("mass",)),), (), other_labels="leave_out")
    assert select(rows, target)[0] == ()
    target = dataclasses.replace(target, other_labels="ignore")
    assert select(rows, target)[0] == tuple(rows)
    assert targets_NK(rows, target).tolist() == [[0.0], [1.0]]
