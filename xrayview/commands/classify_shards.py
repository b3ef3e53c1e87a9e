"""`xrayview classify --films INDEX --scheduler WHERE`: all shards, then the one table."""

from __future__ import annotations

import argparse
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.commands.merge import merge_and_print
from xrayview.commands.model_choice import trusted_model
from xrayview.commands.options import stated_by
from xrayview.commands.terminal import (
    ProgressLine,
    cancel_on_interrupt,
    existing_path,
    positive_int,
    print_err,
)
from xrayview.domain.sentences import counted
from xrayview.errors import Cancelled, ExitCode, UsageError

if TYPE_CHECKING:
    from xrayview.services.cluster import SchedulerChoice
    from xrayview.services.settings import Settings
    from xrayview.services.shard_worker import ShardJob

SHARD_FILMS = 1000
"""A shard of this many films takes minutes: long against what a task costs, short to repeat."""
PARTS = ".parts"
"""Suffix of the folder of the parts, beside the table."""


def add_scheduler_options(parser: argparse.ArgumentParser) -> None:
    """`--scheduler` and `--shard-films`."""
    parser.add_argument(
        "--scheduler",
        metavar="WHERE",
        help="classify the index in shards on a cluster, then merge them: local:N for N processes "
        "here, slurm:N, pbs:N, lsf:N or sge:N for N jobs, or the address of a scheduler of "
        "dask.distributed",
    )
    parser.add_argument(
        "--shard-films",
        type=positive_int,
        default=SHARD_FILMS,
        metavar="N",
        help="files of a shard, with --scheduler (default: %(default)s)",
    )


def run_on_cluster(options: argparse.Namespace, settings: Settings) -> int:
    """Classify all shards and merge them; returns the exit code."""
    from xrayview.io.tables.film_index import FilmIndex
    from xrayview.services.cluster import SchedulerChoice

    choice = SchedulerChoice.parse(options.scheduler)
    for name in ("folder", "shard"):
        if getattr(options, name) is not None:
            raise UsageError(
                f"--scheduler does not go with {'FOLDER' if name == 'folder' else '--shard'}",
                hint="Make an index with `xrayview index FOLDER`, and name it with --films.",
            )
    if options.films is None:
        hint = "Make one with `xrayview index FOLDER`, and name it with --films."
        raise UsageError("--scheduler needs an index", hint=hint)
    index = existing_path(options.films).resolve()
    with FilmIndex(index) as films:
        count = max(1, -(-len(films) // options.shard_films))
    out = Path(os.path.realpath(options.out))
    parts = out.with_name(out.name + PARTS)
    _require_one_division(parts, count)
    job = _job(options, settings, index, parts)
    cancel = cancel_on_interrupt()
    try:
        failed = _classify(choice, job, count, cancel)
    except Cancelled:
        print_err("Interrupted. Run the same command again to continue.")
        return ExitCode.INTERRUPTED
    if failed:
        print_err(
            f"{counted(failed, 'shard')} failed. Run the same command again to try once more."
        )
    return merge_and_print(parts, index, options, cancel)


def _classify(choice: SchedulerChoice, job: ShardJob, count: int, cancel: threading.Event) -> int:
    """Run all shards; the number of those that failed."""
    from xrayview.services.cluster import ShardFailed, run_shards

    line = ProgressLine()
    rows = done = failed = 0
    try:
        for outcome in run_shards(choice, job, count, cancel, print_err):
            done += 1
            if isinstance(outcome, ShardFailed):
                failed += 1
                line.clear()
                print_err(outcome.text)
            else:
                rows += outcome.rows
            line.show(f"{done:,} of {counted(count, 'shard')}, {counted(rows, 'row')}")
    finally:
        line.clear()
    return failed


def _job(
    options: argparse.Namespace,
    settings: Settings,
    index: Path,
    parts: Path,
) -> ShardJob:
    from xrayview.batch.journal import fingerprint
    from xrayview.batch.run import BatchOptions
    from xrayview.services.identity import identity_key
    from xrayview.services.shard_worker import ShardJob

    if len(options.model) > 1:
        hint = "Run the command once for each model; shards that are done are kept."
        raise UsageError("--scheduler takes one model", hint=hint)
    name = options.model[0] if options.model else settings["model"]
    model = trusted_model(name, settings, options)
    key_file = options.identity_key.resolve() if options.identity_key else None
    is_hashed = options.identity == "hash"
    try:
        parts.mkdir(exist_ok=True)
    except OSError as error:
        why = error.strerror or type(error).__name__
        hint = "Choose a folder for --out that you can write to, and that all computers see."
        raise UsageError("The parts cannot be written", path=parts, why=why, hint=hint) from error
    return ShardJob(
        index=index,
        root=options.root.resolve() if options.root else None,
        parts=parts,
        model=replace(model, path=model.path.resolve()),
        options=BatchOptions(
            identity=options.identity,
            restart=options.restart,
            command=("xrayview", *options.command_line),
            stated=stated_by(options),
        ),
        identity_key_file=key_file,
        key_fingerprint=fingerprint(identity_key(key_file)) if is_hashed else "",
        limits=settings.limits(),
        decode_workers=options.workers,
    )


def _require_one_division(parts: Path, count: int) -> None:
    """Refuse a folder with parts of another number of shards, which cannot be merged with these."""
    others = [path for path in parts.glob("part-*.parquet") if f"-of-{count}." not in path.name]
    if others:
        raise UsageError(
            "The folder has parts of another division of the index",
            path=parts,
            why=f"{others[0].name}, and now there are {counted(count, 'shard')}",
            hint="Use the same --shard-films and index as before, or remove the folder.",
        )
