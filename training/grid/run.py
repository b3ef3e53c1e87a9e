"""`grid`: train and evaluate what is not finished yet, then write the table.

Each cell is a run folder, and so is each of its models. Finished ones are not changed; the same
command continues where it was stopped, even inside an epoch.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from training import runs
from training.config import TrainingConfig, to_dict
from training.data.films import Films, Say, gather_films, require_trainable, summary
from training.grid.page import write_grid_page
from training.grid.plan import Cell, Model
from training.grid.rows import GridRow, as_csv, describe_model, markdown, read_row
from training.loop.processes import start_processes
from training.loop.progress import BestEpoch
from training.pipeline import make_bundle, train
from training.runs import RunFolder, now_utc, write_json
from xrayview.errors import UsageError

PLAN = "grid.json"


def run_grid(cells: Sequence[Cell], data: Path, cache: Path, out: Path, say: Say) -> None:
    """Train and evaluate every cell of the grid in `out`, then write its table and its page.

    Raises:
        UsageError: `out` has another grid or is in use by another process, or the films differ
            from those that it began with.
        NothingUsable: a split has no film.
        Cancelled: stopped on request; the same command continues.
    """
    first = cells[0].config
    fabric = start_processes(first.run, first.network)
    say_once: Say = say if fabric.is_global_zero else (lambda _line: None)
    with ExitStack() as lock:
        if fabric.is_global_zero:
            _require_grid_or_nothing(out)
            lock.enter_context(runs.in_use(out, "grid"))
            _write_or_check_plan(cells, out)
        fabric.barrier()
        _run_cells(cells, data, cache, out, fabric, say_once)


def _run_cells(
    cells: Sequence[Cell], data: Path, cache: Path, out: Path, fabric: Fabric, say_once: Say
) -> None:
    for number, cell in enumerate(cells, start=1):
        done = [read_row(out / model.folder) for model in cell.models]
        say_once(
            f"cell {number} of {len(cells)}: {cell.name}" + (", finished" if all(done) else "")
        )
        # All processes must have read the rows before the first one writes any.
        fabric.barrier()
        if not all(done):
            _run_cell(cell, data, cache, out, fabric, say_once)
    if fabric.is_global_zero:
        _write_results(cells, data, out, say_once)


def _require_grid_or_nothing(out: Path) -> None:
    lock = RunFolder(out).lock.name
    if (out / PLAN).is_file() or not out.exists():
        return
    if not out.is_dir() or any(path.name != lock for path in out.iterdir()):
        raise UsageError(
            f"{out} already exists and is not a grid", hint="Choose another folder with --out."
        )


def _write_or_check_plan(cells: Sequence[Cell], out: Path) -> None:
    """Write the plan, or compare it with the existing one."""
    path = out / PLAN
    requested = json.loads(json.dumps({cell.name: to_dict(cell.config) for cell in cells}))
    if not path.is_file():
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
            hint="Repeat the command that it began with, or choose another folder with --out.",
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
        films = gather_films(cell.config, data, cache, say)
    for line in summary(films):
        say(line)
    require_trainable(films, cell.config)
    run = RunFolder(out / cell.name)
    with ExitStack() as lock:
        if fabric.is_global_zero:
            lock.enter_context(runs.in_use(run.path))
            _open(run, cell.config, films)
        fabric.barrier()
        progress = train(cell.config, films, run, fabric, say)
        if fabric.is_global_zero:
            for model in cell.models:
                if read_row(out / model.folder) is None:
                    say(f"{cell.name}: the model of the best validation {model.metric}")
                    best = progress.monitored[model.metric]
                    model_run = _make_model_run(run, cell, model, out, best)
                    make_bundle(model.config, films, model_run, data, say)
                    describe_model(cell, model, model_run)


def _open(run: RunFolder, config: TrainingConfig, films: Films) -> None:
    """Create the cell's run, or resume it.

    Raises:
        UsageError: it began with other films.
    """
    facts = run.read_facts() if run.facts.is_file() else {}
    if "manifest_sha256" not in facts:
        runs.describe(run, config, films.manifest, len(films.leaks))
    elif facts["manifest_sha256"] != films.manifest.sha256:
        raise UsageError(
            "The films differ from those that the grid began with",
            path=run.manifest,
            hint="Restore them, or start another grid with --out.",
        )
    else:
        runs.record_resumption(run)


def _make_model_run(
    run: RunFolder, cell: Cell, model: Model, out: Path, best: BestEpoch
) -> RunFolder:
    """Make the run folder of the weights that one metric chose, with the facts for its card."""
    model_run = RunFolder(out / model.folder)
    model_run.path.mkdir(exist_ok=True)
    write_json(model_run.config, to_dict(model.config))
    for source in (run.manifest, run.omitted, run.log):
        shutil.copyfile(source, model_run.path / source.name)
    is_monitor = model.metric == cell.config.stopping.monitor
    _link(run.best if is_monitor else run.best_by(model.metric), model_run.best)
    facts = {**run.read_facts(), "best_epoch": best.epoch, "best_weights": best.weights}
    write_json(model_run.facts, {**facts, "kept_by": f"validation {model.metric}"})
    return model_run


def _link(source: Path, copy: Path) -> None:
    """Link the file under another name, or copy it where the disk has no links."""
    copy.unlink(missing_ok=True)
    try:
        os.link(source, copy)
    except OSError:
        shutil.copyfile(source, copy)


def _write_results(cells: Sequence[Cell], data: Path, out: Path, say: Say) -> None:
    all_rows = [read_row(out / model.folder) for cell in cells for model in cell.models]
    rows = [row for row in all_rows if row is not None]
    notes = table_notes(cells, rows)
    text = markdown(rows, notes)
    (out / "grid.md").write_text(text, encoding="utf-8")
    (out / "grid.csv").write_text(as_csv(rows), encoding="utf-8", newline="")
    say(text)
    write_grid_page(cells, rows, notes, data, out, say)


def table_notes(cells: Sequence[Cell], rows: Sequence[GridRow]) -> list[str]:
    """Explain what the table does not show."""
    test, validation = rows[0].facts["test"], rows[0].facts["validation"]
    weights = dict.fromkeys(
        f"{row.facts['architecture']} from {row.facts['initial_weights']}" for row in rows
    )
    all_imagenet = all(row.facts["initial_weights"].startswith("imagenet") for row in rows)
    other = "" if all_imagenet else " The recipe starts from ImageNet; these models did not."
    share = test["with_finding"] / test["films"]
    basis = (
        f"Metrics on {test['films']} test films of {test['patients']} patients at a score of 0.5, "
        "with 95 % intervals over patients; scores are calibrated on the "
        f"{validation['films']} validation films, which chose every epoch."
    )
    trivial = (
        f"{test['with_finding']} of these test films have the finding: calling every film so has "
        f"an accuracy and a precision of {share:.3f} and a recall of 1."
    )
    shared = (
        f"{len(rows)} models out of {len(cells)} trainings: one training saves the best epoch by "
        "each metric, the same weights that a training for each metric would have saved."
    )
    return [
        basis,
        trivial,
        shared,
        "A model chosen by recall may call nearly every film abnormal: look at its precision.",
        f"Backbones: {'; '.join(weights)}.{other}",
        "The published results are of other films and another split: do not compare them directly.",
    ]
