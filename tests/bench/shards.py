"""What the index and the merge of many films cost: `python -m tests.bench.shards 100000 1000000`.

Rows are synthetic and no film is read: what is measured is the sort, the check and the tables. Each
step runs in a process of its own, whose peak of memory is that of the step.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from xrayview.batch.file_state import FileState
from xrayview.batch.index_folder import finish_index
from xrayview.batch.index_journal import IndexKey, IndexRecord, header_line
from xrayview.batch.journal import journal_path
from xrayview.batch.merge import MergeOptions, merge_parts
from xrayview.batch.report import report_path
from xrayview.domain.film_index import GROUP_BITS, IndexedFile, Shard, group_key
from xrayview.io.tables.film_index import FilmIndex
from xrayview.io.tables.predictions import columns, write_predictions

FILMS_OF_A_PATIENT = 3
SHARD_FILMS = 1000
FINDINGS = ("Pneumonia", "Effusion", "Cardiomegaly", "No Finding")
KEY = IndexKey("bench", "hash", "0" * 16)
STEPS = ("journal", "index", "shard", "parts", "merge csv", "merge parquet")


def main() -> None:
    """Run one step in a folder, or all steps of each size, each in a process of its own."""
    if sys.argv[1] == "step":
        _step(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
        return
    print(f"{'films':>10}  {'step':14}{'wall s':>8}{'CPU s':>8}{'peak MB':>9}{'output MB':>11}")
    for size in map(int, sys.argv[1:]):
        with tempfile.TemporaryDirectory(dir=".") as folder:
            for step in STEPS:
                command = [sys.executable, "-m", "tests.bench.shards", "step", step, str(size)]
                out = subprocess.run([*command, folder], check=True, capture_output=True, text=True)
                wall, cpu, peak, written = json.loads(out.stdout)
                print(f"{size:10,}  {step:14}{wall:8.1f}{cpu:8.1f}{peak:9.0f}{written:11.1f}")


def _step(step: str, size: int, work: Path) -> None:
    start_s, start_cpu_s = time.monotonic(), time.process_time()
    index, parts = work / "index.parquet", work / "parts"
    written = index
    if step == "journal":
        written = _write_journal(journal_path(index), size)
    elif step == "index":
        finish_index(index, journal_path(index), KEY, work)
    elif step == "shard":
        with FilmIndex(index) as films:
            count = size // SHARD_FILMS
            assert len(list(films.shard(Shard(count // 2, count)))) > 0
    elif step == "parts":
        written = _write_parts(index, parts, size // SHARD_FILMS)
    else:
        written = work / f"table.{step.split()[1]}"
        merge_parts(parts, index, written, MergeOptions(studies=work / "studies.csv"))
    files = written.rglob("*") if written.is_dir() else [written]
    mb = sum(path.stat().st_size for path in files) / 1e6
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps([time.monotonic() - start_s, time.process_time() - start_cpu_s, peak_mb, mb]))


def _write_journal(path: Path, size: int) -> Path:
    with path.open("w", encoding="utf-8") as stream:
        stream.write(header_line(KEY) + "\n")
        for record in _records(size):
            stream.write(record.line() + "\n")
    return path


def _records(size: int) -> Iterator[IndexRecord]:
    spread, top = int.from_bytes(group_key(b"bench")[:7], "big") | 1, 1 << GROUP_BITS
    for i in range(size):
        patient = i // FILMS_OF_A_PATIENT
        study = f"1.2.826.0.1.3680043.8.498.{patient * 7919:019}"
        path = f"p{patient // 1000:04}/patient{patient:07}/study1/view{i % 3}.dcm"
        group = patient * spread % top
        yield IndexRecord(
            IndexedFile(i, path, 8_000_000 + i, i, f"{patient:016x}", study, 1, group),
            FileState(8_000_000 + i, i, i + 1, i + 2),
        )


def _write_parts(index: Path, parts: Path, count: int) -> Path:
    parts.mkdir()
    blank = dict.fromkeys(columns(FINDINGS), "")
    with FilmIndex(index) as films:
        index_id = films.metadata.index_id
        for number in range(1, count + 1):
            shard = Shard(number, count)
            files = sorted(films.shard(shard), key=lambda file: file.id)
            part = parts / f"part-{number}.parquet"
            write_predictions(part, FINDINGS, [blank | _cells(file) for file in files])
            key = {"findings": list(FINDINGS), "device": "cpu"}
            of_index = {"index_id": index_id, "shard": str(shard), "run_key": key}
            report = {"schema": 1, "warnings": [], "films": of_index, "counts": {"ok": len(files)}}
            report |= {"run_id": "", "command": [], "folder": "", "resumed": 0, "model": {}}
            report_path(part).write_text(json.dumps(report))
    return parts


def _cells(file: IndexedFile) -> dict[str, str]:
    cells = {
        "path": file.path,
        "status": "ok",
        "status_code": "OK",
        "PatientID": file.patient,
        "StudyInstanceUID": file.study,
        "SeriesInstanceUID": f"{file.study}.1",
        "SOPInstanceUID": f"{file.study}.1.{file.id}",
        "frame": "0",
        "Modality": "DX",
        "BodyPartExamined": "CHEST",
        "ViewPosition": "PA",
        "sha256": f"{file.id:064x}",
        "model_sha256": "0" * 64,
        "run_id": "0" * 16,
        "time_utc": "2026-11-30T12:00:00+00:00",
    }
    for i, name in enumerate(FINDINGS):
        score = (file.id * (i + 3) % 9973) / 9973
        cells |= {f"score_{name}": repr(score), f"logit_{name}": repr(8 * score - 4)}
        cells |= {f"threshold_{name}": "0.5", f"flag_{name}": str(int(score >= 0.5))}
    return cells


if __name__ == "__main__":
    main()
