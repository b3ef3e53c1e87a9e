"""Two windows share one settings file: neither takes back what the other has written."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from xrayview.services.settings import BROKEN, MAX_RECENT_FOLDERS, Settings
from xrayview.services.settings_merge import merged


def two(path: Path) -> tuple[Settings, Settings]:
    return Settings(path), Settings(path)


def test_that_each_window_writes_only_what_was_changed_in_it(tmp_path: Path) -> None:
    one, other = two(tmp_path / "settings.json")
    one["theme"] = "light"
    other["device"] = "cpu"
    one.save()
    other.save()
    one["thumbnail_px"] = 128
    one.save()
    stored = Settings(one.path)
    assert (stored["theme"], stored["device"], stored["thumbnail_px"]) == ("light", "cpu", 128)


def test_that_tables_and_lists_are_merged_by_item(tmp_path: Path) -> None:
    one, other = two(tmp_path / "settings.json")
    for settings, name in ((one, "a"), (other, "b")):
        settings["folder_statements"] = settings["folder_statements"] | {name: "{}"}
        settings["shortcuts"] = settings["shortcuts"] | {name: name}
        settings.remember_folder(Path(f"/films/{name}"))
        settings.save()
    stored = Settings(one.path)
    assert set(stored["folder_statements"]) == {"a", "b"}
    assert stored["shortcuts"] == {"a": "a", "b": "b"}
    assert stored["recent_folders"] == ["/films/b", "/films/a"]


def test_that_what_one_window_removes_stays_removed(tmp_path: Path) -> None:
    first = Settings(tmp_path / "settings.json")
    first["shortcuts"] = {"a": "a", "b": "b"}
    first["model_folders"] = ["/x", "/y"]
    first["theme"] = "light"
    first.save()
    one, other = two(first.path)
    one["shortcuts"] = {"b": "b"}
    one["model_folders"] = ["/y"]
    one.reset("theme")
    one.save()
    other["shortcuts"] = other["shortcuts"] | {"c": "c"}
    other["model_folders"] = [*other["model_folders"], "/z"]
    other.save()
    stored = Settings(first.path)
    assert stored["shortcuts"] == {"b": "b", "c": "c"}
    assert stored["model_folders"] == ["/y", "/z"]
    assert stored["theme"] == "dark"


def test_that_recent_folders_stay_few(tmp_path: Path) -> None:
    one, other = two(tmp_path / "settings.json")
    for settings, name in ((one, "a"), (other, "b")):
        for number in range(MAX_RECENT_FOLDERS):
            settings.remember_folder(Path(f"/{name}{number}"))
        settings.save()
    stored = Settings(one.path)["recent_folders"]
    assert stored == [f"/b{number}" for number in reversed(range(MAX_RECENT_FOLDERS))]


def test_that_entries_that_cannot_be_used_stay_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"colour": "blue", "decode_timeout_s": "soon", "theme": "light"}')
    settings = Settings(path)
    settings["device"] = "cpu"
    settings.save()
    stored = json.loads(path.read_text())
    assert stored == {
        "colour": "blue", "decode_timeout_s": "soon", "device": "cpu", "theme": "light",
    }  # fmt: skip
    settings["decode_timeout_s"] = 20
    settings.save()
    assert json.loads(path.read_text())["decode_timeout_s"] == 20


def test_that_a_file_that_was_deleted_or_damaged_meanwhile_is_written_whole(
    tmp_path: Path,
) -> None:
    path = tmp_path / "settings.json"
    settings = Settings(path)
    settings["theme"] = "light"
    settings.save()
    path.unlink()
    settings["device"] = "cpu"
    settings.save()
    assert json.loads(path.read_text()) == {"device": "cpu", "theme": "light"}
    for damage in ("{", "[1"):
        path.write_text(damage)
        settings["thumbnail_px"] = settings["thumbnail_px"] + 1
        settings.save()
        assert set(json.loads(path.read_text())) == {"device", "theme", "thumbnail_px"}
    kept = {file.read_text() for file in tmp_path.glob(f"*{BROKEN.split('.')[1]}*")}
    assert kept == {"{", "[1"}


def test_that_nothing_is_written_where_nothing_was_changed(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"theme":   "light"}')
    Settings(path).save()
    assert path.read_text() == '{"theme":   "light"}'


def test_that_windows_that_save_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    windows = [Settings(path) for _ in range(6)]

    def save(settings: Settings, name: str) -> None:
        for number in range(5):
            settings["shortcuts"] = settings["shortcuts"] | {f"{name}{number}": "x"}
            settings.save()

    threads = [
        threading.Thread(target=save, args=(settings, f"w{i}_"))
        for i, settings in enumerate(windows)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Settings(path)["shortcuts"]) == 30


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "expected"),
    [
        ({"a": 1}, {"a": 1}, {}, {}),
        ({"a": 1}, {"a": 2}, {"a": 3}, {"a": 2}),
        ({"a": 1}, {}, {"a": 3}, {}),
        ({}, {"a": {"x": "1"}}, {"a": 5}, {"a": {"x": "1"}}),
        ({"a": {"x": "1"}}, {}, {"a": {"x": "1", "y": "2"}}, {"a": {"y": "2"}}),
    ],
)
def test_the_merge(
    base: dict[str, object],
    mine: dict[str, object],
    theirs: dict[str, object],
    expected: dict[str, object],
) -> None:
    assert merged(base, mine, theirs) == expected
