"""The fields that lists and the viewer's corners take from a DICOM header."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import JPEGLSLossless, MediaStorageDirectoryStorage

from tests.builders import NATIVE_SYNTAXES, phantom, write_dicom
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.dicom.dataset import sniff
from xrayview.io.readers import read_film, read_header

IDENTITY: dict[str, Any] = {
    "PatientID": "7f3a",
    "PatientName": "Nobody^Nemo",
    "PatientSex": "F",
    "PatientAge": "041Y",
    "BodyPartExamined": "CHEST",
    "ViewPosition": "PA",
    "ImageLaterality": "U",
    "Manufacturer": "ACME",
    "InstitutionName": "General",
    "StudyDate": "20040119",
    "StudyDescription": "Thorax",
    "SeriesNumber": 2,
    "SeriesDescription": "two views",
    "InstanceNumber": 5,
}


def test_that_the_header_fills_every_field_of_a_film(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    path = write_dicom(folder / "film", phantom(48, 40), **IDENTITY)
    film = read_header(path, tmp_path)
    assert film.path == path
    assert film.relative_path == "a/b/film"
    assert (film.frame, film.frames, film.format) == (0, 1, "dicom")
    assert film.file_size == path.stat().st_size
    assert film.mtime_ns == path.stat().st_mtime_ns
    assert film.study_uid == "1.2.826.0.1.3680043.10.999.1"
    assert film.series_uid == "1.2.826.0.1.3680043.10.999.2"
    assert film.sop_uid == "1.2.826.0.1.3680043.10.999.3"
    assert film.transfer_syntax == "1.2.840.10008.1.2.1"
    assert (film.modality, film.body_part, film.view_position) == ("DX", "CHEST", "PA")
    assert (film.laterality, film.patient_sex, film.patient_age) == ("U", "F", "041Y")
    assert (film.manufacturer, film.institution) == ("ACME", "General")
    assert (film.study_date, film.study_description) == ("20040119", "Thorax")
    assert (film.series_number, film.series_description) == (2, "two views")
    assert (film.instance_number, film.rows, film.columns) == (5, 48, 40)
    assert (film.patient_id, film.patient_name) == ("7f3a", "Nobody^Nemo")


@pytest.mark.parametrize("character_set", ["", "ISO_IR 192"], ids=["fast", "by pydicom"])
def test_that_the_age_follows_from_the_birth_date_which_is_not_kept(
    tmp_path: Path, character_set: str
) -> None:
    # A name beyond ASCII leaves the file to pydicom.
    name = "Nöbody^Nemo" if character_set else "Nobody^Nemo"
    tags = IDENTITY | {"PatientName": name, "PatientBirthDate": "19621224", "PatientAge": ""}
    path = write_dicom(tmp_path / "film", phantom(), SpecificCharacterSet=character_set, **tags)
    for film in (read_header(path, tmp_path), read_film(read_header(path, tmp_path)).ref):
        assert film.patient_age == ""
        assert film.age_by_dates == pytest.approx(41.07, abs=0.01)
        assert "1962" not in str(vars(film))


def test_that_dates_that_give_no_age_are_ignored(tmp_path: Path) -> None:
    tags = IDENTITY | {"PatientBirthDate": "19000101"}
    film = read_header(write_dicom(tmp_path / "film", phantom(), **tags), tmp_path)
    assert (film.patient_age, film.age_by_dates) == ("041Y", None)


def test_that_a_decoded_film_has_the_same_header_and_a_hash(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom(), **IDENTITY)
    film = read_header(path, tmp_path)
    radiograph = read_film(film)
    assert radiograph.ref == film
    assert len(radiograph.sha256) == 64


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 192", "Ødegård^Åse"),
        ("ISO_IR 100", "Ødegård^Åse"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
    ],
)
def test_that_names_are_read_in_their_character_set(
    tmp_path: Path, charset: str | list[str], name: str
) -> None:
    path = write_dicom(
        tmp_path / "film.dcm", phantom(), SpecificCharacterSet=charset, PatientName=name
    )
    assert read_header(path, tmp_path).patient_name == name


@pytest.mark.parametrize("syntax", NATIVE_SYNTAXES[:3], ids=lambda uid: uid.name)
@pytest.mark.parametrize("file_meta", [False, True], ids=["bare data set", "no preamble"])
def test_that_a_film_without_preamble_or_extension_is_recognised(
    tmp_path: Path, syntax: str, file_meta: bool
) -> None:
    path = write_dicom(
        tmp_path / "film",
        phantom(),
        transfer_syntax=syntax,
        preamble=False,
        file_meta=file_meta,
    )
    film = read_header(path, tmp_path)
    assert film.transfer_syntax == syntax
    assert (film.rows, film.columns) == (48, 40)
    assert (read_film(film).pixels_HW == phantom()).all()


@pytest.mark.parametrize(
    "head",
    [b"", b"DICM", b"\x08\x00", b"\x08\x00\x05\x00text that goes on", b"# comment\n" * 20,
     b"\x08\x00\xff\xffUI\x02\x00", b"\x00" * 200],
)  # fmt: skip
def test_that_other_content_is_not_recognised_as_a_data_set(head: bytes) -> None:
    assert not sniff(head)


def test_that_a_broken_number_leaves_its_field_empty(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom(), InstanceNumber=12, SeriesNumber=3)
    data = path.read_bytes()
    assert data.count(b"IS\x02\x0012") == 1
    path.write_bytes(data.replace(b"IS\x02\x0012", b"IS\x02\x001x"))
    film = read_header(path, tmp_path)
    assert (film.instance_number, film.series_number) == (0, 3)


# -- fields in the corners of the viewer -------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, ""),
        ({"LossyImageCompression": "00"}, ""),
        ({"LossyImageCompression": "01"}, "lossy"),
        ({"LossyImageCompression": "01", "LossyImageCompressionRatio": 12}, "lossy 12:1"),
        ({"LossyImageCompression": "01", "LossyImageCompressionRatio": 12.34}, "lossy 12.3:1"),
        ({"LossyImageCompression": "01", "LossyImageCompressionRatio": [12, 4]}, "lossy 12:1, 4:1"),
        ({"LossyImageCompression": "01", "LossyImageCompressionRatio": 0}, "lossy"),
    ],
)
def test_that_lossy_compression_is_shown_with_its_ratio(
    tmp_path: Path, tags: dict[str, Any], expected: str
) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom(), **tags)
    assert read_film(read_header(path, tmp_path)).lossy == expected


def test_that_a_lossy_transfer_syntax_is_shown_without_the_attribute(tmp_path: Path) -> None:
    dataset = dcmread(get_testdata_file("JPGExtended.dcm", download=False))
    del dataset.LossyImageCompression, dataset.LossyImageCompressionRatio
    dataset.save_as(tmp_path / "film.dcm")
    assert read_film(read_header(tmp_path / "film.dcm", tmp_path)).lossy == "lossy"


def test_that_orientation_purpose_and_burned_in_text_are_read(tmp_path: Path) -> None:
    path = write_dicom(
        tmp_path / "film.dcm",
        phantom(),
        PatientOrientation=["L", "F"],
        PresentationIntentType="FOR PROCESSING",
        BurnedInAnnotation="YES",
    )
    radiograph = read_film(read_header(path, tmp_path))
    assert radiograph.orientation == ("L", "F")
    assert radiograph.for_processing
    assert radiograph.burned_in == "YES"


def test_that_an_orientation_needs_both_directions(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom(), PatientOrientation=["L"])
    assert read_film(read_header(path, tmp_path)).orientation == ("", "")


# -- files without a film ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["reportsi.dcm", "rtplan.dcm", "waveform_ecg.dcm", "test-SR.dcm"])
def test_that_dicom_without_pixels_is_refused(name: str) -> None:
    path = Path(get_testdata_file(name, download=False))
    with pytest.raises(UnreadableFilm) as caught:
        read_header(path, path.parent)
    assert caught.value.code is StatusCode.NO_PIXELS


def test_that_an_index_is_refused_as_such(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "DICOMDIR", None, SOPClassUID=MediaStorageDirectoryStorage)
    with pytest.raises(
        UnreadableFilm, match="it is an index; its films are listed separately"
    ) as caught:
        read_header(path, tmp_path)
    assert caught.value.code is StatusCode.NO_PIXELS


def test_that_errors_and_logs_do_not_contain_names(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    caplog.set_level(logging.DEBUG)
    path = write_dicom(
        tmp_path / "film.dcm",
        phantom(),
        transfer_syntax=JPEGLSLossless,
        PatientName="Secret^Sally",
        PatientBirthDate="19630503",
    )
    data = path.read_bytes()
    path.write_bytes(data[:-600])
    with pytest.raises(UnreadableFilm) as caught:
        read_film(read_header(path, tmp_path))
    texts = [str(caught.value), repr(caught.value.__cause__), repr(read_header(path, tmp_path))]
    texts += [record.getMessage() for record in caplog.records]
    texts += [str(warning.message) for warning in recwarn]
    assert not any("Sally" in line or "19630503" in line for line in texts)
