"""The tag table: safe to open in a spreadsheet, and free of identity unless requested."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from xrayview.errors import Status, StatusCode, UsageError
from xrayview.io.tags.columns import DEFAULT_COLUMNS, parse_column
from xrayview.io.tags.table import TagRow, TagTable, tag_table, tag_table_writer

KEY = b"k" * 32


def written(path: Path, table: TagTable, *rows: TagRow) -> list[list[str]]:
    with tag_table_writer(path, table) as write:
        for row in rows:
            write(row)
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def ok(*cells: str, path: str = "a.dcm") -> TagRow:
    return TagRow(path, Status.OK, StatusCode.OK, cells=cells)


@pytest.mark.parametrize(
    "name",
    [
        "PatientName", "PatientBirthDate", "OtherPatientIDs", "StudyDate", "AcquisitionTime",
        "InstitutionName", "ReferringPhysicianName", "AccessionNumber", "StudyDescription",
        "ImageComments", "DeviceSerialNumber", "StationName", "PatientWeight", "EthnicGroup",
        "SourceImageSequence.0.PatientName", "OriginalAttributesSequence.0.SourceOfPreviousValues",
        "ReferringPhysicianIdentificationSequence.0.PersonIdentificationCodeSequence.0.CodeMeaning",
        "ViewCodeSequence.0.ViewModifierCodeSequence.0.PatientName",
        "00091001", "GPSLatitude", "DetectorID", "ProtocolName",
    ],
)  # fmt: skip
def test_that_identifying_columns_need_full_identity(name: str) -> None:
    with pytest.raises(UsageError, match="--identity full"):
        tag_table((name,), "hash", KEY)
    assert tag_table((name,), "full").header[-1] == name


def test_that_the_default_columns_do_not_need_full_identity() -> None:
    codes = ("ViewCodeSequence.0.CodeMeaning", "SourceImageSequence.0.ReferencedSOPInstanceUID")
    table = tag_table((*DEFAULT_COLUMNS, *codes), "none")
    assert table.header[:5] == ("path", "status", "status_code", "message", "PatientID")
    identifying = {column.name for column in table.columns if column.is_identifying}
    assert identifying == {"PatientID"}


@pytest.mark.parametrize(
    ("identity", "expected"), [("none", ""), ("hash", "keyed"), ("full", "P1")]
)
def test_that_the_patient_id_is_hashed_like_in_the_predictions(
    identity: str, expected: str, tmp_path: Path
) -> None:
    table = tag_table(("PatientID",), identity, KEY)  # type: ignore[arg-type]
    _, row = written(tmp_path / "t.csv", table, ok("P1"))
    if identity == "hash":
        from xrayview.io.tables.predictions import patient_cell

        expected = patient_cell("P1", "hash", KEY)
    assert row[-1] == expected


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("Manufacturer", "=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("Manufacturer", "-5", "'-5"),
        ("RescaleIntercept", "-1024", "-1024"),
        ("RescaleIntercept", "-1+cmd|' /C calc'!A0", "'-1+cmd|' /C calc'!A0"),
        ("RescaleIntercept", "-inf", "'-inf"),
        ("Manufacturer", 'a,"b"\nc', 'a,"b"\nc'),
    ],
)
def test_that_formulas_are_escaped_and_numbers_stay_numbers(
    column: str, cell: str, expected: str, tmp_path: Path
) -> None:
    _, row = written(tmp_path / "t.csv", tag_table((column,), "none"), ok(cell))
    assert row[-1] == expected


def test_that_a_failed_file_has_a_row(tmp_path: Path) -> None:
    failed = TagRow("@b.txt", Status.ERROR, StatusCode.NOT_AN_IMAGE, "Not a film.")
    _, row = written(tmp_path / "t.csv", tag_table(("Rows", "KVP"), "none"), failed)
    assert row == ["'@b.txt", "error", "NOT_AN_IMAGE", "Not a film.", "", ""]


def test_that_an_error_keeps_the_old_table(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), tag_table_writer(path, tag_table(("Rows",), "none")):
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Rws", "Did you mean Rows"),
        ("SourceImageSequence.0", "SEQUENCE.ITEM.ATTRIBUTE"),
        ("SourceImageSequence.x.Rows", "Items count from 0"),
        ("", "not a DICOM keyword"),
    ],
)
def test_that_an_unknown_column_is_refused_with_a_hint(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        parse_column(name)


def test_that_a_repeated_column_is_refused() -> None:
    with pytest.raises(UsageError, match="twice"):
        tag_table(("Rows", "Rows"), "none")
