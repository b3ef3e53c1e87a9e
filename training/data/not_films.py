"""Files beside films that are no films: masks of the lungs, and what archives leave behind."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_MASK_FOLDER = re.compile(
    r"(lung|left|right|manual|heart|clavicle|seg\w*)?[ _-]*masks?|segmentations?", re.IGNORECASE
)
_MASK_NAME = re.compile(r"(^|[ _.-])(lung)?(mask|seg|segmentation)([ _.-]?\d+)?$", re.IGNORECASE)


def is_mask(path: str) -> bool:
    """Tell whether a folder or the name of a file says that it is a mask, such as `x_mask.png`."""
    *folders, name = PurePosixPath(path).parts
    stem = PurePosixPath(name).stem
    return any(map(_MASK_FOLDER.fullmatch, folders)) or bool(_MASK_NAME.search(stem))


def is_leftover(path: str) -> bool:
    """Tell whether a file is hidden or of macOS: `.DS_Store`, `__MACOSX/...`, `Thumbs.db`."""
    parts = PurePosixPath(path).parts
    hidden = any(part.startswith(".") for part in parts)
    return hidden or "__MACOSX" in parts or parts[-1].lower() in {"thumbs.db", "desktop.ini"}
