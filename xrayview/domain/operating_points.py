"""Flags of the scores at operating points: those of the card, or the user's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from xrayview.domain.model import ModelCard, OperatingPoint, Prediction

OWN = "own"
"""Name of an operating point that the user has set; it is never written to a card."""
_CARD_ONLY: Mapping[str, float] = {}


def thresholds_of(card: ModelCard, own: Mapping[str, float] = _CARD_ONLY) -> tuple[float, ...]:
    """The threshold of each finding; `own` thresholds by finding take precedence over the card's.

    In a binary model with two findings, the one without an operating point of its own has the
    complement of the other's: the pair is decided once.
    """
    names = [finding.name for finding in card.findings]
    thresholds = [own.get(name, card.operating_point(name).threshold) for name in names]
    follower = _follower(card)
    if follower is not None:
        thresholds[follower] = 1.0 - thresholds[1 - follower]
    return tuple(thresholds)


def flags_at(
    card: ModelCard, scores: Sequence[float], thresholds: Sequence[float]
) -> tuple[bool, ...]:
    """score >= threshold for each finding; exactly one is flagged in a binary pair."""
    flags = [bool(s >= t) for s, t in zip(scores, thresholds, strict=True)]
    follower = _follower(card)
    if follower is not None:
        # Holds also where a score equals its threshold.
        flags[follower] = not flags[1 - follower]
    return tuple(flags)


def predicted_findings(card: ModelCard, scores: Sequence[float], flags: Sequence[bool]) -> str:
    """Flagged findings joined by `|`; the top finding of a multiclass model."""
    names = [finding.name for finding in card.findings]
    if card.task == "multiclass":
        return names[max(range(len(names)), key=lambda i: scores[i])]
    return "|".join(name for name, flag in zip(names, flags, strict=True) if flag)


def apply_own_points(
    prediction: Prediction, card: ModelCard, own: Mapping[str, float]
) -> Prediction:
    """The prediction flagged at the user's own operating points; its scores never change."""
    thresholds = thresholds_of(card, own)
    if thresholds == prediction.thresholds:
        return prediction
    flags = flags_at(card, prediction.scores, thresholds)
    predicted = predicted_findings(card, prediction.scores, flags)
    return replace(prediction, thresholds=thresholds, flags=flags, predicted=predicted)


def effective_point(card: ModelCard, own: Mapping[str, float], finding: str) -> OperatingPoint:
    """The operating point at which a finding is flagged, with how it was chosen."""
    names = [known.name for known in card.findings]
    threshold = thresholds_of(card, own)[names.index(finding)]
    leader = _leader(card, finding)
    if leader in own:
        return OperatingPoint(finding, OWN, threshold, "your own, for this session")
    point = card.operating_point(finding)
    if leader == finding:
        return point
    decided = card.operating_point(leader)
    return OperatingPoint(finding, decided.name, threshold, f"complement of {leader}'s")


def move_own_point(
    card: ModelCard, own: Mapping[str, float], finding: str, threshold: float | None
) -> dict[str, float]:
    """`own` with another threshold for a finding; None resets it to the card's.

    In a binary pair one point decides both findings, so moving one moves the other.
    """
    leader = _leader(card, finding)
    others = {name: value for name, value in own.items() if name != leader}
    if threshold is None:
        return others
    return others | {leader: threshold if leader == finding else 1.0 - threshold}


def _leader(card: ModelCard, finding: str) -> str:
    """The finding whose operating point decides this one: itself, except in a binary pair."""
    names = [known.name for known in card.findings]
    follower = _follower(card)
    is_follower = follower is not None and names[follower] == finding
    return names[1 - names.index(finding)] if is_follower else finding


def _follower(card: ModelCard) -> int | None:
    """The index of the finding that has the complement of the other's operating point."""
    names = [finding.name for finding in card.findings]
    if card.task != "binary" or len(names) != 2:
        return None
    chosen = {point.finding for point in card.operating_points}
    without = [i for i, name in enumerate(names) if name not in chosen]
    if len(without) == 2:
        return next(i for i, finding in enumerate(card.findings) if not finding.abnormal)
    return without[0] if without else None
