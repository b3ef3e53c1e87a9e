"""Scores against their operating points: the card's, or the user's own for a while."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from xrayview.domain.model import ModelCard, OperatingPoint, Prediction

OWN = "own"
"""Name of an operating point that the user has set; it is never written to a card."""
_CARD: Mapping[str, float] = {}


def thresholds_of(card: ModelCard, own: Mapping[str, float] = _CARD) -> tuple[float, ...]:
    """The threshold of each finding; `own` goes before the card, by finding.

    Of the two findings of a binary model, the one without an operating point of its own has the
    complement of the other's: the pair is decided once.
    """
    names = [finding.name for finding in card.findings]
    values = [own.get(name, card.operating_point(name).threshold) for name in names]
    follower = _follower(card)
    if follower is not None:
        values[follower] = 1.0 - values[1 - follower]
    return tuple(values)


def flags_at(
    card: ModelCard, scores: Sequence[float], thresholds: Sequence[float]
) -> tuple[bool, ...]:
    """score >= threshold for each finding; exactly one of a binary pair."""
    flags = [bool(s >= t) for s, t in zip(scores, thresholds, strict=True)]
    follower = _follower(card)
    if follower is not None:
        # Also where a score lies on the threshold.
        flags[follower] = not flags[1 - follower]
    return tuple(flags)


def predicted_findings(card: ModelCard, scores: Sequence[float], flags: Sequence[bool]) -> str:
    """Flagged findings joined by `|`; the top finding of a multiclass model."""
    names = [finding.name for finding in card.findings]
    if card.task == "multiclass":
        return names[max(range(len(names)), key=lambda n: scores[n])]
    return "|".join(name for name, flag in zip(names, flags, strict=True) if flag)


def apply_own_points(said: Prediction, card: ModelCard, own: Mapping[str, float]) -> Prediction:
    """The same scores at other operating points; the scores themselves never change."""
    thresholds = thresholds_of(card, own)
    if thresholds == said.thresholds:
        return said
    flags = flags_at(card, said.scores, thresholds)
    return replace(
        said,
        thresholds=thresholds,
        flags=flags,
        predicted=predicted_findings(card, said.scores, flags),
    )


def effective_point(card: ModelCard, own: Mapping[str, float], finding: str) -> OperatingPoint:
    """The operating point that a finding is flagged at, with how it was chosen."""
    names = [known.name for known in card.findings]
    threshold = thresholds_of(card, own)[names.index(finding)]
    leader = leader_of(card, finding)
    if leader in own:
        return OperatingPoint(finding, OWN, threshold, "your own, for this session")
    point = card.operating_point(finding)
    if leader == finding:
        return point
    decided = card.operating_point(leader)
    return OperatingPoint(finding, decided.name, threshold, f"complement of {leader}'s")


def moved(
    card: ModelCard, own: Mapping[str, float], finding: str, threshold: float | None
) -> dict[str, float]:
    """`own` with the operating point of a finding at another place; None: the card's again.

    In a binary pair one point decides both: moving the one moves the other.
    """
    leader = leader_of(card, finding)
    others = {name: value for name, value in own.items() if name != leader}
    if threshold is None:
        return others
    return others | {leader: threshold if leader == finding else 1.0 - threshold}


def leader_of(card: ModelCard, finding: str) -> str:
    """The finding whose operating point decides this one: itself, but for a binary pair."""
    names = [known.name for known in card.findings]
    follower = _follower(card)
    is_follower = follower is not None and names[follower] == finding
    return names[1 - names.index(finding)] if is_follower else finding


def _follower(card: ModelCard) -> int | None:
    """The finding of a complementary pair that has no operating point of its own."""
    names = [finding.name for finding in card.findings]
    if card.task != "binary" or len(names) != 2:
        return None
    chosen = {point.finding for point in card.operating_points}
    without = [i for i, name in enumerate(names) if name not in chosen]
    if len(without) == 2:
        return next(i for i, finding in enumerate(card.findings) if not finding.abnormal)
    return without[0] if without else None
