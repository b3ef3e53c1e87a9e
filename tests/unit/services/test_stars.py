"""Files of stars beside the films or in the user's own file; damaged files are left alone."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from xrayview.domain.film import FilmRef
from xrayview.errors import UsageError
from xrayview.io.tables.stars import FILE_NAME, load_stars, save_stars
from xrayview.services.stars import StarFiles, StoredStars, film_key, own_key


def film(name: str, **fields: object) -> FilmRef:
    return FilmRef(Path("folder") / name, name, **fields)  # type: ignore[arg-type]


DICOM = film("DOE^JANE.dcm", sop_uid="1.2.3", patient_id="7", patient_name="Doe^Jane")
PNG = film("sub/a.png", format="png", file_size=17)


@pytest.fixture
def files(tmp_path: Path) -> StarFiles:
    return StarFiles(tmp_path / "own" / "stars.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    return folder


def test_that_a_star_is_found_by_uid_or_path(files: StarFiles, folder: Path) -> None:
    assert files.save(folder, {DICOM: True, PNG: True}).path == folder / FILE_NAME
    stored = files.load(folder)
    moved = replace(DICOM, path=Path("elsewhere"), relative_path="other.dcm")
    assert stored.is_starred(DICOM)
    assert stored.is_starred(moved)
    assert stored.is_starred(PNG)
    assert not stored.is_starred(film("b.png"))


def test_that_the_file_is_deleted_with_the_last_star(files: StarFiles, folder: Path) -> None:
    files.save(folder, {DICOM: True, PNG: True})
    files.save(folder, {DICOM: False})
    assert load_stars(folder / FILE_NAME) == {film_key(PNG)}
    files.save(folder, {PNG: False})
    assert list(folder.iterdir()) == []


def test_that_no_identity_is_written(files: StarFiles, folder: Path, tmp_path: Path) -> None:
    files.save(folder, {DICOM: True})
    files.save(tmp_path / "gone", {DICOM: True})
    written = [(folder / FILE_NAME).read_text(), (tmp_path / "own" / "stars.json").read_text()]
    assert not any("doe" in text.lower() or '"7"' in text for text in written)
    assert "1.2.3" not in written[1]


def test_that_stars_of_a_read_only_folder_are_in_the_users_own_file(
    files: StarFiles, folder: Path, tmp_path: Path
) -> None:
    read_only = tmp_path / "not a folder"
    read_only.touch()
    assert files.save(read_only, {DICOM: True, PNG: True}).path == tmp_path / "own" / "stars.json"
    # Wherever the disc is mounted next time: it is known by what is on it.
    assert files.load(folder).is_starred(DICOM)
    assert files.load(folder).is_starred(replace(PNG, relative_path="other/a.png"))
    assert not files.load(folder).is_starred(replace(PNG, file_size=18))


def test_that_a_removed_star_is_removed_from_both_files(
    files: StarFiles, folder: Path, tmp_path: Path
) -> None:
    files.save(tmp_path / "gone", {DICOM: True, PNG: True})
    files.save(folder, {DICOM: False})
    stored = files.load(folder)
    assert not stored.is_starred(DICOM)
    assert stored.is_starred(PNG)


def test_that_another_windows_stars_stay_and_are_noticed(
    files: StarFiles, folder: Path, tmp_path: Path
) -> None:
    other = StarFiles(tmp_path / "own" / "stars.json")
    stored = files.save(folder, {DICOM: True})
    assert other.save(folder, {PNG: True}).beside == {film_key(DICOM), film_key(PNG)}
    assert files.version(folder) != stored.version
    other.save(folder, {DICOM: False})
    assert files.save(folder, {PNG: True}).beside == {film_key(PNG)}


def _star(folder: Path, own: Path, window: int) -> None:
    for number in range(10):
        StarFiles(own).save(folder, {film(f"{window}-{number}.png"): True})


def test_that_no_star_is_lost_when_processes_save_at_the_same_time(
    files: StarFiles, folder: Path, tmp_path: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    own = tmp_path / "own" / "stars.json"
    windows = [context.Process(target=_star, args=(folder, own, n)) for n in range(3)]
    for window in windows:
        window.start()
    for window in windows:
        window.join()
    assert len(files.load(folder).beside) == 30
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


BROKEN = {
    "no json": "{",
    "another thing": "[1]",
    "newer": '{"schema": 2, "starred": []}',
    "no list": '{"schema": 1, "starred": {"a": true}}',
    "no texts": '{"schema": 1, "starred": [1]}',
    "too deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_that_a_damaged_file_is_reported_and_left_unchanged(
    files: StarFiles, folder: Path, tmp_path: Path, text: str
) -> None:
    path = folder / FILE_NAME
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_stars(path)
    assert caught.value.why
    assert files.load(folder).error is not None
    assert files.save(folder, {DICOM: True}).path != path
    assert path.read_text() == text
    assert files.load(folder).is_starred(DICOM)


def test_that_file_names_of_any_bytes_can_be_starred(tmp_path: Path) -> None:
    keys = {"caf\udce9.png", "胸部.png"}
    save_stars(tmp_path / "stars", keys)
    assert load_stars(tmp_path / "stars") == keys
    assert json.loads((tmp_path / "stars").read_text(encoding="ascii"))["schema"] == 1
    assert own_key(film("caf\udce9.png"))


def twins(*films: FilmRef) -> Callable[[FilmRef], list[FilmRef]]:
    """Finds the listed films with the UID of a film."""
    return lambda film: [other for other in films if other.sop_uid == film.sop_uid]


@pytest.mark.parametrize("is_read_only", [False, True])
def test_that_films_with_one_uid_have_stars_of_their_own(
    files: StarFiles, folder: Path, tmp_path: Path, is_read_only: bool
) -> None:
    a, b = film("a.dcm", sop_uid="1.2.3"), film("sub/b.dcm", sop_uid="1.2.3")
    listed = twins(a, b)
    if is_read_only:
        folder = tmp_path / "not a folder"
        folder.touch()

    def starred(stored: StoredStars) -> list[bool]:
        return [stored.is_starred(film, listed) for film in (a, b)]

    assert starred(files.save(folder, {b: True}, listed)) == [False, True]
    assert starred(files.save(folder, {a: True}, listed)) == [True, True]
    assert starred(files.save(folder, {b: False}, listed)) == [True, False]
    assert starred(files.save(folder, {a: False}, listed)) == [False, False]
    # Starred before the other one was there, or by an earlier version.
    files.save(folder, {a: True})
    assert starred(files.load(folder)) == [True, False]
    assert starred(files.save(folder, {b: True}, listed)) == [True, True]
    assert starred(files.save(folder, {a: False}, listed)) == [False, True]
