"""Writes a recipe as TOML, each setting under the reason for it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from training.config import FindingRule
from training.proposal.choices import Choice
from training.proposal.propose import Proposal

_WIDTH = 96
_TITLES = {
    "data": "Films, labels and split",
    "target": "What the model scores",
    "preprocessing": "How a film becomes the model's input",
    "augment": "Augmentation",
    "network": "Network",
    "optim": "Training",
    "stopping": "When training ends",
    "run": "Reproducibility",
    "bundle": "The model card: what only a person can state",
}
_ORDER = list(_TITLES)


def recipe_text(proposal: Proposal, command: str) -> str:
    """Return the text of `recipe.toml`."""
    config = proposal.config
    lines = [
        *_comment(f"A recipe for `python -m training`, written by: {command}"),
        *_comment(
            "Train with: python -m training train recipe.toml --data DIR. Any setting may be "
            "changed here or by --set; `python -m training schema` describes all of them."
        ),
        *_comment(f"Layout: {proposal.films.title}. {_films(proposal)}"),
        "",
        f"recipe = {_value(config.recipe)}",
        f"summary = {_value(config.summary)}",
    ]
    by_section: dict[str, list[Choice]] = {}
    for choice in proposal.choices:
        section = choice.field.rpartition(".")[0]
        by_section.setdefault(section, []).append(choice)
    for section in sorted(by_section, key=lambda name: (_ORDER.index(name.split(".")[0]), name)):
        lines += ["", *_comment(_TITLES.get(section, "")), f"[{section}]"]
        for choice in by_section[section]:
            lines += _setting(choice)
    return "\n".join(lines) + "\n"


def _films(proposal: Proposal) -> str:
    return "; ".join(
        f"{split}: {counts['films']} films of {counts['patients']} patients"
        for split, counts in proposal.counts.items()
    )


def _setting(choice: Choice) -> Iterator[str]:
    name = choice.field.rpartition(".")[2]
    yield from _comment(choice.why)
    if name == "findings" and choice.value and isinstance(choice.value[0], FindingRule):
        for rule in choice.value:
            yield "[[target.findings]]"
            yield f"name = {_value(rule.name)}"
            yield f"labels = {_value(rule.labels)}"
            if not rule.abnormal:
                yield "abnormal = false"
    else:
        yield f"{name} = {_value(choice.value)}"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False)]


def _value(value: Any) -> str:
    """Return a value as TOML, whose strings, numbers and lists are those of JSON."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
