"""Lateral films, by the view that the data states, or by the file's name."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_LATERAL = {"L", "LL", "RL"}
"""Left and right lateral (PS3.3 C.8.11.5.1.1); L in PadChest's projection."""
_WORDS = {"LAT", "LATERAL", "LLAT", "RLAT"}
_IN_NAME = re.compile(r"(?<![a-z])(lateral|lat)(?![a-z])")


def is_lateral(view: str, path: str) -> bool:
    """Tell whether a film is lateral; a lateral decubitus film is not."""
    words = set(re.findall("[A-Z]+", view.upper()))
    if words:
        decubitus = any(word.startswith("DECUB") for word in words)
        return bool(words & _WORDS and not decubitus) or view.strip().upper() in _LATERAL
    name = PurePosixPath(path).stem.lower()
    return bool(_IN_NAME.search(name)) and "decub" not in name
