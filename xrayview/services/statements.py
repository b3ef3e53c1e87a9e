"""What the user states of folders, remembered in the settings without their names."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from xrayview.domain.stated import NOTHING_STATED, StatedFilms
from xrayview.services.settings import Settings

KEY = "folder_statements"
MAX_REMEMBERED = 200
_HASH_LENGTH = 16


def stored_statement(settings: Settings, folder: Path) -> StatedFilms:
    """The statement about a folder; empty where there is none."""
    try:
        plain = json.loads(settings[KEY].get(_folder_key(folder), "{}"))
        ages = tuple(map(float, plain.get("age_years", ())))
        terms = str(plain.get("view_position", "")), str(plain.get("body_part", ""))
    except (ValueError, TypeError, AttributeError):
        return NOTHING_STATED
    in_order = len(ages) in (0, 2) and ages == tuple(sorted(ages))
    return StatedFilms(ages, *terms) if in_order else NOTHING_STATED


def store_statement(settings: Settings, folder: Path, stated: StatedFilms) -> None:
    """Remember the statement about a folder, or forget it where nothing is stated."""
    statements, key = settings[KEY], _folder_key(folder)
    statements.pop(key, None)
    if stated != NOTHING_STATED:
        statements[key] = json.dumps(stated.to_json())
    newest = list(statements.items())[-MAX_REMEMBERED:]
    settings[KEY] = dict(newest)


def _folder_key(folder: Path) -> str:
    # Names of folders may be names of patients.
    return hashlib.sha256(str(folder.absolute()).encode("utf-8", "surrogateescape")).hexdigest()[
        :_HASH_LENGTH
    ]
