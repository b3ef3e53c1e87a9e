"""Networks whose file has only `forward`, split for Grad-CAM; and those that cannot be split."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import models
from torchvision.models.efficientnet import MBConvConfig

from tests.bundles import tiny_card
from xrayview.domain.heat_map_methods import available_methods
from xrayview.domain.model import Finding, ModelCard, PreprocessSpec
from xrayview.errors import ModelError
from xrayview.inference.attributions import Explained, grad_cam
from xrayview.inference.explain import explain
from xrayview.inference.loading import load
from xrayview.inference.runtime import Runtime
from xrayview.io.model.bundle import read_card
from xrayview.services.resources import resource

CARD = tiny_card(
    task="multilabel",
    findings=(Finding("A"), Finding("B"), Finding("C")),
    preprocessing=PreprocessSpec((64, 64), channels=3),
)
Export = Callable[[nn.Module], Any]


def traced(network: nn.Module) -> Any:
    return torch.jit.trace(network, torch.rand(2, 3, 64, 64), check_trace=False)


def frozen(network: nn.Module) -> Any:
    return torch.jit.freeze(traced(network))


WITHOUT_FEATURES = available_methods(has_features=False, has_gradient=True)
EXPORTS: dict[str, Export] = {"traced": traced, "scripted": torch.jit.script, "frozen": frozen}


def saved(script: Any, path: Path) -> Path:
    torch.jit.save(script, str(path))
    return path


def loaded(network: nn.Module, path: Path, how: Export = traced) -> Runtime:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load(saved(how(network.eval()), path), CARD, "cpu")


# Small networks of torchvision's classes, with the same kinds of graphs as the large ones.


def residual() -> nn.Module:
    return models.ResNet(models.resnet.BasicBlock, [1, 1, 1, 1], num_classes=3)


def dense() -> nn.Module:
    return models.DenseNet(8, (2, 2), 16, num_classes=3)


def efficient() -> nn.Module:
    stages = [MBConvConfig(1, 3, 1, 16, 8, 1, 1, 1), MBConvConfig(4, 3, 2, 8, 16, 2, 1, 1)]
    return models.EfficientNet(stages, 0.2, num_classes=3, last_channel=32)


def plain() -> nn.Module:
    network = models.VGG(models.vgg.make_layers([8, "M", 16, "M", 16, "M"]), init_weights=False)
    network.classifier = nn.Sequential(
        nn.Linear(16 * 49, 24), nn.ReLU(True), nn.Dropout(), nn.Linear(24, 3)
    )
    return network


def last_map(network: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The last convolutional map, as each class' own `forward` makes it."""
    if isinstance(network, models.ResNet):
        x = network.maxpool(network.relu(network.bn1(network.conv1(x))))
        return network.layer4(network.layer3(network.layer2(network.layer1(x))))
    maps = network.features(x)
    return maps.relu() if isinstance(network, models.DenseNet) else maps


def logits(network: nn.Module, maps: torch.Tensor) -> torch.Tensor:
    if isinstance(network, models.ResNet):
        return network.fc(network.avgpool(maps).flatten(1))
    if isinstance(network, models.DenseNet):
        return network.classifier(nn.functional.adaptive_avg_pool2d(maps, 1).flatten(1))
    return network.classifier(network.avgpool(maps).flatten(1))


class WithMethods(nn.Module):
    """The same network with the three methods of the contract."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.network(x)

    def forward_features(self, x: torch.Tensor) -> torch.Tensor:
        return last_map(self.network, x)

    def forward_head(self, maps: torch.Tensor) -> torch.Tensor:
        return logits(self.network, maps)


def with_methods(network: nn.Module) -> Any:
    x = torch.rand(2, 3, 64, 64)
    whole = WithMethods(network)
    inputs = {"forward": x, "forward_features": x, "forward_head": whole.forward_features(x)}
    return torch.jit.trace_module(whole, inputs, check_trace=False)


@pytest.mark.parametrize("how", EXPORTS)
@pytest.mark.parametrize("make", [residual, dense, efficient, plain])
def test_that_a_split_network_has_the_map_of_its_own_methods(
    make: Callable[[], nn.Module], how: str, tmp_path: Path
) -> None:
    torch.manual_seed(3)
    network = make().eval()
    split = loaded(network, tmp_path / "forward_only.pt", EXPORTS[how])
    own = loaded(network, tmp_path / "three_methods.pt", with_methods)
    assert split.features_note.startswith("is split after its last feature map of ")
    assert own.features_note == ""
    x_BCHW = np.random.default_rng(4).random((2, 3, 64, 64), np.float32)
    np.testing.assert_allclose(split.head(split.features(x_BCHW)), split.forward(x_BCHW), atol=1e-5)
    direction_K = np.array([0, 1, 0], np.float32)
    maps = [grad_cam(Explained(runtime, x_BCHW[0], direction_K)) for runtime in (split, own)]
    assert maps[0].shape == maps[1].shape
    assert np.ptp(maps[1]) > 0
    assert np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1] > 0.99


def test_that_a_shipped_bundle_without_its_methods_has_the_same_map(tmp_path: Path) -> None:
    bundle = resource("models", "paediatric-pneumonia-small.pt")
    card = read_card(bundle)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = torch.jit.load(io.BytesIO(bundle.read_bytes())).eval()
        path = saved(torch.jit.freeze(script, optimize_numerics=False), tmp_path / "stripped.pt")
    split, own = load(path, card, "cpu"), load(bundle, card, "cpu")
    assert split.features_note.startswith("is split after its last feature map of ")
    spec = card.preprocessing
    x_CHW = np.random.default_rng(4).random((spec.channels, *spec.size), np.float32)
    direction_K = np.ones(split.forward(x_CHW[None]).shape[1], np.float32)
    maps = [grad_cam(Explained(runtime, x_CHW, direction_K)) for runtime in (split, own)]
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-5)


# Networks that cannot be split


class Trunk(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, 4)
        self.second = nn.Conv2d(8, 8, 3, 2)
        self.last = nn.Linear(16, 3)


class AroundTheMap(Trunk):
    """Its output also depends on an earlier map."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        early = self.first(x).relu()
        late = self.second(early).relu()
        return self.last(torch.cat([early.mean((2, 3)), late.mean((2, 3))], 1))


