"""Labels of films from a table, and their agreement with a model's results."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from xrayview.domain.events import FilmResult
from xrayview.domain.finding_names import NEGATIVE, is_known, names_finding, normalise
from xrayview.domain.model import Finding, ModelCard, Prediction
from xrayview.errors import UsageError
from xrayview.evaluation.intervals import Estimate, delong, wilson
from xrayview.io.tables.cells import name_of_file, unescape_formula
from xrayview.io.tables.sheet import read_sheet

_PATH_COLUMNS = ("path", "file", "filename", "image", "image index")
_LABEL_COLUMNS = ("label", "labels", "finding", "findings", "finding labels", "class")
"""In lower case; the first match is used. `Image Index` and `Finding Labels` are from NIH."""
_FRAME_COLUMN = "frame"
"""Counted from 0, as in `predictions.csv`."""
_OWN_COLUMNS = frozenset({"path", "status", "sha256", "run_id", "label"})
"""By which a table of predictions is told from others: its names are escaped."""
_SEPARATOR = "|"


class Labels:
    """Labels by film, matched by its path or by as much of the path's end as the table has.

    Args:
        by_path: labels for all frames of a file.
        by_frame: labels by path and frame, which override that of the file.
        further: more rows (path, frame, label), such as those of a path that is there twice.
    """

    def __init__(
        self,
        by_path: Mapping[str, str],
        by_frame: Mapping[tuple[str, int], str] | None = None,
        further: Iterable[tuple[str, int | None, str]] = (),
    ) -> None:
        self._by_name: dict[str, list[tuple[PurePosixPath, int | None, str]]] = {}
        for path, label in by_path.items():
            self._add(path, None, label)
        for (path, frame), label in (by_frame or {}).items():
            self._add(path, frame, label)
        for path, row_frame, label in further:
            self._add(path, row_frame, label)

    def _add(self, path: str, frame: int | None, label: str) -> None:
        # A backslash separates folders in a table from Windows, and may be in a name elsewhere.
        for film in {_comparable(path), _comparable(path.replace("\\", "/"))}:
            self._by_name.setdefault(film.name, []).append((film, frame, label))

    def all_of(self, relative_path: str, frame: int | None = None) -> tuple[str, ...]:
        """The different labels that the table has for a film or for one of its frames.

        More than one is a conflict: rows for one path that differ, or several rows that fit.
        """
        film = _comparable(relative_path)
        rows = [row for row in self._by_name.get(film.name, []) if _has_same_end(row[0], film)]
        of_frame = [
            label for _, row_frame, label in rows if row_frame is not None and row_frame == frame
        ]
        labels = of_frame or [label for _, row_frame, label in rows if row_frame is None]
        return tuple({frozenset(_parts(label)): label for label in reversed(labels)}.values())[::-1]

    def of(self, relative_path: str, frame: int | None = None) -> str:
        """The label of a film or of one of its frames.

        Empty where the table has no matching label, or several different ones.
        """
        labels = self.all_of(relative_path, frame)
        return labels[0] if len(labels) == 1 else ""


def read_labels(path: Path) -> Labels:
    """Read a CSV with a column of paths or file names and a column of labels.

    It may have been saved by a spreadsheet. Several labels of one film are joined by `|`. Rows
    without a label are ignored. With a column `frame`, a label applies to that frame, or to all
    frames where the cell is empty. A path may be there more than once; if its labels differ they
    are a conflict.

    Raises:
        UsageError: a column is missing, a frame is not a number from 0, a row is longer than the
            header, or the file is not CSV or cannot be read.
    """
    try:
        sheet = read_sheet(path.read_bytes(), (*_PATH_COLUMNS, *_LABEL_COLUMNS, _FRAME_COLUMN))
    except OSError as error:
        raise _invalid_labels(path, error.strerror or type(error).__name__) from error
    except ValueError as error:
        raise _invalid_labels(path, str(error)) from error
    columns = {name.lower(): i for i, name in reversed(list(enumerate(sheet.header)))}
    film = next((columns[name] for name in _PATH_COLUMNS if name in columns), None)
    label = next((columns[name] for name in _LABEL_COLUMNS if name in columns), None)
    if film is None or label is None:
        missing = "path" if film is None else "label"
        raise _invalid_labels(path, f"it has no column {missing}")
    if sheet.overflowing:
        line = sheet.line_numbers[min(sheet.overflowing)]
        raise _invalid_labels(path, f"line {line} has more cells than the header")
    frame, is_own = columns.get(_FRAME_COLUMN), columns.keys() >= _OWN_COLUMNS
    rows: list[tuple[str, int | None, str]] = []
    for row in sheet.rows:
        if not row[label].strip():
            continue
        text, index = row[label].strip(), "" if frame is None else row[frame].strip()
        if index and not index.isdecimal():
            raise _invalid_labels(path, f"frame {index} is not a number from 0")
        written = row[film].strip()
        names = {name_of_file(unescape_formula(written))}
        if not is_own:  # it may have names as they are, or copied from our own table
            names.add(written)
        rows += [(name, int(index) if index else None, text) for name in names]
    return Labels({}, further=rows)


def labelled_findings(label: str, card: ModelCard) -> frozenset[str]:
    """The findings of a model that a label names.

    A name must be the whole label, or a whole part between `|`: a finding's name, one of its
    synonyms in the card, or one in `domain.finding_names`. `No Finding` or `Normal` names the
    finding that is not abnormal, where the model has exactly one.
    """
    return frozenset(name for part in _parts(label) for name in _named_by(part, card.findings))


def agrees(prediction: Prediction, label: str, card: ModelCard) -> bool | None:
    """True where prediction and label agree; None where they cannot be compared.

    A multilabel model agrees if it flags exactly the findings that the label names. Any other model
    can be compared where the label names exactly one of its findings. What is not understood may
    be a finding that is doubtful or excluded: such a label only proves what it names.
    """
    findings, parts = labelled_findings(label, card), _parts(label)
    understood = all(is_known(part) or _named_by(part, card.findings) for part in parts)
    if card.task == "multilabel":
        pairs = zip(prediction.findings, prediction.flags, strict=True)
        flagged = {name for name, flag in pairs if flag}
        comparable = understood and parts and not _is_contradictory(parts, card.findings)
        return flagged == findings if comparable else None
    abnormal = any(f.abnormal for f in card.findings if f.name in findings)
    proved = abnormal or (understood and len(parts) == 1)
    return prediction.predicted in findings if len(findings) == 1 and proved else None


def truth_of(label: str, finding: Finding, known: Sequence[Finding]) -> bool | None:
    """Tell whether a label says that a finding is present; None where it does not say.

    Args:
        label: names joined by `|`.
        finding: one of `known`.
        known: all findings of the model.

    What is named is present. A finding that is not named is absent if the whole label is
    understood: it may otherwise be part of what is not.
    """
    parts = _parts(label)
    if not parts or _is_contradictory(parts, known):
        return None
    named = [_named_by(part, known) for part in parts]
    if any(finding.name in names for names in named):
        return True
    understood = all(names or is_known(part) for part, names in zip(parts, named, strict=True))
    return False if understood else None


def label_key(label: str) -> frozenset[str]:
    """What a label says, whatever its spelling and order: equal for equal labels."""
    return frozenset(_parts(label))


def _is_contradictory(parts: list[str], known: Sequence[Finding]) -> bool:
    """Tell whether a label says that there is no finding and names one."""
    names = {normalise(finding.name) for finding in known}
    says_none = any(part in NEGATIVE and part not in names for part in parts)
    return says_none and any(part not in NEGATIVE for part in parts)


@dataclass(frozen=True)
class Comparison:
    """The agreement of a model with labels.

    Files with the same content count once, however often the folder or the table has them.
    """

    compared: int
    """Classified films whose label can be compared."""
    classified: int
    agreement: Estimate | None
    """Share of the compared films that agree, with its Wilson interval; None without any."""
    aucs: Mapping[str, Estimate]
    """Area under the ROC curve by finding (DeLong), where films with and without it exist."""
    unknown: Mapping[str, int]
    """Labels or their parts that name no finding of the model, and how many films have each."""
    conflicts: Mapping[str, tuple[str, ...]]
    """Films with different labels, by path; they are not compared."""
    copies: int
    """Classified films that were left out because another has the same content."""


def compare(results: Iterable[FilmResult], labels: Labels, card: ModelCard) -> Comparison:
    """Compare a model's results with labels."""
    films: dict[tuple[str, int | None], list[FilmResult]] = {}
    for result in results:
        if result.prediction:
            key = result.sha256 or result.relative_path, result.frame
            films.setdefault(key, []).append(result)
    compared: list[tuple[Prediction, str]] = []
    unknown: Counter[str] = Counter()
    conflicts: dict[str, tuple[str, ...]] = {}
    agreeing = 0
    for copies in films.values():
        found = {
            label for film in copies for label in labels.all_of(film.relative_path, film.frame)
        }
        by_meaning = {frozenset(_parts(label)): label for label in sorted(found)}
        prediction, label = copies[0].prediction, next(iter(by_meaning.values()), "")
        if len(by_meaning) > 1:
            conflicts |= dict.fromkeys(
                (film.name for film in copies), tuple(sorted(by_meaning.values()))
            )
        elif prediction and label:
            verdict = agrees(prediction, label, card)
            unknown.update(_not_understood(label, card, verdict))
            if verdict is not None:
                compared.append((prediction, label))
                agreeing += verdict
    return Comparison(
        len(compared),
        len(films),
        wilson(agreeing, len(compared)) if compared else None,
        dict(_aucs(compared, card)),
        dict(unknown.most_common()),
        conflicts,
        sum(len(copies) - 1 for copies in films.values()),
    )


