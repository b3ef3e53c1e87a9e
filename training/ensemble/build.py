"""`ensemble`: finished models become one bundle, in a run folder like that of a training."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training import runs
from training.data import leaks
from training.data.films import Say
from training.data.splits import TEST
from training.ensemble.card import config_of, described, ensemble_draft
from training.ensemble.films import common_films, write_table
from training.ensemble.members import find_members, joined
from training.finish import conclude
from training.pipeline import bundled, note_test_films
from training.runs import RunFolder
from xrayview.errors import UsageError

TABLE = "splits.csv"
"""The films with the ensemble's own splits, where the members' differ."""


@dataclass(frozen=True)
class EnsembleOptions:
    """What a person asks of an ensemble."""

    out: Path
    """A run folder; a file `NAME.pt` gets the bundle, and the folder NAME beside it the rest."""
    name: str | None
    """None: after the first member."""
    version: str
    fewest_validation: int
    test: bool
    report: bool


def build(
    models: Sequence[Path],
    recipe: str | None,
    data: Path,
    cache: Path,
    wishes: EnsembleOptions,
    say: Say,
) -> RunFolder:
    """Join the models, calibrate the mean anew on validation, judge it, and write the run folder.

    Raises:
        UsageError: the members do not go together, or the output is there already.
        NothingUsable: too few films are for validation in every member.
        ModelError: a member is broken, or the ensemble differs from its bundle.
    """
    to_file = wishes.out.suffix == ".pt"
    if to_file and wishes.out.exists():
        raise UsageError(f"{wishes.out} is already there", hint="Name another file with --out.")
    members = find_members(models, recipe, data, cache)
    network = joined(members)
    films = common_films([member.rows for member in members], wishes.fewest_validation)
    first = members[0].subject.config
    leaking = leaks.check(films.manifest.rows, first.data)
    run = runs.named_run(wishes.out.with_suffix("") if to_file else wishes.out)
    split_by = first.data if films.same else write_table(films.manifest.rows, run.path / TABLE)
    config = config_of(members, split_by, wishes.name, wishes.version)
    runs.describe(run, config, films.manifest, len(leaking))
    run.add_facts(members=[described(member) for member in members])
    for member in members:
        say(f"member {member.subject.bundle}, temperature {member.temperature}")
    note_test_films(run, wishes.test, say)
    draft = ensemble_draft(config, run.read_facts(), members, network.stride)
    judged = bundled(config, network, draft, films.manifest.rows, run, data, say, wishes.test)
    if wishes.test and wishes.report:
        conclude(config, run, data, cache, say, judged[TEST])
    if to_file:
        shutil.copyfile(run.bundle(config), wishes.out)
        say(f"bundle {wishes.out}")
    run.add_facts(finished_utc=runs.now_utc())
    return run
