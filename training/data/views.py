"""Lateral films, by the view that the data states, or by the names of the file and its folders."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_LATERAL = {"L", "LL", "RL"}
"""Left and right lateral (PS3.3 C.8.11.5.1.1); L in PadChest's projection."""
_WORDS = {
    "LAT", "LATERAL", "LLAT", "RLAT", "LATERALE", "LATERALIS", "SEITLICH", "SEITLICHE", "PROFIL",
    "PROFILE", "PERFIL",
}  # fmt: skip
_FRONTAL = {"AP", "PA", "FRONTAL"}
"""Beside a lateral word: both films of a study are described, and this may be either."""
_NAMES = "lateral|lat|laterale|seitlich|profil|perfil"
_IN_NAME = re.compile(rf"(?<![^\W\d_])({_NAMES})(?![^\W\d_])")
_FOLDER = re.compile(rf"({_NAMES})s?")


def is_lateral(view: str, path: str) -> bool:
    """Tell whether a film is lateral; a lateral decubitus film is not.

    `path` is the part of the path that may name a view; empty if only `view` counts.
    """
    words = set(re.findall("[A-Z]+", view.upper()))
    if words and not (words & _WORDS and words & _FRONTAL):
        decubitus = any(word.startswith("DECUB") for word in words)
        return bool(words & _WORDS and not decubitus) or view.strip().upper() in _LATERAL
    *folders, name = PurePosixPath(path.lower()).parts or ("",)
    stem = PurePosixPath(name).stem
    in_names = any(map(_FOLDER.fullmatch, folders)) or _IN_NAME.search(stem)
    return bool(in_names) and "decub" not in stem
