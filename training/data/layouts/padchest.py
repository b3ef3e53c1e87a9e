"""PadChest: one table with Python lists of labels, 16-bit PNG.

Bustos et al., PadChest, Medical Image Analysis 2020. Labels are only what is there: a finding that
is not named is absent. `exclude` marks a film that is not to be used.
"""

from __future__ import annotations

from training.config import DataConfig
from training.data.cells import split_labels
from training.data.layouts.folder import FilmFolder
from training.data.layouts.model import Found, LabelledFilm, Reading, State
from training.data.layouts.reading import allowed, chosen, records
from training.data.table_file import Record, as_id, as_number

_EXCLUDE = "exclude"


def fits(folder: FilmFolder, data: DataConfig) -> bool:
    """Tell whether the folder has PadChest's table."""
    return allowed(_tables(folder), data)


def _tables(folder: FilmFolder) -> list[str]:
    return folder.tables_with("ImageID", "Labels", "Projection")


def read(folder: FilmFolder, data: DataConfig) -> Found:
    """List the films of the table.

    Raises:
        UsageError: the table is missing.
    """
    table = folder.table(chosen(folder, data, _tables(folder), "PADCHEST table"))
    rows = list(records(table, data))
    find = folder.finder(row.get("ImageID") for row in rows)
    films = [_film(row, path) for row in rows if (path := find(row.get("ImageID")))]
    return Found(tuple(films), "padchest", tuple(find.omissions()), find.notes(), table=table.path)


def _film(row: Record, path: str) -> LabelledFilm:
    labels = split_labels(row.get("Labels"), ",")
    excluded = _EXCLUDE in labels or row.get("Projection").casefold() == _EXCLUDE
    who = row.get("MethodLabel") or "not stated"
    return LabelledFilm(
        path=path,
        patient=as_id(row.get("PatientID")),
        readings=(Reading(who, dict.fromkeys(labels, State.PRESENT), labels),) if labels else (),
        view=row.get("Projection") or row.get("ViewPosition_DICOM"),
        sex=row.get("PatientSex_DICOM"),
        age=_age(row),
        excluded="the data set excludes it" if excluded else "",
    )


def _age(row: Record) -> str:
    """Return the year of the study minus the year of birth, all that the table has."""
    born, studied = as_number(row.get("PatientBirth")), row.get("StudyDate_DICOM")[:4]
    return str(int(studied) - int(born)) if born and studied.isdigit() else ""
