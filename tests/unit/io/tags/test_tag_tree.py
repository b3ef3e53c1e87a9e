"""The tag tree: all attributes of the header, up to limits of depth and number."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from tests.builders import phantom, write_dicom, write_raster
from xrayview.domain.tags import TagNode
from xrayview.errors import StatusCode, UnreadableFilm
from xrayview.io.tags.tree import MAX_DEPTH, read_tags, read_values


def nested(levels: int) -> Dataset:
    item = Dataset()
    item.ReferencedSOPInstanceUID = "1.2.3"
    for _ in range(levels):
        outer = Dataset()
        outer.ReferencedImageSequence = [item]
        item = outer
    return item


def bundled(name: str) -> Path:
    return Path(str(get_testdata_file(name, download=False)))


def find(nodes: tuple[TagNode, ...], keyword: str) -> TagNode:
    return next(node for top in nodes for node in top.walk() if node.keyword == keyword)


def test_that_the_tree_starts_with_the_file_meta_and_ends_with_the_pixels() -> None:
    nodes = read_tags(bundled("CT_small.dcm"))
    assert nodes[0].tag == "(0002,0000)"
    assert find(nodes, "TransferSyntaxUID").value.endswith("(Explicit VR Little Endian)")
    assert (nodes[-1].keyword, nodes[-1].vr, nodes[-1].value) == ("PixelData", "OW", "32768 bytes")
    tags = [node.tag for node in nodes]
    assert tags == sorted(tags)


def test_that_known_private_attributes_have_their_name() -> None:
    nodes = read_tags(bundled("CT_small.dcm"))
    private = next(node for node in nodes if node.tag == "(0043,1010)")
    assert private.name == "Window value"
    assert private.keyword == ""


def test_that_items_are_nodes_between_a_sequence_and_its_attributes(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom(), SourceImageSequence=[nested(0), nested(0)])
    sequence = find(read_tags(path), "SourceImageSequence")
    assert (sequence.vr, sequence.value) == ("SQ", "items: 2")
    assert [item.tag for item in sequence.children] == ["0", "1"]
    (leaf,) = sequence.children[1].children
    assert (leaf.keyword, leaf.value) == ("ReferencedSOPInstanceUID", "1.2.3")


def test_that_levels_beyond_the_limit_are_reported(tmp_path: Path) -> None:
    path = write_dicom(
        tmp_path / "film.dcm", phantom(), SourceImageSequence=[nested(MAX_DEPTH + 5)]
    )
    everything = [node for top in read_tags(path) for node in top.walk()]
    assert "deeper levels are not shown" in {node.name for node in everything}
    assert "ReferencedSOPInstanceUID" not in {node.keyword for node in everything}


def test_that_a_sequence_with_thousands_of_levels_raises_our_own_error(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom())
    data = path.read_bytes()
    # Undefined lengths: every level must be parsed to find the end of its parent.
    start = b"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    path.write_bytes(data[: data.index(b"\x10\x00\x10\x00PN")] + start * 3000)
    with pytest.raises(UnreadableFilm) as caught:
        read_tags(path)
    assert caught.value.code is StatusCode.DECODE_FAILED


def test_that_the_number_of_nodes_is_bounded() -> None:
    nodes = read_tags(bundled("CT_small.dcm"), max_nodes=20)
    assert "there are more" in {node.name for node in nodes}
    assert len(nodes) < 25


def test_that_binary_values_are_a_length_and_long_text_is_cut(tmp_path: Path) -> None:
    path = write_dicom(
        tmp_path / "film.dcm", phantom(), ICCProfile=b"\0" * 500, ImageComments="x" * 900
    )
    nodes = read_tags(path)
    assert find(nodes, "ICCProfile").value == "500 bytes"
    assert len(find(nodes, "ImageComments").value) < 210


def test_that_the_repr_of_a_node_has_no_value(tmp_path: Path) -> None:
    nodes = read_tags(write_dicom(tmp_path / "film.dcm", phantom()))
    assert find(nodes, "PatientName").value == "Nobody^Nemo"
    assert "Nobody" not in repr(nodes)


def test_that_a_node_is_marked_if_it_may_identify_the_patient(tmp_path: Path) -> None:
    view, person = Dataset(), Dataset()
    view.CodeMeaning, person.CodeMeaning = "postero-anterior", "Dr. Nemo"
    doctor = Dataset()
    doctor.PersonIdentificationCodeSequence = [person]
    path = write_dicom(
        tmp_path / "film.dcm",
        phantom(),
        KVP="120",
        PatientAge="092Y",
        StudyDate="20040119",
        ViewCodeSequence=[view],
        ReferringPhysicianIdentificationSequence=[doctor],
    )
    shown: dict[bool, set[str]] = {True: set(), False: set()}
    for node in (node for top in read_tags(path) for node in top.walk() if node.value):
        shown[node.is_identifying].add(f"{node.keyword} {node.value}")
    hidden = {"PatientName Nobody^Nemo", "PatientAge 092Y", "StudyDate 20040119"}
    assert {*hidden, "CodeMeaning Dr. Nemo"} <= shown[True]
    assert {"KVP 120", "CodeMeaning postero-anterior", "ViewCodeSequence items: 1"} <= shown[False]


def test_that_uids_of_the_film_identify_and_uids_of_the_standard_do_not() -> None:
    nodes = read_tags(bundled("CT_small.dcm"))
    assert find(nodes, "SOPInstanceUID").is_identifying
    assert not find(nodes, "SOPClassUID").is_identifying
    assert not find(nodes, "PixelData").is_identifying


@pytest.mark.parametrize(("age", "hidden"), [("95", True), ("95 Y", True), ("090M", False)])
def test_that_a_rare_age_identifies_however_it_is_written(
    tmp_path: Path, age: str, hidden: bool
) -> None:
    path = write_dicom(tmp_path / "film.dcm", phantom(), PatientAge=age)
    assert find(read_tags(path), "PatientAge").is_identifying is hidden


def test_that_a_common_age_does_not_identify() -> None:
    nodes = read_tags(bundled("CT_small.dcm"))
    assert find(nodes, "PatientAge").value == "000Y"
    assert not find(nodes, "PatientAge").is_identifying


def test_that_only_dicom_files_have_tags(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFilm) as caught:
        read_tags(write_raster(tmp_path / "film.png", phantom(bits=8)))
    assert caught.value.code is StatusCode.NOT_AN_IMAGE


def test_that_values_are_found_by_keyword_tag_and_path(tmp_path: Path) -> None:
    path = write_dicom(
        tmp_path / "film.dcm",
        phantom(),
        ImagerPixelSpacing=[0.1, 0.2],
        SourceImageSequence=[nested(0), nested(1)],
        ICCProfile=b"\0" * 500,
    )
    expected = {
        "Rows": "48",
        "00181164": "0.1\\0.2",
        "SourceImageSequence": "2",
        "SourceImageSequence.0.ReferencedSOPInstanceUID": "1.2.3",
        "SourceImageSequence.1.ReferencedImageSequence.0.ReferencedSOPInstanceUID": "1.2.3",
        "SourceImageSequence.7.ReferencedSOPInstanceUID": "",
        "KVP": "",
        "ICCProfile": "500 bytes",
        "TransferSyntaxUID": "1.2.840.10008.1.2.1",
    }
    assert read_values(path, tuple(expected)) == tuple(expected.values())


def test_that_a_report_without_pixels_has_values_and_a_truncated_header_is_refused(
    tmp_path: Path,
) -> None:
    report = bundled("reportsi.dcm")
    assert read_values(report, ("Modality",)) == ("SR",)
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(report.read_bytes()[:1201])
    with pytest.raises(UnreadableFilm) as caught:
        read_values(cut, ("Modality",))
    assert caught.value.code is StatusCode.DECODE_FAILED


def test_that_a_film_without_tags_has_its_size(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "film.png", phantom(bits=8))
    assert read_values(path, ("Rows", "Columns", "Modality")) == ("48", "40", "")
