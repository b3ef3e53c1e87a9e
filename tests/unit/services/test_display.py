"""Without a display the window is refused with one line, before Qt would abort."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from xrayview.errors import ExitCode, UsageError
from xrayview.services.display import library_missing, require_display

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="these platforms always have a display"
)


def start(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if k not in (
        "DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "xrayview", "app", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=inherited | environment,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("environment", "text"),
    [({}, "DISPLAY is not set"), ({"DISPLAY": ":7654"}, "DISPLAY is :7654")],
)
def test_that_a_start_without_a_display_ends_with_one_line(
    environment: dict[str, str], text: str
) -> None:
    ran = start("--sample", **environment)
    assert ran.returncode == ExitCode.USAGE
    assert ran.stderr.count("\n") == 1
    assert text in ran.stderr
    assert "xvfb-run" in ran.stderr


def test_that_a_platform_that_qt_does_not_find_ends_with_one_line() -> None:
    ran = start(QT_QPA_PLATFORM="nothing")
    assert ran.returncode == ExitCode.USAGE
    assert ran.stderr.count("\n") == 1
    assert "apt-get install" in ran.stderr


def test_that_help_needs_no_display() -> None:
    assert "--new-window" in start("--help").stdout


@pytest.mark.parametrize(
    "environment",
    [{"QT_QPA_PLATFORM": "offscreen"}, {"WAYLAND_DISPLAY": "wayland-0"},
     {"QT_QPA_PLATFORM": "vnc:port=1"}],
)  # fmt: skip
def test_that_other_platforms_are_left_to_qt(environment: dict[str, str]) -> None:
    require_display(environment)


def test_that_x11_is_needed_where_it_is_asked_for() -> None:
    with pytest.raises(UsageError):
        require_display({"QT_QPA_PLATFORM": "xcb", "WAYLAND_DISPLAY": "wayland-0"})


def test_that_a_missing_library_is_named() -> None:
    error = library_missing("libEGL.so.1: cannot open shared object file: No such file\nmore")
    assert "libEGL.so.1: cannot open" in str(error)
    assert "more" not in str(error)
