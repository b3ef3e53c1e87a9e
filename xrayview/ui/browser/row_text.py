"""The texts of the browser's rows: films, groups, and files that are not films."""

from __future__ import annotations

from pathlib import Path

from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.folder import Group, Level
from xrayview.domain.sentences import without_options


def film_title(film: FilmRef) -> str:
    """A short name: `Chest PA · L · 3 frames`, else the file name."""
    title = view_text(film) or film.path.name
    return f"{title} · {film.frames} frames" if film.frames > 1 else title


def view_text(film: FilmRef) -> str:
    """`Chest PA · L`; empty when the film has none of these tags."""
    view = " · ".join(part for part in (film.view_position, film.laterality) if part)
    return " ".join(part for part in (film.body_part.title(), view) if part)


def film_note(film: FilmRef) -> str:
    """The file name, or the film's size where the file name is the title already."""
    return film.path.name if view_text(film) else size_text(film)


def size_text(film: FilmRef) -> str:
    """`1841 × 1955`, or the format where the size is unknown."""
    return f"{film.columns} × {film.rows}" if film.rows else film.format_title


def searchable_text(film: FilmRef, *, identity_hidden: bool) -> str:
    """The text that the filter searches, lower case."""
    text = f"{film.body_part} {film.view_position} {film.laterality} {film.modality}"
    if not identity_hidden:
        text = f"{text} {film.series_description} {film.relative_path}"
    return text.lower()


def group_title(group: Group, folder: Path) -> str:
    """The title of a group: an ID, a date, a description or a folder."""
    film = group.first
    if group.level is Level.FOLDER:
        return film.relative_path.rpartition("/")[0] or folder.name or str(folder)
    if group.level is Level.PATIENT:
        return film.patient_id or "Patient without ID"
    if group.level is Level.STUDY:
        parts = (date_text(film.study_date), film.study_description)
        return " · ".join(part for part in parts if part) or "Study without date"
    number = film.series_number
    return film.series_description or (f"Series {number}" if number else "Series")


def date_text(date: str) -> str:
    """A DICOM date as `2004-01-19`; any other text unchanged."""
    return f"{date[:4]}-{date[4:6]}-{date[6:8]}" if len(date) == 8 and date.isdigit() else date


def film_tip(film: FilmRef) -> str:
    """The film's path, modality and size."""
    size = f"{film.columns} × {film.rows}" if film.rows else ""
    return "\n".join(part for part in (film.relative_path, film.modality, size) if part)


def rejected_tip(file: RejectedFile) -> str:
    """The file's path, why it is not a film, and what to do."""
    return f"{file.relative_path}\n{file.code}: {file.why}\n{without_options(file.hint)}".strip()
