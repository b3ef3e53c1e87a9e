"""A bundle judges films of which a part is blanked: what it needs, and what it gets by without."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.audit.variant_scores import VariantScorer
from training.data.cache import open_film
from training.data.lung_masks import LungMasks, MaskHW, on_input
from training.data.manifest import FilmRow, Omission
from xrayview.domain.model import ModelCard, ModelInput
from xrayview.domain.radiograph import Radiograph
from xrayview.errors import UnreadableFilm
from xrayview.inference.runtime import Runtime
from xrayview.preprocessing.pipeline import GreyHW, Preprocessor


def _box(lungs_HW: MaskHW) -> MaskHW:
    """The smallest upright rectangle around the lungs: it hides their outline too."""
    rows, columns = np.flatnonzero(lungs_HW.any(axis=1)), np.flatnonzero(lungs_HW.any(axis=0))
    box_HW = np.zeros_like(lungs_HW)
    box_HW[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return box_HW


BLANKED: dict[str, Callable[[MaskHW], MaskHW]] = {
    "whole": np.zeros_like,
    "no-lungs": lambda lungs_HW: lungs_HW,
    "no-lung-box": _box,
    "only-lungs": np.logical_not,
}
"""What is blanked, from where the lungs are."""


@dataclass(frozen=True, eq=False)
class Blanked:
    """Films that were judged in each way; those without a mask, and those that cannot be read."""

    rows: tuple[FilmRow, ...]
    scores_NF: dict[str, npt.NDArray[np.float64]]
    """For each way of blanking, calibrated scores, films x findings of the card."""
    without_mask: int
    omitted: tuple[Omission, ...]


def judge_blanked(
    runtime: Runtime, card: ModelCard, rows: Sequence[FilmRow], folder: Path, masks: LungMasks
) -> Blanked:
    """Judge every film with a mask, whole and blanked in each way.

    Raises:
        ModelError: the network failed.
    """
    preprocessor = Preprocessor(card.preprocessing)
    kept: list[FilmRow] = []
    omitted: list[Omission] = []
    judging = VariantScorer(runtime, card, BLANKED)
    for place, row in enumerate(rows):
        try:
            radiograph = open_film(folder / row.path, folder)
        except UnreadableFilm as error:
            omitted.append(Omission(row.path, str(error.code), str(error)))
            continue
        rows_columns = (radiograph.pixels_HW.shape[0], radiograph.pixels_HW.shape[1])
        mask_HW = masks.of_film(row.path, rows_columns)
        lungs_HW = None if mask_HW is None else on_input(mask_HW, card.preprocessing)
        if lungs_HW is None or not lungs_HW.any():
            continue
        kept.append(row)
        for way, model_input in _inputs(preprocessor, radiograph, lungs_HW).items():
            judging.add(way, place, model_input)
    return Blanked(
        tuple(kept),
        {way: judged.scores_NF for way, judged in judging.judged().items()},
        len(rows) - len(kept) - len(omitted),
        tuple(omitted),
    )


def _inputs(
    preprocessor: Preprocessor, radiograph: Radiograph, lungs_HW: MaskHW
) -> dict[str, ModelInput]:
    grey_HW = preprocessor.grey(radiograph)
    whole = preprocessor(radiograph)
    return {
        way: replace(whole, x_CHW=preprocessor.finish(blank(grey_HW, hidden(lungs_HW))))
        for way, hidden in BLANKED.items()
    }


def blank(grey_HW: GreyHW, hidden_HW: MaskHW) -> GreyHW:
    """The grey with a part hidden under the mean of what is left: no new edge darker or brighter
    than the film as a whole. Nothing left is all 0."""
    if not hidden_HW.any():
        return grey_HW
    rest = grey_HW[~hidden_HW]
    return np.where(hidden_HW, np.float32(rest.mean()) if rest.size else np.float32(0), grey_HW)
