"""A lock for as long as a run writes to its output; the lock file says who holds it.

`file_lock` is for the milliseconds of one change; this lock is for hours. A second run is refused
instead of made to wait, and the lock of a program that has ended is taken over.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from xrayview.errors import UsageError
from xrayview.io.file_lock import locked

_UNFINISHED_S = 2.0
"""Longer than a lock file stays without its text; one that does was left by a crash."""
_POLL_S = 0.05
RENEWALS = 6
"""Within a lease: a share may be slow for some seconds."""


@dataclass(frozen=True)
class Holder:
    """The run that holds a lock."""

    pid: int
    host: str
    since_utc: str
    process_start: str
    """When the process began, in the system's own form: process ids are used again."""
    token: str
    machine: str = ""
    """Tells computers and containers of one name apart, where the system says."""
    lease_s: float = 0.0
    """The lock counts as abandoned if its time stays the same for so long; 0: never."""

    @property
    def text(self) -> str:
        """The holder for people: `process 4711 on ward3, since 2026-11-30 19:05:52 UTC`."""
        since = self.since_utc.replace("T", " ")[:19]
        return f"process {self.pid} on {self.host}, since {since} UTC"

    @property
    def has_ended(self) -> bool:
        """True where it is certain: the process was on this computer, and is gone."""
        if self.host != platform.node() or self.machine != machine():
            return False
        start = process_start(self.pid)
        return start is None or bool(start and self.process_start and start != self.process_start)


@contextmanager
def run_lock(lock: Path, what: str, lease_s: float = 0.0) -> Iterator[threading.Event]:
    """Hold `lock`, a file that no other run may hold, until the block ends.

    Args:
        lock: the path of the lock file.
        what: what is locked, for the message: `The table p.csv`.
        lease_s: for work that another computer may do as well. The lock's time is renewed while it
            is held, and a run on another computer takes it over when it has not been for so long:
            this computer has lost its power or its network. 0 for a lock that is never taken over.

    Yields an event that is set if another run has taken over the lock; what is locked must then be
    left alone.

    Raises:
        UsageError: another run holds it; the message names its process and computer.
        OSError: the lock file cannot be written.
    """
    own = Holder(
        os.getpid(),
        platform.node(),
        datetime.now(UTC).isoformat(timespec="seconds"),
        process_start(os.getpid()) or "",
        uuid.uuid4().hex,
        machine(),
        lease_s,
    )
    _acquire(lock, own, what)
    try:
        with _renewed(lock, own) as lost:
            yield lost
    finally:
        if (holder := _read(lock)) is not None and holder.token == own.token:
            with suppress(OSError):
                lock.unlink(missing_ok=True)


def _acquire(lock: Path, own: Holder, what: str) -> None:
    while not _create(lock, own):
        holder = _read(lock)
        if holder is None:
            holder = _wait_for_text(lock)
        if holder is not None and not (holder.has_ended or _is_abandoned(lock, holder)):
            if not lock.exists():
                continue  # it has ended meanwhile
            raise UsageError(
                f"{what} is in use by another run",
                why=holder.text,
                hint=f"Wait until it has ended. If it has, delete {lock.name}.",
            )
        _remove_stale(lock, holder)


