"""Files of annotations beside the films or in the user's folder."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from xrayview.domain.mark_keys import StoredMarks, mark_key
from xrayview.domain.measurement import Annotation, FilmMarks, Mark
from xrayview.domain.radiograph import Spacing, SpacingKind
from xrayview.errors import UsageError
from xrayview.io.scan import walk
from xrayview.io.tables.measurement_store import FILE_NAME, load_measurements, save_measurements
from xrayview.services.measurement_files import MeasurementFiles

NOW_MS = round(time.time() * 1000)


def line(uid: str, mark_id: str = "a", after_ms: int = 1, column: float = 4.0) -> Annotation:
    points = ((1.0, 2.0), (3.0, column))
    return Annotation(Mark.LENGTH, points, uid, mark_id=mark_id, modified_ms=NOW_MS + after_ms)


def marks(uid: str) -> FilmMarks:
    return FilmMarks((line(uid),), Spacing(0.5, 0.5, SpacingKind.USER), NOW_MS + 1)


def erased(after_ms: int = 2) -> FilmMarks:
    """The marks of `marks`, deleted."""
    return FilmMarks(deleted={"a": NOW_MS + after_ms}, calibrated_ms=NOW_MS + after_ms)


def shown(films: Mapping[str, FilmMarks]) -> dict[str, FilmMarks]:
    """The films with marks."""
    return {uid: marks for uid, marks in films.items() if marks != FilmMarks()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "DOE^JOHN"
    folder.mkdir()
    return folder


@pytest.fixture
def files(tmp_path: Path) -> MeasurementFiles:
    return MeasurementFiles(tmp_path / "own")


def refuse_writing(folder: Path) -> None:
    """Block the file by a folder of its name, which also works for the superuser."""
    (folder / f"{FILE_NAME}.partial").mkdir()


def test_that_annotations_are_saved_beside_the_films_and_loaded(
    files: MeasurementFiles, folder: Path
) -> None:
    assert files.save(folder, {"1": marks("1")}).path == folder / FILE_NAME
    assert files.load(folder).films == {"1": marks("1")}
    assert not files.own_copy(folder).exists()


def test_that_annotations_from_another_window_are_kept(
    files: MeasurementFiles, folder: Path
) -> None:
    files.save(folder, {"1": marks("1")})
    save_measurements(folder / FILE_NAME, {"1": marks("1"), "2": marks("2")})
    files.save(folder, {"1": erased()})
    assert shown(files.load(folder).films) == {"2": marks("2")}


def test_that_a_mark_that_was_never_saved_leaves_no_file(
    files: MeasurementFiles, folder: Path
) -> None:
    files.save(folder, {"1": FilmMarks(deleted={"a": NOW_MS})})
    assert list(folder.iterdir()) == []


def test_that_a_later_save_keeps_the_marks_of_another_window(
    files: MeasurementFiles, folder: Path, tmp_path: Path
) -> None:
    other = MeasurementFiles(tmp_path / "own")
    first, second = line("1", "a"), line("1", "b", column=9.0)
    files.save(folder, {"1": FilmMarks((first,))})
    stored = other.save(folder, {"1": FilmMarks((second,))})
    assert set(stored.films["1"].annotations) == {first, second}
    assert files.load(folder).films == stored.films


def test_that_a_deleted_mark_is_not_brought_back_by_a_window_that_still_shows_it(
    files: MeasurementFiles, folder: Path
) -> None:
    files.save(folder, {"1": FilmMarks((line("1", "a"),))})
    files.save(folder, {"1": FilmMarks(deleted={"a": NOW_MS + 5})})
    late = FilmMarks((line("1", "a", 4, column=7.0), line("1", "b", 6)))
    assert [a.mark_id for a in files.save(folder, {"1": late}).films["1"].annotations] == ["b"]


def test_that_the_later_change_of_a_mark_wins_in_either_order(
    files: MeasurementFiles, folder: Path
) -> None:
    early, late = line("1", "a", 5, column=5.0), line("1", "a", 6, column=6.0)
    files.save(folder, {"1": FilmMarks((late,))})
    files.save(folder, {"1": FilmMarks((early,))})
    assert files.load(folder).films["1"].annotations == (late,)


def _draw(folder: Path, own: Path, window: int) -> None:
    for number in range(10):
        mark = line("1", f"{window}-{number}", column=float(number))
        MeasurementFiles(own).save(folder, {"1": FilmMarks((mark,))})


def test_that_no_mark_is_lost_when_processes_save_at_the_same_time(
    files: MeasurementFiles, folder: Path, tmp_path: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    windows = [context.Process(target=_draw, args=(folder, tmp_path / "own", n)) for n in range(3)]
    for window in windows:
        window.start()
    for window in windows:
        window.join()
    ids = {a.mark_id for a in files.load(folder).films["1"].annotations}
    assert ids == {f"{window}-{number}" for window in range(3) for number in range(10)}
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]
    assert not files.own_copy(folder).exists()


def test_that_a_change_of_the_file_is_noticed(files: MeasurementFiles, folder: Path) -> None:
    stored = files.save(folder, {"1": marks("1")})
    assert files.version(folder) == stored.version
    files.save(folder, {"2": marks("2")})
    assert files.version(folder) != stored.version


def test_that_a_file_of_the_earlier_schema_is_upgraded_without_losing_a_mark(
    files: MeasurementFiles, folder: Path
) -> None:
    entry = {"kind": "length", "frame": 0, "points": [[1.0, 2.0], [3.0, 4.0]], "text": ""}
    text = {**entry, "kind": "text", "points": [[5.0, 6.0]], "text": "note"}
    spacing = {"row_mm": 0.1, "column_mm": 0.2}
    film = {"annotations": [entry, entry, text], "calibration": spacing}
    old = {"schema": 1, "films": {"1": film}}
    (folder / FILE_NAME).write_text(json.dumps(old), encoding="utf-8")
    read = files.load(folder).films["1"]
    assert [a.kind for a in read.annotations] == [Mark.LENGTH, Mark.LENGTH, Mark.TEXT]
    # Another window that has read the old file knows its marks by the same ids.
    files.save(folder, {"1": FilmMarks((*read.annotations, line("1", "new")))})
    files.save(folder, {"1": read})
    stored = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    assert stored["schema"] == 2
    assert len({mark["id"] for mark in stored["films"]["1"]["annotations"]}) == 4
    assert files.load(folder).films["1"].calibration == Spacing(0.1, 0.2, SpacingKind.USER)


def test_that_annotations_of_a_read_only_folder_are_in_the_users_folder(
    files: MeasurementFiles, folder: Path
) -> None:
    refuse_writing(folder)
    path = files.save(folder, {"1": marks("1")}).path
    assert path is not None
    assert path == files.own_copy(folder)
    assert files.load(folder).films == {"1": marks("1")}
    assert "DOE" not in str(path.relative_to(path.parents[1]))
    assert "DOE" not in path.read_text(encoding="utf-8")


def test_that_marks_deleted_in_a_read_only_folder_stay_deleted(
    files: MeasurementFiles, folder: Path
) -> None:
    files.save(folder, {"1": marks("1"), "2": marks("2")})
    refuse_writing(folder)
    assert files.save(folder, {"1": erased()}).path == files.own_copy(folder)
    assert shown(files.load(folder).films) == {"2": marks("2")}
    (folder / f"{FILE_NAME}.partial").rmdir()
    files.save(folder, {})
    assert shown(load_measurements(folder / FILE_NAME)) == {"2": marks("2")}
    assert not files.own_copy(folder).exists()


def test_that_a_calibration_that_was_removed_is_not_brought_back(
    files: MeasurementFiles, folder: Path
) -> None:
    files.save(folder, {"1": marks("1")})
    files.save(folder, {"1": FilmMarks(calibrated_ms=NOW_MS + 3)})
    films = files.save(folder, {"1": marks("1")}).films
    assert films["1"].annotations == marks("1").annotations
    assert films["1"].calibration is None


def test_that_the_users_copy_moves_to_a_folder_that_becomes_writable(
    files: MeasurementFiles, folder: Path
) -> None:
    refuse_writing(folder)
    files.save(folder, {"1": marks("1")})
    (folder / f"{FILE_NAME}.partial").rmdir()
    files.save(folder, {"2": marks("2")})
    assert load_measurements(folder / FILE_NAME) == {"1": marks("1"), "2": marks("2")}
    assert not files.own_copy(folder).exists()


def test_that_a_damaged_file_is_reported_and_left_unchanged(
    files: MeasurementFiles, folder: Path
) -> None:
    (folder / FILE_NAME).write_text(json.dumps({"schema": 99}), encoding="utf-8")
    stored = files.load(folder)
    assert (stored.films, stored.error is not None) == ({}, True)
    assert files.save(folder, {"1": marks("1")}).path == files.own_copy(folder)
    assert json.loads((folder / FILE_NAME).read_text(encoding="utf-8")) == {"schema": 99}
    assert files.load(folder).films == {"1": marks("1")}


def test_that_an_error_is_raised_where_nothing_can_be_written(
    files: MeasurementFiles, folder: Path
) -> None:
    refuse_writing(folder)
    own = files.own_copy(folder)
    own.with_name(f"{own.name}.partial").mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be saved"):
        files.save(folder, {"1": marks("1")})


def test_that_the_measurements_file_is_not_listed_among_the_films(
    files: MeasurementFiles, folder: Path
) -> None:
    (folder / "film.png").touch()
    files.save(folder, {"1": marks("1")})
    assert [os.fspath(entry) for entry in walk(folder) if isinstance(entry, Path)] == [
        str(folder / "film.png")
    ]


def test_that_files_with_one_uid_have_annotations_of_their_own(
    folder: Path, files: MeasurementFiles, tmp_path: Path
) -> None:
    save_measurements(folder / FILE_NAME, {"1.2": marks("1.2"), "1.3": marks("1.3")})
    a, b = (mark_key("1.2", name, name[0] * 64) for name in ("a.dcm", "b.dcm"))
    files.save(folder, {a: FilmMarks((line("1.2", "of a"),))})
    files.save(folder, {b: FilmMarks((line("1.2", "of b"),))})
    stored = StoredMarks(files.load(folder).films)
    assert {m.mark_id for m in stored.of(a).annotations} == {"a", "of a"}
    assert {m.mark_id for m in stored.of(b).annotations} == {"of b"}
    on_disk = load_measurements(folder / FILE_NAME)
    assert set(on_disk) == {"1.2", "1.3", b}
    assert {annotation.film for m in on_disk.values() for annotation in m.annotations} == {
        "1.2",
        "1.3",
    }
    # Deleted in one file, a mark stays in the other; read-only folders have the same.
    files.save(folder, {a: FilmMarks(deleted={"of a": NOW_MS + 9, "a": NOW_MS + 9})})
    refuse_writing(folder)
    files.save(folder, {a: FilmMarks((line("1.2", "again"),))})
    stored = StoredMarks(files.load(folder).films)
    assert {m.mark_id for m in stored.of(a).annotations} == {"again"}
    assert {m.mark_id for m in stored.of(b).annotations} == {"of b"}
