"""A table named .parquet has the rows of the CSV, with types, and the same guarantees."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.builders import phantom, write_dicom, write_raster
from tests.unit.batch.test_batch import OPTIONS, run, stop_after
from xrayview.batch.run import run_batch
from xrayview.engine.client import Engine
from xrayview.engine.protocol import ModelRef
from xrayview.errors import UsageError
from xrayview.io.tables.predictions import read_predictions

OF_A_RUN = ("run_id", "time_utc")
FILMS = 20


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    for n in range(FILMS - 1):
        write_raster(folder / f"{n:02}.png", (phantom(64, 64) // 16 + n).astype(np.uint8))
    write_dicom(folder / "=sum.dcm", phantom(64, 64), PatientID="-4", StudyInstanceUID="1.2.3")
    (folder / "notes.txt").write_text("not a film")
    return folder


def cells(out: Path) -> list[dict[str, str]]:
    rows = read_predictions(out).rows
    return [{name: row[name] for name in row if name not in OF_A_RUN} for row in rows]


def test_that_a_parquet_table_has_the_rows_of_the_csv_with_types(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path
) -> None:
    for name in ("p.csv", "p.parquet"):
        run(engine, films, model, tmp_path / name, identity="full")
    assert cells(tmp_path / "p.parquet") == cells(tmp_path / "p.csv")
    table = pq.read_table(tmp_path / "p.parquet")
    types = {field.name: field.type for field in table.schema}
    assert (types["score_Opacity"], types["flag_Opacity"]) == (pa.float64(), pa.int8())
    assert (types["frame"], types["Rows"], types["path"]) == (pa.int32(), pa.int32(), pa.string())
    last = table.to_pylist()[-1]
    assert (last["path"], last["score_Opacity"], last["frame"]) == ("notes.txt", None, None)
    assert table.column("path")[FILMS - 1].as_py() == "=sum.dcm"  # nothing to escape
    assert (tmp_path / "p.parquet.run.json").exists()


def test_that_a_parquet_table_resumes_and_keeps_what_people_wrote(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path
) -> None:
    out, cancel = tmp_path / "p.parquet", threading.Event()
    stop_after(3, run_batch(engine, films, model, out, OPTIONS, cancel), cancel)
    assert 3 <= len(cells(out)) < FILMS
    frame = pq.read_table(out).to_pylist()
    for row in frame:
        row |= {"label": f"mine {row['path']}", "reader": "=A", "grade": 3}
    pq.write_table(pa.Table.from_pylist(frame), out)
    started, _, finished = run(engine, films, model, out)
    assert started.resumed == len(frame)
    assert finished.notes == ()
    rows = read_predictions(out).rows
    assert len(rows) == FILMS + 1
    for row in rows[: len(frame)]:
        assert row["label"] == f"mine {row['path']}"
        assert (row["reader"], row["grade"]) == ("=A", "3")
    assert {row["label"] for row in rows[len(frame) :]} == {""}
    changed = pq.read_table(out).to_pylist()
    changed[0]["score_Opacity"] = 0.123
    pq.write_table(pa.Table.from_pylist(changed), out)
    _, _, finished = run(engine, films, model, out)
    (copy,) = tmp_path.glob("p.2*.parquet")
    assert copy.name in finished.notes[0]
    assert pq.read_table(copy).column("score_Opacity")[0].as_py() == 0.123


def test_that_numbers_that_other_programs_turned_into_floats_are_read(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.parquet"
    run(engine, films, model, out)
    table, before = pq.read_table(out), cells(out)
    for name in ("frame", "Rows", "flag_Opacity"):
        i = table.schema.get_field_index(name)
        table = table.set_column(i, name, table.column(name).cast(pa.float64()))
    pq.write_table(table, out)
    assert cells(out) == before
    assert run(engine, films, model, out)[2].notes == ()


def test_that_other_files_and_a_missing_package_are_refused_before_the_first_film(
    engine: Engine, model: ModelRef, films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "p.parquet"
    for content in (b"path,status\r\n", b"PAR1 but no more"):
        out.write_bytes(content)
        with pytest.raises(UsageError, match="not replaced"):
            run(engine, films, model, out)
        assert out.read_bytes() == content
    out.unlink()
    pq.write_table(pa.table({"a": [1]}), out)
    with pytest.raises(UsageError, match="not a table of predictions"):
        run(engine, films, model, out)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UsageError, match=r"pip install 'xrayview\[parquet\]'"):
        run(engine, films, model, tmp_path / "q.parquet")
    assert not list(tmp_path.glob("q.*"))
