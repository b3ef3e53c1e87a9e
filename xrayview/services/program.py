"""How this program starts itself again, frozen or not, and which of its processes run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_PROC = Path("/proc")


def is_frozen() -> bool:
    """True in a program that was packed with its own Python."""
    return bool(getattr(sys, "frozen", False))


def program_command() -> list[str]:
    """The start of a command line that runs a command of `xrayview`.

    A frozen folder has two programs: the window, which takes paths, and the command line.
    """
    if not is_frozen():
        return [sys.executable, "-m", "xrayview"]
    own = Path(sys.executable)
    name = "xrayview-cli" if sys.platform in ("win32", "darwin") else "xrayview"
    command = own.with_name(name + own.suffix)
    return [str(command if command.is_file() else own)]


def program_environment() -> dict[str, str]:
    """The environment for `program_command`, which finds this package from any folder."""
    environment = dict(os.environ)
    if not is_frozen():
        paths = [str(_PACKAGE.parent), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return environment


def show_native_message(title: str, text: str) -> None:
    """Show a message box without Qt: on Windows, where a windowed program has no terminal."""
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.user32.MessageBoxW(None, text, title, 0x10)  # MB_ICONERROR


def can_list_processes() -> bool:
    """True where the environments of processes can be read: on Linux."""
    return (_PROC / "self" / "environ").exists()


def processes_with(variable: Mapping[str, str]) -> list[str]:
    """The processes of this user with these variables: number and name of each."""
    wanted = {f"{name}={value}".encode() for name, value in variable.items()}
    found = []
    for folder in _PROC.iterdir():
        if folder.name.isdecimal() and folder.name != str(os.getpid()):
            with suppress(OSError):  # ended meanwhile, or of another user
                if wanted <= set((folder / "environ").read_bytes().split(b"\0")):
                    name = (folder / "comm").read_text(encoding="utf-8", errors="replace").strip()
                    found.append(f"{folder.name} {name}")
    return found
