"""Lung masks: found by the film's name, mapped to the model's input like the film."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.domain.model import PreprocessSpec
from xrayview.errors import UsageError
from xrayview.preprocessing import geometry

MaskHW = npt.NDArray[np.bool_]

_INSIDE = 127


class LungMasks:
    """A folder of masks: `STEM.png` for the film `STEM.*`, covering the whole film, lungs bright.

    A mask may have another resolution than its film.

    Raises:
        UsageError: the folder does not exist.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise UsageError(
                f"There is no folder {folder}",
                hint="Name the folder of lung masks (--masks, data.lung_masks), or train without "
                "it: --set augment.surroundings=0 --set augment.placement=0.",
            )
        self.folder = folder

    def file_of(self, path: str) -> Path:
        """Return the path of a film's mask, which may not exist."""
        return self.folder / f"{Path(path).stem}.png"

    def load_mask(self, path: str, film_size: tuple[int, int] | None = None) -> MaskHW | None:
        """Return the lungs on a grid of (rows, columns); None if no mask shows any.

        Without `film_size` the mask keeps its own grid, and its aspect counts as the film's.
        """
        file = self.file_of(path)
        if not file.is_file():
            return None
        # Not cv2.imread: names that are not ASCII fail on Windows.
        grey_HW = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_GRAYSCALE)
        if grey_HW is None:
            return None
        rows, columns = film_size or grey_HW.shape
        mask_HW = cv2.resize(grey_HW, (columns, rows), interpolation=cv2.INTER_NEAREST) > _INSIDE
        return np.asarray(mask_HW) if mask_HW.any() else None


def to_input(mask_HW: MaskHW, spec: PreprocessSpec) -> MaskHW:
    """Map a film's mask to the grid of the model's input; padding is not lung."""
    resized_HW, _ = geometry.resize(mask_HW.astype(np.float32), spec)
    return resized_HW > 0.5
