"""`xrayview measurements`: the annotations of a folder, measured without a window."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import pytest

from tests.builders import phantom, write_dicom, write_raster
from xrayview.cli import main
from xrayview.display.regions import roi_statistics
from xrayview.domain.mark_keys import mark_key
from xrayview.domain.measurement import Annotation, FilmMarks, Mark
from xrayview.domain.radiograph import Spacing, SpacingKind
from xrayview.errors import ExitCode
from xrayview.io.readers import read_film, read_header
from xrayview.io.tables.measurement_store import FILE_NAME, save_measurements
from xrayview.services.measurement_files import MeasurementFiles

LINE, BOX = ((0.0, 0.0), (0.0, 10.0)), ((2.0, 2.0), (9.0, 12.0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    for number in (1, 2):
        write_dicom(
            folder / f"film{number}.dcm",
            phantom(),
            SOPInstanceUID=f"1.2.{number}",
            ImagerPixelSpacing=[0.2, 0.2],
            PatientName="DOE^JOHN",
        )
    return folder


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_that_lengths_and_regions_are_measured_with_their_spacing(
    folder: Path, tmp_path: Path
) -> None:
    user = Spacing(1.0, 1.0, SpacingKind.USER)
    box = Annotation(Mark.RECTANGLE, BOX, "1.2.1")
    save_measurements(
        folder / FILE_NAME,
        {
            "1.2.1": FilmMarks((Annotation(Mark.LENGTH, LINE, "1.2.1"), box)),
            "1.2.2": FilmMarks((Annotation(Mark.LENGTH, LINE, "1.2.2"),), user),
        },
    )
    out = tmp_path / "m.csv"
    assert main(["measurements", str(folder), "--out", str(out)]) == ExitCode.OK
    rows = table(out)
    lengths = [(r["value"], r["unit"], r["spacing_kind"]) for r in rows if r["name"] == "length"]
    assert lengths == [("2.0", "mm", "at detector"), ("10.0", "mm", "user")]
    film = read_film(read_header(folder / "film1.dcm", folder))
    mean = next(float(row["value"]) for row in rows if row["name"] == "mean")
    assert mean == roi_statistics(film, Mark.RECTANGLE, BOX).mean
    assert "DOE" not in out.read_text(encoding="utf-8")


def test_that_a_raster_film_is_identified_by_the_hash_of_its_file(
    folder: Path, tmp_path: Path
) -> None:
    path = write_raster(folder / "a.png", phantom(bits=8))
    key = f"sha256:{read_film(read_header(path, folder)).sha256}"
    save_measurements(folder / FILE_NAME, {key: FilmMarks((Annotation(Mark.LENGTH, LINE, key),))})
    path.rename(folder / "renamed.png")
    out = tmp_path / "m.csv"
    assert main(["measurements", str(folder), "--out", str(out)]) == ExitCode.OK
    (row,) = table(out)
    assert (row["SOPInstanceUID"], row["value"], row["unit"]) == (key, "10.0", "px")
    assert row["path"] == "renamed.png"


def test_that_an_unreadable_film_keeps_its_rows_without_values(
    folder: Path, tmp_path: Path
) -> None:
    whole = (folder / "film1.dcm").read_bytes()
    (folder / "film1.dcm").write_bytes(whole[:-2500])
    save_measurements(
        folder / FILE_NAME,
        {uid: FilmMarks((Annotation(Mark.LENGTH, LINE, uid),)) for uid in ("1.2.1", "1.2.2")},
    )
    out = tmp_path / "m.csv"
    assert main(["measurements", str(folder), "--out", str(out)]) == ExitCode.SOME_FAILED
    assert [row["value"] for row in table(out)] == ["", "2.0"]


def test_that_no_table_is_written_without_annotations(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.csv"
    assert main(["measurements", str(folder), "--out", str(out)]) == ExitCode.NOTHING_USABLE
    assert not out.exists()


def test_that_an_invalid_file_stops_the_command_and_is_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / FILE_NAME).write_text("{broken", encoding="utf-8")
    out = tmp_path / "m.csv"
    assert main(["measurements", str(folder), "--out", str(out)]) == ExitCode.USAGE
    assert FILE_NAME in capsys.readouterr().err
    assert not out.exists()


def test_that_files_with_one_uid_have_rows_of_their_own(tmp_path: Path) -> None:
    folder, uid = tmp_path / "films", "1.2.3"
    folder.mkdir()
    keys = {}
    for name in ("a.dcm", "b.dcm", "c.dcm"):
        path = write_dicom(folder / name, phantom(), SOPInstanceUID=uid, PatientID=name)
        keys[name] = mark_key(uid, name, hashlib.sha256(path.read_bytes()).hexdigest())
    for name in ("a.dcm", "b.dcm"):
        annotation = Annotation(Mark.LENGTH, LINE, uid, text=name, mark_id=name, modified_ms=1)
        MeasurementFiles().save(folder, {keys[name]: FilmMarks((annotation,))})
    (folder / "b.dcm").rename(folder / "renamed.dcm")
    out = tmp_path / "out.csv"
    assert main(["measurements", str(folder), "--out", str(out)]) == ExitCode.OK
    rows = {(row["path"], row["SOPInstanceUID"], row["text"]) for row in table(out)}
    assert rows == {("a.dcm", uid, "a.dcm"), ("renamed.dcm", uid, "b.dcm")}