def _not_understood(label: str, card: ModelCard, verdict: bool | None) -> set[str]:
    """The parts of a label that name no finding of the model, or all of it."""
    written = {part.strip() for part in label.split(_SEPARATOR) if part.strip()}
    unnamed = {
        part
        for part in written
        if not _named_by(part, card.findings)
        and (verdict is None or normalise(part) not in NEGATIVE)
    }
    return unnamed or ({label} if verdict is None else set())


def _aucs(
    compared: list[tuple[Prediction, str]], card: ModelCard
) -> Iterable[tuple[str, Estimate]]:
    for index, finding in enumerate(card.findings):
        truth = [finding.name in labelled_findings(label, card) for _, label in compared]
        if finding.abnormal and any(truth) and not all(truth):
            scores = [prediction.scores[index] for prediction, _ in compared]
            yield finding.name, delong(truth, scores)


def _parts(label: str) -> list[str]:
    return list(filter(None, map(normalise, label.split(_SEPARATOR))))


def _named_by(part: str, known: Sequence[Finding]) -> list[str]:
    """The findings that one part of a label names; an exact name excludes any other."""
    text = normalise(part)
    exact = [finding.name for finding in known if normalise(finding.name) == text]
    if exact:
        return exact
    normal = [finding.name for finding in known if not finding.abnormal]
    if text in NEGATIVE:
        return normal if len(normal) == 1 else []
    return [f.name for f in known if names_finding(text, f.name, f.synonyms)]


def _comparable(path: str) -> PurePosixPath:
    """The path with letters and marks composed (NFC): tables and disks may differ in that."""
    return PurePosixPath(unicodedata.normalize("NFC", path))


def _has_same_end(one: PurePosixPath, other: PurePosixPath) -> bool:
    shared = min(len(one.parts), len(other.parts))
    return one.parts[-shared:] == other.parts[-shared:]


def _invalid_labels(path: Path, why: str) -> UsageError:
    hint = "Choose a CSV file with the columns path and label."
    return UsageError("The labels cannot be read", path=path, why=why, hint=hint)
