"""`ensemble`: join finished models in one bundle, with a run folder like that of a training."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training import runs
from training.data import leaks
from training.data.films import Say
from training.data.splits import TEST
from training.ensemble.card import describe_member, ensemble_config, ensemble_draft
from training.ensemble.films import common_films, write_table
from training.ensemble.members import find_members, join_members
from training.finish import finish_run
from training.pipeline import record_test_films, write_bundle
from training.runs import RunFolder
from xrayview.errors import UsageError

TABLE = "splits.csv"
"""The films with the ensemble's own splits, where the members' differ."""


@dataclass(frozen=True)
class EnsembleOptions:
    """The options of the command `ensemble`."""

    out: Path
    """The run folder, or a file `NAME.pt` for the bundle with the folder NAME beside it."""
    name: str | None
    """The bundle's name; None to derive it from the first member."""
    version: str
    fewest_validation: int
    test: bool
    report: bool


def build(
    models: Sequence[Path],
    recipe: str | None,
    data: Path,
    cache: Path,
    options: EnsembleOptions,
    say: Say,
) -> RunFolder:
    """Join the models, calibrate the mean on validation, evaluate it, and write the run folder.

    Raises:
        UsageError: the members do not fit together, or the output exists or is in use.
        NothingUsable: too few films are validation films of every member.
        ModelError: a member is broken, or the ensemble differs from its bundle.
    """
    to_file = options.out.suffix == ".pt"
    if to_file and options.out.exists():
        raise UsageError(f"{options.out} already exists", hint="Choose another file with --out.")
    members = find_members(models, recipe, data, cache)
    network = join_members(members)
    films = common_films([member.rows for member in members], options.fewest_validation)
    first = members[0].model.config
    leaking = leaks.check(films.manifest.rows, first.data)
    run = runs.named_run(options.out.with_suffix("") if to_file else options.out)
    with runs.in_use(run.path):
        rows = films.manifest.rows
        split_by = first.data if films.same else write_table(rows, run.path / TABLE)
        config = ensemble_config(members, split_by, options.name, options.version)
        runs.describe(run, config, films.manifest, len(leaking))
        run.add_facts(members=[describe_member(member) for member in members])
        for member in members:
            say(f"member {member.model.bundle}, temperature {member.temperature}")
        record_test_films(run, options.test, say)
        draft = ensemble_draft(config, run.read_facts(), members, network.stride)
        scored = write_bundle(config, network, draft, rows, run, data, say, options.test)
        if options.test and options.report:
            finish_run(config, run, data, cache, say, scored[TEST])
        if to_file:
            shutil.copyfile(run.bundle(config), options.out)
            say(f"bundle {options.out}")
        run.add_facts(finished_utc=runs.now_utc())
    return run
