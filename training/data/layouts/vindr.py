"""VinDr-CXR: three readers for each training film, a consensus for test films, boxes.

Nguyen et al., VinDr-CXR 1.0.0, PhysioNet 2021, and its form of the competition on Kaggle, which has
only the boxes. Every reader's labels stay; how they are merged is `data.votes`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from training.config import DataConfig
from training.data.cells import state_of
from training.data.layouts import names
from training.data.layouts.folder import FilmFolder, split_in, stem_of
from training.data.layouts.model import Box, Found, LabelledFilm, Reading, State, states
from training.data.layouts.reading import records, unlabelled
from training.data.table_file import Record, Table, canonical
from xrayview.errors import UsageError

_FEWEST = 10
_CORNERS = ("x_min", "y_min", "x_max", "y_max")
_CONSENSUS = "consensus of five readers"
_PLACEHOLDERS = frozenset({"O", "000Y"})
"""De-identification left this sex and age in the headers of films where they are unknown."""
Readings = dict[str, dict[str, Reading]]
"""Film -> reader -> reading."""


def fits(folder: FilmFolder, data: DataConfig) -> bool:
    """Tell whether the folder has tables of labels by film and reader, or of boxes by class."""
    found = [*_label_tables(folder), *_box_tables(folder)]
    return bool(found) and (not data.table or data.table in found)


def _label_tables(folder: FilmFolder) -> list[str]:
    return [
        path for path in folder.tables_with("image_id")
        if len(names.finding_columns(folder.headers[path], names.VINDR)) >= _FEWEST
    ]  # fmt: skip


def _box_tables(folder: FilmFolder) -> list[str]:
    return folder.tables_with("image_id", "class_name", *_CORNERS)


def read(folder: FilmFolder, data: DataConfig) -> Found:
    """List the films of the tables, and those without labels in a test part.

    Raises:
        UsageError: there is no table, or a cell is not 0 or 1.
    """
    labels, boxes = _label_tables(folder), _box_tables(folder)
    if data.table:
        labels = [path for path in labels if path == data.table]
        boxes = [path for path in boxes if labels or path == data.table]
    if not labels and not boxes:
        raise UsageError(
            f"There are no VinDr-CXR tables in {folder.root}",
            hint="They are annotations/image_labels_*.csv, or train.csv of the competition.",
        )
    readings: Readings = {}
    splits: dict[str, str] = {}
    for name in labels or boxes:
        table = folder.table(name)
        found = _of_columns(table, data) if labels else _of_classes(table, data)
        readings |= found
        splits |= dict.fromkeys(found, split_in(table.path.name))
    drawn: dict[str, list[Box]] = defaultdict(list)
    for name in boxes:
        for image, box in _boxes(folder.table(name).records()):
            drawn[image].append(box)
    find = folder.finder(readings)
    films = [
        LabelledFilm(
            path=path,
            patient=image,
            readings=tuple(by_reader.values()),
            split=splits[image] or split_in(path),
            view="PA",
            boxes=tuple(dict.fromkeys(drawn[image])),
            patient_is_film=True,
        )
        for image, by_reader in readings.items()
        if (path := find(image))
    ]
    films += unlabelled(folder, {film.path for film in films}, stem_of, patient_is_film=True)
    return Found(
        tuple(films), "vindr-cxr", tuple(find.omissions()), find.notes(), _PLACEHOLDERS,
        table=folder.root / (labels or boxes)[0],
    )  # fmt: skip


def _of_columns(table: Table, data: DataConfig) -> Readings:
    """Return the readings of a table with a column for each finding."""
    columns = names.finding_columns(table.header, names.VINDR)
    found: Readings = defaultdict(dict)
    for row in records(table, data):
        known: dict[str, State] = {}
        for finding, column in columns.items():
            state = state_of(row.get(column))
            if state is None:
                raise UsageError(
                    f"Column {column} is {row.get(column)!r} for {row.get('image_id')}",
                    path=table.path,
                    hint="Write 1 or 0.",
                )
            known[finding] = state
        who = row.get("rad_id") or _CONSENSUS
        found[row.get("image_id")][who] = Reading(who, known)
    return dict(found)


def _of_classes(table: Table, data: DataConfig) -> Readings:
    """Return the readings of a table with a row for each box; `No finding` has no box."""
    seen: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    vocabulary: dict[str, None] = {}
    for row in records(table, data):
        finding = _finding(row)
        seen[row.get("image_id")][row.get("rad_id") or _CONSENSUS].add(finding)
        vocabulary.setdefault(finding)
    return {
        image: {who: Reading(who, states(tuple(vocabulary), there)) for who, there in whos.items()}
        for image, whos in seen.items()
    }


def _finding(row: Record) -> str:
    spelled = {canonical(name): name for name in names.VINDR}
    written = row.get("class_name")
    return spelled.get(canonical(names.SPELLINGS.get(canonical(written), written)), written)


def _boxes(rows: Iterable[Record]) -> Iterable[tuple[str, Box]]:
    for row in rows:
        corners = [corner for name in _CORNERS if (corner := row.number(name)) is not None]
        if len(corners) == len(_CORNERS):
            left, top, right, bottom = corners
            who = row.get("rad_id") or _CONSENSUS
            box = Box(_finding(row), left, top, right - left, bottom - top, who)
            yield row.get("image_id"), box
