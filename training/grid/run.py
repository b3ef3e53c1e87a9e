"""`grid`: train what is not trained yet, judge what is not judged yet, write the table.

A cell is a run folder, and so is each model that it keeps. Whatever is finished is left as it is;
the same command goes on where it was stopped, inside an epoch too.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from training import runs
from training.config import TrainingConfig, to_dict
from training.data.films import Films, Say, load_films
from training.grid.page import write_page
from training.grid.plan import Cell, Model
from training.grid.rows import GridRow, as_csv, describe_model, markdown, read_row
from training.loop.processes import start_processes
from training.loop.progress import BestEpoch
from training.pipeline import make_bundle, train
from training.runs import RunFolder, now_utc, write_json
from xrayview.errors import UsageError

PLAN = "grid.json"


def run_grid(cells: Sequence[Cell], data: Path, cache: Path, out: Path, say: Say) -> None:
    """Train and judge every cell of the grid below `out`, then write its table and its page.

    Raises:
        UsageError: `out` holds another grid, or the films are not those that it began with.
        NothingUsable: a split has no film.
        Cancelled: stopped on request; the same command goes on.
    """
    first = cells[0].config
    fabric = start_processes(first.run, first.network)
    say_once: Say = say if fabric.is_global_zero else (lambda _line: None)
    if fabric.is_global_zero:
        _write_or_check_plan(cells, out)
    fabric.barrier()
    for number, cell in enumerate(cells, start=1):
        done = [read_row(out / model.folder) for model in cell.models]
        say_once(
            f"cell {number} of {len(cells)}: {cell.name}" + (", finished" if all(done) else "")
        )
        # All processes must have looked before the first one goes on writing.
        fabric.barrier()
        if not all(done):
            _run_cell(cell, data, cache, out, fabric, say_once)
    if fabric.is_global_zero:
        _write_results(cells, data, out, say_once)


def _write_or_check_plan(cells: Sequence[Cell], out: Path) -> None:
    """Write the plan, or hold it against the one that is there."""
    path = out / PLAN
    requested = json.loads(json.dumps({cell.name: to_dict(cell.config) for cell in cells}))
    if not path.is_file():
        if out.exists() and any(out.iterdir()):
            raise UsageError(
                f"{out} is already there and holds no grid", hint="Name another folder with --out."
            )
        out.mkdir(parents=True, exist_ok=True)
        facts = {"command": runs.command_line(), "commit": runs.commit(), "time_utc": now_utc()}
        write_json(path, {**facts, "machine": runs.machine(), "cells": requested})
        return
    stored = json.loads(path.read_text(encoding="utf-8"))["cells"]
    changes = [
        change
        for name in requested
        for change in _differences(stored.get(name, {}), requested[name], name)
    ]
    if changes or set(stored) != set(requested):
        raise UsageError(
            f"The grid in {out} began with other settings",
            why="; ".join(changes[:3]),
            hint="Give the command that it began with, or name another folder with --out.",
        )


def _differences(stored: Any, requested: Any, where: str) -> list[str]:
    if isinstance(stored, dict) and isinstance(requested, dict):
        return [
            change
            for name in requested
            for change in _differences(stored.get(name), requested[name], f"{where}.{name}")
        ]
    return [] if stored == requested else [f"{where} was {stored}, now {requested}"]


def _run_cell(cell: Cell, data: Path, cache: Path, out: Path, fabric: Fabric, say: Say) -> None:
    with fabric.rank_zero_first():
        films = load_films(cell.config, data, cache, say)
    run = RunFolder(out / cell.name)
    if fabric.is_global_zero:
        _open(run, cell.config, films)
    fabric.barrier()
    progress = train(cell.config, films, run, fabric, say)
    if fabric.is_global_zero:
        for model in cell.models:
            if read_row(out / model.folder) is None:
                say(f"{cell.name}: the model of the best validation {model.figure}")
                kept = _make_model_run(run, cell, model, out, progress.monitored[model.figure])
                make_bundle(model.config, films, kept, data, say)
                describe_model(cell, model, kept)


def _open(run: RunFolder, config: TrainingConfig, films: Films) -> None:
    """Begin the cell's run, or go on with it.

    Raises:
        UsageError: it began with other films.
    """
    facts = run.read_facts() if run.facts.is_file() else {}
    if "manifest_sha256" not in facts:
        run.path.mkdir(parents=True, exist_ok=True)
        runs.describe(run, config, films.manifest, len(films.leaks))
    elif facts["manifest_sha256"] != films.manifest.sha256:
        raise UsageError(
            "The films are not those that the grid began with",
            path=run.manifest,
            hint="Bring them back, or start another grid with --out.",
        )
    else:
        runs.record_resumption(run)


def _make_model_run(
    run: RunFolder, cell: Cell, model: Model, out: Path, watch: BestEpoch
) -> RunFolder:
    """A run folder of the weights that one figure chose, with all that its card tells."""
    kept = RunFolder(out / model.folder)
    kept.path.mkdir(exist_ok=True)
    write_json(kept.config, to_dict(model.config))
    for source in (run.manifest, run.omitted, run.log):
        shutil.copyfile(source, kept.path / source.name)
    monitor = model.figure == cell.config.stopping.monitor
    _link(run.best if monitor else run.best_by(model.figure), kept.best)
    facts = {**run.read_facts(), "best_epoch": watch.epoch, "best_weights": watch.weights}
    write_json(kept.facts, {**facts, "kept_by": f"validation {model.figure}"})
    return kept


def _link(source: Path, copy: Path) -> None:
    """The same file under another name, a copy where the disk has no links."""
    copy.unlink(missing_ok=True)
    try:
        os.link(source, copy)
    except OSError:
        shutil.copyfile(source, copy)


def _write_results(cells: Sequence[Cell], data: Path, out: Path, say: Say) -> None:
    found = [read_row(out / model.folder) for cell in cells for model in cell.models]
    rows = [row for row in found if row is not None]
    notes = table_notes(cells, rows)
    text = markdown(rows, notes)
    (out / "grid.md").write_text(text, encoding="utf-8")
    (out / "grid.csv").write_text(as_csv(rows), encoding="utf-8", newline="")
    say(text)
    write_page(cells, rows, notes, data, out, say)


def table_notes(cells: Sequence[Cell], rows: Sequence[GridRow]) -> list[str]:
    """What the table cannot show."""
    test, validation = rows[0].facts["test"], rows[0].facts["validation"]
    starts = dict.fromkeys(
        f"{row.facts['architecture']} from {row.facts['initial_weights']}" for row in rows
    )
    own = all(row.facts["initial_weights"].startswith("imagenet") for row in rows)
    judged = (
        f"Figures on {test['films']} test films of {test['patients']} patients at a score of 0.5, "
        "with 95 % intervals over patients; scores are calibrated on the "
        f"{validation['films']} validation films, which chose every epoch."
    )
    shared = (
        f"{len(rows)} models out of {len(cells)} trainings: one training keeps the best epoch by "
        "each figure, the same weights that a training for each would have kept."
    )
    other = "" if own else " The recipe says ImageNet: these figures are of another start."
    share = test["with_finding"] / test["films"]
    trivial = (
        f"{test['with_finding']} of these test films have the finding: calling all of them so has "
        f"an accuracy and a precision of {share:.3f} and a recall of 1."
    )
    return [
        judged,
        trivial,
        shared,
        "A model kept by recall may call nearly every film abnormal: look at its precision.",
        f"Backbones: {'; '.join(starts)}.{other}",
        "The published figures are of other films and another split; they are no test of these.",
    ]
