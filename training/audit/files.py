"""The audit as a printed table and as `audit.json` (`audit-validation.json`)."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

from training.audit.audit import Audit
from training.audit.explanations import TITLES
from training.data.splits import TEST, VALIDATION
from training.evaluation.metrics import estimate_as_json
from training.evaluation.models import EvaluatedModel
from training.runs import command_line, commit, now_utc, versions, write_json
from xrayview.errors import UsageError
from xrayview.io.model.bundle import sha256_of

NAMES = {TEST: "audit.json", VALIDATION: "audit-validation.json"}
"""Split -> name of the file; the report shows the audit of test films."""
_WIDTH = 100


def table(audit: Audit) -> str:
    """Format a line for each row with its sentence below it, then the notes."""
    title = f"Shortcut audit on {audit.films} {audit.split} films of {audit.patients} patients"
    lines = [
        f"{title}; AUC, 95 % interval over patients",
        f"{'what is seen':42s} {'finding':20s}   AUC    interval         n",
    ]
    for row in audit.rows:
        e = row.auc
        values = f"{e.value:6.3f}  {e.low:.3f} - {e.high:.3f}  {e.n:5d}"
        lines.append(f"{TITLES[row.key]:42s} {row.finding:20s} {values}")
        lines += textwrap.wrap(row.meaning, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    for note in audit.notes:
        lines += textwrap.wrap(note, _WIDTH, initial_indent="- ", subsequent_indent="  ")
    return "\n".join(lines)


def as_json(audit: Audit, model: EvaluatedModel) -> dict[str, Any]:
    """Return the audit as plain data, with its model, command and versions."""
    return {
        "model": model.card.name,
        "version": model.card.version,
        "model_sha256": sha256_of(model.bundle),
        "split": audit.split,
        "films": audit.films,
        "patients": audit.patients,
        "with_mask": audit.with_mask,
        "without_mask": audit.without_mask,
        "rows": [
            {
                "key": row.key,
                "title": TITLES[row.key],
                "finding": row.finding,
                "auc": estimate_as_json(row.auc),
                "meaning": row.meaning,
            }
            for row in audit.rows
        ],
        "notes": audit.notes,
        "command": command_line(),
        "commit": commit(),
        "versions": versions(),
        "time_utc": now_utc(),
    }


def write(audit: Audit, model: EvaluatedModel, out: Path) -> Path:
    """Write the audit to the folder `out`, in the file of its split."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / NAMES[audit.split]
    write_json(path, as_json(audit, model))
    return path


def read(folder: Path) -> dict[str, Any] | None:
    """Read a folder's audit of test films; None if there is none.

    Raises:
        UsageError: the file is not JSON.
    """
    path = folder / NAMES[TEST]
    if not path.is_file():
        return None
    try:
        audit: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(
            "The audit cannot be read", path=path, why=str(error), hint="Run the audit again."
        ) from error
    return audit
