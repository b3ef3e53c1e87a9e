"""The table of studies: for each finding the highest and the mean score over a study's films."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from xrayview.errors import Status, UsageError
from xrayview.io.atomic import replacing
from xrayview.io.tables.cells import escape_formula
from xrayview.io.tables.parquet import Kind, is_parquet, parquet_header, write_parquet
from xrayview.io.tables.predictions import Row

BEFORE_SCORES = (
    "StudyInstanceUID", "PatientID", "films", "scored", "caution", "views", "model_name",
    "model_version", "model_sha256", "preprocessing_id",
)  # fmt: skip
PER_FINDING = ("max_", "mean_")
_COUNTS = ("films", "scored", "caution")
_OF_MODEL = ("model_name", "model_version", "model_sha256", "preprocessing_id")


def study_columns(findings: Iterable[str]) -> tuple[str, ...]:
    """Column names: the fixed ones, then `max_A, max_B, mean_A, mean_B ...`."""
    names = tuple(findings)
    return BEFORE_SCORES + tuple(prefix + name for prefix in PER_FINDING for name in names)


def studies_of(rows: Iterable[Row], findings: Sequence[str]) -> Iterator[Row]:
    """Yield a row for each study, in the order of their first films.

    Films that do not state a study belong to none. A study is that of one patient. Films that were
    not scored count as `films` only; files with the same content have one score.
    """
    studies: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["StudyInstanceUID"]:
            key = row["PatientID"], row["StudyInstanceUID"]
            studies.setdefault(key, []).append(row)
    for (patient, study), films in studies.items():
        yield {"StudyInstanceUID": study, "PatientID": patient, **_cells(films, findings)}


def _cells(films: Sequence[Row], findings: Sequence[str]) -> Row:
    scored = [row for row in films if row["status"] in (Status.OK, Status.WARN)]
    contents = {(row["sha256"], row["frame"]): row for row in scored}
    views = dict.fromkeys(row["ViewPosition"] for row in scored if row["ViewPosition"])
    cells = {
        "films": str(len(films)),
        "scored": str(len(scored)),
        "caution": str(sum(row["status"] == Status.WARN for row in scored)),
        "views": "|".join(views),
        **{name: films[0][name] for name in _OF_MODEL},
    }
    for finding in findings:
        scores = [float(row[f"score_{finding}"]) for row in contents.values()]
        cells[f"max_{finding}"] = repr(max(scores)) if scores else ""
        cells[f"mean_{finding}"] = repr(math.fsum(scores) / len(scores)) if scores else ""
    return cells


def require_studies(path: Path) -> None:
    """Check that `path` is free, or a table of studies.

    Raises:
        UsageError: it is something else, or its folder does not exist.
    """
    hint = "Choose another name for the table of studies."
    if not path.parent.is_dir():
        raise UsageError("The folder of the table does not exist", path=path, hint=hint)
    try:
        header = parquet_header(path) if is_parquet(path) else _csv_header(path)
    except FileNotFoundError:
        return
    except (ValueError, OSError) as error:
        why = type(error).__name__
        raise UsageError("The table cannot be replaced", path=path, why=why, hint=hint) from error
    if header and header[: len(BEFORE_SCORES)] != BEFORE_SCORES:
        raise UsageError(
            "The file is not a table of studies, and is not replaced", path=path, hint=hint
        )


def write_studies(path: Path, findings: Sequence[str], rows: Iterable[Row]) -> None:
    """Write the table in one step. Raises: OSError."""
    header = study_columns(findings)
    if is_parquet(path):
        write_parquet(path, header, ([row[name] for name in header] for row in rows), _kind)
    else:
        _write_csv(path, header, rows)


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Mapping[str, str]]) -> None:
    with replacing(path) as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow(
                row[name] if _kind(name) != "string" else escape_formula(row[name])
                for name in header
            )


def _csv_header(path: Path) -> tuple[str, ...]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return tuple(next(csv.reader(stream), ()))


def _kind(column: str) -> Kind:
    if column in _COUNTS:
        return "int32"
    return "float64" if column.startswith(PER_FINDING) else "string"
