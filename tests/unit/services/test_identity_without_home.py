"""Without a home folder, a hash of PatientID needs a key that the user names."""

from __future__ import annotations

from pathlib import Path

import pytest

from xrayview.errors import UsageError
from xrayview.services import user_folders
from xrayview.services.identity import identity_key


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(Path, "home", fail)
    for name in ("user_config_path", "user_log_path", "user_cache_path", "user_documents_path"):
        monkeypatch.setattr(user_folders.platformdirs, name, fail)


@pytest.mark.usefixtures("no_home")
def test_that_a_key_is_not_made_where_others_could_read_or_replace_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Set HOME, or leave the PatientID out"):
        identity_key()
    assert len(identity_key(tmp_path / "key")) == 32


@pytest.mark.usefixtures("no_home")
def test_that_the_other_folders_are_missing_without_an_error() -> None:
    for folder in (user_folders.log_folder(), user_folders.cache_folder()):
        assert not folder.exists()
    assert user_folders.results_folder().is_absolute()
