"""Joins of tables, and paths that are put together from several columns."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Mapping, Sequence

from training.data.table_file import Table, as_id, canonical
from xrayview.errors import UsageError

Row = dict[str, str]
"""Column -> cell."""


def as_rows(table: Table) -> Iterator[Row]:
    """Yield the rows of a table; of columns with one name the first counts."""
    names = list(dict.fromkeys(filter(None, table.header)))
    indices = [table.header.index(name) for name in names]
    for cells in table.rows:
        yield {name: cells[i] for name, i in zip(names, indices, strict=True)}


def join(rows: Iterable[Row], table: Table, on: Sequence[str]) -> Iterator[Row]:
    """Yield the rows with the columns of the table's row that has the same key.

    A row without a partner has none of these columns' values. `on` empty stands for all columns
    that both have.

    Raises:
        UsageError: there is no common column, or the table has several rows of one key that differ.
    """
    rows = list(rows)
    if not rows:
        return
    first = {canonical(name): name for name in rows[0]}
    keys = [canonical(name) for name in on or table.header if on or canonical(name) in first]
    if not keys or any(key not in first or table.index(key) is None for key in keys):
        raise UsageError(
            f"{table.path.name} has no column to join it by",
            path=table.path,
            why=f"its columns are {', '.join(table.header)}",
            hint='Name the columns that the tables have in common: --set data.join_on=["id"].',
        )
    partners = _by_key(table, keys)
    for row in rows:
        partner = partners.get(tuple(as_id(row[first[key]].strip()) for key in keys), {})
        added = {name: cell for name, cell in partner.items() if canonical(name) not in first}
        yield {**dict.fromkeys(_further(table, first), ""), **row, **added}


def _further(table: Table, first: Mapping[str, str]) -> Iterator[str]:
    return (name for name in table.header if name and canonical(name) not in first)


def _by_key(table: Table, keys: Sequence[str]) -> dict[tuple[str, ...], Row]:
    partners: dict[tuple[str, ...], Row] = {}
    indices = [index for key in keys if (index := table.index(key)) is not None]
    for row, cells in zip(as_rows(table), table.rows, strict=True):
        key = tuple(as_id(cells[i].strip()) for i in indices)
        if partners.setdefault(key, row) != row:
            raise UsageError(
                f"{table.path.name} has several rows for {', '.join(key)}",
                path=table.path,
                hint="Name the table with a row for each film as data.table, and join the other.",
            )
    return partners


def is_template(path: str) -> bool:
    """Tell whether `data.columns.path` is a template of several columns."""
    return "{" in path


def template_columns(template: str) -> set[str]:
    """Return the columns that a template uses.

    Raises:
        UsageError: it is not a template.
    """
    try:
        return {name for _, name, _, _ in string.Formatter().parse(template) if name}
    except ValueError as error:
        raise UsageError(
            f"data.columns.path {template!r} is not a template",
            why=str(error),
            hint="Write names of columns in braces: files/p{subject_id:.2}/{dicom_id}.jpg.",
        ) from error


def fill(template: str, row: Mapping[str, str]) -> str:
    """Put the cells of a row into a template; `:.2` takes the first two letters."""
    return template.format_map({name: as_id(cell.strip()) for name, cell in row.items()})
