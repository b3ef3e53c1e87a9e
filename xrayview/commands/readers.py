"""`xrayview readers READINGS --out DIR`: accuracy and agreement of several readers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xrayview.commands.terminal import existing_path, print_err, print_out
from xrayview.domain.sentences import counted
from xrayview.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from xrayview.evaluation.intervals import Estimate
    from xrayview.evaluation.reader_study import ReaderStudy

METHOD = (
    "Obuchowski and Rockette 1995 with DeLong covariances and Hillis' degrees of freedom; readers "
    "and films random; films taken as independent"
)
_FILES = ("readers.csv", "conditions.csv", "differences.csv", "agreement.csv", "metrics.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add(
        "readings",
        type=Path,
        metavar="READINGS",
        help="CSV with one row per reader, condition and film: reader, condition, film, truth, "
        "rating",
    )
    add("--out", type=Path, required=True, metavar="DIR", help="folder for the tables")
    add(
        "--column",
        action="append",
        default=[],
        metavar="ROLE=NAME",
        help="which column holds reader, condition, film, truth or rating; may be repeated",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Analyse, write and print the study; returns the exit code."""
    from xrayview.evaluation.reader_study import analyse, crossed
    from xrayview.io.tables.readings import read_readings

    path = existing_path(options.readings)
    columns = _columns(options.column)
    try:
        readings = read_readings(path, columns)
    except OSError as error:
        raise UsageError(
            "The readings cannot be read", path=path, why=error.strerror or "", hint="Check it."
        ) from error
    study = crossed((r.reader, r.condition, r.film, r.truth, r.rating) for r in readings)
    if study.left_out:
        print_err(
            f"{counted(len(study.left_out), 'film')} left out, since a rating is missing: "
            f"{', '.join(study.left_out[:5])}{' ...' if len(study.left_out) > 5 else ''}"
        )
    result = analyse(study)
    _write(options.out, result)
    _print(result)
    print_err(f"{options.out}: {', '.join(_FILES)}")
    return ExitCode.OK


def _columns(pairs: list[str]) -> dict[str, str]:
    from xrayview.io.tables.readings import COLUMNS

    columns = {}
    for pair in pairs:
        role, equals, name = pair.partition("=")
        if role not in COLUMNS or not equals or not name:
            raise UsageError(
                f"--column {pair} is not understood",
                hint=f"Write ROLE=NAME, with one of {', '.join(COLUMNS)}.",
            )
        columns[role] = name
    return columns


def _write(out: Path, result: ReaderStudy) -> None:
    from xrayview.io.dated_copy import kept_if_replaced
    from xrayview.io.tables.results import write_json, write_table

    study, analysis = result.study, result.analysis
    estimate = ("value", "low", "high", "films")
    tables: dict[str, tuple[tuple[str, ...], list[tuple[object, ...]]]] = {
        "readers.csv": (
            ("condition", "reader", *estimate),
            [(r.condition, r.reader, *_cells(r.auc)) for r in result.readers],
        ),
        "conditions.csv": (
            ("condition", *estimate),
            [
                (condition, *_cells(mean))
                for condition, mean in zip(study.conditions, analysis.mean_T, strict=True)
            ],
        ),
        "differences.csv": (
            ("first", "second", *estimate, "df", "p_value"),
            [
                (study.conditions[d.first], study.conditions[d.second], *_cells(d.difference),
                 d.df, d.p_value)
                for d in analysis.differences
            ],
        ),
        "agreement.csv": (
            ("condition", "first", "second", "measure", *estimate),
            [
                (a.condition, a.first, a.second, a.measure, *_cells(a.estimate))
                for a in result.agreement
            ],
        ),
    }  # fmt: skip
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, (header, rows) in tables.items():
            with kept_if_replaced(out / name):
                write_table(out / name, header, rows)
        with kept_if_replaced(out / "metrics.json"):
            write_json(out / "metrics.json", _summary(result))
    except OSError as error:
        raise UsageError(
            "The results cannot be written",
            path=out,
            why=error.strerror or type(error).__name__,
            hint="Choose another --out, or close the files in other programs.",
        ) from error


def _cells(estimate: Estimate) -> tuple[float, float, float, int]:
    return estimate.value, estimate.low, estimate.high, estimate.n


def _summary(result: ReaderStudy) -> dict[str, Any]:
    study, analysis = result.study, result.analysis
    covariances = analysis.covariances
    return {
        "schema": 1,
        "method": METHOD,
        "interval": 0.95,
        "films": analysis.films,
        "films_with_finding": analysis.positives,
        "films_left_out": list(study.left_out),
        "readers": list(study.readers),
        "conditions": list(study.conditions),
        "mean_auc": [mean.value for mean in analysis.mean_T],
        "test": {
            "f": analysis.f,
            "numerator_df": analysis.numerator_df,
            "denominator_df": analysis.denominator_df,
            "p_value": analysis.p_value,
        },
        "covariances": {
            "variance": covariances.variance,
            "cov1_same_reader": covariances.same_reader,
            "cov2_same_condition": covariances.same_condition,
            "cov3_neither": covariances.neither,
        },
    }


def _print(result: ReaderStudy) -> None:
    study, analysis = result.study, result.analysis
    print_out(
        f"{counted(len(study.readers), 'reader')}, {counted(analysis.films, 'film')} "
        f"({analysis.positives} with the finding)"
    )
    for condition, mean in zip(study.conditions, analysis.mean_T, strict=True):
        print_out(f"Mean AUC{f' {condition}' if condition else ''}: {_interval(mean)}")
    for d in analysis.differences:
        pair = f"{study.conditions[d.first]} - {study.conditions[d.second]}"
        print_out(f"Difference {pair}: {_interval(d.difference)}, p = {d.p_value:.4f}")
    if len(study.conditions) > 1:
        print_out(
            f"All conditions equal: F = {analysis.f:.4f} on {analysis.numerator_df:g} and "
            f"{analysis.denominator_df:.3f} degrees of freedom, p = {analysis.p_value:.4f}"
        )
    for a in result.agreement:
        if not a.first:
            where = f" {a.condition}" if a.condition else ""
            print_out(f"{a.measure}{where}: {_interval(a.estimate)}")


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.4f} ({estimate.low:.4f} to {estimate.high:.4f})"
