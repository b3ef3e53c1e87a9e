"""A film that crashes, hangs or exhausts its decode worker affects no other film."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.fragile import SECRET, start_fragile_decoder
from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.engine import shared_array
from xrayview.engine.client import Engine
from xrayview.engine.protocol import DecodeFilm, Limits, ReadHeaders
from xrayview.engine.scan import scan_folder
from xrayview.errors import Cancelled, StatusCode, UnreadableFilm

ROOT = Path(__file__).parents[2]
SHARED_FOLDER = Path("/dev/shm")
LIMITS = Limits(decode_timeout_s=60, header_timeout_s=1.5)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xrayview.engine.client.start_decode_worker", start_fragile_decoder)
        engine = Engine(1, LIMITS)
    with engine:
        yield engine
    assert segments() == []


def film(name: str) -> FilmRef:
    return FilmRef(Path(name), name)


def segments() -> list[str]:
    return [p.name for p in SHARED_FOLDER.glob(f"{shared_array.PREFIX}{os.getpid():x}_*")]


def failure(engine: Engine, request: DecodeFilm) -> UnreadableFilm:
    error = engine.submit(request).exception(timeout=60)
    assert isinstance(error, UnreadableFilm)
    return error


def assert_that_it_still_works(engine: Engine) -> None:
    radiograph = engine.submit(DecodeFilm(film("good.dcm"))).result(timeout=60)
    assert radiograph.pixels_HW.shape == (300, 200)
    assert (radiograph.pixels_HW == 7).all()


def test_that_a_crashing_decoder_fails_only_its_film(engine: Engine) -> None:
    futures = [engine.submit(DecodeFilm(film(n))) for n in ("good.dcm", "crash.dcm", "good2.dcm")]
    errors = [future.exception(timeout=60) for future in futures]
    assert errors[0] is None
    assert errors[2] is None
    assert isinstance(errors[1], UnreadableFilm)
    assert errors[1].code is StatusCode.DECODER_CRASHED
    assert errors[1].path == Path("crash.dcm")
    assert errors[1].hint


def test_that_a_worker_killed_while_decoding_is_replaced(engine: Engine) -> None:
    assert_that_it_still_works(engine)
    future = engine.submit(DecodeFilm(film("hang.dcm")))
    while not future.running():
        time.sleep(0.01)
    time.sleep(0.3)
    for child in multiprocessing.active_children():
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
    error = future.exception(timeout=60)
    assert isinstance(error, UnreadableFilm)
    assert error.code is StatusCode.DECODER_CRASHED
    assert_that_it_still_works(engine)


def test_that_idle_workers_may_be_killed(engine: Engine) -> None:
    assert_that_it_still_works(engine)
    for child in multiprocessing.active_children():
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
    time.sleep(0.5)
    assert_that_it_still_works(engine)


@pytest.mark.parametrize("how", ["lock", "half"])
def test_that_a_worker_killed_while_it_locks_the_channel_blocks_nobody(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("xrayview.engine.lane.LOCK_TIMEOUT_S", 1.0)
    assert failure(engine, DecodeFilm(film(f"{how}.dcm"))).code is StatusCode.DECODER_CRASHED
    assert_that_it_still_works(engine)


def test_that_a_hanging_decoder_is_ended_and_reported(engine: Engine) -> None:
    error = failure(engine, DecodeFilm(film("hang.dcm"), Limits(decode_timeout_s=0.5)))
    assert error.code is StatusCode.TIMED_OUT
    assert "0.5 s" in error.what
    assert_that_it_still_works(engine)


def test_that_a_film_that_needs_too_much_memory_is_reported_as_too_large(engine: Engine) -> None:
    assert failure(engine, DecodeFilm(film("starve.dcm"))).code is StatusCode.TOO_LARGE
    assert_that_it_still_works(engine)


def test_that_the_text_of_an_unforeseen_error_stays_in_the_worker(engine: Engine) -> None:
    error = failure(engine, DecodeFilm(film("bug.dcm")))
    assert error.code is StatusCode.DECODE_FAILED
    assert error.why == "ValueError"
    assert SECRET not in f"{error!r} {error.__cause__!r} {vars(error)}"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_that_an_unreadable_reply_fails_only_its_film(engine: Engine) -> None:
    neighbour = engine.submit(DecodeFilm(film("good.dcm")))
    assert failure(engine, DecodeFilm(film("poison.dcm"))).code is StatusCode.DECODER_CRASHED
    assert neighbour.exception(timeout=60) is None
    assert_that_it_still_works(engine)


def test_that_a_running_task_can_be_cancelled(engine: Engine) -> None:
    future = engine.submit(DecodeFilm(film("hang.dcm")))
    while not future.running():
        time.sleep(0.01)
    assert future.cancel()
    with pytest.raises(CancelledError):
        future.result(timeout=60)
    assert_that_it_still_works(engine)


def test_that_an_interactive_request_overtakes_the_queue(engine: Engine) -> None:
    finished: list[str] = []
    lock = threading.Lock()

    def record(name: str) -> None:
        with lock:
            finished.append(name)

    thumbnails = [engine.submit(ReadHeaders((Path(f"{n}.dcm"),), Path())) for n in range(60)]
    for n, future in enumerate(thumbnails):
        future.add_done_callback(lambda _, n=n: record(f"{n}"))
    clicked = engine.submit(DecodeFilm(film("good.dcm")))
    clicked.add_done_callback(lambda _: record("clicked"))
    for future in [*thumbnails, clicked]:
        future.result(timeout=60)
    assert finished.index("clicked") < 30
    assert [n for n in finished if n != "clicked"] == [f"{n}" for n in range(60)]


@pytest.mark.parametrize("how", ["crash", "hang"])
def test_that_only_the_header_at_fault_is_rejected(
    engine: Engine, tmp_path: Path, how: str
) -> None:
    names = ["a", "b", how, "x", "y", "z"]
    for name in names:
        (tmp_path / f"{name}.dcm").write_bytes(b"x")
    entries = list(scan_folder(engine, tmp_path))
    assert [entry.relative_path for entry in entries] == sorted(f"{n}.dcm" for n in names)
    rejected = {e.relative_path: e.code for e in entries if isinstance(e, RejectedFile)}
    code = StatusCode.DECODER_CRASHED if how == "crash" else StatusCode.TIMED_OUT
    assert rejected == {f"{how}.dcm": code}


def test_that_no_film_leaves_shared_memory_behind(engine: Engine) -> None:
    for name in ("good.dcm", "crash.dcm", "good.dcm"):
        engine.submit(DecodeFilm(film(name))).exception(timeout=60)
    late = engine.submit(DecodeFilm(film("good.dcm")))
    late.cancel()
    assert_that_it_still_works(engine)
    assert segments() == []


def test_that_a_reply_during_cancellation_leaves_no_shared_memory(
    engine: Engine,
) -> None:
    for _ in range(4):
        assert_that_it_still_works(engine)  # the worker is running, and replies before it is ended
        late = engine.submit(DecodeFilm(film("good.dcm")))
        while not (late.running() or late.done()):
            time.sleep(0.0001)
        late.cancel()
    assert_that_it_still_works(engine)
    assert segments() == []


def test_that_closing_ends_running_tasks_and_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xrayview.engine.client.start_decode_worker", start_fragile_decoder)
    before = set(multiprocessing.active_children())
    threads = set(threading.enumerate())
    engine = Engine(1, LIMITS)
    running = engine.submit(DecodeFilm(film("hang.dcm")))
    waiting = [engine.submit(ReadHeaders((Path("hang.dcm"),), Path())) for _ in range(5)]
    while not running.running():
        time.sleep(0.01)
    engine.close()
    assert running.cancelled()
    assert all(future.cancelled() for future in waiting)
    assert set(multiprocessing.active_children()) <= before
    assert {t for t in threading.enumerate() if t.is_alive()} <= threads
    with pytest.raises(Cancelled):
        engine.submit(DecodeFilm(film("good.dcm")))
    engine.close()


def test_that_a_real_film_is_passed_unchanged(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 65535, (400, 300), dtype=np.uint16)
    path = tmp_path / "film.png"
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    with Engine(1) as engine:
        (ref,) = scan_folder(engine, path)
        assert isinstance(ref, FilmRef)
        radiograph = engine.submit(DecodeFilm(ref)).result(timeout=60)
    assert np.array_equal(radiograph.pixels_HW, pixels)
    assert radiograph.pixels_HW.flags.owndata


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="reads /proc")
def test_that_qt_stays_out_of_the_workers_of_the_window(tmp_path: Path) -> None:
    # Like the start script that pip writes, which spawned processes import again.
    script = tmp_path / "xrayview-app"
    script.write_text(
        "from xrayview.cli import window\n"
        "if __name__ == '__main__':\n"
        "    import multiprocessing\n"
        "    import xrayview.app\n"
        "    from pathlib import Path\n"
        "    from xrayview.engine.client import Engine\n"
        "    from xrayview.engine.protocol import ReadHeaders\n"
        "    with Engine(1, spare_workers=0) as engine:\n"
        "        engine.submit(ReadHeaders((), Path())).result()\n"
        "        (worker,) = multiprocessing.active_children()\n"
        "        print(Path(f'/proc/{worker.pid}/maps').read_text())\n"
    )
    ran = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert "libopencv" in ran.stdout or "cv2" in ran.stdout
    assert "Qt6Core" not in ran.stdout
