"""Lung masks of films: found by name, laid into the model's input as the film is."""

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
    """A folder of masks: `STEM.png` for the film `STEM.*`, lungs bright, all of the film covered.

    A mask may have another resolution than its film.

    Raises:
        UsageError: there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise UsageError(
                f"There is no folder {folder}",
                hint="Name the folder of lung masks (--masks, data.lung_masks), or do without: "
                "--set augment.surroundings=0 --set augment.placement=0.",
            )
        self.folder = folder

    def file_of(self, path: str) -> Path:
        """Where the mask of a film would lie."""
        return self.folder / f"{Path(path).stem}.png"

    def of_film(self, path: str, film_size: tuple[int, int] | None = None) -> MaskHW | None:
        """The lungs on a grid of (rows, columns), or None without a mask that shows any.

        Without `film_size` on the mask's own grid, whose aspect is then taken for the film's.
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


def on_input(mask_HW: MaskHW, spec: PreprocessSpec) -> MaskHW:
    """A film's mask on the grid of the model's input; what the film does not cover is no lung."""
    laid_HW, _ = geometry.resize(mask_HW.astype(np.float32), spec)
    return laid_HW > 0.5
