"""What only a person knows of a model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answers:
    """What only a person knows of the model; empty for the proposal."""

    name: str = ""
    authors: str = ""
    licence: str = ""
    population: str = ""
