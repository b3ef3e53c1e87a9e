"""MIMIC-CXR-JPG: metadata and split for each image, labels for each study, joined by their ids.

Johnson et al., MIMIC-CXR-JPG 2.1.0, PhysioNet 2024. Cells as in CheXpert. A study without a row
has no labels, which is not the same as a row of empty cells.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from training.config import DataConfig
from training.data.cells import state_of
from training.data.layouts import names
from training.data.layouts.folder import FilmFolder
from training.data.layouts.model import Found, LabelledFilm, Reading, State
from training.data.layouts.reading import records
from training.data.table_file import Record, as_id, has_columns
from xrayview.errors import UsageError

_FEWEST = 5
_IMAGE = ("dicom_id", "subject_id", "study_id")


def fits(folder: FilmFolder, data: DataConfig) -> bool:
    """Tell whether the folder has the table of images, and one of labels or splits."""
    images, labels = folder.tables_with(*_IMAGE), _label_tables(folder)
    return bool(images) and bool(labels) and (not data.table or data.table in labels)


def _label_tables(folder: FilmFolder) -> list[str]:
    """Return the tables with labels for each study; those of the labeller CheXpert come first."""
    found = [
        path for path in folder.tables_with("subject_id", "study_id", without=("dicom_id",))
        if len(names.finding_columns(folder.headers[path], names.CHEXPERT)) >= _FEWEST
    ]  # fmt: skip
    return sorted(found, key=lambda path: "chexpert" not in PurePosixPath(path).name.casefold())


def read(folder: FilmFolder, data: DataConfig) -> Found:
    """Join the tables; `data.table` names another table of labels, such as NegBio's.

    Raises:
        UsageError: a table is missing, or a cell is not 1, 0, -1 or empty.
    """
    images = folder.tables_with(*_IMAGE)
    tables = _label_tables(folder)
    if not images or not (data.table or tables):
        raise UsageError(
            f"There are no MIMIC-CXR tables in {folder.root}",
            hint="They are mimic-cxr-*-metadata.csv.gz, -split.csv.gz and -chexpert.csv.gz.",
        )
    name = data.table or tables[0]
    labels = _labels(folder, name)
    views = [path for path in images if has_columns(folder.headers[path], ("ViewPosition",))]
    splits = _splits(folder, [p for p in images if has_columns(folder.headers[p], ("split",))])
    main = folder.table((views or images)[0])
    rows = list(records(main, data))
    find = folder.finder(row.get("dicom_id") for row in rows)
    who = "NegBio labeller" if "negbio" in name.casefold() else "CheXpert labeller"
    films = [
        _film(row, path, labels, splits, who) for row in rows if (path := find(row.get("dicom_id")))
    ]
    notes = find.notes()
    if len(tables) > 1 and not data.table:
        others = ", ".join(PurePosixPath(path).name for path in tables[1:])
        notes += (f"The labels are those of {PurePosixPath(name).name}; also there: {others}.",)
    return Found(tuple(films), "mimic-cxr", tuple(find.omissions()), notes, table=main.path)


Key = tuple[str, str]


def _labels(folder: FilmFolder, name: str) -> dict[Key, dict[str, State]]:
    table = folder.table(name)
    columns = names.finding_columns(table.header, names.CHEXPERT)
    labels: dict[Key, dict[str, State]] = {}
    for row in table.records():
        states = {}
        for finding, column in columns.items():
            state = state_of(row.get(column))
            if state is None:
                raise UsageError(
                    f"Column {column} is {row.get(column)!r} for study {row.get('study_id')}",
                    path=table.path,
                    hint="Write 1 or 0 for a finding, -1 if it is uncertain, or leave it empty.",
                )
            states[finding] = state
        labels[_key(row)] = states
    return labels


def _splits(folder: FilmFolder, tables: list[str]) -> dict[str, str]:
    return {
        row.get("dicom_id"): row.get("split")
        for path in tables[:1]
        for row in folder.table(path).records()
    }


def _film(
    row: Record, path: str, labels: dict[Key, dict[str, State]], splits: dict[str, str], who: str
) -> LabelledFilm:
    states = labels.get(_key(row))
    return LabelledFilm(
        path=path,
        patient=as_id(row.get("subject_id")),
        readings=(Reading(who, states),) if states else (),
        split=row.get("split") or splits.get(row.get("dicom_id"), ""),
        view=row.get("ViewPosition"),
        sex=row.get("gender", "sex"),
        age=row.get("anchor_age", "age"),
        vocabulary=names.CHEXPERT,
    )


def _key(row: Record) -> Key:
    return as_id(row.get("subject_id")), as_id(row.get("study_id"))
