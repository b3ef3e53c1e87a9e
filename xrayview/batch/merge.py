"""Merge the parts of an index into the one table, with proof that every film is there once.

Memory does not grow with the number of rows: parts are read one by one, and an external sort brings
their rows into scan order. Nothing is replaced before every part has been checked.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from xrayview.batch.file_state import sha256_of_file
from xrayview.batch.merged_table import MergedTable, own_columns
from xrayview.batch.output import Output, cannot_write, locked_output
from xrayview.batch.parts import Gap, Part, check_run_keys, find_parts, has_all_rows, rows_of_part
from xrayview.batch.study_table import StudyTable
from xrayview.domain.film_index import IndexedFile, Shard
from xrayview.domain.sentences import counted
from xrayview.errors import Cancelled, UsageError
from xrayview.io.atomic import replacing
from xrayview.io.external_sort import ExternalSort
from xrayview.io.tables.film_index import FilmIndex
from xrayview.io.tables.predictions import Row, columns, stream_predictions
from xrayview.io.tables.studies import studies_of

FRAME_BITS = 21
"""Of a sort key; a file has fewer frames than 2 ** 21 - 1."""
MOST_NAMED = 10
"""Gaps that a message names; the command lists all of them."""


@dataclass(frozen=True)
class MergeOptions:
    """How parts are merged."""

    allow_missing: bool = False
    """Write the table although rows are missing."""
    allow_mixed: bool = False
    """Merge parts of different devices, versions of the program, or versions of packages."""
    studies: Path | None = None
    """Where the table of studies is written."""
    command: tuple[str, ...] = ()
    """The command line, for the report."""


@dataclass(frozen=True)
class Merged:
    """What a merge has done."""

    parts: int
    counts: dict[str, int]
    """Rows by status."""
    gaps: tuple[Gap, ...]
    notes: tuple[str, ...]
    """What the user should know; sentences."""
    seconds: float


class IncompleteParts(UsageError):
    """The parts lack rows; `gaps` names all of them."""

    def __init__(self, gaps: Sequence[Gap]) -> None:
        named = "; ".join(gap.text for gap in gaps[:MOST_NAMED])
        more = f"; and {len(gaps) - MOST_NAMED:,} more" if len(gaps) > MOST_NAMED else ""
        super().__init__(
            "The parts are not complete, and no table was written",
            why=f"missing: {named}{more}",
            hint="Run these shards again, or merge what is there with --allow-missing.",
        )
        self.gaps = tuple(gaps)


def merge_parts(
    folder: Path,
    index: Path,
    out: Path,
    options: MergeOptions = MergeOptions(),
    cancel: threading.Event | None = None,
    progress: Callable[[int, int], None] = lambda _part, _parts: None,
) -> Merged:
    """Write the table of all parts in scan order, its report, and the table of studies.

    What a person has written into the table that is there, or into a part, stays in it.

    Args:
        folder: the folder of the parts.
        index: the index that they are of.
        out: the table.
        options: see there.
        cancel: ends the work; nothing is replaced then.
        progress: called with the number of parts read, and of all.

    Raises:
        IncompleteParts: rows are missing.
        UsageError: the parts do not belong together, or the output cannot be written.
        Cancelled: `cancel` was set.
    """
    if not folder.is_dir():
        raise UsageError(
            "The folder of the parts does not exist", path=folder, hint="Check the name."
        )
    with locked_output(out) as output, FilmIndex(index) as films:
        parts = find_parts(folder, films, skip=folder / out.name)
        mixed = check_run_keys(parts, allow_mixed=options.allow_mixed)
        merge = _Merge(films, parts, output, options, cancel or threading.Event(), progress)
        try:
            return merge.run(mixed)
        except OSError as error:
            raise cannot_write(output.csv, error) from error


class _Merge:
    """One merge."""

    def __init__(
        self,
        index: FilmIndex,
        parts: tuple[Part, ...],
        output: Output,
        options: MergeOptions,
        cancel: threading.Event,
        progress: Callable[[int, int], None],
    ) -> None:
        self._index, self._parts, self._output, self._options = index, parts, output, options
        self._cancel, self._progress = cancel, progress
        self._started_s, self._started_utc = time.monotonic(), datetime.now(UTC)
        self._run_id = secrets.token_hex(8)
        self._findings = tuple(parts[0].run_key["findings"])
        own = dict.fromkeys(name for part in parts for name in own_columns(_header(part)))
        self._names = (*columns(self._findings), *own)
        """Of the cells that are sorted."""
        self._table = MergedTable(output, self._findings, tuple(own))
        self._studies = StudyTable(options.studies, output) if options.studies else None
        self._counts: Counter[str] = Counter()
        self._gaps: list[Gap] = []
        self._without_study = 0

    def run(self, mixed: tuple[str, ...]) -> Merged:
        """Read and check all parts, then write. Raises: see `merge_parts`."""
        beside, top = self._output.csv, max(1, len(self._index)) << FRAME_BITS
        with (
            ExternalSort(beside.with_name(f"{beside.name}.sort"), top) as rows,
            ExternalSort(beside.with_name(f"{beside.name}.studies.sort"), top) as studies,
        ):
            self._read(rows, studies)
            if self._gaps and not self._options.allow_missing:
                raise IncompleteParts(self._gaps)
            self._table.write(
                dict(zip(self._names, json.loads(line), strict=True))
                for line in self._until_cancelled(rows)
            )
            notes = [*self._table.notes, *self._write_studies(studies)]
        seconds = time.monotonic() - self._started_s
        self._write_report(notes, mixed, seconds)
        return Merged(
            len(self._parts), dict(self._counts), tuple(self._gaps), tuple(notes), seconds
        )

    def _read(self, rows: ExternalSort, studies: ExternalSort) -> None:
        by_shard = {part.shard: part for part in self._parts}
        count = self._parts[0].shard.count
        for number in range(1, count + 1):
            if self._cancel.is_set():
                raise Cancelled("The work was cancelled")
            shard = Shard(number, count)
            files = {file.path: file for file in self._index.shard(shard)}
            part = by_shard.get(shard)
            if part is not None:
                self._read_part(part, files, rows, studies)
            elif files:
                self._gaps.append(Gap(shard))
            self._progress(number, count)

    def _read_part(
        self,
        part: Part,
        files: Mapping[str, IndexedFile],
        rows: ExternalSort,
        studies: ExternalSort,
    ) -> None:
        frames: dict[int, set[int]] = {}
        found: list[tuple[int, Row]] = []
        for file_id, frame, row in rows_of_part(part, files):
            frames.setdefault(file_id, set()).add(frame)
            key = file_id << FRAME_BITS | (frame + 1)
            self._table.see(row)
            self._counts[row["status"]] += 1
            rows.add(key, json.dumps([row.get(name, "") for name in self._names]))
            found.append((key, row))
        self._gaps += [
            Gap(part.shard, file.path)
            for file in files.values()
            if not has_all_rows(file, frames.get(file.id, set()))
        ]
        if self._studies is not None:
            self._read_studies(found, studies)

    def _read_studies(self, found: list[tuple[int, Row]], studies: ExternalSort) -> None:
        """The studies of a part: a patient's films are all in it."""
        found.sort(key=lambda pair: pair[0])
        first: dict[tuple[str, str], int] = {}
        for key, row in found:
            first.setdefault((row["PatientID"], row["StudyInstanceUID"]), key)
            self._without_study += not row["StudyInstanceUID"]
        for row in studies_of((row for _, row in found), self._findings):
            studies.add(first[row["PatientID"], row["StudyInstanceUID"]], json.dumps(row))

    def _until_cancelled(self, rows: ExternalSort) -> Iterator[str]:
        for i, line in enumerate(rows.lines()):
            if i % 1000 == 0 and self._cancel.is_set():
                raise Cancelled("The work was cancelled")
            yield line

    def _write_studies(self, studies: ExternalSort) -> list[str]:
        if self._studies is None:
            return []
        rows = (json.loads(line) for line in studies.lines())
        return self._studies.write(self._findings, rows, self._without_study)

    def _write_report(self, notes: Sequence[str], mixed: Sequence[str], seconds: float) -> None:
        """The report of the first part, with what is of the whole."""
        first = dict(self._parts[0].report)
        films = {name: value for name, value in first["films"].items() if name != "shard"}
        warnings = [f"the parts differ in {name}" for name in mixed]
        if self._gaps:
            warnings.append(
                f"{counted(len(self._gaps), 'shard or file', 'shards and files')} missing"
            )
        report = {
            **first,
            "run_id": self._run_id,
            "started_utc": self._started_utc.isoformat(timespec="seconds"),
            "seconds": round(seconds, 3),
            "cancelled": bool(self._gaps),
            "command": list(self._options.command),
            "folder": self._index.metadata.root,
            "table_sha256": sha256_of_file(self._output.csv),
            "counts": dict(self._counts),
            "resumed": 0,
            "warnings": [*_common_warnings(self._parts), *warnings, *notes],
            "films": {**films, "files": len(self._index)},
            "parts": [_summary(part) for part in self._parts],
            "missing": [gap.text for gap in self._gaps],
            "mixed": {name: _variants(self._parts, name) for name in mixed},
            "studies": self._studies.to_json() if self._studies else None,
        }
        with replacing(self._output.report) as stream:
            json.dump(report, stream, indent=2)
            stream.write("\n")


def _header(part: Part) -> tuple[str, ...]:
    return stream_predictions(part.table)[0]


def _summary(part: Part) -> dict[str, object]:
    names = ("run_id", "table_sha256", "counts", "seconds")
    of_run = {name: part.report.get(name) for name in names}
    return {"shard": str(part.shard), "file": part.table.name, **of_run}


def _common_warnings(parts: Sequence[Part]) -> list[str]:
    """Warnings that every part has: those about the model."""
    first: list[str] = list(parts[0].report.get("warnings", ()))
    return [text for text in first if all(text in part.report["warnings"] for part in parts)]


def _variants(parts: Sequence[Part], name: str) -> list[dict[str, Any]]:
    """The values of one part of the run keys, with the number of parts of each."""
    counts = Counter(json.dumps(part.run_key.get(name), sort_keys=True) for part in parts)
    return [{"value": json.loads(text), "parts": count} for text, count in counts.items()]
