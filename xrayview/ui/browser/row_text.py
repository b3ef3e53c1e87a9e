"""What a row of the browser says: of a film, a group, or a file that is no film."""

from __future__ import annotations

from pathlib import Path

from xrayview.domain.film import FilmRef, RejectedFile
from xrayview.domain.folder import Group, Level


def film_title(film: FilmRef) -> str:
    """The film in a few words: `Chest PA · L · 3 frames`, else its file name."""
    title = view_text(film) or film.path.name
    return f"{title} · {film.frames} frames" if film.frames > 1 else title


def view_text(film: FilmRef) -> str:
    """`Chest PA · L`; empty when the film does not say."""
    view = " · ".join(word for word in (film.view_position, film.laterality) if word)
    return " ".join(word for word in (film.body_part.title(), view) if word)


def film_note(film: FilmRef) -> str:
    """The file's name; the film's size where the name is the title."""
    return film.path.name if view_text(film) else size_text(film)


def size_text(film: FilmRef) -> str:
    """`1841 × 1955`, or the format."""
    return f"{film.columns} × {film.rows}" if film.rows else film.format.upper()


def film_words(film: FilmRef, *, identity_hidden: bool) -> str:
    """What the text filter looks in, lower case."""
    words = f"{film.body_part} {film.view_position} {film.laterality} {film.modality}"
    if not identity_hidden:
        words = f"{words} {film.series_description} {film.relative_path}"
    return words.lower()


def group_title(group: Group, folder: Path) -> str:
    """What the group is called: an ID, a date, a description, a folder."""
    film = group.first
    if group.level is Level.FOLDER:
        return film.relative_path.rpartition("/")[0] or folder.name or str(folder)
    if group.level is Level.PATIENT:
        return film.patient_id or "Patient without an ID"
    if group.level is Level.STUDY:
        words = (date_text(film.study_date), film.study_description)
        return " · ".join(word for word in words if word) or "Study without a date"
    number = film.series_number
    return film.series_description or (f"Series {number}" if number else "Series")


def date_text(date: str) -> str:
    """A DICOM date as `2004-01-19`; as it stands when it is no such date."""
    return f"{date[:4]}-{date[4:6]}-{date[6:8]}" if len(date) == 8 and date.isdigit() else date


def film_tip(film: FilmRef) -> str:
    """Where the film lies and how large it is."""
    size = f"{film.columns} × {film.rows}" if film.rows else ""
    return "\n".join(word for word in (film.relative_path, film.modality, size) if word)


def rejected_tip(file: RejectedFile) -> str:
    """Where the file lies, why it is no film, and what to do."""
    return f"{file.relative_path}\n{file.code}: {file.why}\n{file.hint}".strip()
