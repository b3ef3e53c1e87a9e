"""Masks of films: decoded, joined, written as `STEM.png` for `data.lung_masks` and `--masks`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import numpy.typing as npt

from training.data.film_list import FilmList
from training.data.layouts.model import Mask
from xrayview.errors import UsageError
from xrayview.io.atomic import replacing_bytes

_NEAREST = cv2.INTER_NEAREST
MaskHW = npt.NDArray[np.bool_]


def decode_runs(runs: str, rows: int, columns: int) -> MaskHW:
    """Decode a run-length code of SIIM-ACR: (offset from the last end, length), column by column.

    Returns rows x columns.

    Raises:
        UsageError: it is not such a code, or it does not fit.
    """
    try:
        numbers = np.array(runs.split(), dtype=np.int64)
    except ValueError:
        numbers = np.array([-1])
    if numbers.size % 2 or (numbers < 0).any() or numbers.sum() > rows * columns:
        raise UsageError(
            f"The run-length code {runs[:40]!r} does not fit {rows} x {columns} pixels",
            hint="It has pairs of the distance from the end of the last run and a length.",
        )
    flat = np.zeros(rows * columns, np.bool_)
    ends = numbers.cumsum()
    for start, end in zip(ends[::2], ends[1::2], strict=True):
        flat[start:end] = True
    return flat.reshape(columns, rows).T


def mask_pixels(mask: Mask, folder: Path) -> MaskHW:
    """Return a mask on its own grid.

    Raises:
        UsageError: its file cannot be read, or its code does not fit.
    """
    if mask.runs:
        assert mask.grid is not None
        return decode_runs(mask.runs, *mask.grid)
    path = folder / mask.file
    # Not cv2.imread: names that are not ASCII fail on Windows.
    grey_HW = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey_HW is None:
        raise UsageError("The mask cannot be read", path=path, hint="Copy it again.")
    return np.asarray(grey_HW > 127)


def write_masks(found: FilmList, folder: Path, finding: str, out: Path) -> tuple[int, int]:
    """Write the masks of a finding, joined for each film, as OUT/STEM.png; bright is inside.

    `finding` is a part of the masks' name: `lung` for the left and the right lung.

    Returns:
        The number of masks written, and that of films without one.

    Raises:
        UsageError: no film has such a mask, a mask is there or cannot be read, or two films have
            one name.
    """
    own = {
        film.path: [mask for mask in film.masks if finding.casefold() in mask.finding.casefold()]
        for film in found.films
    }
    masks = {path: each for path, each in own.items() if each}
    if not masks:
        names = sorted({mask.finding for film in found.films for mask in film.masks})
        raise UsageError(
            f"No film has a mask of {finding}",
            why=f"there are masks of {', '.join(names)}" if names else "the data has no masks",
            hint="Name another one with --of.",
        )
    stems = [PurePosixPath(path).stem for path in masks]
    if len(set(stems)) < len(stems):
        twice = next(stem for stem in stems if stems.count(stem) > 1)
        raise UsageError(
            f"Two films are named {twice}", hint="Their masks would overwrite each other."
        )
    if taken := [stem for stem in stems if (out / f"{stem}.png").exists()]:
        raise UsageError(f"{out / taken[0]}.png already exists", hint="Name another folder.")
    out.mkdir(parents=True, exist_ok=True)
    for stem, each in zip(stems, masks.values(), strict=True):
        joined_HW = _joined([mask_pixels(mask, folder) for mask in each])
        picture = cv2.imencode(".png", joined_HW.astype(np.uint8) * 255)[1]
        with replacing_bytes(out / f"{stem}.png") as stream:
            stream.write(picture.tobytes())
    return len(masks), len(own) - len(masks)


def _joined(masks: Sequence[MaskHW]) -> MaskHW:
    rows, columns = masks[0].shape
    joined_HW = np.zeros((rows, columns), np.bool_)
    for mask_HW in masks:
        same_HW = cv2.resize(mask_HW.astype(np.uint8), (columns, rows), interpolation=_NEAREST)
        joined_HW |= same_HW > 0
    return joined_HW
