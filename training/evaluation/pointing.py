"""`point`: does the heat map's peak lie in a reader's box of the finding? (The pointing game.)

Zhang et al., Top-down neural attention by excitation backprop, IJCV 126:1084-1102, 2018. Beside the
share of hits stands that of a random point, which is the share of the film that the boxes cover.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.config import FindingRule, TargetConfig
from training.data.cache import file_sha256, open_film
from training.data.film_list import read_film_list
from training.data.films import Say
from training.data.layouts.model import Box
from training.data.manifest import FilmRow
from training.data.targets import targets_NK
from training.disk import whole_text
from training.evaluation.metrics import estimate_as_json, estimate_from_json
from training.evaluation.model_films import ModelFilms
from training.outputs import contains, keep_tables, keep_unless
from training.runs import command_line, now_utc, write_json
from xrayview.domain.finding_names import names_finding
from xrayview.domain.heat_map_methods import DEFAULT_METHOD
from xrayview.errors import NothingUsable, UnreadableFilm
from xrayview.evaluation.intervals import clustered_bootstrap
from xrayview.inference import loading
from xrayview.inference.explain import explain
from xrayview.preprocessing.pipeline import Preprocessor

_PROGRESS = 100
_SUMMARY, _TABLE = "pointing.json", "pointing.csv"


@dataclass(frozen=True)
class Point:
    """The peak of a film's heat map for one finding, and whether it lies in a box of it."""

    path: str
    finding: str
    score: float
    hit: bool
    has_evidence: bool
    """False for a map without positive evidence, which is no hit."""
    x: float
    """Of the peak, in pixels of the film from its left edge; empty without evidence."""
    y: float
    boxes: int
    covered: float
    """Share of the film inside the boxes: the chance of a random point."""


def play(
    films: ModelFilms, split: str, out: Path, device: str, say: Say, method: str = DEFAULT_METHOD
) -> dict[str, Any]:
    """Explain every film with a box of a finding that it has; write pointing.json and .csv.

    Raises:
        NothingUsable: no film of the split has a box of a finding of the model.
        UsageError: the model was trained on one of the films.
    """
    model, target = films.model, films.model.config.target
    rows = films.part(split)
    boxes = boxes_by_film(films, target, rows)
    if not any(boxes.values()):
        raise NothingUsable(
            f"None of the {len(rows)} {split} films has a box of {_names(target)}",
            hint="`python -m training films --data DIR` shows the boxes of a folder.",
        )
    runtime = loading.load(model.bundle, model.card, device)
    preprocessor = Preprocessor(model.card.preprocessing)
    points: list[Point] = []
    patients: list[str] = []
    unread = 0
    wanted = [row for row in rows if boxes[row.path]]
    for i, row in enumerate(wanted, start=1):
        try:
            prepared = preprocessor(open_film(films.folder / row.path, films.folder))
        except UnreadableFilm:
            unread += 1
            continue
        for finding, own in boxes[row.path].items():
            heat = explain(runtime, model.card, prepared, finding, method)
            peak_hw = np.unravel_index(int(heat.values_hw.argmax()), heat.values_hw.shape)
            y, x = heat.grid_to_film.apply(float(peak_hw[0]) + 0.5, float(peak_hw[1]) + 0.5)
            scaled = [box.scaled(*heat.film_size) for box in own]
            found = heat.has_evidence
            points.append(
                Point(
                    row.path, finding, heat.score, found and is_inside(x, y, scaled), found,
                    x if found else float("nan"), y if found else float("nan"), len(own),
                    covered(scaled, heat.film_size),
                )
            )  # fmt: skip
            patients.append(row.patient)
        if i % _PROGRESS == 0 or i == len(wanted):
            say(f"explained {i} of {len(wanted)} films")
    return _written(films, split, method, points, patients, unread, out, say)


