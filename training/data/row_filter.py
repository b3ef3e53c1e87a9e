"""Conditions on the rows of a table: `view in PA,AP`, `age >= 18`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from training.data.table_file import as_number, canonical
from xrayview.errors import UsageError

_CONDITION = re.compile(
    r"\s*(?P<column>.+?)\s*(?P<sign><=|>=|!=|==|=|<|>|\s(?:not\s+)?in\s)\s*(?P<value>.*?)\s*",
    re.IGNORECASE,
)
_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """One condition on a column."""

    column: str
    sign: str
    """`in`, `not in`, `<`, `<=`, `>` or `>=`."""
    values: tuple[str, ...]
    text: str

    def holds(self, cell: str) -> bool:
        """Tell whether a cell fulfils it; case does not matter, and numbers compare as such."""
        if self.sign in _ORDER:
            number, limit = as_number(cell), as_number(self.values[0])
            return number is not None and limit is not None and _ORDER[self.sign](number, limit)
        return (_folded(cell) in map(_folded, self.values)) == (self.sign == "in")


def conditions(texts: Sequence[str]) -> tuple[Condition, ...]:
    """Parse the conditions.

    Raises:
        UsageError: one of them cannot be understood.
    """
    return tuple(map(_parsed, texts))


def _parsed(text: str) -> Condition:
    match = _CONDITION.fullmatch(text)
    sign = " ".join(match["sign"].lower().split()) if match else ""
    if match and sign in {"in", "not in"}:
        return Condition(match["column"], sign, tuple(match["value"].split(",")), text)
    if match and sign in {"=", "==", "!="}:
        return Condition(
            match["column"], "not in" if sign == "!=" else "in", (match["value"],), text
        )
    if match and as_number(match["value"]) is not None:
        return Condition(match["column"], sign, (match["value"],), text)
    raise UsageError(
        f"data.rows: {text!r} is not a condition",
        hint="Write `COLUMN in A,B`, `COLUMN not in A,B`, `COLUMN = A`, `COLUMN != A` or "
        "`COLUMN >= 18`.",
    )


def unmet(record: Mapping[str, str], wanted: Sequence[Condition]) -> str:
    """Return the first condition that a row does not fulfil; empty if it fulfils all."""
    cells = {canonical(name): cell for name, cell in record.items()} if wanted else {}
    for condition in wanted:
        if not condition.holds(cells.get(canonical(condition.column), "")):
            return condition.text
    return ""


def _folded(value: str) -> str:
    number = as_number(value)
    return str(number) if number is not None else value.strip().casefold()
