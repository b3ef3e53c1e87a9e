"""The films of a report: their flow with every exclusion, and who they show (Table 1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from training.config import TargetConfig
from training.data.manifest import FilmRow, Omission, reasons
from training.data.splits import ALL, TEST, TRAIN, VALIDATION
from training.data.targets import targets_NK
from xrayview.domain.age import age_in_years

SPLITS = (TRAIN, VALIDATION, TEST)
NOT_STATED = "not stated"
_REASONS = 3
_MOST_VALUES = 6
"""Most values of an attribute in Table 1; rarer ones are counted together."""
_SEXES = {"M": "male", "MALE": "male", "F": "female", "FEMALE": "female"}


@dataclass(frozen=True)
class Step:
    """A line of the flow: what happened to how many films, and of how many patients."""

    text: str
    films: int
    patients: int | None
    """None if the data does not say whose films they are."""
    level: int = 0
    """0 for a stage, 1 for a part of the stage above."""


def flow(rows: Sequence[FilmRow], omitted: Sequence[Omission]) -> Iterator[Step]:
    """Yield the films from the data to the splits, with every reason to leave some out."""
    patients = {row.patient for row in rows} | {o.patient for o in omitted if o.patient}
    known = all(omission.patient for omission in omitted)
    yield Step("listed in the data", len(rows) + len(omitted), len(patients) if known else None)
    by_code: dict[str, list[Omission]] = {}
    for omission in omitted:
        by_code.setdefault(omission.code, []).append(omission)
    for code, films in sorted(by_code.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        of_films = {omission.patient for omission in films}
        why = f"left out, {code}: {reasons(films, _REASONS)}"
        yield Step(why, len(films), None if "" in of_films else len(of_films), level=1)
    yield Step("used", len(rows), len({row.patient for row in rows}))
    for split in SPLITS:
        of_split = [row for row in rows if row.split == split]
        yield Step(split, len(of_split), len({row.patient for row in of_split}), level=1)


@dataclass(frozen=True)
class Characteristic:
    """A row of Table 1: a value of an attribute, with its cell for each column."""

    attribute: str
    value: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class TableOne:
    """Films by split: who they show, and how they were made."""

    columns: tuple[str, ...]
    rows: tuple[Characteristic, ...]


def table_one(
    rows: Sequence[FilmRow], evaluated: Sequence[FilmRow], target: TargetConfig
) -> TableOne:
    """Describe the films of the run by split, and evaluated films of other data beside them.

    Without the films of the run (`rows` is empty) only the evaluated films are described.
    """
    columns = {split: [row for row in rows if row.split == split] for split in SPLITS if rows}
    if not rows or any(row.split == ALL for row in evaluated):
        columns["evaluated"] = list(evaluated)
    films = list(columns.values())
    lines = [
        Characteristic("films", "", tuple(str(len(each)) for each in films)),
        Characteristic("patients", "", tuple(str(len(_patients(each))) for each in films)),
        Characteristic("age in years", "median (quartiles)", tuple(map(_ages, films))),
    ]
    for attribute, value_of in _ATTRIBUTES.items():
        lines += _values(attribute, value_of, films)
    for k, rule in enumerate(target.findings):
        cells = tuple(_share_with(targets_NK(each, target)[:, k]) for each in films)
        lines.append(Characteristic("finding", rule.name, cells))
    return TableOne(tuple(columns), tuple(lines))


_ATTRIBUTES: dict[str, Callable[[FilmRow], str]] = {
    "sex": lambda row: _SEXES.get(row.sex.strip().upper(), NOT_STATED),
    "view": lambda row: row.view or NOT_STATED,
    "manufacturer": lambda row: row.manufacturer or NOT_STATED,
    "source": lambda row: row.source or NOT_STATED,
}


def _patients(rows: Sequence[FilmRow]) -> set[str]:
    return {row.patient for row in rows}


def _values(
    attribute: str, value_of: Callable[[FilmRow], str], films: Sequence[Sequence[FilmRow]]
) -> Iterator[Characteristic]:
    counts = [Counter(map(value_of, each)) for each in films]
    total = Counter[str]()
    for each in counts:
        total += each
    stated = [value for value, _ in total.most_common() if value != NOT_STATED]
    shown, rest = stated[:_MOST_VALUES], stated[_MOST_VALUES:]
    for value in [*shown, *([NOT_STATED] if NOT_STATED in total else [])]:
        cells = (_share(each[value], each.total()) for each in counts)
        yield Characteristic(attribute, value, tuple(cells))
    if rest:
        cells = (_share(sum(each[value] for value in rest), each.total()) for each in counts)
        yield Characteristic(attribute, f"{len(rest)} other values", tuple(cells))


def _ages(rows: Sequence[FilmRow]) -> str:
    ages = [years for row in rows if (years := age_in_years(row.age)) is not None]
    if not ages:
        return NOT_STATED
    low, median, high = np.quantile(ages, [0.25, 0.5, 0.75])
    missing = f", {len(rows) - len(ages)} {NOT_STATED}" if len(ages) < len(rows) else ""
    return f"{median:.3g} ({low:.3g}-{high:.3g}){missing}"


def _share_with(target_N: np.ndarray) -> str:
    known = int(np.isfinite(target_N).sum())
    unknown = f", {target_N.size - known} unknown" if known < target_N.size else ""
    return _share(int((target_N == 1).sum()), known) + unknown


def _share(count: int, total: int) -> str:
    return f"{count} ({count / total:.0%})" if total else "0"
