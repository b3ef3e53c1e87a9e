"""Long paths of Windows get the prefix with which they are opened, and lose it where shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from xrayview.io import long_paths, scan
from xrayview.io.long_paths import LONGEST, extended, openable, without_prefix

LONG = "x" * LONGEST


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"C:\films\a.dcm", r"C:\films\a.dcm"),
        (rf"C:\films\{LONG}\a.dcm", rf"\\?\C:\films\{LONG}\a.dcm"),
        (rf"C:\films\sub\..\{LONG}/Zoë.dcm", rf"\\?\C:\films\{LONG}\Zoë.dcm"),
        (rf"\\server\share\{LONG}", rf"\\?\UNC\server\share\{LONG}"),
        (rf"\\?\C:\{LONG}", rf"\\?\C:\{LONG}"),
    ],
)
def test_that_only_a_long_path_gets_the_prefix(text: str, expected: str) -> None:
    assert extended(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\\?\C:\films", r"C:\films"),
        (r"\\?\UNC\server\share", r"\\server\share"),
        (r"C:\films", r"C:\films"),
        ("/films/a.dcm", "/films/a.dcm"),
    ],
)
def test_that_a_path_is_shown_without_the_prefix(text: str, expected: str) -> None:
    assert without_prefix(text) == expected


def test_that_other_systems_open_any_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_paths, "_IS_WINDOWS", False)
    assert openable(Path(f"/{LONG}")) == Path(f"/{LONG}")
    monkeypatch.setattr(long_paths, "_IS_WINDOWS", True)
    assert str(openable(Path(f"C:\\{LONG}"))) == f"\\\\?\\C:\\{LONG}"


def test_that_a_relative_path_has_no_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path("/films")
    monkeypatch.setattr(scan, "without_prefix", lambda text: text.removeprefix("/prefix"))
    assert scan.relative_path(Path("/prefix/films/sub/a.dcm"), root) == "sub/a.dcm"
