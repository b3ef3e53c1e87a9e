"""The table of predictions: one row per film that was tried, with everything an audit needs.

CSV in UTF-8, comma, RFC 4180, dot decimal; or Parquet where its name ends so. A missing value is an
empty cell, never a number. Names and birth dates have no column.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xrayview import __version__
from xrayview.domain.events import FilmResult
from xrayview.domain.film import FilmRef
from xrayview.domain.model import GateVerdict, ModelCard, Prediction
from xrayview.domain.verdict import flags_text
from xrayview.errors import UsageError
from xrayview.io.atomic import replacing
from xrayview.io.tables.cells import escape_formula, printable_name, unescape_formula
from xrayview.io.tables.parquet import (
    Kind,
    is_parquet,
    parquet_header,
    read_parquet,
    write_parquet,
)
from xrayview.io.tables.sheet import Sheet, read_sheet

IdentityMode = Literal["none", "hash", "full"]
Row = dict[str, str]

BEFORE_FINDINGS = (
    "path", "status", "status_code", "message", "PatientID", "StudyInstanceUID",
    "SeriesInstanceUID", "SOPInstanceUID", "frame", "Modality", "BodyPartExamined", "ViewPosition",
    "PatientSex", "PatientAge", "Manufacturer", "Rows", "Columns", "sha256", "model_name",
    "model_version", "model_sha256", "preprocessing_id", "app_version", "device", "precision",
    "predicted",
)  # fmt: skip
PER_FINDING = ("score_", "logit_", "threshold_", "flag_")
AFTER_FINDINGS = (
    "uncertainty",
    "ood_score",
    "gate_flags",
    "label",
    "run_id",
    "time_utc",
    "runtime",
)
LATER_COLUMNS = ("runtime",)
"""Not in the tables of version 0.2; read as empty where absent."""
_RESULT_COLUMNS = (
    "predicted", "device", "precision", "uncertainty", "ood_score", "gate_flags", "runtime",
)  # fmt: skip
NUMBERS = ("frame", "Rows", "Columns", "uncertainty", "ood_score")
HASH_LENGTH = 16
"""Hexadecimal digits shown of a patient's hash: 64 bits."""


@dataclass(frozen=True)
class Provenance:
    """What the rows of a run have in common."""

    run_id: str
    card: ModelCard
    model_sha256: str
    preprocessing_id: str
    identity: IdentityMode = "hash"
    identity_key: bytes = b""
    """For `hash`. It links hashes to known IDs, and is therefore not stored beside the CSV."""


@dataclass(frozen=True)
class Predictions:
    """A table of predictions read back."""

    findings: tuple[str, ...]
    rows: tuple[Row, ...]

    def scores(self, finding: str) -> tuple[float | None, ...]:
        """Scores of a finding in row order; None where the film was not scored."""
        cells = (row[f"score_{finding}"] for row in self.rows)
        return tuple(float(cell.replace(",", ".")) if cell else None for cell in cells)


def columns(findings: Iterable[str]) -> tuple[str, ...]:
    """Column names: `score_A, score_B, logit_A, logit_B ...` between the fixed columns."""
    names = tuple(findings)
    middle = tuple(prefix + name for prefix in PER_FINDING for name in names)
    return BEFORE_FINDINGS + middle + AFTER_FINDINGS


def row_of(result: FilmResult, provenance: Provenance) -> Row:
    """The cells of one film as plain text; formulas are escaped when they are written."""
    card = provenance.card
    findings = tuple(finding.name for finding in card.findings)
    row = dict.fromkeys(columns(findings), "") | result_cells(result, findings)
    row |= {
        "path": printable_name(result.relative_path),
        "sha256": result.sha256,
        "model_name": card.name,
        "model_version": card.version,
        "model_sha256": provenance.model_sha256,
        "preprocessing_id": provenance.preprocessing_id,
        "app_version": __version__,
        "run_id": provenance.run_id,
        "time_utc": result.time_utc,
    }
    if result.ref:
        row |= _film_cells(result.ref)
        row["PatientID"] = patient_cell(
            result.ref.patient_id, provenance.identity, provenance.identity_key
        )
    return row


