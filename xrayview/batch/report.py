"""`predictions.run.json` beside `predictions.csv`: what ran, on what, and with which result."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from xrayview import __version__
from xrayview.domain.model import OperatingPoint
from xrayview.domain.operating_points import OWN
from xrayview.domain.stated import NOTHING_STATED, StatedFilms
from xrayview.engine.protocol import ModelReady
from xrayview.io.atomic import replacing
from xrayview.io.model.bundle import card_to_json

PACKAGES = ("numpy", "opencv-python-headless", "openvino", "pydicom", "torch")
REPORT_FIELDS = frozenset({"schema", "run_id", "command", "folder", "counts", "resumed", "model"})
"""The fields by which a report is recognised among JSON files."""


@dataclass(frozen=True)
class RunReport:
    """One run of a batch; `resumed` counts the rows from earlier runs."""

    run_id: str
    started_utc: str
    command: Sequence[str]
    folder: str
    """The folder as the user typed it."""
    ready: ModelReady
    preprocessing_id: str
    identity: str
    counts: Mapping[str, int]
    resumed: int
    seconds: float
    cancelled: bool
    warnings: Sequence[str]
    table_sha256: str
    """Of the CSV as it was written, so that later changes to it are noticed."""
    points: Sequence[OperatingPoint] = ()
    """The operating point of each finding, with how it was chosen."""
    stated: StatedFilms = NOTHING_STATED
    """What the user states of all films."""
    chosen_files: int | None = None
    """How many files of the folder were chosen; None where all were to be classified."""
    films: Mapping[str, object] | None = None
    """The shard of an index that the run was of; None for a folder."""
    studies: Mapping[str, str] | None = None
    """The table of studies; None where there is none."""


def report_path(csv_path: Path) -> Path:
    """The path of the report: `predictions.run.json` beside `predictions.csv`."""
    name = csv_path.name
    return csv_path.with_name(f"{name.removesuffix('.csv') or name}.run.json")


def write_report(path: Path, report: RunReport) -> None:
    """Write the report atomically. Raises: OSError."""
    ready = report.ready
    plain = {
        "schema": 1,
        "run_id": report.run_id,
        "started_utc": report.started_utc,
        "seconds": round(report.seconds, 3),
        "cancelled": report.cancelled,
        "command": list(report.command),
        "folder": report.folder,
        "table_sha256": report.table_sha256,
        "counts": dict(report.counts),
        "resumed": report.resumed,
        "chosen_files": report.chosen_files,
        "studies": None if report.studies is None else dict(report.studies),
        "films": None if report.films is None else dict(report.films),
        "warnings": list(report.warnings),
        "identity": report.identity,
        "operating_points": [point_origin(point) for point in report.points],
        "stated": report.stated.to_json(),
        "versions": versions(),
        "model": {
            "file": ready.model.path.name,
            "sha256": ready.model.sha256,
            "device": ready.device,
            "device_name": ready.device_name,
            "precision": ready.precision,
            "runtime": ready.runtime,
            "score_difference": ready.score_difference,
            "preprocessing_id": report.preprocessing_id,
            "card": card_to_json(ready.card),
        },
    }
    with replacing(path) as stream:
        json.dump(plain, stream, indent=2)
        stream.write("\n")


def point_origin(point: OperatingPoint) -> dict[str, object]:
    """An operating point as plain data, with whose it is."""
    return {
        "finding": point.finding,
        "threshold": point.threshold,
        "origin": "user" if point.name == OWN else "card",
        "chosen_by": point.chosen_by,
    }


def versions() -> dict[str, str]:
    """Versions of the program, Python, and the packages that results depend on."""
    return {
        "xrayview": __version__,
        "python": platform.python_version(),
        **package_versions(),
        "platform": platform.platform(terse=True),
    }


def package_versions() -> dict[str, str]:
    """Versions of the packages that results depend on, as far as they are known."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
