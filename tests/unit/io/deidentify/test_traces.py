"""Identifiers are found in text only, as whole tokens, and the element is named."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.builders import phantom, write_dicom
from xrayview.cli import main
from xrayview.errors import ExitCode, IdentityRemains
from xrayview.io.deidentify.copy import DeidentifiedCopy, Pseudonyms, deidentify
from xrayview.io.deidentify.traces import Traces

Captured = pytest.CaptureFixture[str]
NAMES = Pseudonyms(b"0123456789abcdef0123456789abcdef")


def copied(path: Path, **options: Any) -> tuple[Dataset, DeidentifiedCopy]:
    copy = deidentify(path, "", NAMES, **options)
    return pydicom.dcmread(BytesIO(copy.file)), copy


def film(path: Path, **tags: object) -> Path:
    return write_dicom(path / "film.dcm", phantom(), windows=[(2048, 4096)], **tags)


@pytest.mark.parametrize("patient_id", ["2048", "4096", "48", "1", "12"])
def test_that_an_id_that_equals_a_number_of_the_film_is_no_trace(
    tmp_path: Path, patient_id: str
) -> None:
    path = film(
        tmp_path, PatientID=patient_id, SeriesNumber="2048", InstanceNumber="12", Exposure="4096"
    )
    dataset, copy = copied(path)
    assert copy.found_in == ()
    assert (dataset.WindowCenter, dataset.WindowWidth, dataset.SeriesNumber) == (2048, 4096, 2048)


@pytest.mark.parametrize(
    ("patient_id", "text", "is_trace"),
    [
        ("2048", "DR 2048", True),
        ("2048", "DR 2048.", True),
        ("2048", "pitch 0.2048", False),
        ("2048", "2048x2500", False),
        ("2048", "12048", False),
        ("PAT-445566", "pat445566", True),
        ("PAT-445566", "no. 445566", True),
        ("0044556677", "44556677", True),
        ("48", "48", False),
    ],
)
def test_that_an_identifier_is_a_whole_token_of_a_text(
    tmp_path: Path, patient_id: str, text: str, is_trace: bool
) -> None:
    dataset, copy = copied(film(tmp_path, PatientID=patient_id, ManufacturerModelName=text))
    assert copy.found_in == (("ManufacturerModelName",) if is_trace else ())
    assert dataset.ManufacturerModelName == ("ANONYMIZED" if is_trace else text)


@pytest.mark.parametrize(
    ("name", "text"), [("LUNG_0042", "for LUNG-0042"), ("00012345", "00012345"), ("A^7788", "7788")]
)
def test_that_a_name_with_digits_is_found_as_an_identifier(
    tmp_path: Path, name: str, text: str
) -> None:
    _, copy = copied(film(tmp_path, PatientName=name, ManufacturerModelName=text))
    assert copy.found_in == ("ManufacturerModelName",)


@pytest.mark.parametrize("text", ["1964-08-12", "born 12.08.1964", "12.8.1964", "08/12/1964"])
def test_that_a_birth_date_is_found_in_the_usual_orders(tmp_path: Path, text: str) -> None:
    _, copy = copied(film(tmp_path, PatientBirthDate="19640812", ManufacturerModelName=text))
    assert copy.found_in == ("ManufacturerModelName",)


def test_that_only_the_value_with_the_name_is_replaced(tmp_path: Path) -> None:
    path = write_dicom(
        tmp_path / "film.dcm",
        phantom(),
        windows=[(2048, 4096, "WHOLE"), (1000, 500, "FOR ERIKA"), (900, 90, "NARROW")],
        PatientName="Mustermann^Erika",
    )
    dataset, copy = copied(path)
    assert list(dataset.WindowCenterWidthExplanation) == ["WHOLE", "ANONYMIZED", "NARROW"]
    assert copy.found_in == ("WindowCenterWidthExplanation",)


@pytest.mark.parametrize(
    ("character_set", "name", "text"),
    [
        ("GB18030", "王^小东", "王小东 医院"),
        ("GBK", "李^伟", "李伟"),
        ("ISO_IR 192", "Wang^XiaoDong=王^小东", "小东的机器"),
        ("\\ISO 2022 IR 87", "Yamada^Tarou=山田^太郎=やまだ^たろう", "山田"),
        ("\\ISO 2022 IR 149", "Hong^Gildong=洪^吉洞=홍^길동", "길동"),
        ("ISO 2022 IR 13\\ISO 2022 IR 87", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎", "ﾔﾏﾀﾞ"),
        ("ISO_IR 144", "Иванов^Пётр", "ИВАНОВ"),
    ],
)
def test_that_names_are_found_in_every_character_set(
    tmp_path: Path, character_set: str, name: str, text: str
) -> None:
    path = film(
        tmp_path, SpecificCharacterSet=character_set.split("\\"), PatientName=name,
        Manufacturer=text, WindowCenterWidthExplanation=text,
    )  # fmt: skip
    assert pydicom.dcmread(path).Manufacturer == text
    dataset, copy = copied(path)
    assert dataset.Manufacturer == dataset.WindowCenterWidthExplanation == "ANONYMIZED"
    assert copy.found_in == ("Manufacturer", "WindowCenterWidthExplanation")


@pytest.mark.filterwarnings("ignore:Failed to decode byte string")
@pytest.mark.parametrize("declared", ["", "ISO_IR 192", "ISO_IR 100"])
def test_that_names_in_another_character_set_than_declared_do_not_stay(
    tmp_path: Path, declared: str
) -> None:
    path = film(
        tmp_path, SpecificCharacterSet="GB18030", PatientName="王^丽", Manufacturer="王丽医院",
        ManufacturerModelName="CR 7",
    )  # fmt: skip
    head = b"\x08\x00\x05\x00CS"
    size = len(declared).to_bytes(2, "little")
    data = path.read_bytes()
    assert head + b"\x08\x00GB18030 " in data
    path.write_bytes(data.replace(head + b"\x08\x00GB18030 ", head + size + declared.encode()))
    dataset, copy = copied(path)
    assert "王丽".encode("gb18030") not in copy.file
    assert "\ufffd" not in dataset.Manufacturer
    assert dataset.ManufacturerModelName == "CR 7"


def test_that_terms_of_the_standard_are_not_taken_for_a_name(tmp_path: Path) -> None:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "T-D8700", "SRT", "Hand"
    dataset, copy = copied(
        film(
            tmp_path, PatientName="Hand^Pa", BodyPartExamined="HAND", ViewPosition="PA",
            ImageLaterality="R", AnatomicRegionSequence=Sequence([code]), Manufacturer="GE",
        )
    )  # fmt: skip
    assert copy.found_in == ()
    assert (dataset.BodyPartExamined, dataset.ViewPosition) == ("HAND", "PA")
    assert dataset.AnatomicRegionSequence[0].CodeMeaning == "Hand"
    dataset, copy = copied(film(tmp_path, PatientName="Berg^Erika", BodyPartExamined="ERIKA"))
    assert copy.found_in == ("BodyPartExamined",)


def test_that_an_element_is_copied_unchanged_when_it_is_allowed(tmp_path: Path) -> None:
    path = film(tmp_path, PatientName="Ge^Wei", Manufacturer="GE", ManufacturerModelName="Wei 7")
    dataset, copy = copied(path, allowed=frozenset({"Manufacturer"}))
    assert (dataset.Manufacturer, dataset.ManufacturerModelName) == ("GE", "ANONYMIZED")
    assert copy.found_in == ("ManufacturerModelName",)


def test_that_a_name_in_a_lookup_table_stops_the_copy_and_names_the_element(
    tmp_path: Path,
) -> None:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [16, 0, 16])
    item.add_new("LUTData", "OW", b"Mustermann".ljust(32, b"\0"))
    path = film(tmp_path, PatientName="Mustermann^Erika", VOILUTSequence=Sequence([item]))
    with pytest.raises(IdentityRemains, match="LUTData") as raised:
        copied(path)
    assert raised.value.element == "LUTData"
    _, copy = copied(path, allowed=frozenset({"LUTData"}))
    assert b"Mustermann" in copy.file


def test_that_a_film_that_is_anonymous_already_is_copied(tmp_path: Path) -> None:
    path = film(tmp_path, PatientName="Anonymized^Basic", PatientID="ANON-1", Manufacturer="Acme")
    dataset, copy = copied(path)
    assert copy.found_in == ()
    assert dataset.Manufacturer == "Acme"


def test_that_binary_attributes_that_the_picture_does_not_need_are_removed(tmp_path: Path) -> None:
    wave = Dataset()
    wave.WaveformBitsAllocated = 8
    wave.add_new("WaveformData", "OB", b"Mustermann")
    path = film(
        tmp_path, ICCProfile=b"Mustermann's scanner", EncapsulatedDocument=b"Mustermann",
        WaveformSequence=Sequence([wave]), RequestedProcedurePriority="LOW",
        PlacerOrderNumberProcedure="4711",
    )  # fmt: skip
    dataset, copy = copied(path)
    assert b"Mustermann" not in copy.file
    assert "WaveformSequence" not in dataset
    assert "PlacerOrderNumberProcedure" not in dataset
    assert "RequestedProcedurePriority" in dataset


def test_that_text_in_place_of_an_age_or_a_uid_does_not_stay(tmp_path: Path) -> None:
    path = film(
        tmp_path, PatientName="Mustermann^Erika", PatientAge="ERIK",
        SOPClassUID="1.2.840.10008.5.1.4.1.1.1.1.1", IrradiationEventUID="1.2.840.10008.Erika",
    )  # fmt: skip
    dataset, copy = copied(path, keep_characteristics=True)
    assert dataset.PatientAge == ""
    assert b"Erika" not in copy.file
    dataset, _ = copied(film(tmp_path, PatientAge="93"), keep_characteristics=True)
    assert dataset.PatientAge == "090Y"


def test_that_text_in_binary_data_is_found_in_many_encodings() -> None:
    traces = Traces()
    dataset = Dataset()
    dataset.PatientName, dataset.PatientID = "Mustermann^Erika=王^小东东", "ZQ98765"
    traces.collect(dataset)
    for encoding in ("utf-8", "utf-16-le", "gb18030"):
        assert traces.kind_in(b"\x00\xff" + "小东东".encode(encoding) + b"\xff")
    assert traces.kind_in(b"\xd8xxMUSTERMANNxx") == "a name"
    assert traces.kind_in(b"\xd8xxZQ98765\xff")
    assert not traces.kind_in(b"\xd8xxZQ9876\xff Mus ter mann")


def test_that_the_command_says_where_and_offers_to_copy_the_element(
    tmp_path: Path, capsys: Captured
) -> None:
    path = film(
        tmp_path, PatientName="Ge^Wei", Manufacturer="GE", BurnedInAnnotation="NO",
        PatientID="GW-1",
    )  # fmt: skip
    command = ["deidentify", str(path), "--out"]
    assert main([*command, str(tmp_path / "a")]) == ExitCode.OK
    output = capsys.readouterr()
    assert "film.dcm: warn: " in output.out
    assert "was replaced in Manufacturer" in output.out
    assert "Manufacturer (1)" in output.err
    assert "--allow-element" in output.err
    allow = ["--allow-element", "Manufacturer"]
    assert main([*command, str(tmp_path / "b"), *allow]) == ExitCode.OK
    output = capsys.readouterr()
    assert "film.dcm: ok: " in output.out
    assert "Manufacturer" not in output.err
    (copy,) = (tmp_path / "b").rglob("*.dcm")
    assert pydicom.dcmread(copy).Manufacturer == "GE"


@pytest.mark.parametrize("keyword", ["Manufactur", "PatientName", "PatientComments"])
def test_that_an_element_that_is_never_copied_cannot_be_allowed(
    tmp_path: Path, keyword: str, capsys: Captured
) -> None:
    command = ["deidentify", str(film(tmp_path)), "--out", str(tmp_path / "out")]
    assert main([*command, "--allow-element", keyword]) == ExitCode.USAGE
    assert keyword in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
