"""Requests of later starts reach the window that is running, and only from its user."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from multiprocessing.connection import Client
from pathlib import Path
from queue import Queue

import pytest

from xrayview.services import running_window
from xrayview.services.running_window import RunningWindow, StartRequest, hand_over

REQUEST = StartRequest((Path("/films/Zoë 文"), Path(os.fsdecode(b"/films/\xff"))), Path("/m.pt"))


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XRAYVIEW_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)


@pytest.fixture
def received() -> Queue[StartRequest]:
    return Queue()


@pytest.fixture
def running(received: Queue[StartRequest]) -> Iterator[RunningWindow]:
    window = RunningWindow(received.put)
    assert window.start()
    yield window
    window.close()


def test_that_a_request_survives_as_bytes() -> None:
    assert StartRequest.of_bytes(REQUEST.to_bytes()) == REQUEST
    assert StartRequest.of_bytes(StartRequest(sample=True).to_bytes()) == StartRequest(sample=True)


def test_that_without_a_window_nothing_is_handed_over() -> None:
    assert not hand_over(REQUEST)


def test_that_a_request_reaches_the_window(
    running: RunningWindow, received: Queue[StartRequest]
) -> None:
    assert hand_over(REQUEST)
    assert hand_over(StartRequest(sample=True))
    assert received.get(timeout=10) == REQUEST
    assert received.get(timeout=10) == StartRequest(sample=True)


def test_that_a_second_window_does_not_take_the_place_of_the_first(
    running: RunningWindow, received: Queue[StartRequest]
) -> None:
    assert not RunningWindow(received.put).start()
    assert hand_over(REQUEST)


def test_that_a_closed_window_gets_nothing(running: RunningWindow) -> None:
    running.close()
    assert not hand_over(REQUEST)


def test_that_other_settings_have_a_window_of_their_own(
    running: RunningWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XRAYVIEW_HOME", str(tmp_path / "other"))
    assert not hand_over(REQUEST)


@pytest.mark.skipif(sys.platform == "win32", reason="a named pipe leaves no file")
def test_that_the_socket_of_a_crashed_window_is_replaced(received: Queue[StartRequest]) -> None:
    import socket

    address = running_window._address()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as crashed:
        crashed.bind(address)
    assert Path(address).exists()
    assert not hand_over(REQUEST)
    window = RunningWindow(received.put)
    assert window.start()
    assert hand_over(REQUEST)
    window.close()


def test_that_nobody_without_the_key_is_heard(
    running: RunningWindow, received: Queue[StartRequest]
) -> None:
    with pytest.raises(Exception, match="digest"), Client(
        running_window._address(), authkey=b"guess"
    ) as connection:  # fmt: skip
        connection.send_bytes(REQUEST.to_bytes())
    assert hand_over(StartRequest(sample=True))
    assert received.get(timeout=10) == StartRequest(sample=True)
    assert received.empty()


def test_that_nonsense_does_not_end_the_window(
    running: RunningWindow, received: Queue[StartRequest]
) -> None:
    for data in (b"", b"[]", b'{"paths": 1, "model": "", "sample": false}', b"\xff"):
        with Client(running_window._address(), authkey=running_window._key()) as connection:
            connection.send_bytes(data)
    assert hand_over(REQUEST)
    assert received.get(timeout=10) == REQUEST


def test_that_a_window_that_hangs_does_not_keep_a_start_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import socket

    monkeypatch.setattr(running_window, "ANSWER_S", 0.2)
    if sys.platform == "win32":
        pytest.skip("named pipes")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as hangs:
        hangs.bind(running_window._address())
        hangs.listen()
        assert not hand_over(REQUEST)
