"""Errors that reach the window say what to do without options of the terminal."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import xrayview
from xrayview.domain.sentences import joined, without_options

PACKAGE = Path(xrayview.__file__).parent
TERMINAL_ONLY = (
    "commands/", "cli.py", "app.py", "services/labelled_run.py", "batch/parts.py",
    "batch/merge.py", "batch/frozen_films.py", "batch/index_journal.py", "domain/film_index.py",
    "io/tables/film_index.py", "io/tables/readings.py", "services/display.py",
)  # fmt: skip
"""What the window does not use."""
ANSWERED_IN_THE_WINDOW = (
    "io/model/bundle.py",  # a model without a card: the window offers to describe it
    "engine/display_handlers.py",  # the window asks for no window by its number
)


def hints() -> Iterator[tuple[str, str]]:
    """Module and text of each hint with something of the terminal in it."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name.startswith(TERMINAL_ONLY + ANSWERED_IN_THE_WINDOW):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = _text(node)
            if re.search(r"\s--[a-z]+", text) and not _is_documentation(text):
                yield name, text


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "X" for part in node.values)
        return "".join(map(str, parts))
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _is_documentation(text: str) -> bool:
    return "\n" in text or text.endswith('"""')


COMMAND_LINE_ONLY = frozenset({"services/cluster.py", "services/shard_worker.py"})
"""Modules whose errors never reach the window."""


@pytest.mark.parametrize(
    ("module", "text"),
    sorted({(module, text) for module, text in hints() if module not in COMMAND_LINE_ONLY}),
)
def test_that_a_hint_still_says_something_without_options(module: str, text: str) -> None:
    assert without_options(text), module


def test_that_there_are_hints_to_look_at() -> None:
    assert len(list(hints())) > 3


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Choose another --out. Or rename the file.", "Or rename the file."),
        ("Rename it (or give --out). Close it.", "Close it."),
        ("`xrayview inspect` lists the windows; --auto needs none.", ""),
        ("A well-known - word, and 2--3.", "A well-known - word, and 2--3."),
    ],
)
def test_that_sentences_of_the_terminal_are_left_out(text: str, shown: str) -> None:
    assert without_options(text) == shown


def test_that_equal_texts_are_joined_once() -> None:
    assert (
        joined(("incomplete", "", "incomplete", "Turned.", "incomplete")) == "incomplete; Turned."
    )
