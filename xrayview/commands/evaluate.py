"""`xrayview evaluate PREDICTIONS --labels CSV --out DIR`: a model's scores against labels."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.commands.terminal import existing_path, print_err, print_out
from xrayview.domain.sentences import counted
from xrayview.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from xrayview.domain.model import Finding
    from xrayview.io.tables.predictions import Predictions
    from xrayview.services.evaluation_report import EvaluatedFinding
    from xrayview.services.labelled_run import LabelledRun
    from xrayview.services.labels import Labels
    from xrayview.services.second_run import SecondRun


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add = parser.add_argument
    add("predictions", type=Path, metavar="PREDICTIONS", help="a predictions.csv of `classify`")
    add("--out", type=Path, required=True, metavar="DIR", help="folder for the report and tables")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--labels",
        type=Path,
        metavar="CSV",
        help="table with the columns path and label (default: the column label of PREDICTIONS)",
    )
    source.add_argument(
        "--folder-names", action="store_true", help="take the name of a film's folder as its label"
    )
    add("--finding", action="append", metavar="NAME", help="only this finding; may be repeated")
    add(
        "--threshold",
        action="append",
        default=[],
        metavar="FINDING=VALUE",
        help="another operating point than that of the run; may be repeated",
    )
    add(
        "--against",
        type=Path,
        metavar="PREDICTIONS",
        help="compare with a second model's table of the same films",
    )
    add("--prevalence", type=_share, metavar="SHARE", help="also give PPV and NPV at this share")
    parser.set_defaults(run=run)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def run(options: argparse.Namespace) -> int:
    """Evaluate, write and print; returns the exit code."""
    from xrayview.batch.report import report_path
    from xrayview.services.evaluation_report import Evaluation, write_evaluation
    from xrayview.services.labelled_run import findings_of, label_run
    from xrayview.services.second_run import SecondRun, model_of

    path = existing_path(options.predictions)
    predictions = _read(path)
    second = SecondRun(_read(options.against), options.against.name) if options.against else None
    findings = findings_of(predictions, report_path(path))
    chosen = _chosen(findings, options.finding)
    thresholds = _thresholds(options.threshold, [finding.name for finding in findings])
    labels, source = _labels(options, predictions)
    joined = label_run(predictions, findings, labels)
    _print_films(joined, source)
    if not joined.films:
        print_err("No film has both a score and a label; nothing was written.")
        return ExitCode.NOTHING_USABLE
    evaluated = [
        found
        for finding in chosen
        if (
            found := _evaluated(
                joined, predictions, finding, thresholds, options.prevalence, second
            )
        )
    ]
    if not evaluated:
        print_err("No label says whether a finding is present; nothing was written.")
        return ExitCode.NOTHING_USABLE
    evaluation = Evaluation(
        path.name, source, model_of(predictions), joined, len(predictions.rows), evaluated
    )
    try:
        write_evaluation(options.out, evaluation)
    except OSError as error:
        raise UsageError(
            "The report cannot be written",
            path=options.out,
            why=error.strerror or type(error).__name__,
            hint="Choose another --out, or close the files in other programs.",
        ) from error
    _print_metrics(evaluated)
    print_err(f"{options.out / 'report.html'}: the report, with tables and figures beside it")
    return ExitCode.OK


def _read(path: Path) -> Predictions:
    from xrayview.io.tables.predictions import read_predictions

    try:
        return read_predictions(existing_path(path))
    except OSError as error:
        raise UsageError(
            "The table cannot be read", path=path, why=error.strerror or "", hint="Check it."
        ) from error


def _labels(options: argparse.Namespace, predictions: Predictions) -> tuple[Labels, str]:
    from xrayview.services.labelled_run import folder_labels, own_labels
    from xrayview.services.labels import read_labels

    if options.labels:
        return read_labels(existing_path(options.labels)), options.labels.name
    if options.folder_names:
        return folder_labels(predictions), "names of folders"
    return own_labels(predictions), "column label"


def _chosen(findings: tuple[Finding, ...], names: list[str] | None) -> list[Finding]:
    by_name = {finding.name: finding for finding in findings}
    if unknown := [name for name in names or () if name not in by_name]:
        raise UsageError(
            f"The table has no finding {unknown[0]!r}",
            hint=f"It has {', '.join(by_name)}.",
        )
    abnormal = [finding for finding in findings if finding.abnormal]
    return [by_name[name] for name in names] if names else abnormal or list(findings)


def _thresholds(texts: list[str], findings: list[str]) -> dict[str, float]:
    found = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        try:
            found[name] = float(value)
        except ValueError:
            name = ""
        if name not in findings:
            raise UsageError(
                f"--threshold {text} is not understood",
                hint=f"Write FINDING=VALUE, with one of {', '.join(findings)}.",
            )
    return found


def _evaluated(
    run: LabelledRun,
    predictions: Predictions,
    finding: Finding,
    thresholds: dict[str, float],
    prevalence: float | None,
    second: SecondRun | None,
) -> EvaluatedFinding | None:
    from xrayview.evaluation.model_study import study_finding
    from xrayview.services.evaluation_report import EvaluatedFinding
    from xrayview.services.labelled_run import ATTRIBUTES, threshold_of

    films, truth, unclear = run.of(finding)
    if not films:
        print_err(f"{finding.name}: no label says whether it is present.")
        return None
    scores = [float(film.row[f"score_{finding.name}"].replace(",", ".")) for film in films]
    groups = [film.attributes for film in films]
    threshold = thresholds.get(finding.name)
    if threshold is None:
        threshold = threshold_of(predictions, finding.name)
    study = study_finding(
        finding.name,
        truth,
        scores,
        threshold,
        [film.patient for film in films],
        {
            name: [group[name] for group in groups]
            for name in ATTRIBUTES
            if len({group[name] for group in groups}) > 1
        },
        prevalence=prevalence,
    )
    against = second.compare(finding.name, films, truth, scores, threshold) if second else None
    return EvaluatedFinding(study, films, truth, scores, unclear, against)


def _print_films(run: LabelledRun, source: str) -> None:
    print_err(f"{counted(len(run.films), 'film')} with a score and a label ({source})")
    reasons: dict[str, list[str]] = {}
    for film, reason in run.left_out:
        reasons.setdefault(reason, []).append(film)
    for reason, films in reasons.items():
        more = " ..." if len(films) > 3 else ""
        print_err(f"Left out, {reason}: {len(films)} ({', '.join(films[:3])}{more})")
    if run.copies:
        print_err(f"{counted(run.copies, 'row')} of the same content counted once")
    for label, count in run.not_understood().most_common(10):
        print_err(f"Label not understood: {label} ({counted(count, 'film')})")


def _print_metrics(evaluated: list[EvaluatedFinding]) -> None:
    from xrayview.services.evaluation_report import interval

    for finding in evaluated:
        study = finding.study
        print_out(
            f"{study.finding}: {counted(study.n, 'film')}, {study.positives} with the finding, "
            f"threshold {study.threshold:.4g}"
        )
        for name, estimate in study.metrics.items():
            print_out(f"  {name}: {interval(estimate)}")
        if second := finding.against:
            print_out(
                f"  Difference of AUC from {second.model}: {interval(second.comparison.difference)}"
            )
