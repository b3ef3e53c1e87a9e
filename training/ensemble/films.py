"""The films of an ensemble: validation films are those that no member was trained on."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from training.config import ColumnsConfig, DataConfig
from training.data.leaks import find_leaks
from training.data.manifest import SEPARATOR, FilmRow, Manifest, Omission
from training.data.splits import TEST, TRAIN, VALIDATION
from training.disk import whole_text
from xrayview.errors import NothingUsable

_NO_SHARE = 1e-12
"""Splits no film off: the table has every film's split."""


@dataclass(frozen=True)
class CommonFilms:
    """The members' films with the ensemble's splits."""

    manifest: Manifest
    same: bool
    """Whether all members had the same films in the same splits."""


def common_films(members: Sequence[Sequence[FilmRow]], fewest: int) -> CommonFilms:
    """Split the films: a training film of any member is a training film of the ensemble.

    Films are validation (or test) films if they are so for every member, and if no member was
    trained on their patient or their pixels.

    Args:
        members: each member's films.
        fewest: the fewest validation films that are enough, if the members' splits differ.

    Raises:
        NothingUsable: there are fewer.
    """
    by_path = [{row.path: row for row in rows} for rows in members]
    splits = [{path: (r.split, r.patient) for path, r in films.items()} for films in by_path]
    if all(split == splits[0] for split in splits):
        return CommonFilms(Manifest(tuple(members[0])), same=True)
    # The first member with a film describes it.
    all_films = {path: row for films in reversed(by_path) for path, row in films.items()}
    divided = [
        replace(
            row, split=_split({films[path].split if path in films else "" for films in by_path})
        )
        for path, row in sorted(all_films.items())
    ]
    rows = _without_leaks([row for row in divided if row.split])
    validation = sum(row.split == VALIDATION for row in rows)
    if validation < fewest:
        raise NothingUsable(
            "Too few films are validation films of every member",
            why=f"{validation}; at least {fewest} are required",
            hint="Choose members with one split (data.split_salt), or lower --fewest-validation.",
        )
    used = {row.path for row in rows}
    omitted = tuple(
        Omission(path, "NOT_COMMON", "not in the same split for every member")
        for path in sorted(all_films)
        if path not in used
    )
    note = (
        "The members' splits differ: temperature and operating points come from the "
        f"{validation} films that are validation films of every member."
    )
    return CommonFilms(Manifest(rows, omitted, (note,)), same=False)


def _split(splits: set[str]) -> str:
    if TRAIN in splits:
        return TRAIN
    return splits.pop() if len(splits) == 1 else ""


def _without_leaks(rows: Sequence[FilmRow]) -> tuple[FilmRow, ...]:
    """Leave out test films, then validation films, that share a patient or pixels with others."""
    kept = tuple(rows)
    for split in (TEST, VALIDATION):
        crossing = {film.path for leak in find_leaks(kept) for film in leak.films}
        kept = tuple(r for r in kept if r.split != split or r.path not in crossing)
    return kept


def write_table(rows: Sequence[FilmRow], path: Path) -> DataConfig:
    """Write the films as a table, and return the config that reads them with the same splits."""
    labels = tuple(sorted({label for row in rows for label in row.labels + row.unknown_labels}))
    columns = ColumnsConfig(findings=labels)
    with whole_text(path) as stream:
        writer = csv.writer(stream)
        names = (columns.path, columns.source, columns.patient, columns.split)
        writer.writerow([*names, columns.sex, columns.age, columns.view, *labels])
        for row in rows:
            values = (row.path, row.source, row.patient, row.split, row.sex, row.age, row.view)
            writer.writerow([*values, *(_cell(row, label) for label in labels)])
    return DataConfig(
        dataset=SEPARATOR.join(sorted({row.source for row in rows})),
        reader="table",
        table=str(path.resolve()),
        columns=columns,
        train_splits=(TRAIN,),
        validation_splits=(VALIDATION,),
        test_splits=(TEST,),
        fewest_validation=0,
        validation_fraction=_NO_SHARE,
        test_fraction=_NO_SHARE,
    )


def _cell(row: FilmRow, label: str) -> str:
    if label in row.unknown_labels:
        return ""
    return "1" if label in row.labels else "0"
