"""Every heat-map method shows a network's evidence at its position on the film."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bundles import Tiny, export, tiny_card, write_bundle
from xrayview.domain.film import FilmRef
from xrayview.domain.heat_map_methods import HEAT_MAP_METHODS
from xrayview.domain.model import Finding, HeatMap, ModelCard, PreprocessSpec
from xrayview.domain.radiograph import Greyscale, Radiograph
from xrayview.inference.explain import ATTRIBUTIONS, explain
from xrayview.inference.loading import load
from xrayview.preprocessing.pipeline import Preprocessor

FITS = ("letterbox", "stretch", "center_crop")
FILM_SIZES = [(300, 200), (200, 300)]


def test_that_every_method_of_the_table_is_computed() -> None:
    assert tuple(ATTRIBUTIONS) == tuple(HEAT_MAP_METHODS)


@pytest.mark.parametrize("flip_average", [False, True], ids=["plain", "flip average"])
@pytest.mark.parametrize("method", HEAT_MAP_METHODS)
class TestHeatMapMethod:
    """The network of the bundle scores how much of a film is bright."""

    def explained(self, tmp_path: Path, film: Radiograph, method: str, **changes: Any) -> HeatMap:
        card: ModelCard = tiny_card(**changes)
        runtime = load(write_bundle(tmp_path / "m.pt", **changes), card, "cpu")
        model_input = Preprocessor(card.preprocessing)(film)
        return explain(runtime, card, model_input, "Opacity", method)

    @pytest.mark.parametrize("fit", FITS)
    @pytest.mark.parametrize("size", FILM_SIZES, ids=["tall", "wide"])
    @pytest.mark.parametrize("corner", ["top left", "top right", "bottom left", "bottom right"])
    def test_that_evidence_in_one_corner_lands_in_that_corner(
        self,
        tmp_path: Path,
        method: str,
        flip_average: bool,
        fit: Any,
        size: tuple[int, int],
        corner: str,
    ) -> None:
        # All of the spot lies in the middle half, which center_crop keeps of the tall film.
        y = size[0] * (0.36 if "top" in corner else 0.64)
        x = size[1] * (0.3 if "left" in corner else 0.7)
        heat_map = self.explained(
            tmp_path,
            film_with_spot(size, y, x),
            method,
            preprocessing=PreprocessSpec((96, 128), fit=fit),
            flip_average=flip_average,
        )
        assert heat_map.has_evidence
        rows, columns = np.indices(heat_map.values_hw.shape) + 0.5
        share = heat_map.values_hw / heat_map.values_hw.sum()
        found = heat_map.grid_to_film.apply((rows * share).sum(), (columns * share).sum())
        assert found[0] == pytest.approx(y, abs=heat_map.grid_to_film.scale_y)
        assert found[1] == pytest.approx(x, abs=heat_map.grid_to_film.scale_x)

    def test_that_values_are_scaled_to_their_peak(
        self, tmp_path: Path, method: str, flip_average: bool
    ) -> None:
        heat_map = self.explained(
            tmp_path, film_with_spot((300, 200), 90, 60), method, flip_average=flip_average
        )
        assert heat_map.values_hw.dtype == np.float32
        assert heat_map.values_hw.min() == 0
        assert heat_map.values_hw.max() == 1
        assert heat_map.evidence > 0
        assert heat_map.method == method
        assert heat_map.film_size == (300, 200)

    def test_that_no_positive_evidence_is_all_zero(
        self, tmp_path: Path, method: str, flip_average: bool
    ) -> None:
        # A constant film is background everywhere: nothing is bright.
        constant = film(np.full((120, 90), 5, np.uint16))
        heat_map = self.explained(tmp_path, constant, method, flip_average=flip_average)
        assert not heat_map.has_evidence
        assert heat_map.evidence == 0
        assert not heat_map.values_hw.any()

    @pytest.mark.parametrize("size", FILM_SIZES, ids=["tall", "wide"])
    def test_that_the_background_around_a_letterboxed_film_is_no_evidence(
        self, tmp_path: Path, method: str, flip_average: bool, size: tuple[int, int]
    ) -> None:
        # Darkness is the evidence for Normal, and the background is dark.
        card = tiny_card(
            findings=(Finding("Normal", abnormal=False), Finding("Bright")),
            preprocessing=PreprocessSpec((128, 128), fit="letterbox"),
            flip_average=flip_average,
        )
        runtime = load(export(Tiny(), tmp_path / "m.pt", card), card, "cpu")
        model_input = Preprocessor(card.preprocessing)(film_with_spot(size, 60, 60))
        heat_map = explain(runtime, card, model_input, "Normal", method)
        assert heat_map.has_evidence
        for cell in np.argwhere(heat_map.values_hw > 0):
            top, left = heat_map.grid_to_film.apply(*cell)
            bottom, right = heat_map.grid_to_film.apply(*(cell + 1))
            assert top < size[0]
            assert left < size[1]
            assert bottom > 0
            assert right > 0


def film(pixels_HW: np.ndarray) -> Radiograph:
    return Radiograph(FilmRef(Path("film.png"), "film.png"), pixels_HW, Greyscale())


def film_with_spot(size: tuple[int, int], y: float, x: float) -> Radiograph:
    """Dark, with a bright disc of 22 pixels radius."""
    rows, columns = np.ogrid[: size[0], : size[1]]
    inside = np.hypot(rows + 0.5 - y, columns + 0.5 - x) < 22
    return film(np.where(inside, 1000, 0).astype(np.uint16))
