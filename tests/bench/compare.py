"""The benchmarks of two versions as ratios, interleaved row by row.

    git worktree add --detach ../earlier REVISION
    python -m tests.bench.compare ../earlier [--cpu] [--only TEXT ...] [--out FILE]

Each benchmark runs in the earlier tree, twice in this one, and in the earlier one again, so that a
machine that becomes busier meanwhile favours neither. The least figure of each counts. With
`--cpu`, rounds are timed by the CPU time of the benchmark's process, which other load hardly
changes, but which leaves out worker processes. Both trees use the packages of this environment.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.bench.table import FOLDER, ROOT, ROWS, Row, figure_of, machine

Benchmark = Mapping[str, Any]


def measured(tree: Path, benchmark: str, *, cpu: bool) -> Benchmark | None:
    """Run one benchmark of a tree; None where it fails or the tree does not have it."""
    name = benchmark.partition("[")[0]
    files = [p for p in FOLDER.glob("test_*.py") if f"def {name}(" in p.read_text(encoding="utf-8")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bench.json")
        command = [
            *(sys.executable, "-m", "pytest", f"{files[0].relative_to(ROOT)}::{benchmark}", "-q"),
            *("--benchmark-only", f"--benchmark-json={path}", "-p", "no:cacheprovider"),
        ]
        if cpu:
            command.append("--benchmark-timer=time.process_time")
        environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ, "PYTHONPATH": str(tree)}
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, check=False)
        if done.returncode != 0:
            return None
        report = json.loads(path.read_text(encoding="utf-8"))
    (found,) = report["benchmarks"]
    return dict(found)


def lines(earlier: Path, *, cpu: bool, only: list[str]) -> Iterator[str]:
    """The table, a line for each row as soon as it is measured."""
    yield "| what | earlier | now | ratio |"
    yield "|---|---|---|---|"
    benchmarks = dict.fromkeys(row.benchmark for row in ROWS)
    for benchmark in benchmarks:
        if only and not any(text in benchmark for text in only):
            continue
        runs = [
            (tree, measured(tree, benchmark, cpu=cpu)) for tree in (earlier, ROOT, ROOT, earlier)
        ]
        for row in ROWS:
            if row.benchmark == benchmark:
                # The median: under load the 95th percentile is of the machine, not of the program.
                steady = replace(row, figure="median") if row.figure == "p95" else row
                before, after = (_least(steady, runs, tree) for tree in (earlier, ROOT))
                ratio = f"{after / before:.2f}" if before and after else ""
                yield f"| {row.what} | {_text(before)} | {_text(after)} {row.unit} | {ratio} |"


def _least(row: Row, runs: list[tuple[Path, Benchmark | None]], tree: Path) -> float | None:
    figures = []
    for measured_tree, benchmark in runs:
        if measured_tree == tree and benchmark is not None:
            try:
                figures.append(figure_of(row, benchmark))
            except KeyError:  # the earlier version did not measure it
                continue
    return min(figures, default=None)


def _text(figure: float | None) -> str:
    return "not measured" if figure is None else f"{figure:.3g}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("earlier", type=Path, help="a worktree of the earlier version")
    parser.add_argument("--cpu", action="store_true", help="time the process's CPU, not the clock")
    parser.add_argument("--only", action="append", default=[], help="benchmarks with this text")
    parser.add_argument("--out", type=Path, help="write the table here, too")
    options = parser.parse_args()
    table = [machine(), ""]
    for line in lines(options.earlier.resolve(), cpu=options.cpu, only=options.only):
        table.append(line)
        print(line, flush=True)
    if options.out is not None:
        options.out.write_text("\n".join((*table, "")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
