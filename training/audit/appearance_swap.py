"""Appearance swap: score films that take their appearance from a film of another label.

How a film was made should not change what it shows. A model that loses much here has learned from
grey values, sharpness, shape, surroundings or collimation that happen to go with the label.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from training.audit.variant_scores import VariantScorer, VariantScores
from training.config import AugmentConfig
from training.data import augment, placement
from training.data.appearance import match_histogram, match_sharpness
from training.data.cache import open_film
from training.data.lung_masks import LungMasks, MaskHW, to_input
from training.data.manifest import FilmRow
from training.data.surroundings import SurroundingsDraws, replace_surroundings
from xrayview.domain.model import ModelCard
from xrayview.domain.radiograph import Radiograph
from xrayview.errors import UnreadableFilm
from xrayview.inference.runtime import Runtime
from xrayview.preprocessing.pipeline import GreyHW, Preprocessor

ASPECT_CHANGE = 1.25
"""Factor of width by height for a film that is made wider; its inverse for a narrower one."""


@dataclass(frozen=True, eq=False)
class SwapFilm:
    """A film on the model's input grid, with its donor."""

    own_HW: GreyHW
    donor_HW: GreyHW
    lungs_HW: MaskHW | None
    donor_lungs_HW: MaskHW | None
    present: bool
    """Whether the film has any finding of the target."""


def change_aspect(grey_HW: GreyHW, width_by_height: float) -> GreyHW:
    """Make the film wider (above 1) or narrower about its centre, at equal area; black outside."""
    wider = width_by_height**0.5
    rows, columns = grey_HW.shape
    x, y = (columns - 1) / 2, (rows - 1) / 2
    to_film = np.array([[1 / wider, 0, x * (1 - 1 / wider)], [0, wider, y * (1 - wider)]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    changed_HW = cv2.warpAffine(grey_HW, to_film, (columns, rows), flags=flags)
    return np.asarray(changed_HW, dtype=np.float32)


def _swap_surroundings(film: SwapFilm) -> GreyHW | None:
    if film.lungs_HW is None or not film.lungs_HW.any():
        return None
    draws = SurroundingsDraws(
        np.ones(1, np.bool_),
        np.zeros(1, np.int64),
        np.zeros(1, np.bool_),
        np.full(1, np.nan, np.float32),
    )
    lungs_1HW = film.lungs_HW[None].astype(np.uint8)
    swapped_1HW = replace_surroundings(film.own_HW[None], lungs_1HW, film.donor_HW[None], draws)
    return np.asarray(swapped_1HW[0], np.float32)


def _swap_placement(film: SwapFilm) -> GreyHW | None:
    if film.lungs_HW is None or film.donor_lungs_HW is None:
        return None
    lungs_2HW = np.stack([film.lungs_HW, film.donor_lungs_HW]).astype(np.uint8)
    boxes_24 = placement.lung_boxes(lungs_2HW)
    if not np.isfinite(boxes_24).all():
        return None
    draws = placement.PlacementDraws(np.ones(1, np.bool_), np.zeros(1, np.int64))
    identity = augment.draw(AugmentConfig.none(), 1, lungs_2HW.shape[1:], np.random.default_rng(0))
    affine_123 = placement.move_lungs(identity.affine_B23, boxes_24[:1], boxes_24[1:], draws)
    moved_1HW = augment.apply(film.own_HW[None], replace(identity, affine_B23=affine_123))
    return np.asarray(moved_1HW[0], np.float32)


SWAPS: dict[str, Callable[[SwapFilm], GreyHW | None]] = {
    "own": lambda film: film.own_HW,
    "tones": lambda film: match_histogram(film.own_HW, film.donor_HW),
    "sharpness": lambda film: match_sharpness(film.own_HW, film.donor_HW, 1.0),
    "wide": lambda film: change_aspect(
        film.own_HW, ASPECT_CHANGE if film.present else 1 / ASPECT_CHANGE
    ),
    "narrow": lambda film: change_aspect(
        film.own_HW, 1 / ASPECT_CHANGE if film.present else ASPECT_CHANGE
    ),
    "surroundings": _swap_surroundings,
    "placement": _swap_placement,
}
"""Key of an audit row -> function that changes the film, or returns None if it cannot."""


def score_swapped(
    runtime: Runtime,
    card: ModelCard,
    rows: Sequence[FilmRow],
    targets_NK: npt.NDArray[np.float32],
    folder: Path,
    masks: LungMasks | None,
) -> dict[str, VariantScores]:
    """Score every film with each swap. A film is left out if it or its donor cannot be read.

    The result is empty if all films have the same label.

    Raises:
        ModelError: the network failed.
    """
    preprocessor = Preprocessor(card.preprocessing)
    labels_NK = np.nan_to_num(targets_NK, nan=-1.0)
    scorer = VariantScorer(runtime, card, SWAPS)
    for i, donor in enumerate(_draw_donors(labels_NK)):
        if donor < 0:
            continue
        try:
            radiograph = open_film(folder / rows[i].path, folder)
            # Opened again for each film: all films of a split would fill the memory.
            donor_film = open_film(folder / rows[donor].path, folder)
        except UnreadableFilm:
            continue  # counted by the other parts of the audit
        film = SwapFilm(
            preprocessor.grey(radiograph),
            preprocessor.grey(donor_film),
            _lungs(rows[i], radiograph, masks, card),
            _lungs(rows[donor], donor_film, masks, card),
            present=bool((labels_NK[i] > 0.5).any()),
        )
        original = preprocessor(radiograph)
        for swap, apply in SWAPS.items():
            swapped_HW = apply(film)
            if swapped_HW is not None:
                scorer.add(swap, i, replace(original, x_CHW=preprocessor.finish(swapped_HW)))
    return {swap: scores for swap, scores in scorer.scores().items() if scores.indices.size}


def _lungs(
    row: FilmRow, radiograph: Radiograph, masks: LungMasks | None, card: ModelCard
) -> MaskHW | None:
    film_size = (radiograph.pixels_HW.shape[0], radiograph.pixels_HW.shape[1])
    mask_HW = None if masks is None else masks.load_mask(row.path, film_size)
    return None if mask_HW is None else to_input(mask_HW, card.preprocessing)


def _draw_donors(labels_NK: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Draw for each film a film of another label, the same every time; -1 if there is none."""
    rng = np.random.default_rng(0)
    donors = np.full(len(labels_NK), -1, np.int64)
    for i, own_K in enumerate(labels_NK):
        others = np.flatnonzero((labels_NK != own_K).any(axis=1))
        if others.size:
            donors[i] = rng.choice(others)
    return donors
