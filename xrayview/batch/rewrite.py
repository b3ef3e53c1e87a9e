"""Rewrite the files of a run for other operating points or another statement, without a model."""

from __future__ import annotations

import json
import shutil
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xrayview.batch.file_state import sha256_of_file
from xrayview.batch.output import Output, cannot_write, locked_output, reported_hash
from xrayview.batch.report import point_origin
from xrayview.domain.events import FilmResult
from xrayview.domain.model import OperatingPoint
from xrayview.domain.stated import StatedFilms
from xrayview.errors import UsageError
from xrayview.io.atomic import replacing
from xrayview.io.tables.predictions import (
    columns,
    read_predictions,
    result_cells,
    row_key,
    write_predictions,
)


@dataclass(frozen=True)
class Settled:
    """What decides flags and verdicts, apart from the scores."""

    points: tuple[OperatingPoint, ...]
    stated: StatedFilms


class RunFiles:
    """The CSV and the report of a finished run, rewritten when something else is in force.

    A CSV that another program has changed is left alone, since a person may have edited it.
    Thread-safe: of several updates the newest wins.
    """

    def __init__(self, csv_path: Path, settled: Settled) -> None:
        self._csv_path = csv_path
        self._settled = settled
        self._lock = threading.Lock()
        self._newest = 0

    def update(self, settled: Settled, results: Sequence[FilmResult], number: int) -> None:
        """Rewrite the files for what is in force, unless an update with a higher number did.

        Raises:
            UsageError: the CSV was changed by another program, or cannot be written.
        """
        with self._lock:
            if number < self._newest:
                return
            self._newest = number
            if settled == self._settled:
                return
            with locked_output(self._csv_path) as output:
                if not output.csv.exists() or sha256_of_file(output.csv) != reported_hash(output):
                    raise _changed(output.csv)
                try:
                    _rewrite_csv(output.csv, output.csv, results)
                    _rewrite_report(output, settled, results)
                except OSError as error:
                    raise cannot_write(output.csv, error) from error
            self._settled = settled

    def save_as(self, target: Path, settled: Settled, results: Sequence[FilmResult]) -> None:
        """Write the CSV in force to another file, with what a person has written into it.

        Raises:
            UsageError: the CSV can no longer be read.
            OSError: a file cannot be read or written.
        """
        with self._lock:
            if settled == self._settled:
                shutil.copyfile(self._csv_path, target)
            else:
                _rewrite_csv(self._csv_path, target, results)


def _rewrite_csv(source: Path, target: Path, results: Sequence[FilmResult]) -> None:
    table = read_predictions(source)
    known = columns(table.findings)
    own = tuple(name for name in (table.rows[0] if table.rows else ()) if name not in known)
    cells = {row_key(result): result_cells(result, table.findings) for result in results}
    rows = ({**row, **cells.get((row["path"], row["frame"]), {})} for row in table.rows)
    write_predictions(target, table.findings, rows, own)


def _rewrite_report(output: Output, settled: Settled, results: Sequence[FilmResult]) -> None:
    report = json.loads(output.report.read_text(encoding="utf-8"))
    report["operating_points"] = [point_origin(point) for point in settled.points]
    report["stated"] = settled.stated.to_json()
    report["counts"] = dict(Counter(result.status.value for result in results))
    report["table_sha256"] = sha256_of_file(output.csv)
    with replacing(output.report) as stream:
        json.dump(report, stream, indent=2)
        stream.write("\n")


def _changed(path: Path) -> UsageError:
    return UsageError(
        "The CSV was changed by another program",
        path=path,
        why="it keeps its operating points",
        hint="“Save CSV as …” writes those in force to another file.",
    )
