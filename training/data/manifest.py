"""The manifest: one row per film, stored in every run folder and hashed into every card."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from training.disk import whole_text
from xrayview.errors import UsageError

SEPARATOR = "|"
_LISTS = ("labels", "unknown_labels")


@dataclass(frozen=True)
class FilmRow:
    """One film of a data set. Text fields are empty where the source has no value."""

    path: str
    """Relative to the data folder, with forward slashes."""
    source: str
    patient: str = dataclasses.field(repr=False)
    labels: tuple[str, ...]
    official_split: str
    """Empty if the data has none."""
    sex: str = ""
    age: str = ""
    view: str = ""
    split: str = ""
    """train, validation or test; empty if the film is not used."""
    sha256: str = ""
    """SHA-256 of the file."""
    pixels_sha256: str = ""
    """SHA-256 of the decoded pixels, which finds the same film under another name."""
    unknown_labels: tuple[str, ...] = ()
    """Labels whose presence the data leaves open."""
    manufacturer: str = ""


@dataclass(frozen=True)
class Omission:
    """A film that is left out, with the reason."""

    path: str
    code: str
    why: str
    patient: str = dataclasses.field(default="", repr=False)
    """Empty if the data does not say whose film it is."""


def reasons(omitted: Iterable[Omission], shown: int = 5) -> str:
    """Say why films are left out, the most frequent reason first, with numbers of films."""
    whys = (o.why.removeprefix(f"{PurePosixPath(o.path).name}: ") for o in omitted)
    counts = Counter(whys).most_common()
    listed = [f"{why} ({_films(count)})" for why, count in counts[:shown]]
    further = sum(count for _, count in counts[shown:])
    return "; ".join(listed + ([f"other reasons ({_films(further)})"] if further else []))


def _films(count: int) -> str:
    return f"{count} {'film' if count == 1 else 'films'}"


@dataclass(frozen=True)
class Conflict:
    """Rows that contradict each other: of one film, or of films with the same pixels."""

    kind: str
    rows: tuple[FilmRow, ...]

    def __str__(self) -> str:
        shown = [f"{row.path} [{', '.join(row.labels) or 'none'}]" for row in self.rows[:4]]
        more = f" and {len(self.rows) - 4} more" if len(self.rows) > 4 else ""
        return f"{self.kind}: {', '.join(shown)}{more}"


@dataclass(frozen=True)
class Listing:
    """What a reader found in a data folder, without decoding a film."""

    rows: tuple[FilmRow, ...]
    """A reader may list a film more than once; `films.list_rows` does not."""
    omitted: tuple[Omission, ...] = ()
    notes: tuple[str, ...] = ()
    """Remarks on the data for the card, such as missing patient ids."""
    conflicts: tuple[Conflict, ...] = ()
    labels_are_optional: bool = False
    """Whether films without a label are expected, as in a predictions.csv."""
    placeholders: frozenset[str] = frozenset()
    """Values of sex and age in headers that stand for unknown in this data set."""


@dataclass(frozen=True)
class Manifest:
    """The films of a run in reading order, and those that were left out."""

    rows: tuple[FilmRow, ...]
    omitted: tuple[Omission, ...] = ()
    notes: tuple[str, ...] = ()
    """Remarks on the data for the card, such as missing patient ids."""

    @property
    def sha256(self) -> str:
        """Hash of the films with their patients, labels and splits; other columns do not count."""
        digest = hashlib.sha256()
        for row in sorted(self.rows, key=lambda row: row.path):
            fields = [row.path, row.sha256, row.patient, row.labels, row.split]
            if row.unknown_labels:
                fields.append(row.unknown_labels)
            digest.update(json.dumps(fields).encode())
        return digest.hexdigest()

    def sources(self) -> dict[str, int]:
        """Count the films per source."""
        return dict(sorted(Counter(row.source for row in self.rows).items()))

    def indices(self, split: str) -> list[int]:
        """Return the indices of a split's films in `rows`."""
        return [i for i, row in enumerate(self.rows) if row.split == split]

    def counts(self) -> dict[str, dict[str, int]]:
        """Count the films per split and label, and the patients per split."""
        table: dict[str, dict[str, int]] = {}
        for split in sorted({row.split for row in self.rows}):
            rows = [row for row in self.rows if row.split == split]
            labels = Counter(label for row in rows for label in row.labels)
            table[split or "unused"] = {
                "films": len(rows),
                "patients": len({row.patient for row in rows}),
                **dict(sorted(labels.items())),
            }
        return table


def write_rows(rows: Iterable[FilmRow], path: Path) -> None:
    """Write the rows as CSV; labels are joined by `|`."""
    names = [field.name for field in dataclasses.fields(FilmRow)]
    with whole_text(path) as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        for row in rows:
            values = dataclasses.asdict(row)
            for name in _LISTS:
                values[name] = SEPARATOR.join(values[name])
            writer.writerow([values[name] for name in names])


def read_rows(path: Path) -> tuple[FilmRow, ...]:
    """Read the rows that `write_rows` wrote.

    Raises:
        UsageError: the file is not a manifest.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            return tuple(FilmRow(**_values(record)) for record in csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            "The manifest cannot be read", path=path, why=str(error), hint="Check its header."
        ) from error


def _values(record: dict[str, str]) -> dict[str, Any]:
    if None in record.values():  # `DictReader` fills a row that ends too early with None
        raise ValueError(f"the row of {record.get('path')} is cut short")
    return {**record, **{name: _names(record[name]) for name in _LISTS}}


def _names(cell: str) -> tuple[str, ...]:
    return tuple(filter(None, cell.split(SEPARATOR)))


def write_omissions(omitted: Sequence[Omission], path: Path) -> None:
    """Write the omitted films as CSV."""
    with whole_text(path) as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", "code", "why", "patient"])
        writer.writerows((o.path, o.code, o.why, o.patient) for o in omitted)


def read_omissions(path: Path) -> tuple[Omission, ...]:
    """Read the omitted films of a run; tables of older runs have no patients.

    Raises:
        UsageError: the file is not such a table.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            return tuple(
                Omission(row["path"], row["code"], row["why"], row.get("patient") or "")
                for row in csv.DictReader(stream)
            )
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        raise UsageError(
            "The omitted films cannot be read", path=path, why=str(error), hint="Check its header."
        ) from error
