"""The CSV of predictions: one row per film that was tried, with all that an audit asks for.

UTF-8, comma, RFC 4180, dot decimal. No value is an empty cell, never a number. Names and birth
dates have no column.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xrayview import __version__
from xrayview.domain.events import FilmResult
from xrayview.domain.film import FilmRef
from xrayview.domain.model import GateVerdict, ModelCard, Prediction
from xrayview.errors import UsageError
from xrayview.io.atomic import replacing

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
AFTER_FINDINGS = ("uncertainty", "ood_score", "gate_flags", "label", "run_id", "time_utc")
NUMBERS = ("frame", "Rows", "Columns", "uncertainty", "ood_score")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the start of a formula (OWASP: CSV injection)."""
HASH_LENGTH = 16


@dataclass(frozen=True)
class Provenance:
    """What all rows of one run share."""

    run_id: str
    card: ModelCard
    model_sha256: str
    preprocessing_id: str
    identity: IdentityMode = "hash"
    identity_key: bytes = b""
    """For `hash`: whoever has it can link the hashes to known IDs, so it is not beside the CSV."""


@dataclass(frozen=True)
class Predictions:
    """A CSV as it was read back."""

    findings: tuple[str, ...]
    rows: tuple[Row, ...]

    def scores(self, finding: str) -> tuple[float | None, ...]:
        """Scores of a finding in row order; None where the film was not judged."""
        cells = (row[f"score_{finding}"] for row in self.rows)
        return tuple(float(cell) if cell else None for cell in cells)


def columns(findings: Iterable[str]) -> tuple[str, ...]:
    """The header: `score_A, score_B, logit_A, logit_B ...` between the fixed columns."""
    names = tuple(findings)
    middle = tuple(prefix + name for prefix in PER_FINDING for name in names)
    return BEFORE_FINDINGS + middle + AFTER_FINDINGS


def row_of(result: FilmResult, provenance: Provenance) -> Row:
    """The cells of one film, as plain text without protection against formulas."""
    card = provenance.card
    row = dict.fromkeys(columns(finding.name for finding in card.findings), "")
    row |= {
        "path": _printable(result.relative_path),
        "status": result.status.value,
        "status_code": result.code.value,
        "message": result.message,
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
    return {"gate_flags": "|".join(gate.flags), "ood_score": _number(gate.ood_score)}


def _prediction_cells(prediction: Prediction) -> Row:
    row = {
        "device": prediction.device,
        "precision": prediction.precision,
        "predicted": prediction.predicted,
        "uncertainty": _number(prediction.uncertainty),
    }
    for n, finding in enumerate(prediction.findings):
        row[f"score_{finding}"] = _number(prediction.scores[n])
        row[f"logit_{finding}"] = _number(prediction.logits[n])
        row[f"threshold_{finding}"] = _number(prediction.thresholds[n])
        row[f"flag_{finding}"] = str(int(prediction.flags[n]))
    return row


def patient_cell(patient_id: str, mode: IdentityMode, key: bytes) -> str:
    """The PatientID cell: nothing, a keyed hash (HMAC-SHA256, 64 bits shown), or the ID."""
    if mode == "none" or not patient_id:
        return ""
    if mode == "full":
        return patient_id
    if not key:
        raise ValueError("identity `hash` needs a key: without one an ID is found by trying")
    digest = hmac.new(key, patient_id.encode("utf-8", "surrogateescape"), hashlib.sha256)
    return digest.hexdigest()[:HASH_LENGTH]


def write_predictions(
    path: Path, findings: Iterable[str], rows: Iterable[Mapping[str, str]]
) -> None:
    """Write the CSV in one step: a reader sees the old file or the new one.

    Raises:
        OSError: the file cannot be written.
    """
    header = columns(findings)
    with replacing(path) as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow([_protected(name, row[name]) for name in header])


def read_predictions(path: Path) -> Predictions:
    """Read a CSV back; the protection against formulas is taken off.

    Raises:
        UsageError: the file is not a predictions CSV.
        OSError: it cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header, *lines = csv.reader(stream)
    except (ValueError, csv.Error) as error:
        raise _no_predictions(path, "it is no CSV text") from error
    findings = tuple(name.removeprefix("score_") for name in header if name.startswith("score_"))
    missing = [name for name in columns(findings) if name not in header]
    if missing:
        raise _no_predictions(path, f"column {missing[0]} is missing")
    if any(len(line) != len(header) for line in lines):
        raise _no_predictions(path, "a row is longer or shorter than the header")
    rows = (dict(zip(header, line, strict=True)) for line in lines)
    return Predictions(findings, tuple({k: _bare(k, v) for k, v in row.items()} for row in rows))


def _no_predictions(path: Path, why: str) -> UsageError:
    hint = "Choose a predictions.csv that XrayView wrote."
    return UsageError("Not a table of predictions", path=path, why=why, hint=hint)


def _is_number(column: str) -> bool:
    return column in NUMBERS or column.startswith(PER_FINDING)


def _protected(column: str, cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) and not _is_number(column) else cell


def _bare(column: str, cell: str) -> str:
    protected = cell.startswith("'") and cell[1:].startswith(FORMULA) and not _is_number(column)
    return cell[1:] if protected else cell


def _number(value: float | None) -> str:
    """The shortest text that reads back as the same number."""
    return "" if value is None else repr(float(value))


def _printable(name: str) -> str:
    """File names that are no valid UTF-8 show their bytes as `\\xNN`."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
