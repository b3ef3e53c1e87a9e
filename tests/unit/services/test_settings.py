"""The settings table and its file; shipped files; the identity key; the log."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from xrayview.errors import UsageError
from xrayview.services.identity import identity_key
from xrayview.services.log import start_log
from xrayview.services.settings import MAX_RECENT_FOLDERS, SETTINGS, Settings


@pytest.mark.parametrize("row", SETTINGS, ids=lambda row: row.key)
def test_that_every_default_fits_its_row(row: Any) -> None:
    assert row.problem(row.default) == ""
    assert row.description.endswith(".")


def test_that_settings_are_loaded_as_they_were_saved(tmp_path: Path) -> None:
    path = tmp_path / "deeper" / "settings.json"
    settings = Settings(path)
    settings["decode_timeout_s"] = 45
    settings["device"] = "cpu"
    settings["hide_identity"] = True
    settings.save()
    again = Settings(path)
    assert again["decode_timeout_s"] == 45.0
    assert isinstance(again["decode_timeout_s"], float)
    assert again["device"] == "cpu"
    assert again["hide_identity"] is True
    assert again.notes == ()
    assert again.limits().decode_timeout_s == 45.0


def test_that_only_what_differs_from_the_defaults_is_written(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "s.json")
    settings["device"] = "cuda"
    settings["thumbnail_px"] = 128
    settings.reset("thumbnail_px")
    settings.save()
    assert json.loads((tmp_path / "s.json").read_text()) == {"device": "cuda"}


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("device", "tpu", "is not one of auto, cpu, cuda"),
        ("decode_timeout_s", -1, "is not between 1 and 600"),
        ("decode_timeout_s", float("nan"), "is not between 1 and 600"),
        ("decode_timeout_s", "30", "is not a number"),
        ("decode_workers", 1.5, "is not a whole number"),
        ("decode_workers", True, "is not a whole number"),
        ("hide_identity", 1, "is not true or false"),
        ("recent_folders", [1], "is not a list of texts"),
        ("shortcuts", {"a": 1}, "is not a table of texts"),
    ],
)
def test_that_an_invalid_value_is_replaced_and_reported(
    tmp_path: Path, key: str, value: object, problem: str
) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({key: value, "max_megapixels": 50}))
    settings = Settings(path)
    default = next(row.default for row in SETTINGS if row.key == key)
    assert settings[key] == default
    assert settings["max_megapixels"] == 50
    assert settings.notes == (f"settings.json: {key} {problem}; the default is used.",)
    with pytest.raises(UsageError, match=key):
        settings[key] = value


@pytest.mark.parametrize("content", ["{", "[]", "null", "\udcff"])
def test_that_a_broken_file_gives_the_defaults(tmp_path: Path, content: str) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    settings = Settings(path)
    assert settings["device"] == "auto"
    assert len(settings.notes) == 1


def test_that_unknown_settings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"colour": "blue"}')
    assert Settings(path).notes == ("settings.json: colour is not a setting; the default is used.",)


def test_that_recent_folders_are_newest_first_and_few(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "s.json")
    for n in range(MAX_RECENT_FOLDERS + 3):
        settings.remember_folder(Path(f"/films/{n}"))
    settings.remember_folder(Path("/films/5"))
    recent = settings["recent_folders"]
    assert recent[:2] == ["/films/5", f"/films/{MAX_RECENT_FOLDERS + 2}"]
    assert len(recent) == len(set(recent)) == MAX_RECENT_FOLDERS


def test_that_changing_a_returned_list_has_no_effect(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "s.json")
    settings["recent_folders"].append("/elsewhere")
    assert settings["recent_folders"] == []


def test_that_the_identity_key_is_created_once_and_only_readable_by_the_user(
    tmp_path: Path,
) -> None:
    path = tmp_path / "project.key"
    key = identity_key(path)
    assert len(key) == 32
    assert identity_key(path) == key
    assert identity_key() == identity_key() != key
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_that_programs_that_need_a_key_at_once_share_it(tmp_path: Path) -> None:
    path, keys = tmp_path / "project.key", []
    threads = [Thread(target=lambda: keys.append(identity_key(path))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 12
    assert len(set(keys)) == 1


@pytest.mark.parametrize("content", ["", "abcd", "not hex"])
def test_that_a_file_that_is_not_a_key_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "project.key"
    path.write_text(content)
    with pytest.raises(UsageError, match="identity key"):
        identity_key(path)
    assert path.read_text() == content


def test_that_only_records_of_xrayview_reach_the_log() -> None:
    import logging

    path = start_log()
    start_log()
    logging.getLogger("xrayview.engine").warning("ours")
    logging.getLogger("pydicom").warning("DOE^JANE")
    text = path.read_text()
    assert text.count("ours") == 1
    assert "JANE" not in text