def row_key(result: FilmResult) -> tuple[str, str]:
    """The cells `path` and `frame` of a film, which identify its row."""
    return printable_name(result.relative_path), "" if result.ref is None else str(result.ref.frame)


def result_cells(result: FilmResult, findings: Iterable[str]) -> Row:
    """The cells of a film's verdict and scores; empty where it has none."""
    scored = (prefix + name for prefix in PER_FINDING for name in findings)
    row = dict.fromkeys((*scored, *_RESULT_COLUMNS), "")
    row |= {
        "status": result.status.value,
        "status_code": result.code.value,
        "message": result.message,
    }
    if result.gate:
        row |= _gate_cells(result.gate)
    if result.prediction:
        row |= _prediction_cells(result.prediction)
    return row


def _film_cells(ref: FilmRef) -> Row:
    return {
        "StudyInstanceUID": ref.study_uid,
        "SeriesInstanceUID": ref.series_uid,
        "SOPInstanceUID": ref.sop_uid,
        "frame": str(ref.frame),
        "Modality": ref.modality,
        "BodyPartExamined": ref.body_part,
        "ViewPosition": ref.view_position,
        "PatientSex": ref.patient_sex,
        "PatientAge": ref.patient_age,
        "Manufacturer": ref.manufacturer,
        "Rows": str(ref.rows or ""),
        "Columns": str(ref.columns or ""),
    }


def _gate_cells(gate: GateVerdict) -> Row:
    return {"gate_flags": flags_text(gate), "ood_score": _number(gate.ood_score)}


def _prediction_cells(prediction: Prediction) -> Row:
    row = {
        "device": prediction.device,
        "precision": prediction.precision,
        "runtime": prediction.runtime,
        "predicted": prediction.predicted,
        "uncertainty": _number(prediction.uncertainty),
    }
    for i, finding in enumerate(prediction.findings):
        row[f"score_{finding}"] = _number(prediction.scores[i])
        row[f"logit_{finding}"] = _number(prediction.logits[i])
        row[f"threshold_{finding}"] = _number(prediction.thresholds[i])
        row[f"flag_{finding}"] = str(int(prediction.flags[i]))
    return row


def patient_cell(patient_id: str, mode: IdentityMode, key: bytes) -> str:
    """The PatientID cell: empty, a keyed hash (HMAC-SHA256, 64 bits shown), or the ID itself.

    Raises:
        ValueError: `hash` without a key.
    """
    if mode == "none" or not patient_id:
        return ""
    if mode == "full":
        return patient_id
    if not key:
        raise ValueError("identity `hash` needs a key: unkeyed, an ID is found by trying them all")
    digest = hmac.new(key, patient_id.encode("utf-8", "surrogateescape"), hashlib.sha256)
    return digest.hexdigest()[:HASH_LENGTH]


def write_predictions(
    path: Path,
    findings: Iterable[str],
    rows: Iterable[Mapping[str, str]],
    own_columns: Sequence[str] = (),
) -> None:
    """Write the table in one step: other programs see the old file or the new one.

    The user's own columns come last, with their cells as they were.

    Raises:
        UsageError: it is a Parquet file, and pyarrow is not installed.
        OSError: the file cannot be written.
    """
    header = columns(findings)
    if is_parquet(path):
        names = (*header, *own_columns)
        write_parquet(path, names, ([row[name] for name in names] for row in rows), column_kind)
        return
    with replacing(path) as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow((*header, *own_columns))
        for row in rows:
            cells = [_escaped(name, row[name]) for name in header]
            writer.writerow((*cells, *(row[name] for name in own_columns)))


