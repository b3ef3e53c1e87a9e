"""The fast header parser agrees with pydicom, or leaves the file to pydicom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pydicom.data
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ImplicitVRLittleEndian

from tests.builders import ENCODABLE_SYNTAXES, NATIVE_SYNTAXES, phantom, write_dicom
from xrayview.domain.film import FilmRef
from xrayview.errors import UnreadableFilm
from xrayview.io.dicom import fast_header
from xrayview.io.dicom import reader as dicom_reader
from xrayview.io.dicom.transfer_syntax import TRANSFER_SYNTAXES
from xrayview.io.readers import read_header

SAMPLES = sorted(Path(pydicom.data.__file__).parent.joinpath("test_files").rglob("*.dcm"))
ORDINARY = [*NATIVE_SYNTAXES[:2], *ENCODABLE_SYNTAXES]


def read(path: Path) -> FilmRef | tuple[str, str]:
    try:
        return read_header(path, path.parent)
    except UnreadableFilm as error:
        return str(error.code), error.why


def read_by_pydicom(path: Path) -> FilmRef | tuple[str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dicom_reader, "header_elements", lambda *_: _needs_pydicom())
        return read(path)


def _needs_pydicom() -> None:
    raise fast_header.NeedsPydicom


@pytest.fixture
def without_pydicom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        dicom_reader, "open_dicom", lambda *_, **__: pytest.fail("pydicom was used")
    )


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_that_the_samples_of_pydicom_are_read_as_by_pydicom(path: Path) -> None:
    assert read(path) == read_by_pydicom(path)


@pytest.mark.usefixtures("without_pydicom")
@pytest.mark.parametrize("syntax", ORDINARY, ids=lambda uid: TRANSFER_SYNTAXES[uid].name)
def test_that_an_ordinary_film_does_not_need_pydicom(tmp_path: Path, syntax: str) -> None:
    path = write_dicom(tmp_path / "a", phantom(), transfer_syntax=syntax, SeriesNumber=7)
    film = read_header(path, tmp_path)
    assert (film.rows, film.columns, film.series_number) == (48, 40, 7)
    assert (film.modality, film.patient_id, film.transfer_syntax) == ("DX", "P1", syntax)


@pytest.mark.parametrize("syntax", NATIVE_SYNTAXES[:2], ids=["implicit", "explicit"])
def test_that_nested_sequences_of_undefined_length_are_skipped(
    tmp_path: Path, syntax: str, without_pydicom: None
) -> None:
    inner = Dataset()
    inner.Modality = "XX"  # in an item, not at the top level
    outer = Dataset()
    outer.PurposeOfReferenceCodeSequence = Sequence([inner, inner])
    outer.is_undefined_length_sequence_item = True
    for item in (inner, outer):
        for element in item:
            if element.VR == "SQ":
                element.is_undefined_length = True
    sequence = Sequence([outer])
    path = write_dicom(
        tmp_path / "a", phantom(), transfer_syntax=syntax, ReferencedImageSequence=sequence
    )
    data = pydicom.dcmread(path)
    data["ReferencedImageSequence"].is_undefined_length = True
    data.save_as(path)
    assert read_header(path, tmp_path).modality == "DX"


def _long_sequence() -> Sequence:
    """About 60 KiB in items of undefined length."""
    items = []
    for number in range(200):
        item = Dataset()
        item.CodeMeaning = f"{number}".ljust(300)
        item.is_undefined_length_sequence_item = True
        items.append(item)
    return Sequence(items)


@pytest.mark.parametrize("syntax", NATIVE_SYNTAXES[:2], ids=["implicit", "explicit"])
@pytest.mark.parametrize(
    "tags",
    [
        {"ReferencedImageSequence": _long_sequence()},
        {"IconImageSequence": _long_sequence(), "RedPaletteColorLookupTableData": bytes(99_998)},
        {"PatientComments": "x" * 20_000, "FrameComments": "y" * 20_000},
    ],
    ids=["sequence", "after the sizes", "texts"],
)
def test_that_a_header_longer_than_a_chunk_does_not_need_pydicom(
    tmp_path: Path, tags: dict[str, object], syntax: str, without_pydicom: None
) -> None:
    path = write_dicom(tmp_path / "a", phantom(), transfer_syntax=syntax, SeriesNumber=7, **tags)
    data = pydicom.dcmread(path)
    for element in data:
        if element.VR == "SQ":
            element.is_undefined_length = True
    data.save_as(path)
    assert path.stat().st_size > 3 * fast_header.CHUNK_BYTES // 2
    film = read_header(path, tmp_path)
    assert (film.rows, film.columns, film.series_number) == (48, 40, 7)
    assert (film.modality, film.patient_id) == ("DX", "P1")


@pytest.mark.parametrize("inside", range(0, 16, 2))
def test_that_an_element_across_the_end_of_a_chunk_is_read_completely(
    tmp_path: Path, inside: int, without_pydicom: None
) -> None:
    def written(padding: int) -> Path:
        tags = {"PatientID": "AN EVEN ID", "DerivationDescription": "x" * padding}
        return write_dicom(tmp_path / "a", phantom(), **tags)

    patient_id = b"\x10\x00\x20\x00LO"
    start = written(2).read_bytes().index(patient_id)
    path = written(2 + fast_header.CHUNK_BYTES - start - inside)
    assert path.read_bytes().index(patient_id) == fast_header.CHUNK_BYTES - inside
    assert read_header(path, tmp_path).patient_id == "AN EVEN ID"


UNUSUAL = {
    "letters": {"PatientName": "Jürgen^Müller", "SpecificCharacterSet": "ISO_IR 100"},
    "negative number": {"SeriesNumber": None, "InstanceNumber": "-3"},
    "several sizes": {"ViewPosition": ["PA", "LL"]},
    "no value": {"PatientID": "", "Rows": None},
}


@pytest.mark.parametrize("tags", UNUSUAL.values(), ids=UNUSUAL)
def test_that_unusual_values_are_read_as_by_pydicom(
    tmp_path: Path, tags: dict[str, object]
) -> None:
    path = write_dicom(tmp_path / "a", phantom(), **tags)
    assert read(path) == read_by_pydicom(path)


def test_that_a_character_set_that_pydicom_rejects_is_left_to_it(tmp_path: Path) -> None:
    path = write_dicom(tmp_path / "a", phantom(), SpecificCharacterSet="ISO_IR 100")
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", b"\0SO_IR 100", 1))
    assert read(path) == read_by_pydicom(path)
    assert isinstance(read(path), tuple)


def test_that_an_explicit_file_that_claims_to_be_implicit_is_left_to_pydicom(
    tmp_path: Path,
) -> None:
    path = write_dicom(tmp_path / "a", phantom())
    explicit, implicit = b"1.2.840.10008.1.2.1\0", ImplicitVRLittleEndian.encode().ljust(20, b"\0")
    path.write_bytes(path.read_bytes().replace(explicit, implicit, 1))
    assert read(path) == read_by_pydicom(path)


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("heads")
    synthetic = (
        write_dicom(folder / f"{n}", phantom(8, 8), transfer_syntax=syntax, InstanceNumber=3)
        for n, syntax in enumerate(NATIVE_SYNTAXES)
    )
    real = (path for path in SAMPLES if path.name in {"CT_small.dcm", "MR_small.dcm"})
    return [path.read_bytes() for path in _all(synthetic, real)]


def _all(*paths: Iterator[Path]) -> Iterator[Path]:
    for some in paths:
        yield from some


@settings(max_examples=150)
@given(data=st.data())
def test_that_a_broken_header_is_never_read_differently_than_by_pydicom(
    heads: list[bytes], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    head = bytearray(data.draw(st.sampled_from(heads)))
    positions = st.integers(128, min(len(head), 1600) - 1)
    for position, byte in data.draw(
        st.lists(st.tuples(positions, st.integers(0, 255)), max_size=4)
    ):
        head[position] = byte
    if data.draw(st.booleans()):
        del head[data.draw(positions) :]
    path = tmp_path_factory.getbasetemp() / "broken"
    path.write_bytes(head)
    assert read(path) == read_by_pydicom(path)
