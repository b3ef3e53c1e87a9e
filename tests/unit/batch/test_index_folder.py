"""An index lists every file once, keeps patients together, and reads each header once."""

from __future__ import annotations

import os
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.builders import phantom, write_dicom, write_raster
from xrayview.batch import file_state
from xrayview.batch.index_folder import NEXT_SUFFIX, IndexOptions, IndexProgress, index_folder
from xrayview.batch.journal import journal_path
from xrayview.domain.film_index import GROUP_BITS, IndexedFile, Shard
from xrayview.engine.client import Engine
from xrayview.engine.scan import scan_folder
from xrayview.errors import Cancelled, NothingUsable, UsageError
from xrayview.io import external_sort
from xrayview.io.tables import film_index as tables
from xrayview.io.tables.cells import name_of_file
from xrayview.io.tables.film_index import FilmIndex, IndexMetadata, write_film_index

KEY = b"k" * 32
PATIENTS, VIEWS = 6, 3


@pytest.fixture(autouse=True)
def _files_are_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the times of files as young as these prove nothing."""
    monkeypatch.setattr(file_state, "SETTLED_NS", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Films of patients that are spread over folders, and files that are not films."""
    root = tmp_path / "films"
    for view in range(VIEWS):
        (root / f"site {view}").mkdir(parents=True)
        for patient in range(PATIENTS):
            write_dicom(
                root / f"site {view}" / f"{patient}.dcm",
                phantom(),
                PatientID=f"ID-{patient}",
                PatientName="DOE^JANE",
                StudyInstanceUID=f"1.2.{patient}.{view // 2}",
            )
    write_raster(root / "plain.png", phantom(bits=8))
    (root / "notes.txt").write_text("not a film")
    (root / "link.dcm").symlink_to("/etc/hostname")
    (root / os.fsdecode(b"caf\xe9.txt")).write_text("a name that is not UTF-8")
    write_dicom(root / "frames.dcm", np.stack([phantom()] * 3), frames=3, PatientID="ID-0")
    return root


def index(
    engine: Engine, folder: Path, out: Path, **options: object
) -> tuple[IndexProgress, list[IndexedFile]]:
    given = IndexOptions(**{"identity_key": KEY, **options})  # type: ignore[arg-type]
    *_, finished = index_folder(engine, folder, out, given)
    assert finished.finished
    return finished, rows(out)


def rows(out: Path) -> list[IndexedFile]:
    with FilmIndex(out) as films:
        return list(films.rows())


