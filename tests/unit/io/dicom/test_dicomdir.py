"""A DICOMDIR lists the files it refers to, and reports those that are missing or elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pydicom.data
import pytest
from pydicom import dcmread

from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.engine.client import Engine
from xrayview.engine.scan import is_index, scan_folder
from xrayview.errors import UnreadableFilm
from xrayview.io.dicom.dicomdir import referenced_files

DISC = Path(pydicom.data.__file__).parent / "test_files" / "dicomdirtests"


@pytest.fixture
def disc(tmp_path: Path) -> Path:
    """The file-set that comes with pydicom: three patients, 31 images."""
    return Path(shutil.copytree(DISC, tmp_path / "disc")) / "DICOMDIR"


def rename(disc: Path, number: int, file_id: list[str]) -> None:
    """Let one record refer to another file."""
    dataset = dcmread(disc)
    record = [r for r in dataset.DirectoryRecordSequence if "ReferencedFileID" in r][number]
    record.ReferencedFileID = file_id
    dataset.save_as(disc)


def test_that_files_are_listed_in_the_order_of_the_records(disc: Path) -> None:
    records = [r for r in dcmread(disc).DirectoryRecordSequence if "ReferencedFileID" in r]
    listed = list(referenced_files(disc))
    assert listed == [disc.parent.joinpath(*record.ReferencedFileID) for record in records]
    assert len(listed) == 31


def test_that_opening_a_dicomdir_lists_its_films(disc: Path, engine: Engine) -> None:
    (disc.parent / "not referred.png").write_bytes(b"\x89PNG")
    found = list(scan_folder(engine, disc))
    assert len(found) == 31
    assert all(isinstance(film, FilmRef) for film in found)
    assert {film.relative_path.split("/")[0] for film in found} == {
        "77654033",
        "98892001",
        "98892003",
    }


def test_that_a_missing_file_is_rejected_in_order(disc: Path, engine: Engine) -> None:
    missing = list(referenced_files(disc))[3]
    assert isinstance(missing, Path)
    missing.unlink()
    found = list(scan_folder(engine, disc))
    assert [n for n, row in enumerate(found) if isinstance(row, RejectedFile)] == [3]
    assert found[3].relative_path == missing.relative_to(disc.parent).as_posix()
    assert "missing file" in found[3].why


@pytest.mark.parametrize(
    "file_id",
    [
        ["..", "secret"],
        ["..", "..", "etc"],
        ["77654033", "..", "..", "secret"],
        ["/", "secret"],
        ["a/../../secret"],
    ],
    ids="/".join,
)
def test_that_a_reference_out_of_the_folder_is_not_followed(disc: Path, file_id: list[str]) -> None:
    (disc.parent.parent / "secret").write_bytes(b"secret")
    rename(disc, 0, file_id)
    first = next(iter(referenced_files(disc)))
    assert isinstance(first, RejectedFile)
    assert "outside" in first.why


def test_that_a_link_out_of_the_folder_is_not_followed(disc: Path) -> None:
    secret = disc.parent.parent / "secret"
    secret.write_bytes(b"secret")
    (disc.parent / "LINK").symlink_to(secret)
    rename(disc, 0, ["LINK"])
    first = next(iter(referenced_files(disc)))
    assert isinstance(first, RejectedFile)


def test_that_names_in_lower_case_are_found(disc: Path) -> None:
    (disc.parent / "film").write_bytes(b"film")
    rename(disc, 0, ["FILM"])
    assert next(iter(referenced_files(disc))) in {disc.parent / "film", disc.parent / "FILM"}


@pytest.mark.parametrize(
    ("file_id", "name"),
    [
        (["IMG001"], "IMG001.dcm"),
        (["IMG001"], "img001.dcm"),
        (["IMG001"], "IMG001.DCM"),
        (["IMG001"], "Img001.Dcm"),
        (["IMG001"], "IMG001.;1"),
        (["IMG001;1"], "IMG001"),
        (["IMG001."], "img001"),
        (["IMG001.dcm"], "IMG001.dcm"),
        (["SET", "IMG001"], "Set/Img001.dcm"),
        (["SET/IMG001"], "SET/IMG001"),
        (["", "SET", "IMG001"], "SET/IMG001.dcm"),
    ],
    ids=str,
)
def test_that_a_file_is_found_by_a_name_with_other_case_suffix_or_separator(
    disc: Path, file_id: list[str], name: str
) -> None:
    path = disc.parent / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"film")
    rename(disc, 0, file_id)
    first = next(iter(referenced_files(disc)))
    assert isinstance(first, Path)
    assert first.samefile(path)


def test_that_the_exact_name_comes_first(disc: Path) -> None:
    for name in ("IMG001.dcm", "img001", "IMG001"):
        (disc.parent / name).write_bytes(name.encode())
    rename(disc, 0, ["IMG001"])
    first = next(iter(referenced_files(disc)))
    assert isinstance(first, Path)
    assert first.read_bytes() == b"IMG001"


def test_that_a_link_with_a_suffix_out_of_the_folder_is_not_followed(disc: Path) -> None:
    secret = disc.parent.parent / "secret"
    secret.write_bytes(b"secret")
    (disc.parent / "link.dcm").symlink_to(secret)
    rename(disc, 0, ["LINK"])
    assert isinstance(next(iter(referenced_files(disc))), RejectedFile)


def test_that_a_file_of_two_records_is_listed_once(disc: Path) -> None:
    first, second = list(referenced_files(disc))[:2]
    assert isinstance(second, Path)
    rename(disc, 0, list(second.relative_to(disc.parent).parts))
    listed = list(referenced_files(disc))
    assert listed.count(second) == 1
    assert first not in listed


def test_that_a_dicomdir_without_references_is_refused(disc: Path) -> None:
    dataset = dcmread(disc)
    dataset.DirectoryRecordSequence = []
    dataset.save_as(disc)
    with pytest.raises(UnreadableFilm, match="not refer to any file"):
        list(referenced_files(disc))


@pytest.mark.parametrize("data", [b"", b"noise" * 100, bytes(128) + b"DICM" + b"\2\0" * 9])
def test_that_a_broken_dicomdir_is_refused(disc: Path, engine: Engine, data: bytes) -> None:
    disc.write_bytes(data)
    with pytest.raises(UnreadableFilm):
        list(scan_folder(engine, disc))


def test_that_only_a_file_is_an_index(tmp_path: Path, disc: Path) -> None:
    (tmp_path / "DICOMDIR").mkdir()
    assert is_index(disc)
    assert not is_index(tmp_path / "DICOMDIR")
    assert not is_index(tmp_path / "film.dcm")
