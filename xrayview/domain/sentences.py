"""Counts and notes in texts for people."""

from __future__ import annotations

import re
from collections.abc import Iterable

_OF_A_TERMINAL = re.compile(r"(?<![\w-])--[a-z]|`xrayview ")


def counted(count: int, noun: str, plural: str = "") -> str:
    """The count with its noun: `1 film`, `12,345 films`; `plural` for what takes no plain s."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def joined(texts: Iterable[str]) -> str:
    """Texts in one line: a space after a sentence, a semicolon after a text without a full stop.

    Equal texts are there once.
    """
    line = ""
    for text in dict.fromkeys(filter(None, texts)):
        separator = "" if not line else " " if line.endswith(".") else "; "
        line += separator + text
    return line


def without_options(text: str) -> str:
    """Leave out the sentences about options and commands of the terminal, for the window."""
    sentences = re.split(r"(?<=[.!?])\s+", text)
    return " ".join(s for s in sentences if not _OF_A_TERMINAL.search(s))
