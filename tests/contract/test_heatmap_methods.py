"""Every heat-map method shows a network's evidence at its position on the film."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.bundles import PATCH, Tiny, export, tiny_card, write_bundle
from xrayview.domain.film import FilmRef
from xrayview.domain.heat_map_methods import HEAT_MAP_METHODS
from xrayview.domain.model import Finding, HeatMap, ModelCard, PreprocessSpec
from xrayview.domain.radiograph import Greyscale, Radiograph
from xrayview.errors import Cancelled
from xrayview.inference.attributions import ATTRIBUTIONS, Explained
from xrayview.inference.explain import explain
from xrayview.inference.loading import load
from xrayview.preprocessing.pipeline import Preprocessor

FITS = ("letterbox", "stretch", "center_crop")
FILM_SIZES = [(300, 200), (200, 300)]
UNSIGNED = {"eigen-cam", "score-cam"}
"""Methods that give no feature a negative weight: they show evidence against a finding, too."""


def test_that_every_method_of_the_table_is_computed() -> None:
    assert tuple(ATTRIBUTIONS) == tuple(HEAT_MAP_METHODS)


@pytest.mark.parametrize("flip_average", [False, True], ids=["plain", "flip average"])
@pytest.mark.parametrize("method", [m for m in HEAT_MAP_METHODS if m not in UNSIGNED])
@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", FILM_SIZES, ids=["tall", "wide"])
@pytest.mark.parametrize("corner", ["top left", "top right", "bottom left", "bottom right"])
def test_that_evidence_in_one_corner_lands_in_that_corner(
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
    heat_map = explained(
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


@pytest.mark.parametrize("flip_average", [False, True], ids=["plain", "flip average"])
@pytest.mark.parametrize("method", HEAT_MAP_METHODS)
class TestHeatMapMethod:
    """The network of the bundle scores how much of a film is bright."""

    def test_that_values_are_scaled_to_their_peak(
        self, tmp_path: Path, method: str, flip_average: bool
    ) -> None:
        heat_map = explained(
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
        heat_map = explained(tmp_path, constant, method, flip_average=flip_average)
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


def explained(tmp_path: Path, film: Radiograph, method: str, **changes: Any) -> HeatMap:
    card: ModelCard = tiny_card(**changes)
    runtime = load(write_bundle(tmp_path / "m.pt", **changes), card, "cpu")
    model_input = Preprocessor(card.preprocessing)(film)
    return explain(runtime, card, model_input, "Opacity", method)


def film(pixels_HW: np.ndarray) -> Radiograph:
    return Radiograph(FilmRef(Path("film.png"), "film.png"), pixels_HW, Greyscale())


def film_with_spot(size: tuple[int, int], y: float, x: float) -> Radiograph:
    """Dark, with a bright disc of 22 pixels radius."""
    rows, columns = np.ogrid[: size[0], : size[1]]
    inside = np.hypot(rows + 0.5 - y, columns + 0.5 - x) < 22
    return film(np.where(inside, 1000, 0).astype(np.uint16))


class Deep(nn.Module):
    """Two layers and a head that is not only pooling, so that the methods differ."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.body = nn.Sequential(
            nn.Conv2d(1, 6, 5, 4), nn.ReLU(), nn.Conv2d(6, 8, 3, 2), nn.ReLU()
        )
        self.tail = nn.Sequential(nn.Conv2d(8, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(144, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.forward_head(self.forward_features(x))

    def forward_features(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x)

    def forward_head(self, features: torch.Tensor) -> torch.Tensor:
        return self.tail(features)


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> tuple[Deep, Explained]:
    network = Deep().eval()
    card = tiny_card(
        findings=(Finding("Normal", abnormal=False), Finding("Bright")),
        activation="softmax",
        preprocessing=PreprocessSpec((76, 76)),
    )
    path = export(network, tmp_path_factory.mktemp("deep") / "m.pt", card)
    runtime = load(path, card, "cpu")
    x_CHW = np.random.default_rng(5).random((1, 76, 76), np.float32)
    return network, Explained(runtime, x_CHW, np.array([-1, 1], np.float32))


def features_and_gradient(deep: tuple[Deep, Explained]) -> tuple[np.ndarray, np.ndarray]:
    """By autograd on the eager network, in double precision where numbers are small."""
    network, film = deep
    features = network.forward_features(torch.from_numpy(film.x_CHW[None])).detach()
    features.requires_grad_(True)
    (network.forward_head(features) @ torch.from_numpy(film.direction_K)).sum().backward()
    assert features.grad is not None
    return features.detach()[0].double().numpy(), features.grad[0].double().numpy()


def test_that_the_cam_family_follows_the_papers_formulas(deep: tuple[Deep, Explained]) -> None:
    a, g = features_and_gradient(deep)
    shares = np.zeros_like(g)
    for d, i, j in np.ndindex(*g.shape):  # equation 19 of the paper, cell by cell
        if g[d, i, j]:
            shares[d, i, j] = g[d, i, j] ** 2 / (2 * g[d, i, j] ** 2 + a[d].sum() * g[d, i, j] ** 3)
    plus_plus = (np.maximum(g, 0) * shares).sum((1, 2))
    expected = {
        "grad-cam": np.einsum("d,dhw->hw", g.mean((1, 2)), a),
        "hires-cam": (a * g).sum(0),
        "layer-cam": (a * g * (g > 0)).sum(0),
        "grad-cam++": np.einsum("d,dhw->hw", plus_plus, a),
    }
    for method, map_hw in expected.items():
        found = ATTRIBUTIONS[method](deep[1])
        np.testing.assert_allclose(found, map_hw, atol=2e-5 * np.abs(map_hw).max(), err_msg=method)


def test_that_hires_cam_is_grad_cam_before_global_average_pooling(tmp_path: Path) -> None:
    card = tiny_card()
    runtime = load(write_bundle(tmp_path / "m.pt"), card, "cpu")
    x_CHW = np.random.default_rng(1).random((1, *card.preprocessing.size), np.float32)
    film = Explained(runtime, x_CHW, np.ones(1, np.float32))
    np.testing.assert_allclose(
        ATTRIBUTIONS["hires-cam"](film), ATTRIBUTIONS["grad-cam"](film), atol=1e-6
    )


def test_that_eigen_cam_is_the_first_principal_component(deep: tuple[Deep, Explained]) -> None:
    a, _ = features_and_gradient(deep)
    columns = a.reshape(len(a), -1).T
    values, vectors = np.linalg.eigh(np.cov(columns.T))
    component = (columns - columns.mean(0)) @ vectors[:, values.argmax()]
    found = ATTRIBUTIONS["eigen-cam"](deep[1]).ravel()
    assert abs(np.corrcoef(found, component)[0, 1]) == pytest.approx(1, abs=1e-5)
    assert np.corrcoef(found, columns.mean(1))[0, 1] > 0


def test_that_score_cam_weights_features_by_what_they_let_through(
    deep: tuple[Deep, Explained],
) -> None:
    network, film = deep
    a, _ = features_and_gradient(deep)
    values = []
    for feature in a:
        mask = (feature - feature.min()) / max(np.ptp(feature), 1e-30)
        large = torch.nn.functional.interpolate(
            torch.from_numpy(mask[None, None]), size=film.x_CHW.shape[1:], mode="bilinear"
        )
        logits = network(torch.from_numpy(film.x_CHW[None]) * large.float())
        values.append(float((logits @ torch.from_numpy(film.direction_K)).detach()))
    varying = np.ptp(a, axis=(1, 2)) > 0
    weights = np.exp(np.array(values)) * varying
    expected = np.einsum("d,dhw->hw", weights / weights.sum(), a)
    np.testing.assert_allclose(
        ATTRIBUTIONS["score-cam"](film), expected, atol=1e-3 * expected.max()
    )


def test_that_integrated_gradients_add_up_to_the_difference_from_the_mean_film(
    deep: tuple[Deep, Explained],
) -> None:
    _, film = deep
    flat = np.broadcast_to(film.x_CHW.mean(axis=(1, 2), keepdims=True), film.x_CHW.shape)
    whole, mean = film.value(np.stack([film.x_CHW, flat]))
    total = ATTRIBUTIONS["integrated-gradients"](film).sum()
    assert total == pytest.approx(whole - mean, rel=0.02)


def test_that_smooth_grad_is_the_input_gradient_of_a_linear_network(tmp_path: Path) -> None:
    """The gradient of a linear network is the same under any noise."""
    card = tiny_card()
    runtime = load(export(Linear(), tmp_path / "m.pt", card), card, "cpu")
    x_CHW = np.random.default_rng(2).random((1, *card.preprocessing.size), np.float32)
    film = Explained(runtime, x_CHW, np.ones(1, np.float32))
    np.testing.assert_allclose(
        ATTRIBUTIONS["smooth-grad"](film), ATTRIBUTIONS["input-gradient"](film), atol=1e-5
    )


class Linear(Tiny):
    """The same without its rectifier."""

    def forward_features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return nn.functional.conv2d(x_BCHW, self.patches, self.bias, stride=PATCH)


@pytest.mark.parametrize(
    "method", ["score-cam", "smooth-grad", "integrated-gradients", "occlusion"]
)
def test_that_long_methods_report_each_part_and_can_be_cancelled(
    deep: tuple[Deep, Explained], method: str
) -> None:
    steps: list[tuple[int, int]] = []
    ATTRIBUTIONS[method](replace(deep[1], report=lambda *step: steps.append(step)))
    assert len(steps) >= 1
    assert steps[-1][0] == steps[-1][1]

    def cancel(_done: int, _total: int) -> None:
        raise Cancelled("The map was cancelled")

    with pytest.raises(Cancelled):
        ATTRIBUTIONS[method](replace(deep[1], report=cancel))
