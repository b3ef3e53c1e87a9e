"""What people said of films, beside what the model says of them, and how far both agree."""

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
"""Lower case; the first that a file has is taken. `Image Index` and `Finding Labels`: NIH's."""
_FRAME_COLUMN = "frame"
"""From 0, as in `predictions.csv`."""

_NOTHING_FOUND = "no finding"
_DENIALS = frozenset({"no", "not", "without", "non", "possible", "rule"})


class Labels:
    """Labels by film. A film is found by its path, or by as much of its end as the table gives.

    Args:
        by_path: labels that count for every frame of a file.
        by_frame: labels of one frame, by path and frame; they go before the file's own.
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
        place = PurePosixPath(path.replace("\\", "/"))
        self._by_name.setdefault(place.name, []).append((place, frame, label))

    def of(self, relative_path: str, frame: int | None = None) -> str:
        """The label of a film or of one of its frames.

        Empty where the table has none, or more than one that fits.
        """
        film = PurePosixPath(relative_path)
        rows = [row for row in self._by_name.get(film.name, []) if _ends_alike(row[0], film)]
        own = {label for _, of, label in rows if of is not None and of == frame}
        fitting = own or {label for _, of, label in rows if of is None}
        return fitting.pop() if len(fitting) == 1 else ""


def read_labels(path: Path) -> Labels:
    """Read a CSV with a column of paths or file names and a column of labels.

    Several labels of one film are joined by `|`. Rows without a label are left out. With a column
    `frame` a label is of that frame; where its cell is empty, of all frames of the film.

    Raises:
        UsageError: there is no such column, a frame is no number from 0, the file is no CSV text,
            or it cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header, *lines = csv.reader(stream)
    except OSError as error:
        raise _no_labels(path, error.strerror or type(error).__name__) from error
    except (ValueError, csv.Error) as error:
        raise _no_labels(path, "it is no CSV text") from error
    places = {name.strip().lower(): n for n, name in reversed(list(enumerate(header)))}
    film = next((places[name] for name in _PATH_COLUMNS if name in places), None)
    label = next((places[name] for name in _LABEL_COLUMNS if name in places), None)
    if film is None or label is None:
        missing = "path" if film is None else "label"
        raise _no_labels(path, f"no column is called {missing}")
    frame = places.get(_FRAME_COLUMN)
    by_path, by_frame = {}, {}
    for line in lines:
        if len(line) <= max(film, label) or not line[label]:
            continue
        name, said = line[film].strip(), line[label].strip()
        number = line[frame].strip() if frame is not None and len(line) > frame else ""
        if not number:
            by_path[name] = said
        elif number.isdecimal():
            by_frame[name, int(number)] = said
        else:
            raise _no_labels(path, f"frame {number} is no number from 0")
    return Labels(by_path, by_frame)


def named(label: str, card: ModelCard) -> frozenset[str]:
    """The findings of a model that a label names: by name in any case, or as a kind of one.

    `bacterial pneumonia` is a kind of `Pneumonia`; `no pneumonia` names nothing. `No Finding`
    names the finding that is not abnormal, where the model has one such.
    """
    parts = [" ".join(part.casefold().split()) for part in label.split("|")]
    normal = [finding.name for finding in card.findings if not finding.abnormal]
    if parts == [_NOTHING_FOUND] and len(normal) == 1:
        return frozenset(normal)
    return frozenset(
        finding.name
        for finding in card.findings
        if any(_is_kind_of(part, finding.name.casefold()) for part in parts)
    )


def agrees(said: Prediction, label: str, card: ModelCard) -> bool | None:
    """True where model and label say the same; None where they cannot be compared.

    A multilabel model agrees when it flags all findings that the label names and no other. Any
    other model is compared where the label names exactly one of its findings.
    """
    findings = named(label, card)
    if card.task == "multilabel":
        flagged = {n for n, flag in zip(said.findings, said.flags, strict=True) if flag}
        return flagged == findings if label else None
    return said.predicted in findings if len(findings) == 1 else None


@dataclass(frozen=True)
class Comparison:
    """Films that were judged and labelled, and how far model and labels agree."""

    compared: int
    judged: int
    agreement: Estimate | None
    """Share of compared films, with its Wilson interval; None without any."""
    aucs: Mapping[str, Estimate]
    """Area under the ROC curve by finding (DeLong), where there are films with it and without."""
    unknown: Mapping[str, int]
    """Labels that name no finding of the model, with how many films carry them."""


def compare(results: Iterable[FilmResult], labels: Labels, card: ModelCard) -> Comparison:
    """Hold what the model says against the labels."""
    judged = [(r.prediction, labels.of(r.relative_path, r.frame)) for r in results if r.prediction]
    verdicts = [(said, label, agrees(said, label, card)) for said, label in judged]
    compared = [(said, label) for said, label, verdict in verdicts if verdict is not None]
    right = sum(bool(verdict) for *_, verdict in verdicts)
    unknown = Counter(label for _, label, verdict in verdicts if label and verdict is None)
    return Comparison(
        len(compared),
        len(judged),
        wilson(right, len(compared)) if compared else None,
        dict(_aucs(compared, card)),
        dict(unknown.most_common()),
    )


def _aucs(
    compared: list[tuple[Prediction, str]], card: ModelCard
) -> Iterable[tuple[str, Estimate]]:
    for place, finding in enumerate(card.findings):
        truth = [finding.name in named(label, card) for _, label in compared]
        if finding.abnormal and any(truth) and not all(truth):
            yield finding.name, delong(truth, [said.scores[place] for said, _ in compared])


def _is_kind_of(part: str, name: str) -> bool:
    return part == name or (part.endswith(f" {name}") and part.split()[0] not in _DENIALS)


def _ends_alike(one: PurePosixPath, other: PurePosixPath) -> bool:
    shared = min(len(one.parts), len(other.parts))
    return one.parts[-shared:] == other.parts[-shared:]


def _no_labels(path: Path, why: str) -> UsageError:
    hint = "Choose a CSV with the columns path and label."
    return UsageError("Not a table of labels", path=path, why=why, hint=hint)
