"""The heat map over the film: position, transparency, legend and caption."""

from __future__ import annotations

import colorsys
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xrayview.display.colour_maps import COLOUR_MAPS
from xrayview.display.overlay import caption, colour_bar, film_values, heat_rgba
from xrayview.domain.model import Affine, HeatMap


def heat_map(
    values_hw: npt.NDArray[Any],
    film_size: tuple[int, int],
    grid_to_film: Affine | None = None,
    **changes: Any,
) -> HeatMap:
    """A map that covers its film unless `grid_to_film` says otherwise."""
    rows, columns = values_hw.shape
    cover = Affine(film_size[0] / rows, film_size[1] / columns)
    fields: dict[str, Any] = {
        "film_id": "film#0",
        "model_sha256": "",
        "finding": "Pneumonia",
        "method": "grad-cam",
        "score": 0.93,
        "threshold": 0.6,
        "evidence": 1.5,
    }
    return HeatMap(
        values_hw=values_hw.astype(np.float32),
        grid_to_film=grid_to_film or cover,
        film_size=film_size,
        **(fields | changes),
    )


def spot(rows: int, columns: int, y: int, x: int) -> npt.NDArray[np.float32]:
    values = np.zeros((rows, columns), dtype=np.float32)
    values[y, x] = 1.0
    return values


@pytest.mark.parametrize("film_size", [(700, 350), (300, 900), (512, 512)])
@pytest.mark.parametrize("cell", [(0, 0), (3, 5), (6, 1)])
def test_that_the_maximum_is_at_the_centre_of_its_cell(
    film_size: tuple[int, int], cell: tuple[int, int]
) -> None:
    alpha = heat_rgba(heat_map(spot(7, 7, *cell), film_size), film_size)[..., 3]
    y, x = (np.argwhere(alpha == alpha.max()) + 0.5).mean(axis=0)
    expected = [(index + 0.5) * side / 7 for index, side in zip(cell, film_size, strict=True)]
    # At the border the peak is a plateau up to the edge of the film.
    slack = [side / 7 / 4 + 1 for side in film_size]
    assert abs(y - expected[0]) <= slack[0]
    assert abs(x - expected[1]) <= slack[1]


def test_that_a_letterboxed_map_is_aligned_with_its_film() -> None:
    # A film of 100 x 200 letterboxed to a square leaves a quarter of the grid above and below.
    letterbox = Affine(scale_y=25.0, scale_x=25.0, offset_y=-50.0)
    heat = heat_map(np.eye(8), (100, 200), letterbox)
    values_HW, seen_HW = film_values(heat, (100, 200))
    assert seen_HW.all()
    for cell in range(2, 6):
        assert values_HW[25 * cell - 50 + 12, 25 * cell + 12] == pytest.approx(1.0)


def test_that_the_area_outside_the_field_of_view_stays_transparent() -> None:
    # A square cut from the middle of a film twice as wide.
    crop = Affine(scale_y=100 / 7, scale_x=100 / 7, offset_x=50.0)
    heat = heat_map(np.ones((7, 7)), (100, 200), crop)
    alpha = heat_rgba(heat, (100, 200), opacity=1.0)[..., 3]
    assert (alpha[:, 50:150] == 255).all()
    assert (alpha[:, :50] == 0).all()
    assert (alpha[:, 150:] == 0).all()


@given(
    st.integers(1, 9), st.integers(1, 9), st.floats(0.3, 3), st.floats(0.3, 3), st.integers(0, 99)
)
def test_that_interpolation_stays_between_its_neighbours(
    rows: int, columns: int, zoom_y: float, zoom_x: float, seed: int
) -> None:
    values = np.random.default_rng(seed).random((rows, columns))
    heat = heat_map(values, (120, 80))
    values_HW, seen_HW = film_values(
        heat, (max(1, round(120 * zoom_y)), max(1, round(80 * zoom_x)))
    )
    assert seen_HW.all()
    assert values_HW.min() >= values.min() - 1e-6
    assert values_HW.max() <= values.max() + 1e-6


def test_that_a_plane_is_interpolated_exactly() -> None:
    rows, columns = np.meshgrid(np.arange(6), np.arange(4), indexing="ij")
    heat = heat_map((rows + columns) / 8, (60, 40))
    values_HW, _ = film_values(heat, (60, 40))
    y, x = np.meshgrid(
        (np.arange(60) + 0.5) / 10 - 0.5, (np.arange(40) + 0.5) / 10 - 0.5, indexing="ij"
    )
    inside = np.s_[5:55, 5:35]
    assert values_HW[inside] == pytest.approx(((y + x) / 8)[inside], abs=1e-6)


