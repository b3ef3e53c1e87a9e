"""The card of an ensemble: its members, and the texts of their cards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from training.bundle.card import draft_card
from training.bundle.identity import every_field
from training.config import BundleConfig, DataConfig, TrainingConfig
from training.ensemble.members import Member, common_scope
from xrayview.domain.model import ModelCard

_COPIED = (
    "recipe", "architecture", "initial_weights", "seed", "epochs", "commit", "manifest_sha256",
    "omitted", "test_films",
)  # fmt: skip
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")


def ensemble_config(
    members: Sequence[Member], data: DataConfig, name: str | None, version: str
) -> TrainingConfig:
    """Return a config with the ensemble's films, labels and texts; it trains nothing.

    Raises:
        UsageError: the members are for different films.
    """
    first, count = members[0].model, len(members)
    cards = [member.model.card for member in members]
    kinds = ", ".join(str(card.training.get("architecture", "unknown")) for card in cards)
    return replace(
        first.config,
        summary=f"the mean of {count} models' calibrated logits",
        data=data,
        network=replace(first.config.network, architecture=f"ensemble of {count}: {kinds}"),
        evaluation=replace(first.config.evaluation, flip_average=first.card.flip_average),
        bundle=BundleConfig(
            name=name or f"{first.card.name}-ensemble",
            version=version,
            description=f"The mean of the calibrated logits of {count} networks. "
            + _each_once(card.description for card in cards),
            intended_use=_each_once(card.intended_use for card in cards),
            limitations=_each_once(card.limitations for card in cards),
            sources=_sources(cards),
            licence=first.card.licence,
            authors=first.card.authors,
            scope=common_scope(members),
            stated=every_field(),  # the members' cards have texts of their own films already
        ),
    )


def ensemble_draft(
    config: TrainingConfig, facts: dict[str, Any], members: Sequence[Member], stride: int
) -> ModelCard:
    """Write the card before calibration; `facts` is the run's `run.json`."""
    draft = draft_card(config, facts, stride)
    weights = (str(m.model.card.training.get("initial_weights", "unknown")) for m in members)
    training = {
        **draft.training,
        "initial_weights": ", ".join(dict.fromkeys(weights)),
        "sources": list(config.bundle.sources),
        "members": [describe_member(member) for member in members],
    }
    for of_one_member in ("seed", "initial_weights_of_the_recipe", "omitted"):
        training.pop(of_one_member, None)
    # The members' limitations already name other sources, so they are not named again.
    return replace(draft, limitations=config.bundle.limitations, training=training)


def describe_member(member: Member) -> dict[str, object]:
    """Return a member's origin as plain data."""
    card = member.model.card
    return {
        "name": card.name,
        "version": card.version,
        "sha256": member.sha256,
        "temperature": list(member.temperature),
        **{name: card.training[name] for name in _COPIED if name in card.training},
    }


def _sources(cards: Sequence[ModelCard]) -> tuple[str, ...]:
    sources: list[str] = []
    for card in cards:
        cited = card.training.get("sources", ())
        sources += map(str, cited) if isinstance(cited, list | tuple) else ()
    return tuple(dict.fromkeys(sources))


def _each_once(texts: Iterable[str]) -> str:
    """Join the sentences of all texts in order, each only once."""
    sentences = [sentence for text in texts for sentence in _SENTENCE_END.split(text.strip())]
    return " ".join(dict.fromkeys(filter(None, sentences)))
