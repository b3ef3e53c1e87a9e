"""The version that Explorer shows in the properties of the programs."""

from __future__ import annotations

from typing import Any

from xrayview import __version__

_ENGLISH_UNICODE = (1033, 1200)


def numbers(version: str = __version__) -> tuple[int, int, int, int]:
    """Return a version as the four numbers of Windows: `0.2.0` as (0, 2, 0, 0)."""
    found = [int(part) for part in version.split("+")[0].split(".") if part.isdecimal()]
    major, minor, patch, build = [*found, 0, 0, 0, 0][:4]
    return major, minor, patch, build


def texts() -> dict[str, str]:
    """Return the texts of the resource."""
    return {
        "CompanyName": "The XrayView developers",
        "FileDescription": "XrayView",
        "FileVersion": __version__,
        "ProductName": "XrayView",
        "ProductVersion": __version__,
        "LegalCopyright": "Apache License 2.0",
        "Comments": "For research and teaching. Not a medical device.",
    }


def version_resource() -> Any:
    """Return the resource for PyInstaller, which has its classes on all systems."""
    from PyInstaller.utils.win32.versioninfo import (
        FixedFileInfo,
        StringFileInfo,
        StringStruct,
        StringTable,
        VarFileInfo,
        VarStruct,
        VSVersionInfo,
    )

    language, character_set = _ENGLISH_UNICODE
    rows = [StringStruct(name, text) for name, text in texts().items()]
    return VSVersionInfo(
        ffi=FixedFileInfo(filevers=numbers(), prodvers=numbers()),
        kids=[
            StringFileInfo([StringTable(f"{language:04x}{character_set:04x}", rows)]),
            VarFileInfo([VarStruct("Translation", [language, character_set])]),
        ],
    )
