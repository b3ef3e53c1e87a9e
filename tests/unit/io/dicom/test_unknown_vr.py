"""An element whose VR is none of the standard's costs only that element (PS3.5, 7.1.2)."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
)

from tests.builders import lut_item, phantom, write_dicom
from xrayview.domain.tags import TagNode
from xrayview.io.deidentify.copy import Pseudonyms, deidentify
from xrayview.io.dicom.dicomdir import referenced_files
from xrayview.io.readers import read_film, read_header
from xrayview.io.tags.tree import read_tags, read_values

UNKNOWN = [b"--", b"\0\0", b"ZZ", b"lo", b"??", b"  ", b"\xff\xff"]
FORMS = {"short": (0x0010_21B0, "LT"), "long": (0x0040_A160, "UT")}
"""An element with a length of 16 bits and one of 32, with 2 more bytes before it."""
NOTE = "elements with an unknown VR, which cannot be read: 1"


def with_vr(path: Path, tag: int, vr: bytes, order: str = "<") -> Path:
    """Replace the VR of every element with this tag."""
    data = path.read_bytes()
    byteorder = "little" if order == "<" else "big"
    key = (tag >> 16).to_bytes(2, byteorder) + (tag & 0xFFFF).to_bytes(2, byteorder)
    position = data.find(key)
    assert position > 0
    while position > 0:
        data = data[: position + 4] + vr + data[position + 6 :]
        position = data.find(key, position + 6)
    path.write_bytes(data)
    return path


def all_nodes(path: Path) -> list[TagNode]:
    return [node for top in read_tags(path) for node in top.walk()]


@pytest.mark.parametrize("vr", UNKNOWN)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", ["", "text", "long text " * 99, "\0\x28\0\x10US\2\0"])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian, JPEG2000Lossless])
def test_that_it_costs_only_that_element(
    tmp_path: Path, vr: bytes, form: str, text: str, syntax: str
) -> None:
    tag, _ = FORMS[form]
    keyword = pydicom.datadict.keyword_for_tag(tag)
    path = write_dicom(
        tmp_path / "film.dcm",
        phantom(),
        bits_stored=12,
        windows=[(100, 200)],
        BodyPartExamined="CHEST",
        PixelSpacing=[0.1, 0.1],
        transfer_syntax=syntax,
        **{keyword: text},
    )
    with_vr(path, tag, vr, ">" if syntax == ExplicitVRBigEndian else "<")
    film = read_header(path, tmp_path)
    assert (film.rows, film.columns, film.body_part, film.patient_id) == (48, 40, "CHEST", "P1")
    radiograph = read_film(film)
    np.testing.assert_array_equal(radiograph.pixels_HW, phantom())
    assert radiograph.greyscale.windows[0].center == 100
    assert NOTE in radiograph.notes
    assert radiograph.warnings == ()
    nodes = {node.keyword: node for node in all_nodes(path)}
    if text:
        assert nodes[keyword].value == "cannot be read"
    assert nodes["Rows"].value == "48"
    assert "PixelData" in nodes
    assert read_values(path, (keyword, "Rows")) == ("", "48")


@pytest.mark.parametrize("vr", UNKNOWN)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("undefined", [False, True])
def test_that_it_does_not_cost_the_sequence_that_it_is_in(
    tmp_path: Path, vr: bytes, form: str, undefined: bool
) -> None:
    tag, element_vr = FORMS[form]
    lut = lut_item(7, np.arange(4096), 12)
    lut.add_new(tag, element_vr, "text")
    lut.is_undefined_length_sequence_item = undefined
    path = write_dicom(tmp_path / "film.dcm", phantom(), bits_stored=12, voi_luts=[lut])
    if undefined:
        dataset = pydicom.dcmread(path)
        dataset["VOILUTSequence"].is_undefined_length = True
        dataset["VOILUTSequence"].value[0].is_undefined_length_sequence_item = True
        dataset.save_as(path)
    with_vr(path, tag, vr)
    radiograph = read_film(read_header(path, tmp_path))
    assert radiograph.greyscale.voi_luts[0].first_value == 7
    assert NOTE in radiograph.notes
    assert {"LUTDescriptor", "LUTData"} <= {node.keyword for node in all_nodes(path)}


@pytest.mark.parametrize("vr", UNKNOWN)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("nested", [False, True])
def test_that_a_de_identified_copy_is_made_without_it(
    tmp_path: Path, vr: bytes, form: str, nested: bool
) -> None:
    tag, element_vr = FORMS[form]
    path = write_dicom(tmp_path / "film.dcm", phantom(), bits_stored=12)
    dataset = pydicom.dcmread(path)
    view = Dataset()
    view.CodeValue, view.CodingSchemeDesignator, view.CodeMeaning = "R-10206", "SNM3", "antero"
    (view if nested else dataset).add_new(tag, element_vr, "text of nobody")
    dataset.ViewCodeSequence = Sequence([view])
    dataset.save_as(path)
    with_vr(path, tag, vr)
    copy = deidentify(path, ExplicitVRLittleEndian, Pseudonyms(b"key"))
    assert b"text of nobody" not in copy.file
    (tmp_path / "copy.dcm").write_bytes(copy.file)
    result = pydicom.dcmread(tmp_path / "copy.dcm")
    np.testing.assert_array_equal(result.pixel_array, phantom())
    assert result.ViewCodeSequence[0].CodeValue == "R-10206"
    assert tag not in result
    assert tag not in result.ViewCodeSequence[0]


@pytest.mark.parametrize("vr", UNKNOWN)
def test_that_texts_keep_a_character_set_with_an_unknown_vr(tmp_path: Path, vr: bytes) -> None:
    options = {"SpecificCharacterSet": "ISO_IR 192", "InstitutionName": "Universität"}
    path = write_dicom(tmp_path / "film.dcm", phantom(), bits_stored=12, **options)
    with_vr(path, 0x00080005, vr)
    film = read_header(path, tmp_path)
    assert film.institution == "Universität"
    np.testing.assert_array_equal(read_film(film).pixels_HW, phantom())
    assert deidentify(path, ExplicitVRLittleEndian, Pseudonyms(b"key")).file


@pytest.mark.parametrize("vr", UNKNOWN)
@pytest.mark.parametrize("undefined", [False, True])
def test_that_a_sequence_with_an_unknown_vr_costs_only_the_sequence(
    tmp_path: Path, vr: bytes, undefined: bool
) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom(), bits_stored=12)
    dataset = pydicom.dcmread(path)
    item = Dataset()
    item.CodeValue, item.CodeMeaning = "R-10206", "antero"
    item.is_undefined_length_sequence_item = undefined
    dataset.ProcedureCodeSequence = Sequence([item, item])
    dataset["ProcedureCodeSequence"].is_undefined_length = undefined
    dataset.AcquisitionComments = "text"
    dataset.save_as(path)
    with_vr(path, 0x00081032, vr)
    with_vr(path, 0x00184000, vr)
    radiograph = read_film(read_header(path, tmp_path))
    np.testing.assert_array_equal(radiograph.pixels_HW, phantom())
    assert NOTE.replace("1", "2") in radiograph.notes
    assert {"Rows", "PixelData"} <= {node.keyword for node in all_nodes(path)}


@pytest.mark.parametrize("vr", UNKNOWN)
def test_that_several_of_them_are_passed_one_after_the_other(tmp_path: Path, vr: bytes) -> None:
    texts = {"AdditionalPatientHistory": "a", "PatientComments": "bb", "AcquisitionComments": ""}
    path = write_dicom(tmp_path / "film.dcm", phantom(), bits_stored=12, **texts)
    for keyword in texts:
        with_vr(path, pydicom.datadict.tag_for_keyword(keyword), vr)
    radiograph = read_film(read_header(path, tmp_path))
    np.testing.assert_array_equal(radiograph.pixels_HW, phantom())
    assert NOTE.replace("1", "3") in radiograph.notes


@pytest.mark.parametrize("vr", UNKNOWN)
def test_that_the_pixels_may_have_an_unknown_vr(tmp_path: Path, vr: bytes) -> None:
    path = with_vr(write_dicom(tmp_path / "film.dcm", phantom(), bits_stored=12), 0x7FE00010, vr)
    np.testing.assert_array_equal(read_film(read_header(path, tmp_path)).pixels_HW, phantom())


@pytest.mark.parametrize("vr", [b"--", b"ZZ"])
def test_that_the_file_meta_information_may_have_an_unknown_vr(tmp_path: Path, vr: bytes) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom(), bits_stored=12)
    dataset = pydicom.dcmread(path)
    dataset.file_meta.SourceApplicationEntityTitle = "SOURCE"
    dataset.save_as(path)
    with_vr(path, 0x00020016, vr)
    np.testing.assert_array_equal(read_film(read_header(path, tmp_path)).pixels_HW, phantom())
    nodes = {node.keyword: node.value for node in all_nodes(path)}
    assert nodes["SourceApplicationEntityTitle"] == "cannot be read"
    assert nodes["TransferSyntaxUID"].endswith("(Explicit VR Little Endian)")


@pytest.mark.parametrize("vr", UNKNOWN)
def test_that_a_dicomdir_may_have_an_unknown_vr(tmp_path: Path, vr: bytes) -> None:
    disc = Path(pydicom.data.__file__).parent / "test_files" / "dicomdirtests"
    folder = Path(shutil.copytree(disc, tmp_path / "disc"))
    dataset = pydicom.dcmread(folder / "DICOMDIR")
    for record in dataset.DirectoryRecordSequence[:3]:
        record.AdditionalPatientHistory = "text"
    dataset.AdditionalPatientHistory = "text"
    dataset.save_as(folder / "DICOMDIR")
    with_vr(folder / "DICOMDIR", 0x001021B0, vr)
    assert len(list(referenced_files(folder / "DICOMDIR"))) == 31


def test_that_a_deflated_film_may_have_an_unknown_vr(tmp_path: Path) -> None:
    import zlib

    path = write_dicom(
        tmp_path / "film.dcm",
        phantom(),
        transfer_syntax=DeflatedExplicitVRLittleEndian,
        AdditionalPatientHistory="text",
    )
    data = path.read_bytes()
    start = 144 + int.from_bytes(data[140:144], "little")
    body = zlib.decompress(data[start:], -15).replace(b"\x10\0\xb0\x21LT", b"\x10\0\xb0\x21--")
    deflater = zlib.compressobj(wbits=-15)
    path.write_bytes(data[:start] + deflater.compress(body) + deflater.flush())
    np.testing.assert_array_equal(read_film(read_header(path, tmp_path)).pixels_HW, phantom())


@pytest.mark.parametrize("private", [False, True])
def test_that_a_data_set_declared_explicit_and_written_implicit_is_read(
    tmp_path: Path, private: bool
) -> None:
    path = write_dicom(
        tmp_path / "film.dcm",
        phantom(),
        bits_stored=12,
        windows=[(100, 200)],
        transfer_syntax=ImplicitVRLittleEndian,
        AdditionalPatientHistory="text",
    )
    if private:
        dataset = pydicom.dcmread(path)
        block = dataset.private_block(0x0011, "MAKER", create=True)
        for number in range(1, 9):
            block.add_new(number, "LO", "1.2.3.4" * number)
        dataset.save_as(path)
    data = path.read_bytes()
    declared = data.replace(b"UI\x12\x001.2.840.10008.1.2\0", b"UI\x14\x001.2.840.10008.1.2.1\0", 1)
    group_length = int.from_bytes(data[140:144], "little") + 2
    path.write_bytes(declared[:140] + group_length.to_bytes(4, "little") + declared[144:])
    film = read_header(path, tmp_path)
    radiograph = read_film(film)
    assert film.transfer_syntax == ExplicitVRLittleEndian
    np.testing.assert_array_equal(radiograph.pixels_HW, phantom())
    assert radiograph.notes == ()
    nodes = {node.keyword: node.value for node in all_nodes(path)}
    assert nodes["AdditionalPatientHistory"] == "text"


@pytest.mark.parametrize("name", ["SC_rgb_rle.dcm", "693_J2KR.dcm", "CT_small.dcm"])
def test_that_films_with_known_vrs_are_read_as_they_are(name: str) -> None:
    path = Path(str(pydicom.data.get_testdata_file(name, download=False)))
    notes = read_film(read_header(path, path.parent)).notes
    assert not any("unknown VR" in note for note in notes)


def test_that_an_implicit_element_in_an_explicit_file_is_still_read(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom(), bits_stored=12, BodyPartExamined="CHEST ")
    data = path.read_bytes()
    explicit = b"\x18\0\x15\0CS\6\0"
    assert explicit in data
    path.write_bytes(data.replace(explicit, b"\x18\0\x15\0\6\0\0\0"))
    film = read_header(path, tmp_path)
    assert film.body_part == "CHEST"
    np.testing.assert_array_equal(read_film(film).pixels_HW, phantom())
    assert read_film(film).notes == ()
