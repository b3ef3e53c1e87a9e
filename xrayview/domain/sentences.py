"""Counts and notes in texts for people."""

from __future__ import annotations

from collections.abc import Iterable


def counted(count: int, noun: str, plural: str = "") -> str:
    """The count with its noun: `1 film`, `12,345 films`; `plural` for what takes no plain s."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def joined(texts: Iterable[str]) -> str:
    """Texts in one line: a space after a sentence, a semicolon after a text without a full stop."""
    line = ""
    for text in filter(None, texts):
        separator = "" if not line else " " if line.endswith(".") else "; "
        line += separator + text
    return line