def boxes_by_film(
    films: ModelFilms, target: TargetConfig, rows: Sequence[FilmRow]
) -> dict[str, dict[str, list[Box]]]:
    """Return path -> finding -> its boxes, of findings that the film has by its label.

    A box counts for the finding of its name. Where no box of the data has such a name, as in
    TBX11K, every box counts for the only finding of a model.
    """
    listed = read_film_list(films.folder, films.model.config.data, headers=False)
    boxes = {film.path: film.boxes for film in listed.films}
    abnormal = [rule for rule in target.findings if rule.abnormal]
    by_name = len(abnormal) > 1 or any(
        _names_box(rule, box) for own in boxes.values() for box in own for rule in abnormal
    )
    known_NK = targets_NK(rows, target)
    found: dict[str, dict[str, list[Box]]] = {}
    for row, known_K in zip(rows, known_NK, strict=True):
        found[row.path] = {}
        for rule, value in zip(target.findings, known_K, strict=False):
            own = [
                box for box in boxes.get(row.path, ())
                if _names_box(rule, box) or (rule.abnormal and not by_name)
            ]  # fmt: skip
            if own and value == 1:
                found[row.path][rule.name] = own
    return found


def _names_box(rule: FindingRule, box: Box) -> bool:
    return names_finding(box.finding, rule.name, rule.labels)


def is_inside(x: float, y: float, boxes: Iterable[tuple[float, float, float, float]]) -> bool:
    """Tell whether a point lies in one of the boxes (x, y, width, height), edges included."""
    return any(
        left <= x <= left + width and top <= y <= top + height for left, top, width, height in boxes
    )


def covered(
    boxes: Iterable[tuple[float, float, float, float]], film_size: tuple[int, int]
) -> float:
    """Return the share of a film of (rows, columns) that lies in any of the boxes."""
    inside_HW = np.zeros(film_size, np.bool_)
    for left, top, width, height in boxes:
        rows = slice(max(0, round(top)), max(0, round(top + height)))
        inside_HW[rows, max(0, round(left)) : max(0, round(left + width))] = True
    return float(inside_HW.mean())


def _names(target: TargetConfig) -> str:
    return ", ".join(rule.name for rule in target.findings)


def _written(
    films: ModelFilms,
    split: str,
    method: str,
    points: Sequence[Point],
    patients: Sequence[str],
    unread: int,
    out: Path,
    say: Say,
) -> dict[str, Any]:
    draws = films.model.config.evaluation.bootstrap
    results = {
        name: _result(
            [point for point in points if point.finding == name],
            [p for p, point in zip(patients, points, strict=True) if point.finding == name],
            draws,
        )
        for name in dict.fromkeys(point.finding for point in points)
    }
    report = {
        "model": films.model.card.name,
        "version": films.model.card.version,
        "split": split,
        "method": method,
        "unread": unread,
        "findings": results,
        "command": command_line(),
        "time_utc": now_utc(),
    }
    out.mkdir(parents=True, exist_ok=True)
    keep_tables(out / _SUMMARY, (_TABLE,), say)
    keep_unless(out / _SUMMARY, contains('"random_point"'), say)
    with whole_text(out / _TABLE) as stream:
        writer = csv.DictWriter(stream, list(Point.__annotations__))
        writer.writeheader()
        writer.writerows(map(_cells, points))
    write_json(out / _SUMMARY, {**report, "tables": {_TABLE: file_sha256(out / _TABLE)}})
    for line in _lines(results, unread):
        say(line)
    say(f"written to {out}")
    return report


def _cells(point: Point) -> dict[str, Any]:
    cells = asdict(point)
    empty = {} if point.has_evidence else {"x": "", "y": ""}
    return cells | {name: int(cells[name]) for name in ("hit", "has_evidence")} | empty


def _result(points: Sequence[Point], patients: Sequence[str], draws: int) -> dict[str, Any]:
    hits_N = np.array([point.hit for point in points], np.float64)
    estimate = clustered_bootstrap(lambda i: float(hits_N[i].mean()), patients, draws=draws)
    return {
        "hits": estimate_as_json(estimate),
        "random_point": float(np.mean([point.covered for point in points])),
        "without_evidence": sum(not point.has_evidence for point in points),
    }


def _lines(results: dict[str, dict[str, Any]], unread: int) -> Iterator[str]:
    for name, result in results.items():
        hits = estimate_from_json(result["hits"])
        yield (
            f"{name}: {hits.value:.3f} ({hits.low:.3f} to {hits.high:.3f}) of {hits.n} films have "
            f"the peak in a box; a random point {result['random_point']:.3f}"
        )
        if result["without_evidence"]:
            yield f"{name}: {result['without_evidence']} films without positive evidence, no hits"
    if unread:
        yield f"{unread} films could not be read"