def test_that_every_resolution_shows_the_same_map() -> None:
    heat = heat_map(np.random.default_rng(1).random((7, 7)), (640, 480), Affine(100, 80, -30, -40))
    fine, _ = film_values(heat, (640, 480))
    coarse, _ = film_values(heat, (160, 120))
    means = fine.reshape(160, 4, 120, 4).mean(axis=(1, 3))
    assert np.abs(means - coarse).max() < 0.01


def test_that_a_map_without_positive_evidence_is_transparent() -> None:
    noise = np.random.default_rng(2).random((7, 7))
    assert not heat_rgba(heat_map(noise, (50, 50), evidence=0.0), (50, 50)).any()


def test_that_alpha_grows_with_the_value_from_the_cutoff_to_the_opacity() -> None:
    heat = heat_map(np.linspace(0, 1, 200)[None, :], (1, 200))
    alpha = heat_rgba(heat, (1, 200), opacity=0.8, cutoff=0.25)[0, :, 3].astype(int)
    assert (alpha[:50] == 0).all()
    assert (np.diff(alpha) >= 0).all()
    assert alpha[-1] == round(0.8 * 255)
    assert alpha[125] == pytest.approx(0.5 * 0.8 * 255, abs=2)


def test_that_a_cutoff_of_one_leaves_only_the_peak() -> None:
    alpha = heat_rgba(heat_map(np.full((3, 3), 0.99), (30, 30)), (30, 30), cutoff=1.0)[..., 3]
    assert not alpha.any()


def test_that_the_colour_belongs_to_the_value() -> None:
    for name, table in COLOUR_MAPS.items():
        rgba = heat_rgba(heat_map(np.array([[0.0, 1.0]]), (1, 2)), (1, 2), colour_map=name)
        assert np.array_equal(rgba[0, :, :3], table[[0, 255]])


def test_that_the_legend_shows_the_colours_of_the_map() -> None:
    bar = colour_bar(256, 12, cutoff=0.5)
    assert bar.shape == (256, 12, 4)
    assert np.array_equal(bar[:, 3, :3], COLOUR_MAPS["inferno"][::-1])
    assert (bar[:128, :, 3] == 255).all()
    assert (bar[128:, :, 3] == 0).all()


@pytest.mark.parametrize("name", sorted(COLOUR_MAPS))
def test_that_colour_maps_only_ever_get_lighter(name: str) -> None:
    table = COLOUR_MAPS[name] / 255.0
    luminance = table @ [0.2126, 0.7152, 0.0722]
    assert luminance[-1] - luminance[0] > 0.6
    assert (np.diff(luminance) > -0.003).all()
    assert colorsys.rgb_to_hsv(*table[128])[1] > 0.3


@pytest.mark.parametrize("name", sorted(COLOUR_MAPS))
def test_that_the_tables_are_those_that_matplotlib_ships(name: str) -> None:
    colormaps = pytest.importorskip("matplotlib").colormaps
    expected = np.rint(colormaps[name](np.arange(256))[:, :3] * 255)
    assert np.array_equal(COLOUR_MAPS[name], expected)


def test_that_the_caption_names_method_finding_score_and_model() -> None:
    line = caption(heat_map(spot(2, 2, 0, 0), (9, 9)), "paediatric 1.2")
    assert line == "Grad-CAM · Pneumonia 0.93 · paediatric 1.2"


def test_that_the_caption_says_when_the_finding_is_below_its_operating_point() -> None:
    line = caption(heat_map(spot(2, 2, 0, 0), (9, 9), score=0.41), "m")
    assert line.endswith("below its operating point (0.60)")


@pytest.mark.parametrize(
    ("score", "threshold", "digits"),
    [(0.598, 0.60, ("0.598", "0.600")), (0.59997, 0.6, ("0.59997", "0.60000"))],
)
def test_that_the_caption_has_enough_digits_to_be_true(
    score: float, threshold: float, digits: tuple[str, str]
) -> None:
    heat = replace(heat_map(spot(2, 2, 0, 0), (9, 9), score=score), threshold=threshold)
    line = caption(heat, "m")
    assert line == f"Grad-CAM · Pneumonia {digits[0]} · m · below its operating point ({digits[1]})"


def test_that_the_caption_does_not_round_a_score_at_its_operating_point_below_it() -> None:
    heat = replace(heat_map(spot(2, 2, 0, 0), (9, 9), score=0.604), threshold=0.6036)
    assert "0.6040" in caption(heat, "m")
    assert "below" not in caption(heat, "m")


def test_that_the_caption_says_when_there_is_no_positive_evidence() -> None:
    line = caption(heat_map(np.zeros((2, 2)), (9, 9), evidence=0.0, method="occlusion"), "m")
    assert line.startswith("Occlusion")
    assert line.endswith("no positive evidence")
