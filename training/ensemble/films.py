"""The films of an ensemble: for validation only those that no member was trained on."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from training.config import ColumnsConfig, DataConfig
from training.data.leaks import find_leaks
from training.data.manifest import SEPARATOR, FilmRow, Manifest, Omission
from training.data.splits import TEST, TRAIN, VALIDATION
from xrayview.errors import NothingUsable

_NONE = 1e-12
"""A share of which no film is cut: the table names every film's split."""


@dataclass(frozen=True)
class CommonFilms:
    """The members' films with the ensemble's splits."""

    manifest: Manifest
    same: bool
    """All members divided the same films in the same way."""


def common_films(members: Sequence[Sequence[FilmRow]], fewest: int) -> CommonFilms:
    """Divide the films: whatever a member was trained on is training for the ensemble.

    Films are for validation, or for testing, where they are so for every member, and where no
    member was trained on their patient or their pixels.

    Args:
        members: each member's films.
        fewest: so many validation films at least, where the members' splits differ.

    Raises:
        NothingUsable: fewer are left.
    """
    plans = [{row.path: row for row in rows} for rows in members]
    divisions = [{path: (r.split, r.patient) for path, r in plan.items()} for plan in plans]
    if all(division == divisions[0] for division in divisions):
        return CommonFilms(Manifest(tuple(members[0])), same=True)
    # The first member that knows a film describes it.
    known = {path: row for plan in reversed(plans) for path, row in plan.items()}
    divided = [
        replace(row, split=_split({plan[path].split if path in plan else "" for plan in plans}))
        for path, row in sorted(known.items())
    ]
    rows = _kept_apart([row for row in divided if row.split])
    left = sum(row.split == VALIDATION for row in rows)
    if left < fewest:
        raise NothingUsable(
            "Too few films are for validation in every member",
            why=f"{left}, at least {fewest} are asked for",
            hint="Choose members with one split (data.split_salt), or lower --fewest-validation.",
        )
    used = {row.path for row in rows}
    omitted = tuple(
        Omission(path, "NOT_COMMON", "not for the same purpose in every member")
        for path in sorted(known)
        if path not in used
    )
    note = (
        "The members' splits differ: temperature and operating points come from the "
        f"{left} films that are for validation in every member."
    )
    return CommonFilms(Manifest(rows, omitted, (note,)), same=False)


def _split(splits: set[str]) -> str:
    if TRAIN in splits:
        return TRAIN
    return splits.pop() if len(splits) == 1 else ""


def _kept_apart(rows: Sequence[FilmRow]) -> tuple[FilmRow, ...]:
    """Without the films that share a patient or pixels with those of an earlier purpose."""
    left = tuple(rows)
    for purpose in (TEST, VALIDATION):
        crossing = {film.path for leak in find_leaks(left) for film in leak.films}
        left = tuple(r for r in left if r.split != purpose or r.path not in crossing)
    return left


def write_table(rows: Sequence[FilmRow], path: Path) -> DataConfig:
    """Write the films as a table, and return what reads them from it with these very splits."""
    labels = tuple(sorted({label for row in rows for label in row.labels + row.unknown_labels}))
    columns = ColumnsConfig(findings=labels)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        told = (columns.path, columns.source, columns.patient, columns.split)
        writer.writerow([*told, columns.sex, columns.age, columns.view, *labels])
        for row in rows:
            known = (row.path, row.source, row.patient, row.split, row.sex, row.age, row.view)
            writer.writerow([*known, *(_cell(row, label) for label in labels)])
    return DataConfig(
        dataset=SEPARATOR.join(sorted({row.source for row in rows})),
        reader="table",
        table=str(path.resolve()),
        columns=columns,
        train_splits=(TRAIN,),
        validation_splits=(VALIDATION,),
        test_splits=(TEST,),
        fewest_validation=0,
        validation_fraction=_NONE,
        test_fraction=_NONE,
    )


def _cell(row: FilmRow, label: str) -> str:
    if label in row.unknown_labels:
        return ""
    return "1" if label in row.labels else "0"
