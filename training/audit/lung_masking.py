"""Lung masking: score films with a part masked, to see what the model needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.audit.variant_scores import VariantScorer
from training.data.cache import open_film
from training.data.lung_masks import LungMasks, MaskHW, to_input
from training.data.manifest import FilmRow, Omission
from xrayview.domain.model import ModelCard, ModelInput
from xrayview.domain.radiograph import Radiograph
from xrayview.errors import UnreadableFilm
from xrayview.inference.runtime import Runtime
from xrayview.preprocessing.pipeline import GreyHW, Preprocessor


def _box(lungs_HW: MaskHW) -> MaskHW:
    """Return the bounding box of the lungs, which hides their outline too."""
    rows, columns = np.flatnonzero(lungs_HW.any(axis=1)), np.flatnonzero(lungs_HW.any(axis=0))
    box_HW = np.zeros_like(lungs_HW)
    box_HW[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return box_HW


LUNG_MASKINGS: dict[str, Callable[[MaskHW], MaskHW]] = {
    "whole": np.zeros_like,
    "no-lungs": lambda lungs_HW: lungs_HW,
    "no-lung-box": _box,
    "only-lungs": np.logical_not,
}
"""Key of an audit row -> function from the lung mask to the masked part."""


@dataclass(frozen=True, eq=False)
class MaskedScores:
    """Films that were scored with each masking, and those that could not be."""

    rows: tuple[FilmRow, ...]
    scores_NF: dict[str, npt.NDArray[np.float64]]
    """For each masking, calibrated scores, films x findings of the card."""
    without_mask: int
    """Number of films without a lung mask."""
    omitted: tuple[Omission, ...]
    """Films that cannot be read."""


def score_masked(
    runtime: Runtime, card: ModelCard, rows: Sequence[FilmRow], folder: Path, masks: LungMasks
) -> MaskedScores:
    """Score every film that has a lung mask, whole and with each masking.

    Raises:
        ModelError: the network failed.
    """
    preprocessor = Preprocessor(card.preprocessing)
    with_mask: list[FilmRow] = []
    omitted: list[Omission] = []
    scorer = VariantScorer(runtime, card, LUNG_MASKINGS)
    for i, row in enumerate(rows):
        try:
            radiograph = open_film(folder / row.path, folder)
        except UnreadableFilm as error:
            omitted.append(Omission(row.path, str(error.code), str(error)))
            continue
        film_size = (radiograph.pixels_HW.shape[0], radiograph.pixels_HW.shape[1])
        mask_HW = masks.load_mask(row.path, film_size)
        lungs_HW = None if mask_HW is None else to_input(mask_HW, card.preprocessing)
        if lungs_HW is None or not lungs_HW.any():
            continue
        with_mask.append(row)
        for masking, model_input in _inputs(preprocessor, radiograph, lungs_HW).items():
            scorer.add(masking, i, model_input)
    return MaskedScores(
        tuple(with_mask),
        {masking: scores.scores_NF for masking, scores in scorer.scores().items()},
        len(rows) - len(with_mask) - len(omitted),
        tuple(omitted),
    )


def _inputs(
    preprocessor: Preprocessor, radiograph: Radiograph, lungs_HW: MaskHW
) -> dict[str, ModelInput]:
    grey_HW = preprocessor.grey(radiograph)
    whole = preprocessor(radiograph)
    return {
        masking: replace(whole, x_CHW=preprocessor.finish(hide(grey_HW, masked_part(lungs_HW))))
        for masking, masked_part in LUNG_MASKINGS.items()
    }


def hide(grey_HW: GreyHW, hidden_HW: MaskHW) -> GreyHW:
    """Fill a part of the film with the mean of the rest, so that no extreme grey appears.

    The result is 0 everywhere if nothing is left.
    """
    if not hidden_HW.any():
        return grey_HW
    rest = grey_HW[~hidden_HW]
    return np.where(hidden_HW, np.float32(rest.mean()) if rest.size else np.float32(0), grey_HW)
