"""How much memory the workers may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MIB = 1024 * 1024
SHARE_OF_MACHINE = 0.75
"""For all decode workers; the window, the model and the system need the rest."""
LEAST_MIB = 1024
"""For one worker: 340 MiB of libraries, and a film of 60 megapixels with its copies."""
_CONTROL_GROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def memory_of_each(limit_mib: int, workers: int) -> int:
    """The limit of each worker in MiB: `limit_mib`, but all together no more than there is.

    Each of n workers may meet a film that takes as much as it is allowed to.
    """
    machine = machine_memory_mib()
    if machine is None:
        return limit_mib
    share = int(machine * SHARE_OF_MACHINE) // max(workers, 1)
    return min(limit_mib, max(share, LEAST_MIB))


def machine_memory_mib() -> int | None:
    """The memory of the machine or container in MiB; None where the platform does not say."""
    sizes = []
    with suppress(AttributeError, ValueError, OSError):
        sizes.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in _CONTROL_GROUP_LIMITS:
        with suppress(OSError, ValueError):  # absent, or `max`
            sizes.append(int(path.read_text(encoding="ascii")))
    return min(sizes) // MIB if sizes else None


@contextmanager
def limited_memory(growth: int) -> Iterator[None]:
    """Limit, where the platform can, by how many bytes this process may grow meanwhile.

    An allocation beyond it fails like one on a machine without free memory.
    """
    try:
        import resource

        limit, hard = resource.getrlimit(resource.RLIMIT_DATA)
        in_use = _data_bytes()
    except (ImportError, OSError, ValueError):
        yield
        return
    allowed = in_use + growth
    limits = [value for value in (limit, hard) if value != resource.RLIM_INFINITY]
    try:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (min([allowed, *limits]), hard))
        yield
    finally:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _data_bytes() -> int:
    """The private writable memory of this process.

    Raises:
        OSError, ValueError: the platform does not say.
    """
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no VmData")
