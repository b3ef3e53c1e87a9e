"""What a run ends with besides its bundle: the shortcut audit and the report."""

from __future__ import annotations

from pathlib import Path

from training.audit import files
from training.audit.audit import audit
from training.config import TrainingConfig
from training.data.films import Say
from training.evaluation.evaluate import Subject
from training.evaluation.scoring import Scored
from training.report.build import report
from training.runs import RunFolder
from xrayview.io.model.bundle import read_card

REPORT = "report.html"
_HEAT_FILMS = 100
"""For each finding; `report` alone looks at more."""


def conclude(
    config: TrainingConfig, run: RunFolder, data: Path, cache: Path, say: Say, test: Scored
) -> Path:
    """Audit the run's bundle, with lung masks where the config names them, then report on it.

    `test` are the test films as the bundle judged them. Returns the report's path.

    Raises:
        NothingUsable: no film is for testing, or none can be read.
        ModelError: the network failed.
    """
    bundle = run.bundle(config)
    subject = Subject(bundle, read_card(bundle), config)
    named = data / config.data.lung_masks
    masks = named if config.data.lung_masks and named.is_dir() else None
    say("shortcut audit")
    files.write(audit(subject, data, masks, cache, "cpu", say), subject, run.path)
    return report(subject, data, run, run.path / REPORT, _HEAT_FILMS, "cpu", say, test)
