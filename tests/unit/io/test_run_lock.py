"""A run's lock names its holder, refuses a second run, and outlives no program."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from xrayview.errors import UsageError
from xrayview.io.run_lock import machine, process_start, run_lock

HOLD = """
import pathlib, sys, time
from xrayview.io.run_lock import run_lock
with run_lock(pathlib.Path(sys.argv[1]), "It"):
    print("held", flush=True)
    time.sleep(600)
"""


def hold(lock: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def write_holder(lock: Path, **changes: object) -> None:
    holder = {
        "pid": os.getpid(),
        "host": platform.node(),
        "since_utc": "2026-11-30T19:05:52+00:00",
        "process_start": process_start(os.getpid()),
        "token": "a",
        "machine": machine(),
    }
    lock.write_text(json.dumps(holder | changes))


def test_that_a_second_run_is_refused_with_the_holder_and_the_lock_ends_with_the_block(
    tmp_path: Path,
) -> None:
    lock = tmp_path / "p.csv.lock"
    with run_lock(lock, "The table p.csv"):
        with pytest.raises(UsageError) as refused, run_lock(lock, "The table p.csv"):
            pass
        text = str(refused.value)
        assert "The table p.csv is in use by another run" in text
        assert f"process {os.getpid()} on {platform.node()}" in text
        assert lock.is_file()
    assert not lock.exists()
    with pytest.raises(ZeroDivisionError), run_lock(lock, "It"):
        raise ZeroDivisionError
    assert not lock.exists()


def test_that_the_lock_of_a_killed_program_is_taken_over(tmp_path: Path) -> None:
    lock = tmp_path / "p.lock"
    process = hold(lock)
    with pytest.raises(UsageError, match=f"process {process.pid}"), run_lock(lock, "It"):
        pass
    process.kill()
    while process_start(process.pid) is not None:  # not waited for: it stays as a zombie
        time.sleep(0.01)
    with run_lock(lock, "It"):
        assert json.loads(lock.read_text())["pid"] == os.getpid()
    process.communicate()
    assert list(tmp_path.iterdir()) == []


def test_that_a_process_id_used_again_is_not_the_holder(tmp_path: Path) -> None:
    write_holder(tmp_path / "lock", process_start="an earlier one")
    with run_lock(tmp_path / "lock", "It"):
        pass


def test_that_a_holder_on_another_computer_is_never_taken_for_ended(tmp_path: Path) -> None:
    write_holder(tmp_path / "lock", host="elsewhere", pid=2**22 + 1)
    with (
        pytest.raises(UsageError, match=r"elsewhere.*delete lock"),
        run_lock(tmp_path / "lock", ""),
    ):
        pass


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', "\x00\x00"])
def test_that_a_lock_without_a_holder_is_taken_over(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xrayview.io.run_lock._UNFINISHED_S", 0.1)
    (tmp_path / "lock").write_text(text)
    with run_lock(tmp_path / "lock", "It"):
        pass


def test_that_one_of_several_runs_takes_over(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    held: list[int] = []
    most: list[int] = []
    barrier = threading.Barrier(4)

    def take(number: int) -> None:
        barrier.wait()
        with suppress(UsageError), run_lock(lock, "It"):
            held.append(number)
            most.append(len(held))
            time.sleep(0.02)
            held.remove(number)

    for _ in range(20):
        write_holder(lock, process_start="an earlier one")
        threads = [threading.Thread(target=take, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(most) == {1}


def test_that_a_lock_that_cannot_be_written_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(OSError), run_lock(tmp_path / "missing" / "lock", "It"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_that_the_start_of_a_process_is_the_same_seen_from_another() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(process_start, (os.getpid(),)) == process_start(os.getpid()) != ""
    assert process_start(2**22 + 1) is None


def test_that_a_lease_is_taken_over_by_another_computer_when_it_is_not_renewed(
    tmp_path: Path,
) -> None:
    lock = tmp_path / "part.lock"
    write_holder(lock, host="another", lease_s=0.3)
    with run_lock(lock, "It", 5.0):
        assert json.loads(lock.read_text())["pid"] == os.getpid()
    write_holder(lock, host="another", lease_s=0.0)  # without a lease, never
    with pytest.raises(UsageError, match="on another"), run_lock(lock, "It", 5.0):
        pass


def test_that_a_lease_that_is_renewed_is_respected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "part.lock"
    with run_lock(lock, "It", 3.0) as lost:
        here = platform.node()
        monkeypatch.setattr(platform, "node", lambda: f"not {here}")  # as another computer sees it
        with pytest.raises(UsageError, match=f"on {here}"), run_lock(lock, "It", 3.0):
            pass
        assert not lost.is_set()
        write_holder(lock, token="of another run")
        assert lost.wait(10.0)
    assert json.loads(lock.read_text())["token"] == "of another run"
