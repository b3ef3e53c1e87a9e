"""The file formats of films, one row each.

Readers, messages, help texts and documentation take a format's name from its row. What a file is
depends on its content, never on its suffix.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FilmFormat:
    """One format that XrayView reads."""

    id: str
    """As in `FilmRef.format`, and in what the command line prints."""
    title: str
    """As users read it."""
    suffixes: tuple[str, ...]
    """Usual suffixes, the first one for new files."""
    has_tags: bool = False
    """Carries DICOM attributes: patient, study, series, and what de-identification removes."""
    has_frames: bool = False
    """One file may hold several frames or pages."""
    is_common: bool = True
    """Named in messages and help texts; False for a format of one data set."""


DICOM = FilmFormat("dicom", "DICOM", (".dcm",), has_tags=True, has_frames=True)
PNG = FilmFormat("png", "PNG", (".png",))
JPEG = FilmFormat("jpeg", "JPEG", (".jpg", ".jpeg"))
TIFF = FilmFormat("tiff", "TIFF", (".tif", ".tiff"), has_frames=True)
JSRT = FilmFormat("jsrt", "JSRT", (".img",), is_common=False)

FORMATS: tuple[FilmFormat, ...] = (DICOM, PNG, JPEG, TIFF, JSRT)
BY_ID: dict[str, FilmFormat] = {row.id: row for row in FORMATS}

_COMMON = [row.title for row in FORMATS if row.is_common]
READABLE = f"{', '.join(_COMMON[:-1])} or {_COMMON[-1]}"
"""`DICOM, PNG, JPEG or TIFF`, for messages and help texts."""
