"""The benchmarks as one markdown table: what was measured, its limit, and its peer's ratio.

    python -m tests.bench.table [--json FILE]      # runs them, or reads pytest-benchmark's JSON

A row is a benchmark of this folder and what its `extra_info` says of a peer in the same run. A
ratio is ours to the peer's: below 1 we are faster; of rates it is the other way round.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Row:
    """One line: `figure` is `median`, `p95`, or a dotted name in `extra_info`."""

    what: str
    benchmark: str
    figure: str = "median"
    unit: str = "ms"
    limit: float | None = None
    at_least: bool = False
    ratios: tuple[tuple[str, str], ...] = ()
    """Words for a peer, and the name of its ratio in `extra_info`."""


_PG = (
    ("ImageItem, levels", "ours_to_pyqtgraph_levels"),
    ("ImageItem, uint8", "ours_to_pyqtgraph_uint8"),
)
ROWS: tuple[Row, ...] = (
    Row("W/L frame, 3000², fitted", "test_frame_of_a_window_drag[fitted]", "p95",
        limit=8, ratios=_PG),
    Row("W/L frame, 3000², turned", "test_frame_of_a_window_drag[turned]", "p95",
        limit=8, ratios=_PG),
    Row("W/L frame, 3000², 1:1", "test_frame_of_a_window_drag[one to one]", "p95",
        limit=8, ratios=_PG),
    Row("W/L frame under shutter and graphics",
        "test_frame_of_a_window_drag_under_shutter_and_graphics[fitted]", "p95", limit=8),
    Row("W/L frame, four linked films of 3000²",
        "test_frame_of_a_window_drag_over_four_linked_films", "p95", limit=32,
        ratios=(("four ImageItems, levels", "ours_to_pyqtgraph_levels"),)),
    Row("Pan frame, 3000²", "test_frame_of_a_pan[plain]", "p95", limit=8,
        ratios=(("ImageItem", "ours_to_pyqtgraph"),)),
    Row("Zoom frame, 3000²", "test_frame_of_a_zoom", "p95", limit=8,
        ratios=(("ImageItem", "ours_to_pyqtgraph"),)),
    Row("Next film, prefetched, 3000²", "test_next_film_that_was_prefetched", limit=50,
        ratios=(("pixel_array", "ours_to_pixel_array"),)),
    Row("Decode of a film, 3000² raw", "test_decode_of_a_film[raw]",
        ratios=(("pixel_array", "ours_to_pixel_array"),)),
    Row("Decode of a film, JPEG 2000", "test_decode_of_a_film[jpeg 2000]",
        ratios=(("pixel_array", "ours_to_pixel_array"),)),
    Row("Thumbnail, 3000² raw", "test_thumbnail_of_a_film",
        ratios=(("pixel_array", "ours_to_pixel_array"),)),
    Row("Header of a film", "test_headers_one_by_one", "ms_per_film",
        ratios=(("dcmread", "ours_to_pydicom"),)),
    Row("Header through the workers", "test_folder_is_listed_through_the_workers", "ms_per_film",
        ratios=(("dcmread", "ours_to_pydicom"),)),
    Row("10,000 films listed", "test_ten_thousand_films_are_listed", unit="s", limit=3,
        ratios=(("dcmread", "ours_to_pydicom"),)),
    Row("First paint, CPU", "test_first_paint", "ours_cpu_s", "s", limit=0.7,
        ratios=(("bare Qt window", "ours_to_bare"),)),
    Row("Longest turn between first paint and panels",
        "test_longest_turn_until_the_panels_are_built", "stall_ms", limit=50),
    Row("  of it CPU", "test_longest_turn_until_the_panels_are_built", "longest_turn_ms",
        limit=50),
    Row("First film of a folder that is read", "test_first_thumbnails_while_a_folder_is_read",
        "first_film_s", "s"),
    Row("  its first thumbnail", "test_first_thumbnails_while_a_folder_is_read",
        "first_thumbnail_s", "s", ratios=(("all of the folder listed", "first_to_all"),)),
    Row("Longest stall of a session", "test_window_answers_through_a_session", "stall_ms.*",
        limit=50),
    Row("  without waits for a core", "test_window_answers_through_a_session", "blocked_ms.*",
        limit=50),
    Row("  of it the window's own work", "test_window_answers_through_a_session", "busy_ms.*",
        limit=50),
    Row("Training, films per second", "test_films_per_second_of_the_training_loop",
        "loop, films per second", "",
        ratios=(("torchvision, rate", "over torchvision"), ("bare step", "of the bare step"))),
)  # fmt: skip


def figure_of(row: Row, benchmark: Mapping[str, Any]) -> float:
    """The figure in the row's unit."""
    scale = 1000.0 if row.unit == "ms" else 1.0
    if row.figure == "median":
        return scale * benchmark["stats"]["median"]
    if row.figure == "p95":
        rounds = sorted(benchmark["stats"]["data"])
        return scale * rounds[min(len(rounds) - 1, round(0.95 * (len(rounds) - 1)))]
    name, _, part = row.figure.partition(".")
    found = benchmark["extra_info"][name]
    return float(max(found.values()) if part else found)


def lines(benchmarks: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The table, a line for each row; one that was not measured says so."""
    yield "| what | measured | limit | ratio to a peer in the same run |"
    yield "|---|---|---|---|"
    for row in ROWS:
        benchmark = benchmarks.get(row.benchmark)
        if benchmark is None:
            yield f"| {row.what} | not measured | {_limit(row)} | |"
            continue
        figure = figure_of(row, benchmark)
        over = " **over**" if row.limit is not None and figure > row.limit else ""
        p95 = " (p95)" if row.figure == "p95" else ""
        info = benchmark["extra_info"]
        ratios = ", ".join(f"{info[name]:.2f} {peer}" for peer, name in row.ratios if name in info)
        yield f"| {row.what} | {figure:.3g} {row.unit}{p95}{over} | {_limit(row)} | {ratios} |"


def _limit(row: Row) -> str:
    return f"{row.limit:g} {row.unit}" if row.limit is not None else ""


def machine() -> str:
    """What it was measured on, in one line."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = (x for x in info.read_text().splitlines() if x.startswith("model name"))
        name = next(models, f": {name}").partition(":")[2].strip()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{name}, {cores} cores, {platform.system()}, Python {platform.python_version()}"


def _measured(path: Path) -> int:
    """Run the benchmarks; pytest's exit code."""
    command = (
        *(sys.executable, "-m", "pytest", str(FOLDER), "-q", "--benchmark-only"),
        *(f"--benchmark-json={path}", "--benchmark-columns=median"),
    )
    environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="read this instead of measuring")
    parser.add_argument("--out", type=Path, help="write the table here, too")
    options = parser.parse_args()
    code = 0
    with tempfile.TemporaryDirectory() as folder:
        path = options.json or Path(folder, "bench.json")
        if options.json is None:
            code = _measured(path)
        report = json.loads(path.read_text(encoding="utf-8"))
    table = "\n".join((machine(), "", *lines({b["name"]: b for b in report["benchmarks"]})))
    print(f"\n{table}")
    if options.out is not None:
        options.out.write_text(f"{table}\n", encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
