"""The cores that this process may use, and how threads that share a computation wait.

Neither torch nor numpy is imported here: the environment is read when they are.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_SPINS = "2000"
"""libgomp spins about a million times at a barrier before it sleeps, which takes the core from
whoever else wants it. Beside one busy neighbour on two cores, 2,000 spins took half of the lost
time away, and on a quiet machine they cost nothing; no spins at all cost 15 to 20 % there."""
_CONTROL_GROUPS = Path("/sys/fs/cgroup")


def set_wait_policy() -> None:
    """Let the threads of OpenMP spin briefly, unless the user has chosen how they wait.

    To be called before torch is imported; child processes inherit it.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)


def available_cores() -> int:
    """How many cores this process may use: by its affinity and by the limits of its container."""
    cores = os.cpu_count() or 1
    with suppress(AttributeError, OSError):  # not on macOS and Windows
        cores = len(os.sched_getaffinity(0))
    return max(1, min([cores, *(math.floor(quota) for quota in _quotas())]))


def _quotas() -> Iterator[float]:
    """The limits of the control groups of this process, in cores."""
    own = ""
    with suppress(OSError, ValueError):  # absent on other systems
        lines = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
        own = next((line[3:].strip("/") for line in lines if line.startswith("0::")), "")
    group = _CONTROL_GROUPS / own
    for folder in (group, *group.parents):
        if not folder.is_relative_to(_CONTROL_GROUPS):
            break
        with suppress(OSError, ValueError):  # absent, or `max`
            quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
            yield int(quota) / int(period)
    with suppress(OSError, ValueError, ZeroDivisionError):  # version 1; -1 is no limit
        folder = _CONTROL_GROUPS / "cpu"
        quota_us = int((folder / "cpu.cfs_quota_us").read_text(encoding="ascii"))
        if quota_us > 0:
            yield quota_us / int((folder / "cpu.cfs_period_us").read_text(encoding="ascii"))