class PositionsAsChannels(Trunk):
    """Its last 4-D activation has the film's positions along the channels."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.first(x)[:, :, :, :].relu().permute(0, 2, 3, 1)
        return self.last(torch.cat([maps.amax((1, 2)), maps.mean((1, 2))], 1))


class NoMap(nn.Module):
    """A network without convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(3 * 64 * 64, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(x.flatten(1))


@pytest.mark.parametrize("how", [traced, torch.jit.script], ids=["traced", "scripted"])
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (AroundTheMap, "also reads what comes before"),
        (PositionsAsChannels, "is not a convolutional map"),
        (NoMap, "has no feature map"),
    ],
)
def test_that_a_network_that_cannot_be_split_says_why_and_offers_other_methods(
    kind: type[nn.Module], reason: str, how: Export, tmp_path: Path
) -> None:
    torch.manual_seed(5)
    runtime = loaded(kind(), tmp_path / "odd.pt", how)
    assert runtime.explain_methods == WITHOUT_FEATURES
    assert not runtime.has_features
    assert reason in runtime.features_note


class SizeOf(Trunk):
    """Its head reads the batch size of the film."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.second(self.first(x).relu()).relu()
        pooled = torch.cat([maps.amax((2, 3)), maps.mean((2, 3))], 1)
        return self.last(pooled.view(x.shape[0], -1))


class AllSizesOf(Trunk):
    """Its head unpacks the shape of the film."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        films, _, height, width = x.shape
        maps = self.second(self.first(x).relu()).relu()
        large = nn.functional.interpolate(maps, [height // 4, width // 4])
        pooled = torch.cat([large.amax((2, 3)), large.mean((2, 3))], 1)
        return self.last(pooled.view(films, 2 * maps.shape[1]))


class OneCell(Trunk):
    """Its last maps have one cell, and come from two branches."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = (nn.Conv2d(8, 4, 7) for _ in "ab")
        self.last = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.second(self.first(x).relu()).relu()
        return self.last(torch.cat([self.left(maps), self.right(maps)], 1).flatten(1))


def convnext() -> nn.Module:
    block = models.convnext.CNBlockConfig
    return models.ConvNeXt([block(8, 16, 1), block(16, None, 1)], num_classes=3)


def swin() -> nn.Module:
    return models.SwinTransformer([4, 4], 8, [1, 1], [2, 2], [4, 4], num_classes=3)


@pytest.mark.parametrize("how", [traced, torch.jit.script], ids=["traced", "scripted"])
@pytest.mark.parametrize("make", [SizeOf, AllSizesOf, OneCell, convnext, swin])
def test_that_other_heads_and_blocks_are_split(
    make: Callable[[], nn.Module], how: Export, tmp_path: Path
) -> None:
    torch.manual_seed(5)
    if make is AllSizesOf and how is torch.jit.script:
        pytest.skip("interpolation is scripted with branches")
    runtime = loaded(make(), tmp_path / "odd.pt", how)
    assert runtime.features_note.startswith("is split after its last feature map of ")
    assert runtime.explain_methods[0] == "grad-cam"
    x_BCHW = np.random.default_rng(4).random((3, 3, 64, 64), np.float32)
    np.testing.assert_allclose(
        runtime.head(runtime.features(x_BCHW)), runtime.forward(x_BCHW), atol=1e-5
    )


@pytest.mark.parametrize("how", [traced, torch.jit.script], ids=["traced", "scripted"])
def test_that_a_transformer_is_not_split_on_its_patches(how: Export, tmp_path: Path) -> None:
    torch.manual_seed(5)
    network = models.VisionTransformer(64, 16, 3, 2, 8, 16, num_classes=3)
    nn.init.normal_(network.heads.head.weight)
    runtime = loaded(network, tmp_path / "vit.pt", how)
    assert "attention between tokens" in runtime.features_note
    assert runtime.explain_methods == WITHOUT_FEATURES


def test_that_grad_cam_of_a_network_that_cannot_be_split_says_why(tmp_path: Path) -> None:
    torch.manual_seed(5)
    runtime = loaded(NoMap(), tmp_path / "odd.pt")
    with pytest.raises(ModelError, match="Grad-CAM") as caught:
        explain(runtime, CARD, _no_input(CARD), "A")
    assert "cannot be split: it has no feature map" in caught.value.why
    assert caught.value.hint == f"Choose {' or '.join(WITHOUT_FEATURES)}."


def _no_input(card: ModelCard) -> Any:
    return None  # the method is refused before the input is used
