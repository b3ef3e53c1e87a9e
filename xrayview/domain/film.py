"""What the browser lists: films, and the patients, studies and series they belong to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from xrayview.errors import StatusCode


@dataclass(frozen=True)
class FilmRef:
    """One film (an image of a file) as its header describes it; no pixels.

    Text fields are empty when the file does not say; `rows` and `columns` are 0 when unknown.
    Attribute names follow the DICOM keywords. `patient_name` and `patient_birth_date` never
    appear in `repr`, so that a log line cannot carry them.
    """

    path: Path
    relative_path: str
    """Path below the scanned folder, with forward slashes: what the CSV shows."""
    frame: int = 0
    frames: int = 1
    format: str = "dicom"
    """`dicom`, `png`, `jpeg` or `tiff`, as sniffed from the content."""
    file_size: int = 0
    mtime_ns: int = 0
    study_uid: str = ""
    series_uid: str = ""
    sop_uid: str = ""
    transfer_syntax: str = ""
    modality: str = ""
    body_part: str = ""
    view_position: str = ""
    laterality: str = ""
    patient_sex: str = ""
    patient_age: str = ""
    manufacturer: str = ""
    institution: str = field(default="", repr=False)
    study_date: str = ""
    acquisition_date: str = ""
    study_description: str = ""
    series_number: int = 0
    series_description: str = ""
    instance_number: int = 0
    rows: int = 0
    columns: int = 0
    patient_id: str = field(default="", repr=False)
    patient_name: str = field(default="", repr=False)

    @property
    def film_id(self) -> str:
        """The one key of a film inside a session: results that carry another are dropped."""
        return f"{self.path}#{self.frame}"


@dataclass(frozen=True)
class RejectedFile:
    """A file in the folder that is not a film, with the reason."""

    path: Path
    relative_path: str
    code: StatusCode
    why: str
    hint: str = ""


@dataclass(frozen=True)
class Series:
    """Films of one SeriesInstanceUID (or one folder of non-DICOM films)."""

    uid: str
    title: str
    films: tuple[FilmRef, ...]


@dataclass(frozen=True)
class Study:
    """Series of one StudyInstanceUID (or one folder of non-DICOM films)."""

    uid: str
    title: str
    date: str
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Patient:
    """Studies that share a PatientID (or one folder of non-DICOM films)."""

    key: str
    title: str = field(repr=False)
    studies: tuple[Study, ...] = ()


def group_films(films: Iterable[FilmRef]) -> tuple[Patient, ...]:
    """Arrange films as patient > study > series > film, each in the order it was scanned.

    Inside a series films are sorted by instance number, then path, then frame. Films without
    DICOM identifiers are grouped by their folder.
    """
    tree: dict[str, dict[str, dict[str, list[FilmRef]]]] = {}
    for film in films:
        patient, study, series = _keys(film)
        tree.setdefault(patient, {}).setdefault(study, {}).setdefault(series, []).append(film)
    return tuple(
        Patient(
            key=patient_key,
            title=_patient_title(_first(studies)),
            studies=tuple(
                Study(
                    uid=study_uid,
                    title=_any(series).study_description,
                    date=_any(series).study_date,
                    series=tuple(
                        Series(uid, films[0].series_description, tuple(sorted(films, key=_order)))
                        for uid, films in series.items()
                    ),
                )
                for study_uid, series in studies.items()
            ),
        )
        for patient_key, studies in tree.items()
    )


def _keys(film: FilmRef) -> tuple[str, str, str]:
    folder = film.relative_path.rpartition("/")[0]
    if film.format != "dicom":
        return f"folder:{folder}", f"folder:{folder}", f"folder:{folder}"
    study = film.study_uid or f"folder:{folder}"
    # Without a PatientID the study is the only tie between films that is safe to show.
    patient = f"id:{film.patient_id}" if film.patient_id else f"study:{study}"
    return patient, study, film.series_uid or f"folder:{folder}"


def _any(series: dict[str, list[FilmRef]]) -> FilmRef:
    return next(iter(series.values()))[0]


def _first(studies: dict[str, dict[str, list[FilmRef]]]) -> FilmRef:
    return _any(next(iter(studies.values())))


def _patient_title(film: FilmRef) -> str:
    if film.format == "dicom":
        return film.patient_id
    return film.relative_path.rpartition("/")[0]


def _order(film: FilmRef) -> tuple[int, str, int]:
    return film.instance_number, film.relative_path, film.frame
