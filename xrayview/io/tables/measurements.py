"""Measurements as CSV: UTF-8, comma, RFC 4180, dot decimal."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from xrayview.domain.measurement import Annotation, MeasuredValue
from xrayview.io.atomic import replacing
from xrayview.io.tables.cells import escape_formula, printable_name

CSV_COLUMNS = (
    "path", "SOPInstanceUID", "frame", "number", "kind", "text", "name", "value", "unit",
    "spacing_kind", "points",
)  # fmt: skip


def export_measurements(
    path: Path, rows: Iterable[tuple[str, Annotation, tuple[MeasuredValue, ...]]]
) -> None:
    """Write one row per measured value, and one for an annotation without values.

    Args:
        path: the CSV to write.
        rows: the film's path below the folder (a film that is not DICOM has no other name that a
            reader knows), the annotation, and its measured values.

    Raises:
        OSError: the file cannot be written.
    """
    with replacing(path) as stream:
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(CSV_COLUMNS)
        for number, (film, annotation, values) in enumerate(rows, start=1):
            for value in values or (MeasuredValue("", None, ""),):
                writer.writerow(_row(film, number, annotation, value))


def _row(film: str, number: int, annotation: Annotation, measured: MeasuredValue) -> list[str]:
    points = " ".join(f"{row:.6g}:{column:.6g}" for row, column in annotation.points)
    return [
        escape_formula(printable_name(film)),
        annotation.film,
        str(annotation.frame),
        str(number),
        annotation.kind.value,
        escape_formula(annotation.text),
        measured.name,
        "" if measured.value is None else repr(float(measured.value)),
        measured.unit,
        measured.spacing.value if measured.spacing else "",
        # A first row of -3 is text here: a spreadsheet would take it for a formula.
        escape_formula(points),
    ]
