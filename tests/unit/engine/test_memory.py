"""All decode workers together get no more memory than the machine has."""

from __future__ import annotations

from pathlib import Path

import pytest

from xrayview.engine import memory
from xrayview.engine.memory import LEAST_MIB, SHARE_OF_MACHINE, machine_memory_mib, memory_of_each


@pytest.mark.parametrize("workers", [1, 2, 4, 15, 63])
@pytest.mark.parametrize("machine_mib", [8192, 16384, 131072])
def test_that_the_workers_share_the_machine(
    monkeypatch: pytest.MonkeyPatch, machine_mib: int, workers: int
) -> None:
    monkeypatch.setattr(memory, "machine_memory_mib", lambda: machine_mib)
    each = memory_of_each(4096, workers)
    assert LEAST_MIB <= each <= 4096
    assert each == LEAST_MIB or each * workers <= machine_mib * SHARE_OF_MACHINE


def test_that_the_limit_is_kept_where_there_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "machine_memory_mib", lambda: 1_000_000)
    assert memory_of_each(4096, 15) == 4096
    monkeypatch.setattr(memory, "machine_memory_mib", lambda: None)
    assert memory_of_each(4096, 15) == 4096


def test_that_the_limit_of_a_container_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text(f"{512 * 1024**2}\n", encoding="ascii")
    monkeypatch.setattr(memory, "_CONTROL_GROUP_LIMITS", (tmp_path / "absent", limit))
    assert machine_memory_mib() == 512
    limit.write_text("max\n", encoding="ascii")
    assert machine_memory_mib() != 512
