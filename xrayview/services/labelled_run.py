"""A table of predictions joined with labels: per finding, which films can be compared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from xrayview.domain.finding_names import NEGATIVE, normalise
from xrayview.domain.model import Finding
from xrayview.errors import UsageError
from xrayview.evaluation.subgroups import age_band
from xrayview.io.tables.cells import name_of_file
from xrayview.io.tables.predictions import Predictions
from xrayview.services.labels import Labels, label_key, truth_of

Row = Mapping[str, str]
ATTRIBUTES = {
    "sex": "PatientSex", "age": "PatientAge", "view": "ViewPosition",
    "manufacturer": "Manufacturer", "status": "status",
}  # fmt: skip
NO_SCORE, NO_LABEL, CONFLICT, UNCLEAR = (
    "no score", "no label", "different labels", "label not understood",
)  # fmt: skip


@dataclass(frozen=True)
class LabelledFilm:
    """A film with its row, and its label."""

    row: Row
    label: str

    @property
    def patient(self) -> str:
        """The patient, or the film itself where the table does not say."""
        return self.row["PatientID"] or f"{self.row['sha256']} {self.row['path']}"

    @property
    def attributes(self) -> dict[str, str]:
        """The groups that the film belongs to."""
        values = {name: self.row[column].strip() for name, column in ATTRIBUTES.items()}
        return values | {"age": age_band(values["age"])}


@dataclass(frozen=True)
class LabelledRun:
    """The films of a run that have a score and one label, and why others are left out."""

    findings: tuple[Finding, ...]
    films: tuple[LabelledFilm, ...]
    left_out: tuple[tuple[str, str], ...]
    """Path (with its frame) and reason, in the order of the table."""
    copies: int
    """Rows that count with another, since the file has the same content."""

    @property
    def names_patients(self) -> bool:
        """True where the table says of a film whose it is."""
        return any(film.row["PatientID"] for film in self.films)

    def of(self, finding: Finding) -> tuple[list[LabelledFilm], list[bool], list[LabelledFilm]]:
        """The films whose label says whether a finding is present, that, and the other films."""
        known: list[LabelledFilm] = []
        truth: list[bool] = []
        unclear: list[LabelledFilm] = []
        for film in self.films:
            present = truth_of(film.label, finding, self.findings)
            if present is None:
                unclear.append(film)
            else:
                known.append(film)
                truth.append(present)
        return known, truth, unclear

    def not_understood(self) -> Counter[str]:
        """Labels that do not say of any finding whether it is present, and how many films."""
        return Counter(
            film.label
            for film in self.films
            if all(truth_of(film.label, f, self.findings) is None for f in self.findings)
        )


def label_run(predictions: Predictions, findings: Sequence[Finding], labels: Labels) -> LabelledRun:
    """Join rows with labels; files with one content count once, with the labels of all of them."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in predictions.rows:
        key = row["sha256"] or row["path"], row["frame"]
        groups.setdefault(key, []).append(row)
    films: list[LabelledFilm] = []
    left_out: list[tuple[str, str]] = []
    copies = 0
    for rows in groups.values():
        scored = [row for row in rows if _has_scores(row, predictions.findings)]
        reason, label = _label_of(rows, labels) if scored else (NO_SCORE, "")
        if reason:
            left_out += [(film_name(row), reason) for row in rows]
        else:
            films.append(LabelledFilm(scored[0], label))
            copies += len(rows) - 1
    return LabelledRun(tuple(findings), tuple(films), tuple(left_out), copies)


def film_name(row: Row) -> str:
    """The path of a film as the table has it, with the frame of a file with several."""
    return f"{row['path']} frame {row['frame']}" if row["frame"] not in ("", "0") else row["path"]


def _label_of(rows: Sequence[Row], labels: Labels) -> tuple[str, str]:
    """The reason why there is no label, or an empty text and the label."""
    found = {
        label
        for row in rows
        for label in labels.all_of(
            name_of_file(row["path"]), int(row["frame"]) if row["frame"] else None
        )
    }
    by_meaning = {label_key(label): label for label in sorted(found)}
    if not by_meaning:
        return NO_LABEL, ""
    return (CONFLICT, "") if len(by_meaning) > 1 else ("", next(iter(by_meaning.values())))


def _has_scores(row: Row, findings: Iterable[str]) -> bool:
    return row["status"] in ("ok", "warn") and all(row[f"score_{name}"] for name in findings)


def own_labels(predictions: Predictions) -> Labels:
    """The column `label` of the table itself."""
    rows = (
        (name_of_file(row["path"]), int(row["frame"]) if row["frame"] else None, row["label"])
        for row in predictions.rows
        if row["label"].strip()
    )
    return Labels({}, further=rows)


def folder_labels(predictions: Predictions) -> Labels:
    """The name of the folder that a film is in, such as `test/PNEUMONIA/a.jpeg`."""
    paths = (name_of_file(row["path"]) for row in predictions.rows)
    folders = {path: PurePosixPath(path).parent.name for path in paths}
    return Labels({path: folder for path, folder in folders.items() if folder})


def findings_of(predictions: Predictions, report: Path) -> tuple[Finding, ...]:
    """The findings as the run's report describes them, else by their names."""
    described = {finding.name: finding for finding in _described(report)}
    return tuple(
        described.get(name, Finding(name, abnormal=normalise(name) not in NEGATIVE))
        for name in predictions.findings
    )


def _described(report: Path) -> Iterable[Finding]:
    try:
        entries = json.loads(report.read_text(encoding="utf-8"))["model"]["card"]["findings"]
        return [
            Finding(e["name"], abnormal=e["abnormal"], synonyms=tuple(e.get("synonyms", ())))
            for e in entries
        ]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ()


def threshold_of(predictions: Predictions, finding: str) -> float:
    """The operating point of the run.

    Raises:
        UsageError: the table has none, or several.
    """
    cells = {row[f"threshold_{finding}"].replace(",", ".") for row in predictions.rows} - {""}
    if len(cells) != 1:
        raise UsageError(
            f"The table has {'several thresholds' if cells else 'no threshold'} for {finding}",
            hint=f"State one with --threshold {finding}=VALUE.",
        )
    try:
        return float(cells.pop())
    except ValueError as error:
        raise UsageError(
            f"The threshold of {finding} is not a number", hint="Check the table."
        ) from error
