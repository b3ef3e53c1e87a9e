"""Pictures in a report: thumbnails of films, heat maps, and mean heat maps."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import numpy.typing as npt

from training.data.cache import open_film
from training.data.manifest import FilmRow
from xrayview.domain.heat_map_methods import DEFAULT_METHOD
from xrayview.domain.model import ModelCard
from xrayview.errors import UnreadableFilm
from xrayview.inference.explain import explain
from xrayview.inference.runtime import Runtime
from xrayview.preprocessing.pipeline import GreyHW, Preprocessor

METHOD = DEFAULT_METHOD
_OPACITY = 0.6
_SIDE = 256
"""Largest side of a picture."""


@dataclass(frozen=True, eq=False)
class MeanHeat:
    """The mean heat map over films with a finding, scaled to its peak."""

    picture: str
    films: int
    without_evidence: int


def thumbnail(row: FilmRow, folder: Path, preprocessor: Preprocessor) -> str:
    """Return the film after the model's preprocessing, as a data URI.

    Raises:
        UnreadableFilm: the file cannot be read any more.
    """
    return data_uri(_byte(preprocessor.grey(open_film(folder / row.path, folder))))


def mean_heat(
    runtime: Runtime, card: ModelCard, finding: str, rows: Sequence[FilmRow], folder: Path
) -> MeanHeat | None:
    """Average the heat maps of these films; None if none can be read.

    Maps and films are averaged on the grid of the model's input, all with the same weight. A film
    without positive evidence counts as 0 everywhere.

    Raises:
        ModelError: the model failed, or has no features to explain.
    """
    preprocessor = Preprocessor(card.preprocessing)
    heats, greys, without = [], [], 0
    for row in rows:
        try:
            radiograph = open_film(folder / row.path, folder)
        except UnreadableFilm:
            continue  # counted by `films`
        heat = explain(runtime, card, preprocessor(radiograph), finding, METHOD)
        heats.append(heat.values_hw)
        greys.append(preprocessor.grey(radiograph))
        without += not heat.has_evidence
    if not heats:
        return None
    picture = _overlaid(np.mean(greys, axis=0), np.mean(heats, axis=0))
    return MeanHeat(data_uri(picture), len(heats), without)


def heat_of_film(
    runtime: Runtime, card: ModelCard, finding: str, row: FilmRow, folder: Path
) -> tuple[str, bool]:
    """Return the film with its heat map as a data URI, and whether there is positive evidence.

    The map is scaled to its own peak. Without evidence the film is shown without a map.

    Raises:
        UnreadableFilm: the file cannot be read any more.
        ModelError: the model failed, or has no features to explain.
    """
    preprocessor = Preprocessor(card.preprocessing)
    radiograph = open_film(folder / row.path, folder)
    heat = explain(runtime, card, preprocessor(radiograph), finding, METHOD)
    grey_HW = preprocessor.grey(radiograph)
    picture = _overlaid(grey_HW, heat.values_hw) if heat.has_evidence else _byte(grey_HW)
    return data_uri(picture), heat.has_evidence


def data_uri(pixels: npt.NDArray[np.uint8]) -> str:
    """Encode grey or RGB pixels as a PNG in a data URI, at most 256 pixels a side."""
    scale = min(1.0, _SIDE / max(pixels.shape[:2]))
    if scale < 1:
        shrunk = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        pixels = np.asarray(shrunk, dtype=np.uint8)
    stored = pixels if pixels.ndim == 2 else pixels[..., ::-1]
    coded = cv2.imencode(".png", np.ascontiguousarray(stored))[1].tobytes()
    return "data:image/png;base64," + base64.b64encode(coded).decode("ascii")


def _overlaid(grey_HW: GreyHW, heat_hw: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    height, width = grey_HW.shape
    heat_HW = cv2.resize(heat_hw.astype(np.float32), (width, height))
    heat_HW = np.clip(heat_HW / max(float(heat_hw.max()), 1e-9), 0, 1)
    colours_HW3 = mpl.colormaps["inferno"](heat_HW)[..., :3]
    share_HW1 = _OPACITY * heat_HW[..., None]
    return _byte(grey_HW[..., None] * (1 - share_HW1) + colours_HW3 * share_HW1)


def _byte(values: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    return np.asarray(np.rint(255 * np.clip(values, 0, 1)), dtype=np.uint8)
