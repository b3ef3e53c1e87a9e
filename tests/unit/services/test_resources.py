"""Shipped files in the three places where the program may be."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from xrayview.domain.film import FilmRef
from xrayview.domain.measurement import Annotation, FilmMarks, Mark
from xrayview.errors import XrayViewError
from xrayview.services import resources
from xrayview.services.measurement_files import MeasurementFiles
from xrayview.services.resources import REQUIRED, require_resources, resource, sample_study
from xrayview.services.stars import StarFiles

ROOT = Path(__file__).parents[3]


def _ship(folder: Path) -> Path:
    for name in REQUIRED:
        (folder / "resources" / name).mkdir(parents=True)
        (folder / "resources" / name / "file").touch()
    return folder


def test_that_a_source_tree_has_them_beside_the_package() -> None:
    assert resource() == Path(resources.__file__).parents[2] / "resources"
    require_resources()


def test_that_an_installed_package_has_them_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = _ship(tmp_path / "site-packages" / "xrayview")
    (tmp_path / "site-packages" / "resources").mkdir()  # of another package
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resource("icons", "file") == package / "resources" / "icons" / "file"
    require_resources()


def test_that_a_frozen_program_has_them_in_its_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "_MEIPASS", str(_ship(tmp_path)), raising=False)
    assert resource("icons", "file") == tmp_path / "resources" / "icons" / "file"
    require_resources()


def test_that_a_missing_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "_MEIPASS", str(_ship(tmp_path)), raising=False)
    (tmp_path / "resources" / "models" / "file").unlink()
    with pytest.raises(XrayViewError, match="missing: models"):
        require_resources()


def test_that_stars_and_measurements_of_the_sample_go_to_the_users_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "_MEIPASS", str(_ship(tmp_path)), raising=False)
    folder = sample_study()
    folder.mkdir()
    film = FilmRef(folder / "a.dcm", "a.dcm", sop_uid="1.2.3")
    stars, marks = StarFiles(tmp_path / "stars.json"), MeasurementFiles(tmp_path / "marks")
    assert stars.save(folder, {film: True}).path == tmp_path / "stars.json"
    line = Annotation(Mark.LENGTH, ((1.0, 1.0), (2.0, 1.0)), "1.2.3")
    saved = marks.save(folder, {"1.2.3": FilmMarks((line,))})
    assert saved.path == marks.own_copy(folder)
    assert stars.load(folder).is_starred(film)
    assert marks.load(folder).films["1.2.3"].annotations == (line,)
    assert list(folder.iterdir()) == []


def test_that_the_wheel_has_every_folder_that_the_program_reads() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    read = {folder.name for folder in resource().iterdir()} - {"screenshots"}
    assert included == {f"resources/{name}": f"xrayview/resources/{name}" for name in read}
