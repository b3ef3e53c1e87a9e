"""What the Info.plist of XrayView.app says: version, documents, and the oldest system."""

from __future__ import annotations

from typing import Any

from build_spec.recipe import IDENTIFIER, WINDOW
from xrayview import __version__

OLDEST_SYSTEM = "13.0"
"""What the wheels of torch and Qt for Python need."""
DICOM, MODEL = "org.nema.dicom", f"{IDENTIFIER}.model"


def information() -> dict[str, Any]:
    """Return the entries of Info.plist."""
    return {
        "CFBundleDisplayName": WINDOW,
        "CFBundleShortVersionString": __version__,
        "CFBundleVersion": __version__,
        "CFBundleDocumentTypes": [
            _document("DICOM film", DICOM, "Viewer", "Alternate"),
            _document("Folder of films", "public.folder", "Viewer", "Alternate"),
            _document("Model bundle", MODEL, "Viewer", "Alternate"),
        ],
        "UTImportedTypeDeclarations": [
            _declaration("DICOM film", DICOM, ["dcm", "dicom"], "application/dicom"),
            _declaration("Model bundle", MODEL, ["pt"], ""),
        ],
        "LSApplicationCategoryType": "public.app-category.medical",
        "LSMinimumSystemVersion": OLDEST_SYSTEM,
        "NSHighResolutionCapable": True,
        "NSHumanReadableCopyright": "Apache License 2.0",
        "NSPrincipalClass": "NSApplication",
        "NSRequiresAquaSystemAppearance": False,
    }


def _document(name: str, kind: str, role: str, rank: str) -> dict[str, Any]:
    return {
        "CFBundleTypeName": name,
        "CFBundleTypeRole": role,
        "LSHandlerRank": rank,
        "LSItemContentTypes": [kind],
    }


def _declaration(name: str, kind: str, endings: list[str], mime: str) -> dict[str, Any]:
    tags: dict[str, Any] = {"public.filename-extension": endings}
    if mime:
        tags["public.mime-type"] = mime
    return {
        "UTTypeIdentifier": kind,
        "UTTypeDescription": name,
        "UTTypeConformsTo": ["public.data"],
        "UTTypeTagSpecification": tags,
    }