def read_predictions(path: Path) -> Predictions:
    """Read a table of predictions, a CSV also as a spreadsheet saves it, without its escapes.

    Raises:
        UsageError: the file is not a table of predictions.
        OSError: it cannot be read.
    """
    try:
        sheet = (
            parquet_sheet(path)
            if is_parquet(path)
            else read_sheet(path.read_bytes(), (*BEFORE_FINDINGS, *AFTER_FINDINGS))
        )
    except ValueError as error:
        raise _not_predictions(path, str(error)) from error
    header = sheet.header
    findings = findings_of(header)
    expected = columns(findings)
    missing = [name for name in expected if name not in (*header, *LATER_COLUMNS)]
    if missing:
        raise _not_predictions(path, f"column {missing[0]} is missing")
    if repeated := [name for name in expected if header.count(name) > 1]:
        raise _not_predictions(path, f"column {repeated[0]} occurs twice")
    if sheet.overflowing or sheet.short:
        raise _not_predictions(path, "a row is longer or shorter than the header")
    absent = {name: "" for name in LATER_COLUMNS if name not in header}
    rows = (dict(zip(header, line, strict=True)) | absent for line in sheet.rows)
    return Predictions(
        findings, tuple({k: _unescaped(k, v) for k, v in row.items()} for row in rows)
    )


def column_kind(column: str) -> Kind:
    """The type of a column in a Parquet file."""
    if column in ("frame", "Rows", "Columns"):
        return "int32"
    if column.startswith("flag_"):
        return "int8"
    return "float64" if _is_number(column) else "string"


def parquet_sheet(path: Path) -> Sheet:
    """A Parquet table in the form of a CSV. Raises: UsageError, ValueError, OSError."""
    header = parquet_header(path)
    ours = [name in BEFORE_FINDINGS or name in AFTER_FINDINGS for name in header]
    rows = tuple(
        tuple(
            _escaped(name, cell) if is_ours else cell
            for name, cell, is_ours in zip(header, row, ours, strict=True)
        )
        for row in read_parquet(path, column_kind)
    )
    return Sheet(header, rows, tuple(range(1, len(rows) + 1)))


def stream_predictions(path: Path) -> tuple[tuple[str, ...], Iterator[Row]]:
    """The columns of a table of predictions, and its rows one by one, in memory one at a time.

    Columns of a person's own are among them. A CSV that a spreadsheet has saved in another form is
    read as a whole.

    Raises:
        UsageError: the file is not a table of predictions, also while rows are read.
        OSError: it cannot be read.
    """
    try:
        header = parquet_header(path) if is_parquet(path) else _own_header(path)
    except ValueError as error:
        raise _not_predictions(path, type(error).__name__) from error
    findings = findings_of(header)
    if set(columns(findings)) <= set(header) and len(set(header)) == len(header):
        return header, _stream(path, header)
    table = read_predictions(path)
    return tuple(table.rows[0] if table.rows else columns(table.findings)), iter(table.rows)


def _stream(path: Path, header: tuple[str, ...]) -> Iterator[Row]:
    ours = set(columns(findings_of(header)))
    try:
        if is_parquet(path):
            for cells in read_parquet(path, column_kind):
                yield dict(zip(header, cells, strict=True))
            return
        escaped = [name in ours and not _is_number(name) for name in header]
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            next(reader)
            for line in reader:
                texts = (
                    unescape_formula(cell) if is_escaped else cell
                    for cell, is_escaped in zip(line, escaped, strict=True)
                )
                yield dict(zip(header, texts, strict=True))
    except (ValueError, csv.Error) as error:
        raise _not_predictions(path, "a row is longer or shorter than the header") from error


def _own_header(path: Path) -> tuple[str, ...]:
    """The first line of a CSV as this program writes it; something else for other forms."""
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        return tuple(next(csv.reader(stream), ()))


def findings_of(header: Sequence[str]) -> tuple[str, ...]:
    """The findings that have all their columns, in order."""
    names = (column[len("score_") :] for column in header if column.startswith("score_"))
    return tuple(name for name in names if all(prefix + name in header for prefix in PER_FINDING))


def _not_predictions(path: Path, why: str) -> UsageError:
    hint = "Choose a table of predictions that XrayView wrote."
    return UsageError("Not a table of predictions", path=path, why=why, hint=hint)


def _is_number(column: str) -> bool:
    return column in NUMBERS or column.startswith(PER_FINDING)


def _escaped(column: str, cell: str) -> str:
    return cell if _is_number(column) else escape_formula(cell)


def _unescaped(column: str, cell: str) -> str:
    return cell if _is_number(column) else unescape_formula(cell)


def _number(value: float | None) -> str:
    """The shortest text that reads back as the same number."""
    return "" if value is None else repr(float(value))
