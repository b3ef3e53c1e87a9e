"""Rows as readers list them, made comparable: one spelling per file, no words for blanks."""

from __future__ import annotations

import dataclasses
import os
import unicodedata
from pathlib import Path

from training.data.manifest import FilmRow

_BLANK = {"", "nan", "na", "n/a", "#n/a", "none", "null", "<na>"}
"""What programs write for an empty cell, in lower case."""
_FIELDS = ("official_split", "sex", "age", "view")


def tidied(row: FilmRow, folder: Path) -> FilmRow:
    """Return the film with its path as the disk spells it, and with empty fields for blanks."""
    values = {name: getattr(row, name).strip() for name in _FIELDS}
    values = {name: "" if value.casefold() in _BLANK else value for name, value in values.items()}
    return dataclasses.replace(row, path=_located(row.path, folder), **values)


def _located(path: str, folder: Path) -> str:
    """Return the path relative to the data folder, if it leads there.

    A table and a disk may differ in how they compose letters with marks (Unicode's NFC and NFD).
    """
    if path.startswith(("/", "..")) or Path(path).is_absolute():
        # Links are not followed: a film is where the table says.
        root, whole = os.path.abspath(folder), os.path.abspath(folder / path)  # noqa: PTH100
        if Path(whole).is_relative_to(root):
            path = Path(whole).relative_to(root).as_posix()
    if not path.isascii() and not (folder / path).exists():
        forms = (unicodedata.normalize(form, path) for form in ("NFC", "NFD"))
        path = next((form for form in forms if (folder / form).exists()), path)
    return path
