"""The end of a run, after its bundle: the shortcut audit and the report."""

from __future__ import annotations

from pathlib import Path

from training.audit import files
from training.audit.audit import audit
from training.config import TrainingConfig
from training.data.films import Say
from training.evaluation.models import EvaluatedModel
from training.evaluation.scoring import ScoredFilms
from training.report.build import write_report
from training.runs import RunFolder
from xrayview.io.model.bundle import read_card

REPORT = "report.html"
_HEAT_FILMS = 100
"""Films per finding for the mean heat map; the command `report` uses more."""


def finish_run(
    config: TrainingConfig, run: RunFolder, data: Path, cache: Path, say: Say, test: ScoredFilms
) -> Path:
    """Audit the run's bundle, with lung masks if the config names any, then write its report.

    `test` are the test films with the bundle's scores. Returns the report's path.

    Raises:
        NothingUsable: there are no test films, or none can be read.
        ModelError: the network failed.
    """
    bundle = run.bundle(config)
    model = EvaluatedModel(bundle, read_card(bundle), config)
    named = data / config.data.lung_masks
    masks = named if config.data.lung_masks and named.is_dir() else None
    say("shortcut audit")
    files.write(audit(model, data, masks, cache, "cpu", say), model, run.path)
    return write_report(model, data, run, run.path / REPORT, _HEAT_FILMS, "cpu", say, test)
