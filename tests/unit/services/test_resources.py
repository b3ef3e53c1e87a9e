"""Shipped files in the three places where the program may be."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from xrayview.errors import XrayViewError
from xrayview.services import resources
from xrayview.services.resources import REQUIRED, require_resources, resource


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
