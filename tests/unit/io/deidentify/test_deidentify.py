"""De-identified copies: no byte identifies the patient, and every pixel is kept."""

from __future__ import annotations

import csv
import shutil
import stat
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.builders import phantom, write_dicom, write_raster
from xrayview.cli import main
from xrayview.errors import ExitCode, StatusCode, UnreadableFilm
from xrayview.io.deidentify.copy import DeidentifiedCopy, Pseudonyms, deidentify
from xrayview.io.readers import read_film, read_header
from xrayview.io.scan import walk

Captured = pytest.CaptureFixture[str]
NAMES = Pseudonyms(b"0123456789abcdef0123456789abcdef")
UIDS = {
    "StudyInstanceUID": "1.2.276.0.7230010.3.1.2.4711001",
    "SeriesInstanceUID": "1.2.276.0.7230010.3.1.3.4711002",
    "SOPInstanceUID": "1.2.276.0.7230010.3.1.4.4711003",
}
TAGS = {
    "PatientName": "Mustermann^Erika",
    "PatientID": "PAT-445566",
    "PatientBirthDate": "19640812",
    "PatientSex": "F",
    "PatientAge": "093Y",
    "AccessionNumber": "ACC-778899",
    "StudyDate": "20240119",
    "SeriesDate": "20240119",
    "StudyTime": "120000",
    "InstitutionName": "Charite",
    "StationName": "STATION7",
    "DeviceSerialNumber": "SN-998877",
    "ReferringPhysicianName": "Hausarzt^Otto",
    "StudyDescription": "for Hausarzt",
    "FilterType": "Erika 2mm",
    "BurnedInAnnotation": "NO",
    **UIDS,
}
SECRETS = (
    "Mustermann", "Erika", "Hausarzt", "Nachtdienst", "PAT-445566", "ACC-778899", "19640812",
    "20240119", "Charite", "STATION7", "SN-998877", *UIDS.values(),
)  # fmt: skip


def reference(uid: str, name: str) -> Dataset:
    """An item that refers to a film, with a name where none should be."""
    item = Dataset()
    item.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    item.ReferencedSOPInstanceUID = uid
    item.PatientName = name
    private = item.private_block(0x0011, "SECRET MAKER", create=True)
    private.add_new(1, "LO", name)
    return item


def write_film(path: Path, **more: object) -> Path:
    """A film that identifies the patient in every way a file can."""
    write_dicom(path, phantom(), windows=[(800, 900, "WHOLE")], **{**TAGS, **more})
    dataset = pydicom.dcmread(path)
    deep = reference(UIDS["SOPInstanceUID"], "Mustermann^Erika")
    deep.ViewCodeSequence = Sequence([reference(UIDS["StudyInstanceUID"], "Nachtdienst^A")])
    dataset.SourceImageSequence = Sequence([deep])
    view = Dataset()
    view.CodeValue, view.CodingSchemeDesignator, view.CodeMeaning = "R-10206", "SNM3", "antero"
    view.OperatorsName = "Nachtdienst^A"
    dataset.ViewCodeSequence = Sequence([view])
    block = dataset.private_block(0x0009, "SECRET MAKER", create=True)
    block.add_new(1, "PN", "Mustermann^Erika")
    block.add_new(2, "SQ", Sequence([reference(UIDS["SOPInstanceUID"], "Mustermann^Erika")]))
    dataset.file_meta.SourceApplicationEntityTitle = "STATION7"
    dataset.file_meta.PrivateInformationCreatorUID = UIDS["StudyInstanceUID"]
    dataset.file_meta.PrivateInformation = b"Mustermann"
    dataset.preamble = b"Mustermann".ljust(128, b"\0")
    dataset.save_as(path, enforce_file_format=True)
    return path


def anonymous(path: Path, **more: bool) -> DeidentifiedCopy:
    return deidentify(path, "", NAMES, **more)


def read(film: DeidentifiedCopy) -> pydicom.FileDataset:
    return pydicom.dcmread(BytesIO(film.file))


def test_that_no_byte_of_the_copy_identifies_the_patient(tmp_path: Path) -> None:
    source = write_film(tmp_path / "film.dcm")
    before = source.read_bytes()
    assert all(secret.encode() in before for secret in SECRETS)
    after = anonymous(source).file
    assert [secret for secret in SECRETS if secret.casefold().encode() in after.lower()] == []
    assert b"SECRET MAKER" not in after
    assert source.read_bytes() == before


