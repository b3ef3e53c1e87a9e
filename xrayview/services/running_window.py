"""A second start hands its paths to the window that is running.

The window listens on a socket (a named pipe on Windows) that only its user can use: both sides
prove that they know a key in the user's configuration folder. Messages are JSON.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import AuthenticationError
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.errors import UsageError
from xrayview.services.identity import identity_key
from xrayview.services.user_folders import config_folder

if TYPE_CHECKING:  # brings sockets and temporary files, which a first start does not need
    from multiprocessing.connection import Connection, Listener

_log = logging.getLogger(__name__)
ANSWER_S = 3.0
"""A window that does not answer by then hangs, and the second start opens its own."""
_MAX_BYTES = 1_000_000
_MAX_SOCKET_BYTES = 100
"""A longer path is not a valid address of a socket."""
_OK = b"ok"
_PAUSE_S = 0.1
"""After an error, which the system may give again at once."""


@dataclass(frozen=True)
class StartRequest:
    """What a start of the program is to open."""

    paths: tuple[Path, ...] = ()
    """Folders and films, absolute."""
    model: Path | None = None
    sample: bool = False

    def to_bytes(self) -> bytes:
        """The request as JSON."""
        model = str(self.model) if self.model else ""
        plain = {"paths": [str(path) for path in self.paths], "model": model, "sample": self.sample}
        return json.dumps(plain).encode()

    @classmethod
    def of_bytes(cls, data: bytes) -> StartRequest:
        """The request from JSON. Raises: ValueError, KeyError, TypeError."""
        plain = json.loads(data)
        model = Path(str(plain["model"])) if plain["model"] else None
        return cls(tuple(Path(str(path)) for path in plain["paths"]), model, bool(plain["sample"]))


class RunningWindow:
    """Listens for requests of later starts, which are passed on in a thread.

    Args:
        receive: called with each request, in a thread of its own; must not block.
    """

    def __init__(self, receive: Callable[[StartRequest], None]) -> None:
        self._receive = receive
        self._listener: Listener | None = None

    def start(self) -> bool:
        """Listen from now on; False where the system or another window does not allow it."""
        from multiprocessing.connection import Listener

        try:
            address, key = _address(), _key()
            _remove_stale(address)
            self._listener = Listener(address, authkey=key)
        except (OSError, UsageError) as error:
            _log.info("later starts open their own window: %s", type(error).__name__)
            return False
        threading.Thread(target=self._serve, name="xrayview starts", daemon=True).start()
        return True

    def close(self) -> None:
        """End listening; may be called twice."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(OSError):
                listener.close()

    def _serve(self) -> None:
        while (listener := self._listener) is not None:
            try:
                with listener.accept() as connection:
                    self._answer(connection)
            except (OSError, EOFError, AuthenticationError) as error:
                if self._listener is None:
                    return
                _log.info("a start was not understood: %s", type(error).__name__)
                time.sleep(_PAUSE_S)

    def _answer(self, connection: Connection) -> None:
        if not connection.poll(ANSWER_S):
            return
        try:
            request = StartRequest.of_bytes(connection.recv_bytes(_MAX_BYTES))
        except (ValueError, KeyError, TypeError):
            return
        self._receive(request)
        connection.send_bytes(_OK)


def hand_over(request: StartRequest) -> bool:
    """Pass a request to the window that is running; False where there is none."""
    try:
        address = _address()
        if not sys.platform.startswith("win") and not os.path.exists(address):  # noqa: PTH110
            return False
        answers: list[bool] = []
        # A window that hangs would keep this start waiting for the proof of the key.
        asking = threading.Thread(
            target=lambda: answers.append(_ask(address, request)), daemon=True
        )
        asking.start()
        asking.join(ANSWER_S)
    except (OSError, UsageError):
        return False
    return answers == [True]


def _ask(address: str, request: StartRequest) -> bool:
    from multiprocessing.connection import Client

    try:
        with Client(address, authkey=_key()) as connection:
            connection.send_bytes(request.to_bytes())
            return connection.poll(ANSWER_S) and connection.recv_bytes(len(_OK)) == _OK
    except (OSError, EOFError, AuthenticationError, UsageError):
        return False


def _key() -> bytes:
    return identity_key(config_folder() / "window.key")


def _address() -> str:
    """The address of the window that uses these settings."""
    folder = config_folder()
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    if sys.platform.startswith("win"):
        return rf"\\.\pipe\xrayview-{digest}"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    parent = Path(runtime) if runtime and Path(runtime).is_dir() else folder
    path = os.fspath(parent / f"xrayview-{digest}.socket")
    if len(os.fsencode(path)) > _MAX_SOCKET_BYTES:
        import tempfile

        path = os.path.join(tempfile.gettempdir(), f"xrayview-{digest}.socket")  # noqa: PTH118
    return path


def _remove_stale(address: str) -> None:
    """Remove the socket of a window that crashed.

    Raises:
        OSError: another window is listening.
    """
    if sys.platform.startswith("win") or not os.path.exists(address):  # noqa: PTH110
        return
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(ANSWER_S)
        try:
            probe.connect(address)
        except ConnectionRefusedError:
            Path(address).unlink(missing_ok=True)
            return
    raise FileExistsError("another window is listening")
