"""Files beside films that are no films: masks of the lungs, and what archives leave behind."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from training.data.manifest import FilmRow, Omission

_MASK_FOLDER = re.compile(
    r"(lung|left|right|manual|heart|clavicle|seg\w*)?[ _-]*masks?|segmentations?", re.IGNORECASE
)
_MASK_NAME = re.compile(r"(^|[ _.-])(lung)?(mask|seg|segmentation)([ _.-]?\d+)?$", re.IGNORECASE)
_DRAWN = (
    r"(?:(?:left|right|l|r|lung|heart)[ _.-]?)?(?:masks?|masken?|masques?|m[aá]scaras?|segm?|"
    r"segmentation|segmentierung|gt|ground[ _-]?truth|rois?|lungs?|labels?|annotations?|annotated|"
    r"bbox(?:es)?|box(?:es)?|heat[ _-]?map|grad[ _-]?cam|cam|overlay|contours?|outlines?)"
    r"(?:[ _.-]?v?\d+)?"
)
_DRAWN_NAME = re.compile(rf"(?P<film>.+?)[ _.-]+{_DRAWN}", re.IGNORECASE)
_DRAWN_FIRST = re.compile(rf"{_DRAWN}[ _.-]+(?P<film>.+)", re.IGNORECASE)
_DRAWN_FOLDER = re.compile(_DRAWN, re.IGNORECASE)
"""Names that tell a mask or a drawing only beside a film of the same name."""


def is_mask(path: str) -> bool:
    """Tell whether a folder or the name of a file says that it is a mask, such as `x_mask.png`."""
    *folders, name = PurePosixPath(path).parts
    stem = PurePosixPath(name).stem
    return any(map(_MASK_FOLDER.fullmatch, folders)) or bool(_MASK_NAME.search(stem))


def without_drawings(rows: Sequence[FilmRow]) -> tuple[list[FilmRow], list[Omission]]:
    """Return the films of class folders without files that are named for another film.

    They are left out: `12_lungs.png` beside `12.png`, and a file in a folder such as `annotations`,
    below its class, if a folder beside it has a film of its name.
    """
    files = [PurePosixPath(row.path) for row in rows]
    stems: dict[PurePosixPath, set[str]] = defaultdict(set)
    folders: dict[tuple[PurePosixPath, str], set[str]] = defaultdict(set)
    for file in files:
        stems[file.parent].add(file.stem)
        folders[file.parent.parent, file.stem].add(file.parent.name)

    def is_drawing(file: PurePosixPath, label: str) -> bool:
        matches = (pattern.fullmatch(file.stem) for pattern in (_DRAWN_NAME, _DRAWN_FIRST))
        if any(match and match["film"] in stems[file.parent] for match in matches):
            return True
        folder = file.parent
        if folder.name == label or not _DRAWN_FOLDER.fullmatch(folder.name):
            return False
        others = folders[folder.parent, file.stem] - {folder.name}
        of_films = [name for name in others if not _DRAWN_FOLDER.fullmatch(name)]
        return bool(of_films) or file.stem in stems[folder.parent]

    drawings = {
        row.path for row, file in zip(rows, files, strict=True) if is_drawing(file, row.labels[0])
    }
    why = "its name says that it is drawn on another film"
    return (
        [row for row in rows if row.path not in drawings],
        [Omission(path, "MASK", why) for path in sorted(drawings)],
    )


def is_leftover(path: str) -> bool:
    """Tell whether a file is hidden or of macOS: `.DS_Store`, `__MACOSX/...`, `Thumbs.db`."""
    parts = PurePosixPath(path).parts
    hidden = any(part.startswith(".") for part in parts)
    return hidden or "__MACOSX" in parts or parts[-1].lower() in {"thumbs.db", "desktop.ini"}
