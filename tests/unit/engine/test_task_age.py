"""Time limits count only the time in which a task could run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.builders import phantom, write_raster
from xrayview.engine import failures, lane
from xrayview.engine.client import Engine
from xrayview.engine.protocol import DecodeFilm, Limits
from xrayview.engine.scan import scan_folder
from xrayview.errors import StatusCode

ROOT = Path(__file__).parents[3]
STOPPED = """
import sys, time
from pathlib import Path
from xrayview.engine.client import Engine
from xrayview.engine.protocol import Limits, ReadHeaders
if __name__ == "__main__":
    with Engine(1, Limits(header_timeout_s=4), spare_workers=0) as engine:
        engine.submit(ReadHeaders((), Path("."))).result()
        print("ready", flush=True)
        end = time.monotonic() + 14
        while time.monotonic() < end:
            engine.submit(ReadHeaders((Path(sys.argv[1]),) * 2000, Path("."))).result()
        print("no error", flush=True)
"""


class Clock:
    """A computer that is suspended for an hour at each look at the clock."""

    def __init__(self) -> None:
        self._asleep_s = 0.0

    def monotonic(self) -> float:
        self._asleep_s += 3600.0
        return time.monotonic() + self._asleep_s


def test_that_a_gap_counts_as_one_short_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_raster(tmp_path / "a.png", phantom(64, 64).astype("uint16"))
    with Engine(1, Limits(decode_timeout_s=20), spare_workers=0) as engine:
        (film,) = scan_folder(engine, tmp_path)
        monkeypatch.setattr(lane, "time", Clock())
        assert engine.submit(DecodeFilm(film)).result(timeout=60).pixels_HW.size  # type: ignore[arg-type]


@pytest.mark.skipif(os.name == "nt", reason="SIGSTOP is of POSIX")
def test_that_a_program_that_was_stopped_for_longer_than_the_limit_goes_on(tmp_path: Path) -> None:
    film = write_raster(tmp_path / "a.png", phantom(64, 64).astype("uint16"))
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(film)], cwd=ROOT, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(1)
    os.killpg(process.pid, signal.SIGSTOP)
    time.sleep(7)
    os.killpg(process.pid, signal.SIGCONT)
    out, error = process.communicate(timeout=60)
    assert out == "no error\n", error


def test_that_workers_that_cannot_start_say_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def no_room(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lane, "ProcessPool", no_room)
    write_raster(tmp_path / "a.png", phantom(64, 64).astype("uint16"))
    with Engine(1, spare_workers=0) as engine:
        (rejected,) = scan_folder(engine, tmp_path)
    assert rejected.code is StatusCode.DECODER_CRASHED  # type: ignore[union-attr]
    assert "No space left on device" in rejected.why  # type: ignore[union-attr]
    assert "/dev/shm" in rejected.hint  # type: ignore[union-attr]
    assert failures.address_space_limit() == ""
