"""Proposes what a model scores, from the labels of the films."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from training.config import FindingRule, TargetConfig
from training.data.manifest import FilmRow
from training.data.negatives import is_finding, is_negative
from xrayview.domain.finding_names import normalise
from xrayview.domain.model import Task
from xrayview.errors import UsageError

_NEGATIVE = re.compile(r"(no|non|not|without)[ -].*|negative|healthy|control|absent|sick, not .*")
_GENERIC = {"label", "labels", "class", "target", "y", "gt", "ground truth", "diagnosis"}
_NO_FINDINGS = {"unchanged", "suboptimal study", "exclude"}
"""Labels that say something of the film or its report."""
SEVERAL = {"nih", "chexpert", "mimic", "padchest", "vindr"}
"""Readers whose films may have several findings, also if none of a small sample has."""
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "jsrt": {"Nodule": ("nodule", "benign nodule", "malignant nodule")},
    "tbx11k": {
        "Tuberculosis": (
            "tuberculosis", "active tuberculosis", "latent tuberculosis",
            "active and latent tuberculosis",
        )
    },
}  # fmt: skip
"""Reader -> labels of the published task that are one finding."""
_MOST_FINDINGS = 40
_FEWEST_SHARE = 0.005


@dataclass(frozen=True)
class TargetProposal:
    """A target, with the reason and what else is possible."""

    target: TargetConfig
    why: str
    left_over: dict[str, int] = field(default_factory=dict)
    """Labels that are too rare to be learned, with the number of their films."""


def says_no(label: str) -> bool:
    """Tell whether a label stands for no finding: `NORMAL`, `No pneumothorax`, `healthy`, `0`."""
    text = normalise(label)
    return is_negative(label) or bool(_NEGATIVE.fullmatch(text)) or text == "0"


def propose_target(rows: Sequence[FilmRow], reader: str = "", column: str = "") -> TargetProposal:
    """Propose binary, multiclass or multilabel from labels that exclude each other or not.

    `reader` is that of the folder, whose data set may have a usual task. `column` is the name of
    the label's column, which names the finding of labels 0 and 1.

    Raises:
        UsageError: the films have fewer than two different labels.
    """
    counts = Counter(label for row in rows for label in dict.fromkeys(row.labels))
    open_labels = Counter(label for row in rows for label in row.unknown_labels)
    if len({*counts, *open_labels}) < 2:
        raise UsageError(
            f"All films have the same label ({', '.join(counts) or 'none'})",
            hint="A model needs films with and without a finding. Point --data at the folder above "
            "the classes, or name the table: --set data.table=FILE.",
        )
    spelled = _spellings(counts)
    exclusive = all(len({normalise(x) for x in row.labels}) == 1 and not row.unknown_labels
                    for row in rows)  # fmt: skip
    if not exclusive or reader in SEVERAL:
        return _multilabel(counts, open_labels, len(rows))
    spelled = _grouped(spelled, GROUPS.get(reader, {}))
    negative = {name: labels for name, labels in spelled.items() if says_no(labels[0])}
    positive = {name: labels for name, labels in spelled.items() if name not in negative}
    if len(positive) == 1 and negative:
        (labels,) = positive.values()
        return _binary(labels, list(negative.values()), column)
    return _multiclass(positive, negative)


def _spellings(counts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    spelled: dict[str, list[str]] = {}
    for label in counts:
        spelled.setdefault(normalise(label), []).append(label)
    return {name: tuple(labels) for name, labels in sorted(spelled.items())}


def _grouped(
    spelled: dict[str, tuple[str, ...]], groups: dict[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Return the labels with those of a group under the group's name, which comes first."""
    for name, members in groups.items():
        own = [label for member in members for label in spelled.get(member, ())]
        if own:
            others = {key: labels for key, labels in spelled.items() if key not in members}
            first = name if normalise(name) in spelled else name.lower()
            spelled = {**others, normalise(name): tuple(dict.fromkeys((first, *own)))}
    return spelled


def _binary(
    positive: tuple[str, ...], negative: list[tuple[str, ...]], column: str
) -> TargetProposal:
    name = _title(positive[0])
    if normalise(positive[0]) == "1":
        name = "Finding" if normalise(column) in _GENERIC | {""} else _title(column)
    others = tuple(label for labels in negative for label in labels)
    complement = _title(others[0]) if len(negative) == 1 and not others[0].isdigit() else ""
    target = TargetConfig(
        (FindingRule(name, positive),), others,
        complement=complement if complement != name else "",
    )  # fmt: skip
    return TargetProposal(target, "films have it or one of the labels that stand for its absence")


def _multiclass(
    positive: dict[str, tuple[str, ...]], negative: dict[str, tuple[str, ...]]
) -> TargetProposal:
    rules = [FindingRule(_title(labels[0]), labels, abnormal=False) for labels in negative.values()]
    rules += [FindingRule(_title(labels[0]), labels) for labels in positive.values()]
    if len(rules) > _MOST_FINDINGS:
        raise UsageError(
            f"The films have {len(rules)} different labels",
            hint="Write the target yourself: see training/README.md.",
        )
    target = TargetConfig(tuple(rules), (), task="multiclass", activation="softmax")
    return TargetProposal(target, "each film has exactly one of these labels")


def _multilabel(counts: Counter[str], open_labels: Counter[str], films: int) -> TargetProposal:
    """Propose the findings that are frequent enough, independent of each other."""
    fewest = max(2, round(_FEWEST_SHARE * films))
    spelled: dict[str, list[str]] = {}
    for label in [*counts, *open_labels]:
        if not says_no(label) and is_finding(label) and normalise(label) not in _NO_FINDINGS:
            labels = spelled.setdefault(normalise(label), [])
            if label not in labels:
                labels.append(label)
    number = {name: sum(counts[label] for label in labels) for name, labels in spelled.items()}
    if not any(count >= fewest for count in number.values()):
        fewest = 1
    frequent = sorted((n for n in spelled if number[n] >= fewest), key=lambda n: -number[n])
    rules = [
        FindingRule(_title(spelled[n][0]), tuple(spelled[n])) for n in frequent[:_MOST_FINDINGS]
    ]
    if not rules:
        raise UsageError(
            "No film has a finding",
            why=", ".join(f"{label} {count}" for label, count in counts.most_common(5)),
            hint="A model needs films with and without a finding.",
        )
    negative = tuple(sorted({label for label in counts if says_no(label)}))
    task: Task = "multilabel" if len(rules) > 1 else "binary"
    target = TargetConfig(tuple(rules), negative, task=task, other_labels="ignore")
    rare = {spelled[n][0]: number[n] for n in spelled if n not in frequent[:_MOST_FINDINGS]}
    return TargetProposal(target, "a film may have several of these labels, or none", rare)


def _title(label: str) -> str:
    """Return a label as the name of a finding: `PNEUMONIA` and `viral pneumonia` capitalised."""
    text = " ".join(label.replace("_", " ").split())
    if text.isupper() and len(text) > 5 and not re.search(r"\d", text):
        text = text.lower()
    return text[:1].upper() + text[1:]