def test_that_the_copy_is_marked_as_deidentified_with_the_method(tmp_path: Path) -> None:
    dataset = read(anonymous(write_film(tmp_path / "film.dcm")))
    assert dataset.PatientIdentityRemoved == "YES"
    assert dataset.LongitudinalTemporalInformationModified == "REMOVED"
    codes = [(i.CodeValue, i.CodingSchemeDesignator) for i in dataset[0x00120064].value]
    assert codes == [("113100", "DCM")]
    assert "Basic Profile" in dataset.DeidentificationMethod[1]
    assert dataset.PatientBirthDate == dataset.StudyDate == dataset.AccessionNumber == ""
    assert dataset.PatientName == dataset.PatientID == NAMES.patient("PAT-445566")
    assert "PatientAge" not in dataset
    assert dataset.preamble == b"\0" * 128


def test_that_references_between_films_stay_consistent(tmp_path: Path) -> None:
    dataset = read(anonymous(write_film(tmp_path / "film.dcm")))
    inner = dataset.SourceImageSequence[0]
    assert inner.ReferencedSOPInstanceUID == dataset.SOPInstanceUID
    assert inner.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.1"
    assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID
    assert dataset.ViewCodeSequence[0].CodeMeaning == "antero"
    other = read(deidentify(tmp_path / "film.dcm", "", Pseudonyms(b"another key" * 3)))
    assert other.SOPInstanceUID != dataset.SOPInstanceUID


def test_that_patient_characteristics_are_kept_on_request(tmp_path: Path) -> None:
    dataset = read(anonymous(write_film(tmp_path / "film.dcm"), keep_characteristics=True))
    assert (dataset.PatientSex, dataset.PatientAge) == ("F", "090Y")
    assert [i.CodeValue for i in dataset[0x00120064].value] == ["113100", "113108"]
    assert dataset.PatientBirthDate == ""


