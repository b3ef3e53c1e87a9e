"""The audit as a table to read and as `audit.json`, of validation films `audit-validation.json`."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

from training.audit.audit import Audit
from training.audit.explanations import TITLES
from training.data.splits import TEST, VALIDATION
from training.evaluation.evaluate import Subject
from training.evaluation.metrics import plain
from training.runs import command_line, commit, now_utc, versions, write_json
from xrayview.errors import UsageError
from xrayview.io.model.bundle import sha256_of

NAMES = {TEST: "audit.json", VALIDATION: "audit-validation.json"}
"""The report shows that of test films."""
_WIDTH = 100


def table(found: Audit) -> str:
    """One line for each row, its sentence below it, then what limits the audit."""
    title = f"Shortcut audit on {found.films} {found.split} films of {found.patients} patients"
    lines = [
        f"{title}; AUC, 95 % interval over patients",
        f"{'what is seen':40s} {'finding':20s}   AUC    interval         n",
    ]
    for row in found.rows:
        e = row.auc
        figures = f"{e.value:6.3f}  {e.low:.3f} - {e.high:.3f}  {e.n:5d}"
        lines.append(f"{TITLES[row.key]:40s} {row.finding:20s} {figures}")
        lines += textwrap.wrap(row.meaning, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    for note in found.notes:
        lines += textwrap.wrap(note, _WIDTH, initial_indent="- ", subsequent_indent="  ")
    return "\n".join(lines)


def as_json(found: Audit, subject: Subject) -> dict[str, Any]:
    """The audit with what it was made by."""
    return {
        "model": subject.card.name,
        "version": subject.card.version,
        "model_sha256": sha256_of(subject.bundle),
        "split": found.split,
        "films": found.films,
        "patients": found.patients,
        "with_mask": found.with_mask,
        "without_mask": found.without_mask,
        "rows": [
            {
                "key": row.key,
                "title": TITLES[row.key],
                "finding": row.finding,
                "auc": plain(row.auc),
                "meaning": row.meaning,
            }
            for row in found.rows
        ],
        "notes": found.notes,
        "command": command_line(),
        "commit": commit(),
        "versions": versions(),
        "time_utc": now_utc(),
    }


def write(found: Audit, subject: Subject, out: Path) -> Path:
    """Write the audit below `out`, under the name of its split."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / NAMES[found.split]
    write_json(path, as_json(found, subject))
    return path


def read(folder: Path) -> dict[str, Any] | None:
    """The audit of test films of a folder; None where none was made.

    Raises:
        UsageError: the file is not JSON.
    """
    path = folder / NAMES[TEST]
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(
            "The audit cannot be read", path=path, why=str(error), hint="Make it again."
        ) from error
    return found
