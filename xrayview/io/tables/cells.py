"""Text in the cells of a CSV: never a formula, always valid UTF-8, and different where it was.

Both ways of escaping can be undone, so that two files never share the text of their paths.
"""

from __future__ import annotations

import re

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the start of a formula (OWASP: CSV injection)."""
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_LITERAL = re.compile(r"\\+(?=x[0-9a-f]{2}|[\ud800-\udfff])")
"""Backslashes of the name itself that would read like those of an escaped byte."""
_ESCAPED = re.compile(r"(\\+)x([0-9a-f]{2})")


def escape_formula(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run as a formula.

    A text that already looks escaped gets one more.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unescape_formula(text: str) -> str:
    """Undo `escape_formula`."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def printable_name(name: str) -> str:
    """A file name as UTF-8; bytes that are not valid UTF-8 become `\\xNN`.

    Where a name has such a text itself, its backslashes are doubled.
    """
    doubled = _LITERAL.sub(lambda match: 2 * match[0], name)
    try:
        raw = doubled.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair, in a name on Windows
        raw = doubled.encode("utf-8", "surrogatepass")
    return raw.decode("utf-8", "backslashreplace")


def name_of_file(printable: str) -> str:
    """Undo `printable_name`: the name with which the file can be opened."""
    return _ESCAPED.sub(_unescaped, printable)


def _unescaped(match: re.Match[str]) -> str:
    literal = "\\" * (len(match[1]) // 2)
    if len(match[1]) % 2:
        return literal + bytes((int(match[2], 16),)).decode("utf-8", "surrogateescape")
    return f"{literal}x{match[2]}"
