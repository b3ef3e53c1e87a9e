"""Files of annotations beside the films or in the user's folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from xrayview.domain.measurement import Annotation, FilmMarks, Mark
from xrayview.domain.radiograph import Spacing, SpacingKind
from xrayview.errors import UsageError
from xrayview.io.scan import walk
from xrayview.io.tables.measurement_store import FILE_NAME, load_measurements, save_measurements
from xrayview.services.measurement_files import MeasurementFiles


def marks(uid: str) -> FilmMarks:
    line = Annotation(Mark.LENGTH, ((1.0, 2.0), (3.0, 4.0)), uid)
    return FilmMarks((line,), Spacing(0.5, 0.5, SpacingKind.USER))


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
    assert files.save(folder, {"1": marks("1")}) == folder / FILE_NAME
    assert files.load(folder).films == {"1": marks("1")}
    assert not files.own_copy(folder).exists()


def test_that_annotations_from_another_window_are_kept(
    files: MeasurementFiles, folder: Path
) -> None:
    files.save(folder, {"1": marks("1")})
    save_measurements(folder / FILE_NAME, {"1": marks("1"), "2": marks("2")})
    files.save(folder, {"1": FilmMarks()})
    assert files.load(folder).films == {"2": marks("2")}


def test_that_a_folder_without_annotations_has_no_file(
    files: MeasurementFiles, folder: Path
) -> None:
    files.save(folder, {"1": marks("1")})
    files.save(folder, {"1": FilmMarks()})
    assert list(folder.iterdir()) == []


def test_that_annotations_of_a_read_only_folder_are_in_the_users_folder(
    files: MeasurementFiles, folder: Path
) -> None:
    refuse_writing(folder)
    path = files.save(folder, {"1": marks("1")})
    assert path == files.own_copy(folder)
    assert files.load(folder).films == {"1": marks("1")}
    assert "DOE" not in str(path.relative_to(path.parents[1]))
    assert "DOE" not in path.read_text(encoding="utf-8")


def test_that_marks_deleted_in_a_read_only_folder_stay_deleted(
    files: MeasurementFiles, folder: Path
) -> None:
    files.save(folder, {"1": marks("1"), "2": marks("2")})
    refuse_writing(folder)
    assert files.save(folder, {"1": FilmMarks()}) == files.own_copy(folder)
    assert files.load(folder).films == {"2": marks("2")}
    (folder / f"{FILE_NAME}.partial").rmdir()
    files.save(folder, {})
    assert load_measurements(folder / FILE_NAME) == {"2": marks("2")}
    assert not files.own_copy(folder).exists()


def test_that_a_read_only_folder_without_marks_leaves_no_copy(
    files: MeasurementFiles, folder: Path
) -> None:
    refuse_writing(folder)
    files.save(folder, {"1": marks("1")})
    (folder / FILE_NAME).mkdir()
    files.save(folder, {"1": FilmMarks()})
    assert not files.own_copy(folder).exists()


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
    assert files.save(folder, {"1": marks("1")}) == files.own_copy(folder)
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
