"""Labels of films from a table, and their agreement with a model's results."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from xrayview.domain.events import FilmResult
from xrayview.domain.model import ModelCard, Prediction
from xrayview.errors import UsageError
from xrayview.evaluation.intervals import Estimate, delong, wilson

_PATH_COLUMNS = ("path", "file", "filename", "image", "image index")
_LABEL_COLUMNS = ("label", "labels", "finding", "findings", "finding labels", "class")
"""In lower case; the first match is used. `Image Index` and `Finding Labels` are from NIH."""
_FRAME_COLUMN = "frame"
"""Counted from 0, as in `predictions.csv`."""

_NO_FINDING = "no finding"
_NEGATIONS = frozenset({"no", "not", "without", "non", "possible", "rule"})


class Labels:
    """Labels by film, matched by its path or by as much of the path's end as the table has.

    Args:
        by_path: labels for all frames of a file.
        by_frame: labels by path and frame, which override that of the file.
    """

    def __init__(
        self, by_path: Mapping[str, str], by_frame: Mapping[tuple[str, int], str] | None = None
    ) -> None:
        self._by_name: dict[str, list[tuple[PurePosixPath, int | None, str]]] = {}
        for path, label in by_path.items():
            self._add(path, None, label)
        for (path, frame), label in (by_frame or {}).items():
            self._add(path, frame, label)

    def _add(self, path: str, frame: int | None, label: str) -> None:
        film = PurePosixPath(path.replace("\\", "/"))
        self._by_name.setdefault(film.name, []).append((film, frame, label))

    def of(self, relative_path: str, frame: int | None = None) -> str:
        """The label of a film or of one of its frames.

        Empty where the table has no matching label, or several different ones.
        """
        film = PurePosixPath(relative_path)
        rows = [row for row in self._by_name.get(film.name, []) if _has_same_end(row[0], film)]
        of_frame = {
            label for _, row_frame, label in rows if row_frame is not None and row_frame == frame
        }
        labels = of_frame or {label for _, row_frame, label in rows if row_frame is None}
        return labels.pop() if len(labels) == 1 else ""


def read_labels(path: Path) -> Labels:
    """Read a CSV with a column of paths or file names and a column of labels.

    Several labels of one film are joined by `|`. Rows without a label are ignored. With a column
    `frame`, a label applies to that frame, or to all frames where the cell is empty.

    Raises:
        UsageError: a column is missing, a frame is not a number from 0, or the file is not CSV or
            cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header, *lines = csv.reader(stream)
    except OSError as error:
        raise _invalid_labels(path, error.strerror or type(error).__name__) from error
    except (ValueError, csv.Error) as error:
        raise _invalid_labels(path, "it is not CSV text") from error
    columns = {name.strip().lower(): i for i, name in reversed(list(enumerate(header)))}
    film = next((columns[name] for name in _PATH_COLUMNS if name in columns), None)
    label = next((columns[name] for name in _LABEL_COLUMNS if name in columns), None)
    if film is None or label is None:
        missing = "path" if film is None else "label"
        raise _invalid_labels(path, f"it has no column {missing}")
    frame = columns.get(_FRAME_COLUMN)
    by_path, by_frame = {}, {}
    for line in lines:
        if len(line) <= max(film, label) or not line[label]:
            continue
        name, text = line[film].strip(), line[label].strip()
        index = line[frame].strip() if frame is not None and len(line) > frame else ""
        if not index:
            by_path[name] = text
        elif index.isdecimal():
            by_frame[name, int(index)] = text
        else:
            raise _invalid_labels(path, f"frame {index} is not a number from 0")
    return Labels(by_path, by_frame)


def labelled_findings(label: str, card: ModelCard) -> frozenset[str]:
    """The findings of a model that a label names, ignoring case, or names a kind of.

    `bacterial pneumonia` is a kind of `Pneumonia`; `no pneumonia` names none. `No Finding` names
    the finding that is not abnormal, where the model has exactly one.
    """
    parts = [" ".join(part.casefold().split()) for part in label.split("|")]
    normal = [finding.name for finding in card.findings if not finding.abnormal]
    if parts == [_NO_FINDING] and len(normal) == 1:
        return frozenset(normal)
    return frozenset(
        finding.name
        for finding in card.findings
        if any(_is_kind_of(part, finding.name.casefold()) for part in parts)
    )


def agrees(prediction: Prediction, label: str, card: ModelCard) -> bool | None:
    """True where prediction and label agree; None where they cannot be compared.

    A multilabel model agrees if it flags exactly the findings that the label names. Any other model
    can be compared where the label names exactly one of its findings.
    """
    findings = labelled_findings(label, card)
    if card.task == "multilabel":
        pairs = zip(prediction.findings, prediction.flags, strict=True)
        flagged = {name for name, flag in pairs if flag}
        return flagged == findings if label else None
    return prediction.predicted in findings if len(findings) == 1 else None


@dataclass(frozen=True)
class Comparison:
    """The agreement of a model with labels."""

    compared: int
    """Classified films whose label can be compared."""
    classified: int
    agreement: Estimate | None
    """Share of the compared films that agree, with its Wilson interval; None without any."""
    aucs: Mapping[str, Estimate]
    """Area under the ROC curve by finding (DeLong), where films with and without it exist."""
    unknown: Mapping[str, int]
    """Labels that name no finding of the model, with their number of films."""


def compare(results: Iterable[FilmResult], labels: Labels, card: ModelCard) -> Comparison:
    """Compare a model's results with labels."""
    classified = [
        (result.prediction, labels.of(result.relative_path, result.frame))
        for result in results
        if result.prediction
    ]
    verdicts = [
        (prediction, label, agrees(prediction, label, card)) for prediction, label in classified
    ]
    compared = [
        (prediction, label) for prediction, label, verdict in verdicts if verdict is not None
    ]
    agreeing = sum(bool(verdict) for *_, verdict in verdicts)
    unknown = Counter(label for _, label, verdict in verdicts if label and verdict is None)
    return Comparison(
        len(compared),
        len(classified),
        wilson(agreeing, len(compared)) if compared else None,
        dict(_aucs(compared, card)),
        dict(unknown.most_common()),
    )


def _aucs(
    compared: list[tuple[Prediction, str]], card: ModelCard
) -> Iterable[tuple[str, Estimate]]:
    for index, finding in enumerate(card.findings):
        truth = [finding.name in labelled_findings(label, card) for _, label in compared]
        if finding.abnormal and any(truth) and not all(truth):
            scores = [prediction.scores[index] for prediction, _ in compared]
            yield finding.name, delong(truth, scores)


def _is_kind_of(part: str, name: str) -> bool:
    return part == name or (part.endswith(f" {name}") and part.split()[0] not in _NEGATIONS)


def _has_same_end(one: PurePosixPath, other: PurePosixPath) -> bool:
    shared = min(len(one.parts), len(other.parts))
    return one.parts[-shared:] == other.parts[-shared:]


def _invalid_labels(path: Path, why: str) -> UsageError:
    hint = "Choose a CSV file with the columns path and label."
    return UsageError("The labels cannot be read", path=path, why=why, hint=hint)