@pytest.mark.parametrize(
    "name",
    ["RG1_UNCR.dcm", "RG3_J2KR.dcm", "MR-SIEMENS-DICOM-WithOverlays.dcm", "vlut_04.dcm",
     "JPEG-LL.dcm", "emri_small_big_endian.dcm", "MR_small_implicit.dcm", "image_dfl.dcm",
     "MR_small_RLE.dcm"],
)  # fmt: skip
def test_that_pixels_and_grey_scale_equal_those_of_the_source(name: str, tmp_path: Path) -> None:
    source = Path(str(get_testdata_file(name, download=False)))
    film = anonymous(source)
    copy = tmp_path / "copy.dcm"
    copy.write_bytes(film.file)
    before, after = pydicom.dcmread(source), pydicom.dcmread(copy)
    if not before.file_meta.TransferSyntaxUID.is_encapsulated:
        assert after.PixelData == before.PixelData
    assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
    old, new = (read_film(read_header(path, path.parent)) for path in (source, copy))
    assert np.array_equal(old.pixels_HW, new.pixels_HW)
    assert old.greyscale.windows == new.greyscale.windows
    assert (old.greyscale.slope, old.greyscale.photometric) == (
        new.greyscale.slope, new.greyscale.photometric,
    )  # fmt: skip
    assert old.spacing == new.spacing
    for keyword in ("PatientID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        value = str(before.get(keyword) or "")
        assert len(value) < 4 or value.encode() not in film.file


@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="dcmtk is not here")
@pytest.mark.parametrize("name", ["RG1_UNCR.dcm", "RG3_J2KR.dcm", "image_dfl.dcm"])
def test_that_dcmtk_reads_the_copy(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.dcm"
    copy.write_bytes(anonymous(Path(str(get_testdata_file(name, download=False)))).file)
    done = subprocess.run(["dcmdump", str(copy)], capture_output=True, text=True, check=True)
    assert "PatientIdentityRemoved" in done.stdout
    assert done.stderr.strip() == ""


def test_that_a_report_is_not_copied(tmp_path: Path) -> None:
    report = Path(str(get_testdata_file("reportsi.dcm", download=False)))
    with pytest.raises(UnreadableFilm) as raised:
        anonymous(report)
    assert raised.value.code is StatusCode.NO_PIXELS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two films of a patient, one of another patient with burned-in text, and other files."""
    root = tmp_path_factory.mktemp("Mustermann")
    (root / "Erika").mkdir()
    write_film(root / "Erika" / "Mustermann1.dcm")
    write_film(root / "Erika" / "Mustermann2.dcm", SOPInstanceUID="1.2.276.0.7230010.3.1.4.99")
    write_film(root / "other.dcm", PatientID="OTHER-7", SOPInstanceUID="1.2.276.0.7230010.3.1.4.8")
    burned = pydicom.dcmread(root / "other.dcm")
    burned.BurnedInAnnotation = "YES"
    burned.save_as(root / "other.dcm")
    write_raster(root / "photo.png", phantom(bits=8))
    (root / "notes.txt").write_text("Mustermann", encoding="utf-8")
    return root


def copies(out: Path) -> Iterator[Path]:
    return (path for path in sorted(out.rglob("*")) if path.is_file())


def test_that_a_copied_folder_identifies_nobody(
    folder: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "copies"
    assert main(["deidentify", str(folder), "--out", str(out)]) == ExitCode.SOME_FAILED
    output = capsys.readouterr().out
    assert "other.dcm: refused IDENTITY" in output
    assert "photo.png: error NOT_AN_IMAGE: Not a DICOM file" in output
    written = list(copies(out))
    assert [path.name for path in written] == ["00001.dcm", "00002.dcm"]
    assert {path.parent.name for path in written} == {pydicom.dcmread(written[0]).PatientID}
    text = " ".join(map(str, written)) + "".join(p.read_bytes().decode("latin-1") for p in written)
    assert [secret for secret in SECRETS if secret in text] == []
    studies = {pydicom.dcmread(path).StudyInstanceUID for path in written}
    assert len(studies) == 1


def test_that_films_with_burned_in_text_are_copied_on_request(
    folder: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "copies"
    options = ["--out", str(out), "--include-burned-in"]
    assert main(["deidentify", str(folder / "other.dcm"), *options]) == ExitCode.OK
    assert len(list(copies(out))) == 1
    assert "warn" in capsys.readouterr().out


def test_that_a_mapping_is_written_only_on_request_and_readable_only_by_the_user(
    folder: Path, tmp_path: Path
) -> None:
    out, mapping = tmp_path / "copies", tmp_path / "secret" / "mapping.csv"
    mapping.parent.mkdir()
    command = ["deidentify", str(folder / "Erika"), "--out", str(out), "--mapping", str(mapping)]
    assert main(command) == ExitCode.OK
    with mapping.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["PatientID"] for row in rows] == ["PAT-445566"] * 2
    copy = pydicom.dcmread(out / rows[0]["copy"])
    assert copy.SOPInstanceUID == rows[0]["new_SOPInstanceUID"]
    assert stat.S_IMODE(mapping.stat().st_mode) == 0o600
    assert [path.suffix for path in copies(out)] == [".dcm", ".dcm"]


@pytest.mark.parametrize("mapping", [None, "copies/mapping.csv"])
def test_that_existing_files_are_not_overwritten(
    folder: Path, tmp_path: Path, mapping: str | None, capsys: Captured
) -> None:
    out = tmp_path / "copies"
    command = ["deidentify", str(folder), "--out", str(out)]
    if mapping:
        command += ["--mapping", str(tmp_path / mapping)]
    else:
        out.mkdir()
        (out / "mine.txt").write_text("mine", encoding="utf-8")
    assert main(command) == ExitCode.USAGE
    assert "copies" in capsys.readouterr().err or mapping
    assert [path.name for path in copies(out)] == ([] if mapping else ["mine.txt"])


def test_that_copies_are_written_among_the_films_only_on_request_and_are_not_listed_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    write_film(films / "film.dcm")
    command = ["deidentify", str(films), "--out", str(films / "copies")]
    assert main(command) == ExitCode.USAGE
    assert not (films / "copies").exists()
    assert main([*command, "--inside-source"]) == ExitCode.OK
    (copy,) = copies(films / "copies")
    assert [path.name for path in walk(films)] == ["film.dcm"]
    # Opened on its own, or moved away, the copy is a film like any other.
    assert [path.name for path in walk(films / "copies")] == [copy.name]
    shutil.move(films / "copies", tmp_path / "elsewhere" / "copies")
    assert [path.name for path in walk(tmp_path / "elsewhere")] == [copy.name]


def test_that_a_folder_without_films_has_its_own_exit_code(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("no film", encoding="utf-8")
    command = ["deidentify", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    assert main(command) == ExitCode.NOTHING_USABLE
