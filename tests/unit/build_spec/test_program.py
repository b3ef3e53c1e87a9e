"""Which program a name stands for, and which one starts commands."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from build_spec.program import _is_window
from xrayview.services.program import program_command


@pytest.mark.parametrize(
    ("system", "stem", "is_window"),
    [
        ("linux", "XrayView", True),
        ("linux", "xrayview", False),
        ("win32", "XrayView", True),
        ("win32", "xrayview", True),  # typed in lower case
        ("win32", "xrayview-cli", False),
        ("darwin", "XrayView", True),
        ("darwin", "xrayview-cli", False),
    ],
)
def test_that_the_name_chooses_window_or_command_line(
    system: str, stem: str, is_window: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    assert _is_window(stem) == is_window


def test_that_the_frozen_window_starts_commands_by_the_program_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "XrayView"))
    assert program_command() == [str(tmp_path / "XrayView")]  # where there is no other

    (tmp_path / "xrayview").write_bytes(b"")

    assert program_command() == [str(tmp_path / "xrayview")]