def test_that_every_file_is_listed_once_in_scan_order_without_identity(
    engine: Engine, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "index.parquet"
    finished, found = index(engine, folder, out)
    by_id = sorted(found, key=lambda file: file.id)
    scanned = [file.relative_path for file in scan_folder(engine, folder)]
    assert [file.id for file in by_id] == list(range(len(scanned)))
    assert [name_of_file(file.path) for file in by_id] == scanned
    assert (finished.files, finished.films) == (len(scanned), PATIENTS * VIEWS + 2)
    assert finished.failed == 0
    films = {file.path: file for file in found}
    assert films["frames.dcm"].frames == 3
    assert films["notes.txt"].status_code == "NOT_AN_IMAGE"
    assert "leaves the folder" in films["link.dcm"].refusal
    assert films["plain.png"].size == (folder / "plain.png").stat().st_size
    assert films["site 0/1.dcm"].patient == films["site 2/1.dcm"].patient != ""
    for path in (out, journal_path(out)):
        assert b"DOE" not in path.read_bytes()
        assert b"ID-" not in path.read_bytes()
    with FilmIndex(out) as read:
        assert read.metadata.table_rows == len(found) + 2
        assert read.metadata.root == str(folder)
    assert {path.name for path in tmp_path.iterdir()} == {
        "films", "index.parquet", "index.parquet.journal",
    }  # fmt: skip


@pytest.mark.parametrize("identity", ["none", "hash", "full"])
def test_that_no_patient_is_in_two_shards_whatever_the_identity(
    engine: Engine, folder: Path, tmp_path: Path, identity: str
) -> None:
    out = tmp_path / "index.parquet"
    _, found = index(engine, folder, out, identity=identity)
    patients = {file.path: name_of_file(file.path)[-5] for file in found if "site" in file.path}
    for count in (1, 2, 3, 7, 40):
        with FilmIndex(out) as films:
            shards = [list(films.shard(Shard(n, count))) for n in range(1, count + 1)]
        assert [file for shard in shards for file in shard] == found
        shards_of = {
            patient: {i for i, s in enumerate(shards) for f in s if patients.get(f.path) == patient}
            for patient in patients.values()
        }
        assert {len(numbers) for numbers in shards_of.values()} == {1}
    shown = {file.patient for file in found if file.path == "site 0/1.dcm"}
    assert (shown == {""}, shown == {"ID-1"}) == (identity == "none", identity == "full")


def test_that_placeholders_name_no_patient_and_a_pattern_finds_them_in_paths(
    engine: Engine, tmp_path: Path
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    for n in range(4):
        tags = {"PatientID": "ANONYMOUS", "StudyInstanceUID": f"1.2.{n // 2}"}
        write_dicom(folder / f"anon {n}.dcm", phantom(), **tags)
        write_raster(folder / f"patient{n // 2:03}_{n}.png", phantom(bits=8))
    groups = {file.path: file.group for file in index(engine, folder, tmp_path / "a.parquet")[1]}
    assert groups["anon 0.dcm"] == groups["anon 1.dcm"] != groups["anon 2.dcm"]  # by study
    assert len({group for path, group in groups.items() if "png" in path}) == 4
    out = tmp_path / "b.parquet"
    _, found = index(engine, folder, out, patient_pattern="(patient[0-9]+)_", identity="full")
    patients = {file.path: file.patient for file in found}
    assert patients["patient001_2.png"] == patients["patient001_3.png"] == "patient001"
    assert patients["anon 0.dcm"] == ""
    groups = {file.path: file.group for file in found}
    assert groups["patient001_2.png"] == groups["patient001_3.png"] != groups["patient000_0.png"]
    with pytest.raises(UsageError, match="patient_pattern"):
        index(engine, folder, out, identity="full")
    with pytest.raises(UsageError, match="not a regular expression"):
        index(engine, folder, tmp_path / "c.parquet", patient_pattern="(")


def test_that_a_second_run_reads_headers_of_new_and_changed_files_only(
    engine: Engine, folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "index.parquet"
    first, before = index(engine, folder, out)
    again, same = index(engine, folder, out)
    assert (first.known, again.known, same) == (0, first.files - 1, before)  # but for the link
    with FilmIndex(out) as films:
        index_id = films.metadata.index_id
    (folder / "site 0" / "0.dcm").unlink()
    write_dicom(folder / "site 1" / "1.dcm", phantom(), PatientID="ID-5")
    write_dicom(folder / "site 1" / "1b.dcm", phantom(), PatientID="ID-9")
    third, after = index(engine, folder, out)
    assert (third.files, third.known) == (first.files, first.files - 3)
    groups = {file.path: file.group for file in after}
    assert groups["site 1/1.dcm"] == groups["site 0/5.dcm"]
    assert "site 0/0.dcm" not in groups
    assert [file.id for file in sorted(after, key=lambda f: f.id)] == list(range(third.files))
    with FilmIndex(out) as films:
        assert films.metadata.index_id != index_id
    assert index(engine, folder, out, restart=True)[0].known == 0


@pytest.mark.parametrize("way", ["cancelled", "killed"])
def test_that_an_interrupted_index_is_continued_and_equals_an_uninterrupted_one(
    engine: Engine, folder: Path, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xrayview.batch.index_folder.EVERY", 1)
    _, whole = index(engine, folder, tmp_path / "whole.parquet")
    out, cancel = tmp_path / "index.parquet", threading.Event()
    given = IndexOptions(identity_key=KEY)
    events = index_folder(engine, folder, out, given, cancel)
    for event in events:
        if event.files == 10:
            break
    if way == "cancelled":
        cancel.set()
        with pytest.raises(Cancelled):
            list(events)
    else:
        events.close()  # type: ignore[attr-defined]
        journal = out.with_name(journal_path(out).name + NEXT_SUFFIX)
        journal.write_bytes(journal.read_bytes()[:-20])  # a line that was being written
    assert not out.exists()
    finished, found = index(engine, folder, out)
    assert 7 <= finished.known < finished.files
    assert found == whole


def test_that_other_files_are_never_replaced(engine: Engine, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "index.parquet"
    out.write_text("someone's notes")
    with pytest.raises(UsageError, match="Not an index"):
        index(engine, folder, out)
    assert out.read_text() == "someone's notes"
    out.unlink()
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingUsable):
        index(engine, tmp_path / "empty", out)
    index(engine, folder, out)
    with pytest.raises(UsageError, match="identity_key"):
        index(engine, folder, out, identity_key=b"j" * 32)


def test_that_an_index_in_its_own_folder_is_not_listed(engine: Engine, folder: Path) -> None:
    out = folder / "index.parquet"
    _, first = index(engine, folder, out)
    _, again = index(engine, folder, out)
    assert [file.path for file in first] == [file.path for file in again]
    assert not any("parquet" in file.path for file in again)


@pytest.mark.parametrize("text", ["", "0/3", "4/3", "1/0", "a/b", "1", "-1/3"])
def test_that_a_shard_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--shard 1/10"):
        Shard.parse(text)
    assert Shard.parse("3/7") == Shard(3, 7)


def test_that_shards_are_cut_alike_across_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patients of 1 to 9 films, in row groups of 16, also one longer than a row group."""
    monkeypatch.setattr(tables, "ROWS_PER_GROUP", 16)
    sizes = [1 + i * 7 % 9 for i in range(60)] + [40, 1, 1]
    groups = [group for group, size in enumerate(sizes) for _ in range(size)]
    files = [IndexedFile(i, f"{i}", 1, 1, "", "", 1, group) for i, group in enumerate(groups)]
    out = tmp_path / "index.parquet"
    metadata = IndexMetadata("/", "id", len(files), len(files), "none", "", "", "")
    write_film_index(out, iter(files), lambda: metadata)
    with FilmIndex(out) as films:
        assert list(films.rows(15, 18)) == files[15:18]
        for count in (1, 2, 5, 16, len(files), 500):
            shards = [list(films.shard(Shard(n, count))) for n in range(1, count + 1)]
            assert [file for shard in shards for file in shard] == files
            owners = Counter(group for shard in shards for group in {f.group for f in shard})
            assert set(owners.values()) == {1}
            assert max(map(len, shards)) <= len(files) / count + max(sizes)


@pytest.mark.parametrize("buffer", [0, 500, 1 << 20])
def test_that_an_external_sort_is_stable_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buffer: int
) -> None:
    monkeypatch.setattr(external_sort, "BUCKETS", 4)
    monkeypatch.setattr(external_sort, "BUFFER", buffer)
    top = 1 << GROUP_BITS
    lines = [(i * 7919 % 13 * (top // 13), f"{i}\té") for i in range(200)]
    folder = tmp_path / "sort"
    folder.mkdir()
    (folder / "0000").write_text("by a run that was killed")
    with external_sort.ExternalSort(folder, top) as sort:
        for key, text in lines:
            sort.add(key, text)
        assert folder.exists() == (buffer < 1000)
        found = list(sort.lines())
    assert found == [text for _, text in sorted(lines, key=lambda line: line[0])]
    assert not folder.exists()
