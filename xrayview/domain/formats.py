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


DICOM = FilmFormat("dicom", "DICOM", (".dcm",), has_tags=True, has_frames=True)
PNG = FilmFormat("png", "PNG", (".png",))
JPEG = FilmFormat("jpeg", "JPEG", (".jpg", ".jpeg"))
TIFF = FilmFormat("tiff", "TIFF", (".tif", ".tiff"), has_frames=True)

FORMATS: tuple[FilmFormat, ...] = (DICOM, PNG, JPEG, TIFF)
BY_ID: dict[str, FilmFormat] = {row.id: row for row in FORMATS}

READABLE = f"{', '.join(row.title for row in FORMATS[:-1])} or {FORMATS[-1].title}"
"""`DICOM, PNG, JPEG or TIFF`, for messages and help texts."""
