"""The CSV of measurements: its cells, and text that a spreadsheet must not run."""

from __future__ import annotations

import csv
from pathlib import Path

from xrayview.domain.measurement import Annotation, Mark, MeasuredValue
from xrayview.domain.radiograph import SpacingKind
from xrayview.io.tables.measurements import export_measurements

UID = "1.2.826.0.1"
LENGTH = Annotation(Mark.LENGTH, ((1.5, 2.0), (30.25, 4.0)), UID, 1, "Größe")


def test_that_a_value_is_written_with_its_unit_and_spacing_kind(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    note = Annotation(Mark.TEXT, ((-3.0, 2.0),), UID, text="=cmd")
    rows = [
        ("a/1.dcm", LENGTH, (MeasuredValue("length", 4.5, "mm", SpacingKind.DETECTOR),)),
        ("=b.png", note, ()),
        ("\udcff.png", note, (MeasuredValue("mean", None, ""),)),
    ]
    export_measurements(path, rows)
    with path.open(encoding="utf-8", newline="") as stream:
        first, second, third = csv.DictReader(stream)
    assert (first["value"], first["unit"], first["spacing_kind"]) == ("4.5", "mm", "at detector")
    assert [row["path"] for row in (first, second, third)] == ["a/1.dcm", "'=b.png", r"\xff.png"]
    assert (first["points"], first["text"]) == ("1.5:2 30.25:4", "Größe")
    assert (second["text"], second["name"], second["value"]) == ("'=cmd", "", "")
    assert (third["points"], third["value"]) == ("'-3:2", "")
