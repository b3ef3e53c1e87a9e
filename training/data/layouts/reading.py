"""What the readers of several layouts share: filtered rows, unlabelled films."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import PurePosixPath

from training.config import DataConfig
from training.data.layouts.folder import FilmFolder, split_in
from training.data.layouts.model import LabelledFilm
from training.data.row_filter import conditions, unmet
from training.data.table_file import Record, Table
from xrayview.errors import UsageError


def records(table: Table, data: DataConfig) -> Iterator[Record]:
    """Yield the rows of a table that fulfil `data.rows`."""
    wanted = conditions(data.rows)
    for record in table.records():
        if not wanted or not unmet(dict(zip(table.header, record.cells, strict=False)), wanted):
            yield record


def chosen(
    folder: FilmFolder, data: DataConfig, found: list[str], needed: str, prefer: str = ""
) -> str:
    """Return the table that `data.table` names, or else the first of those that were found.

    Raises:
        UsageError: there is none.
    """
    if data.table:
        file = folder.root / data.table
        if not file.is_file():
            raise UsageError(
                f"There is no {file.name} in {file.parent}",
                hint="Point --data at its folder, or name it: --set data.table=FILE.",
            )
        return data.table
    preferred = [path for path in found if prefer in PurePosixPath(path).name.casefold()]
    for path in [*preferred, *found]:
        return path
    raise UsageError(
        f"There is no {needed} in {folder.root}",
        hint="Point --data at its folder, or use --set data.table=FILE.",
    )


def allowed(found: list[str], data: DataConfig) -> bool:
    """Tell whether a layout fits that has these tables: `data.table` is empty or one of them."""
    return bool(found) and (not data.table or data.table in found)


def unlabelled(
    folder: FilmFolder,
    used: Collection[str],
    patient: Callable[[str], str],
    is_one: Callable[[str], bool] = lambda path: split_in(path) == "test",
    *,
    patient_is_film: bool = False,
) -> Iterator[LabelledFilm]:
    """Yield the films of a test part without labels, as competitions have it; copies once."""
    taken = {patient(path) for path in used}
    for path in sorted(folder.films, key=lambda path: (path.count("/"), path)):
        if patient(path) not in taken and is_one(str(PurePosixPath(path).parent)):
            taken.add(patient(path))
            yield LabelledFilm(path, patient(path), split="test", patient_is_film=patient_is_film)
