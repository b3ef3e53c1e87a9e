"""CheXpert and CheXpert Plus: a table for each split, a row for each image, 14 findings.

Irvin et al., CheXpert, AAAI 2019; Chambon et al., CheXpert Plus, 2024. Empty cells are findings
that the report does not mention, -1 those that it leaves open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from training.config import DataConfig
from training.data.cells import state_of
from training.data.layouts import names
from training.data.layouts.folder import FilmFolder, split_in
from training.data.layouts.model import Found, LabelledFilm, Reading, State
from training.data.layouts.reading import records
from training.data.table_file import Record, Table
from xrayview.errors import UsageError

_PATH = ("Path", "path_to_image", "path_to_dcm")
_FEWEST = 5
"""A table with fewer of the findings is another one."""
_PLACEHOLDERS = frozenset({"0", "0.0", "Unknown"})
"""An age of 0 and the sex Unknown stand for unknown."""


def fits(folder: FilmFolder, data: DataConfig) -> bool:
    """Tell whether the folder has CheXpert's tables."""
    found = _tables(folder)
    return bool(found) and (not data.table or data.table in found)


def _tables(folder: FilmFolder) -> list[str]:
    views = [*folder.tables_with("Path", "Frontal/Lateral"),
             *folder.tables_with("path_to_image", "deid_patient_id")]  # fmt: skip
    return [
        path for path in views
        if len(names.finding_columns(folder.headers[path], names.CHEXPERT)) >= _FEWEST
        or "path to image" in {name.replace("_", " ").casefold() for name in folder.headers[path]}
    ]  # fmt: skip


def read(folder: FilmFolder, data: DataConfig) -> Found:
    """List the films of all tables, or of the one that `data.table` names.

    Raises:
        UsageError: there is no table.
    """
    tables = [data.table] if data.table else _tables(folder)
    if not tables:
        raise UsageError(
            f"There is no CheXpert table in {folder.root}",
            hint="It has the columns Path, Frontal/Lateral and 14 findings.",
        )
    rows = [(folder.table(name), list(records(folder.table(name), data))) for name in tables]
    find = folder.finder(row.get(*_PATH) for _, own in rows for row in own)
    films: list[LabelledFilm] = []
    for table, own in rows:
        columns = names.finding_columns(table.header, names.CHEXPERT)
        elsewhere = {} if columns else _json_labels(folder)
        films += [
            _film(row, path, table, columns, elsewhere)
            for row in own
            if (path := find(row.get(*_PATH)))
        ]
    return Found(
        tuple(films), "chexpert", tuple(find.omissions()), find.notes(), _PLACEHOLDERS,
        table=folder.root / tables[0],
    )  # fmt: skip


def _film(
    row: Record,
    path: str,
    table: Table,
    columns: Mapping[str, str],
    elsewhere: Mapping[str, Mapping[str, State]],
) -> LabelledFilm:
    written = row.get(*_PATH)
    found = {name: _state(row.get(column), column, table) for name, column in columns.items()}
    if not columns:
        found = dict(elsewhere.get(_study_and_view(written), {}))
    split = row.get("split") or _split_of(written) or split_in(table.path.name)
    who = "radiologists" if split in {"val", "valid", "test"} else "CheXpert labeller"
    return LabelledFilm(
        path=path,
        patient=row.get("deid_patient_id") or _patient_of(written),
        readings=(Reading(who, found),) if found else (),
        split=split,
        view=row.get("AP/PA", "ap_pa") or row.get("Frontal/Lateral", "frontal_lateral"),
        sex=row.get("Sex"),
        age=row.get("Age"),
        vocabulary=names.CHEXPERT,
    )


def _state(cell: str, column: str, table: Table) -> State:
    state = state_of(cell)
    if state is None:
        raise UsageError(
            f"Column {column} is {cell!r}",
            path=table.path,
            hint="Write 1 or 0 for a finding, -1 if it is uncertain, or leave it empty.",
        )
    return state


def _split_of(path: str) -> str:
    """Return the folder train, valid or test in a path, as it is written."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    return next((p for p in parts[:-1] if p.casefold() in {"train", "val", "valid", "test"}), "")


def _patient_of(path: str) -> str:
    match = re.search(r"patient\d+", path, re.IGNORECASE)
    return match[0] if match else ""


def _study_and_view(path: str) -> str:
    """Return patient, study and view: the key that pictures, DICOM files and labels share."""
    return "/".join(re.sub(r"\.\w+$", "", path.casefold()).split("/")[-3:])


def _json_labels(folder: FilmFolder) -> dict[str, dict[str, State]]:
    """Return the labels of CheXpert Plus, a JSON object in each line, by study and view."""
    found: dict[str, dict[str, State]] = {}
    files = sorted(
        (path for path in folder.paths if path.casefold().endswith((".json", ".jsonl"))),
        key=lambda path: ("report" not in path.casefold(), path),
    )
    for path in files:
        for record in _json_lines(folder.text(path)):
            columns = names.finding_columns(list(record), names.CHEXPERT)
            key = _study_and_view(str(record.get("path_to_image", "")))
            if key and len(columns) >= _FEWEST:
                cells = {n: "" if record[c] is None else str(record[c]) for n, c in columns.items()}
                states = {name: state_of(cell) for name, cell in cells.items()}
                found.setdefault(key, {n: s for n, s in states.items() if s is not None})
        if found:
            break
    return found


def _json_lines(text: str) -> Iterator[dict[str, object]]:
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            return
        if isinstance(record, dict):
            yield record