@contextmanager
def _renewed(lock: Path, own: Holder) -> Iterator[threading.Event]:
    """Renew the time of a lock with a lease; the event says that another run has it."""
    lost, ended = threading.Event(), threading.Event()
    if not own.lease_s:
        yield lost
        return

    def renew() -> None:
        while not ended.wait(own.lease_s / RENEWALS):
            holder = _read(lock)
            if holder is not None and holder.token != own.token:
                lost.set()
                return
            with suppress(OSError):
                os.utime(lock)

    thread = threading.Thread(target=renew, name="run lock", daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        ended.set()
        thread.join()


def _is_abandoned(lock: Path, holder: Holder) -> bool:
    """True where a lease has run out, which takes as long as the lease; at once False without one.

    Times are compared with each other only: the clocks of computers differ.
    """
    if not holder.lease_s or (holder.host == platform.node() and holder.machine == machine()):
        return False
    first, end_s = _time_of(lock), time.monotonic() + holder.lease_s
    while time.monotonic() < end_s:
        time.sleep(max(_POLL_S, holder.lease_s / 100))
        # Reading it makes a network share ask its server for the present time of the file.
        if _read(lock) != holder or _time_of(lock) != first:
            return False
    return True


def _time_of(lock: Path) -> int:
    with suppress(OSError):
        return lock.stat().st_mtime_ns
    return 0


def _create(lock: Path, own: Holder) -> bool:
    try:
        descriptor = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(asdict(own), stream)
            stream.write("\n")
    except OSError:
        lock.unlink(missing_ok=True)
        raise
    return True


def _read(lock: Path) -> Holder | None:
    """The holder; None where the file is gone, or not (yet) a lock."""
    try:
        plain = json.loads(lock.read_text(encoding="utf-8"))
        return Holder(
            int(plain["pid"]),
            str(plain["host"]),
            str(plain["since_utc"]),
            str(plain["process_start"]),
            str(plain["token"]),
            str(plain.get("machine", "")),
            float(plain.get("lease_s", 0.0)),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _wait_for_text(lock: Path) -> Holder | None:
    """The holder of a lock file that was just created; None if it stays without one."""
    end_s = time.monotonic() + _UNFINISHED_S
    while lock.exists() and time.monotonic() < end_s:
        if (holder := _read(lock)) is not None:
            return holder
        time.sleep(_POLL_S)
    return None


def _remove_stale(lock: Path, stale: Holder | None) -> None:
    """Remove the lock of a run that has ended, unless another run has already taken it over."""
    with locked(lock):
        # Only under this second lock is one removed, so it cannot change between the two steps.
        if _read(lock) == stale:
            lock.unlink(missing_ok=True)


def machine() -> str:
    """The id of this installation and the container's list of processes; empty if unknown."""
    parts = []
    with suppress(OSError):
        parts.append(Path("/etc/machine-id").read_text(encoding="ascii").strip()[:12])
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def process_start(pid: int) -> str | None:
    """When a process of this computer began; empty if unknown, None if there is no such process."""
    if pid <= 0:
        return None
    if sys.platform == "win32":
        return _windows_start(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except (PermissionError, OverflowError):
        pass
    if Path("/proc/self/stat").exists():
        return _linux_start(pid)
    return _ps_start(pid)


def _linux_start(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    except OSError:
        return ""
    # proc_pid_stat(5): the name is in brackets and may contain spaces; fields 3 and 22 follow.
    fields = stat.rpartition(")")[2].split()
    if fields[0] in "ZX":
        return None
    boot = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {fields[19]}".strip()


def _ps_start(pid: int) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603
            ["ps", "-o", "lstart=", "-p", str(pid)],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
        )
    except OSError:
        return ""
    return answer.stdout.strip() or None


if sys.platform == "win32":

    def _windows_start(pid: int) -> str | None:
        import ctypes
        from ctypes import wintypes

        query_limited_information, still_active, invalid_parameter = 0x1000, 259, 87
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = wintypes.HANDLE
        handle = kernel.OpenProcess(query_limited_information, False, pid)
        if not handle:
            return None if ctypes.get_last_error() == invalid_parameter else ""
        try:
            code = wintypes.DWORD()
            if kernel.GetExitCodeProcess(handle, ctypes.byref(code)) and code.value != still_active:
                return None
            times = [wintypes.FILETIME() for _ in range(4)]
            if not kernel.GetProcessTimes(handle, *map(ctypes.byref, times)):
                return ""
            return f"{times[0].dwHighDateTime:08x}{times[0].dwLowDateTime:08x}"
        finally:
            kernel.CloseHandle(handle)
