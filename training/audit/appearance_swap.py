"""A bundle judges films that borrow their look from films of another label: what misleads it.

How a film was made should not change what it shows. A model that loses much here has learned from
grey values, sharpness, shape, surroundings or collimation that happen to go with the label.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from training.audit.variant_scores import Judged, VariantScorer
from training.config import AugmentConfig
from training.data import augment, placement
from training.data.appearance import matched, sharpened
from training.data.cache import open_film
from training.data.lung_masks import LungMasks, MaskHW, on_input
from training.data.manifest import FilmRow
from training.data.surroundings import Surroundings, lay
from xrayview.domain.model import ModelCard
from xrayview.domain.radiograph import Radiograph
from xrayview.errors import UnreadableFilm
from xrayview.inference.runtime import Runtime
from xrayview.preprocessing.pipeline import GreyHW, Preprocessor

SHAPE = 1.25
"""Width by height of a film that is drawn wider; its inverse where narrower."""


@dataclass(frozen=True, eq=False)
class Borrower:
    """One film on the model's input, and what it may borrow from."""

    own_HW: GreyHW
    donor_HW: GreyHW
    lungs_HW: MaskHW | None
    donor_lungs_HW: MaskHW | None
    present: bool
    """Any finding of the targets."""


def drawn(grey_HW: GreyHW, width_by_height: float) -> GreyHW:
    """The film drawn wider (above 1) or narrower about its middle, its area kept; black outside."""
    wider = width_by_height**0.5
    rows, columns = grey_HW.shape
    x, y = (columns - 1) / 2, (rows - 1) / 2
    to_film = np.array([[1 / wider, 0, x * (1 - 1 / wider)], [0, wider, y * (1 - wider)]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    found_HW = cv2.warpAffine(grey_HW, to_film, (columns, rows), flags=flags)
    return np.asarray(found_HW, dtype=np.float32)


def _surrounded(film: Borrower) -> GreyHW | None:
    if film.lungs_HW is None or not film.lungs_HW.any():
        return None
    all_foreign = Surroundings(
        np.ones(1, np.bool_),
        np.zeros(1, np.int64),
        np.zeros(1, np.bool_),
        np.full(1, np.nan, np.float32),
    )
    lungs_BHW = film.lungs_HW[None].astype(np.uint8)
    laid_BHW = lay(film.own_HW[None], lungs_BHW, film.donor_HW[None], all_foreign)
    return np.asarray(laid_BHW[0], np.float32)


def _placed(film: Borrower) -> GreyHW | None:
    if film.lungs_HW is None or film.donor_lungs_HW is None:
        return None
    lungs_2HW = np.stack([film.lungs_HW, film.donor_lungs_HW]).astype(np.uint8)
    boxes_24 = placement.boxes(lungs_2HW)
    if not np.isfinite(boxes_24).all():
        return None
    lent = placement.Placement(np.ones(1, np.bool_), np.zeros(1, np.int64))
    still = augment.draw(_STILL, 1, lungs_2HW.shape[1:], np.random.default_rng(0))
    affine_B23 = placement.place(still.affine_B23, boxes_24[:1], boxes_24[1:], lent)
    placed_BHW = augment.apply(film.own_HW[None], replace(still, affine_B23=affine_B23))
    return np.asarray(placed_BHW[0], np.float32)


_STILL = AugmentConfig(**dict.fromkeys((field.name for field in fields(AugmentConfig)), 0.0))
"""Nothing is left to chance."""

BORROWED: dict[str, Callable[[Borrower], GreyHW | None]] = {
    "own": lambda film: film.own_HW,
    "tones": lambda film: matched(film.own_HW, film.donor_HW),
    "sharpness": lambda film: sharpened(film.own_HW, film.donor_HW, 1.0),
    "wide": lambda film: drawn(film.own_HW, SHAPE if film.present else 1 / SHAPE),
    "narrow": lambda film: drawn(film.own_HW, 1 / SHAPE if film.present else SHAPE),
    "surroundings": _surrounded,
    "placement": _placed,
}
"""What becomes of a film; None where it cannot borrow that."""


def judge_borrowed(
    runtime: Runtime,
    card: ModelCard,
    rows: Sequence[FilmRow],
    targets_NK: npt.NDArray[np.float32],
    folder: Path,
    masks: LungMasks | None,
) -> dict[str, Judged]:
    """Judge every film in each way; a film that cannot be read, or whose donor cannot, is left out.

    Empty where all films have the same label.

    Raises:
        ModelError: the network failed.
    """
    preprocessor = Preprocessor(card.preprocessing)
    known_NK = np.nan_to_num(targets_NK, nan=-1.0)
    judging = VariantScorer(runtime, card, BORROWED)
    for place, donor in enumerate(_donors(known_NK)):
        if donor < 0:
            continue
        try:
            radiograph = open_film(folder / rows[place].path, folder)
            # Opened again: all films of a split would fill the memory.
            donor_film = open_film(folder / rows[donor].path, folder)
        except UnreadableFilm:
            continue  # the other parts of the audit count them
        present = bool((known_NK[place] > 0.5).any())
        film = Borrower(
            preprocessor.grey(radiograph),
            preprocessor.grey(donor_film),
            _lungs(rows[place], radiograph, masks, card),
            _lungs(rows[donor], donor_film, masks, card),
            present,
        )
        like = preprocessor(radiograph)
        for way, borrow in BORROWED.items():
            look_HW = borrow(film)
            if look_HW is not None:
                judging.add(way, place, replace(like, x_CHW=preprocessor.finish(look_HW)))
    return {way: judged for way, judged in judging.judged().items() if judged.places.size}


def _lungs(
    row: FilmRow, radiograph: Radiograph, masks: LungMasks | None, card: ModelCard
) -> MaskHW | None:
    rows_columns = (radiograph.pixels_HW.shape[0], radiograph.pixels_HW.shape[1])
    mask_HW = None if masks is None else masks.of_film(row.path, rows_columns)
    return None if mask_HW is None else on_input(mask_HW, card.preprocessing)


def _donors(known_NK: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """For each film one of another label by chance, the same every time; -1 where there is none."""
    rng = np.random.default_rng(0)
    donors = np.full(len(known_NK), -1, np.int64)
    for place, own_K in enumerate(known_NK):
        others = np.flatnonzero((known_NK != own_K).any(axis=1))
        if others.size:
            donors[place] = rng.choice(others)
    return donors
