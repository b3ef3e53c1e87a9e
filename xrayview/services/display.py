"""Whether a window can be opened, found out before Qt, which would abort the process."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping

from xrayview.errors import UsageError

_XCB = "libxcb.so.1"
WITHOUT_A_SCREEN = (
    "Without a screen, put `xvfb-run -a` before the command, or use the command line: "
    "`xrayview --help`."
)
_QT_LIBRARIES = (
    "On Debian and Ubuntu: sudo apt-get install libegl1 libgl1 libdbus-1-3 libxkbcommon-x11-0 "
    "libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0"
)


def require_display(environment: Mapping[str, str] = os.environ) -> None:
    """Check that there is a display where the platform needs one: X11 and Wayland.

    Raises:
        UsageError: there is none, or it does not answer.
    """
    if sys.platform in ("win32", "darwin", "cygwin"):
        return
    platform = environment.get("QT_QPA_PLATFORM", "").partition(":")[0].partition(";")[0]
    if platform and platform != "xcb" and not platform.startswith("wayland"):
        return  # such as offscreen
    if environment.get("WAYLAND_DISPLAY") and platform != "xcb":
        return
    name = environment.get("DISPLAY", "")
    if not name:
        raise UsageError(
            "There is no display for the window", why="DISPLAY is not set", hint=WITHOUT_A_SCREEN
        )
    if not _answers(name):
        raise UsageError(
            "The display does not answer", why=f"DISPLAY is {name}", hint=WITHOUT_A_SCREEN
        )


def library_missing(text: str) -> UsageError:
    """The error for a library of the system that Qt does not find; `text` is the loader's."""
    why = text.strip().partition("\n")[0].partition(" Reinstalling")[0].rstrip(".")
    return UsageError("Qt cannot open a window", why=why, hint=_QT_LIBRARIES)


def _answers(name: str) -> bool:
    """True where an X server accepts a connection, or where that cannot be found out."""
    try:
        xcb = ctypes.CDLL(_XCB)
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = (ctypes.c_char_p, ctypes.c_void_p)
    for function in (xcb.xcb_connection_has_error, xcb.xcb_disconnect):
        function.argtypes = (ctypes.c_void_p,)
    connection = xcb.xcb_connect(os.fsencode(name), None)
    failed = bool(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
    return not failed
