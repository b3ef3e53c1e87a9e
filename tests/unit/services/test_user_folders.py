"""One variable moves all folders of the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from xrayview.services import user_folders


def test_that_one_variable_names_the_folder_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(user_folders.HOME_VARIABLE, str(tmp_path / "stick"))
    folders = {
        "config": user_folders.config_folder(),
        "models": user_folders.models_folder(),
        "cache": user_folders.cache_folder(),
        "log": user_folders.log_folder(),
        "results": user_folders.results_folder(),
    }
    assert folders == {name: tmp_path / "stick" / name for name in folders}
    created = {path.name for path in (tmp_path / "stick").iterdir()}
    assert created == set(folders) - {"results"}  # which the first batch creates


def test_that_the_variable_counts_also_without_a_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(user_folders, "has_home", lambda: False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv(user_folders.HOME_VARIABLE, str(tmp_path))
    assert user_folders.config_folder() == tmp_path / "config"
