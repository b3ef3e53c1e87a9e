"""The lock of a file that several programs replace."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from xrayview.io.file_lock import LOCK, locked


def test_that_one_holder_waits_for_the_other(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    inside = 0
    most = 0
    counted = threading.Lock()

    def change() -> None:
        nonlocal inside, most
        for _ in range(20):
            with locked(path):
                with counted:
                    inside += 1
                    most = max(most, inside)
                with counted:
                    inside -= 1

    threads = [threading.Thread(target=change) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert list(tmp_path.iterdir()) == []


def test_that_the_lock_of_a_crashed_program_is_removed(tmp_path: Path) -> None:
    (tmp_path / f"a.json{LOCK}").write_text("crashed", encoding="ascii")
    with locked(tmp_path / "a.json", stale_s=0.05):
        assert (tmp_path / f"a.json{LOCK}").read_text(encoding="ascii") != "crashed"
    assert list(tmp_path.iterdir()) == []


def test_that_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"), locked(tmp_path / "nowhere" / "a.json"):
        pass


def test_that_an_error_inside_releases_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inside"), locked(tmp_path / "a.json"):
        raise ValueError("inside")
    assert list(tmp_path.iterdir()) == []
