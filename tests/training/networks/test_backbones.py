"""torchvision's networks with our heads: bundle contract, initial weights, frozen layers."""

from __future__ import annotations

import dataclasses
import urllib.error
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torchvision

from training.bundle.card import draft_card
from training.bundle.export import export
from training.config import NetworkConfig, TrainingConfig, with_overrides
from training.data.films import load_films
from training.loop import loop
from training.loop.processes import start_processes
from training.networks import build as networks
from training.networks import initial_weights
from training.networks.backbones import BACKBONES
from training.networks.freezing import layers_of, set_training, trainable_layers
from training.runs import RunFolder, new_run
from xrayview.errors import UsageError
from xrayview.io.model.bundle import read_card

SIZES = {name: backbone.min_side for name, backbone in BACKBONES.items()}


def config(architecture: str = "resnet18", **changes: object) -> NetworkConfig:
    settings = {"architecture": architecture, "auxiliary": False, **changes}
    return dataclasses.replace(NetworkConfig(), **settings)  # type: ignore[arg-type]


def films(architecture: str, channels: int = 1, count: int = 2) -> torch.Tensor:
    side = SIZES[architecture]
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(0))


def fit_statistics(network: torch.nn.Module, architecture: str) -> None:
    """Fit the batch-norm statistics, so that random weights give moderate logits in eval mode."""
    network.eval()
    for norm in network.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            norm.momentum = None
            norm.train()
    side = SIZES[architecture]
    with torch.no_grad():
        network(torch.randn(12, 1, side, side, generator=torch.Generator().manual_seed(0)))
    network.eval()


@pytest.mark.parametrize("name", BACKBONES)
def test_that_every_backbone_meets_the_contract_and_becomes_a_bundle(
    name: str, tiny_config: TrainingConfig, tmp_path: Path
):
    whole = with_overrides(
        tiny_config,
        [f"network.architecture={name}", "network.auxiliary=false",
         f"preprocessing.size={SIZES[name]}"],
    )  # fmt: skip
    network = networks.build(whole.network, 1, 1, seed=0)
    fit_statistics(network, name)
    export(network, draft_card(whole, {}, network.stride), tmp_path / "bundle.pt")
    assert read_card(tmp_path / "bundle.pt").training["architecture"] == name
    x_BCHW = films(name)
    with torch.no_grad():
        features = network.forward_features(x_BCHW)
        assert features.shape[1] == BACKBONES[name].width
        torch.testing.assert_close(network(x_BCHW), network.forward_head(features))


def test_that_a_backbone_gives_the_map_that_torchvision_pools():
    original = torchvision.models.densenet121(weights=None).eval()
    network = networks.build(config("densenet121"), 3, 2, seed=0).eval()
    network.features.load_state_dict(original.features.state_dict())
    x_BCHW = films("densenet121", 3)
    with torch.no_grad():
        pooled = network.forward_features(x_BCHW).mean((2, 3))
        torch.testing.assert_close(original.classifier(pooled), original(x_BCHW))


def test_that_the_head_is_what_the_config_says():
    network = networks.build(config(head=(16, 8), head_norm=True, dropout=0.5), 1, 2, seed=0)
    kinds = [type(module).__name__ for module in network.head]
    assert kinds == [
        "AdaptiveAvgPool2d", "Flatten", "BatchNorm1d", "Linear", "ReLU", "Dropout",
        "Linear", "ReLU", "Dropout", "Linear",
    ]  # fmt: skip


def test_that_inception_trains_with_its_auxiliary_head_and_is_evaluated_without():
    network = networks.build(config("inception_v3", auxiliary=True), 1, 3, seed=0)
    x_BCHW = torch.rand(2, 1, 299, 299)
    with torch.no_grad():
        logits_BK, auxiliary_BK = network.train()(x_BCHW)
        assert logits_BK.shape == auxiliary_BK.shape == (2, 3)
        assert network.eval()(x_BCHW).shape == (2, 3)


# --- initial weights


@pytest.fixture(scope="module")
def state_dict() -> dict[str, torch.Tensor]:
    torch.manual_seed(3)
    return dict(torchvision.models.resnet18(weights=None).state_dict())


def load(
    settings: NetworkConfig, channels: int = 1
) -> tuple[networks.Network, initial_weights.InitialWeights]:
    network = networks.build(settings, channels, 2, seed=0)
    return network, initial_weights.load(network, settings)


def test_that_a_torchvision_state_dict_fills_the_backbone(
    state_dict: dict[str, torch.Tensor], tmp_path: Path
):
    path = tmp_path / "resnet18.pth"
    torch.save(state_dict, path)
    network = networks.build(config(initial_weights=str(path)), 3, 2, seed=0)
    weights = initial_weights.load(network, config(initial_weights=str(path)))
    assert weights.left_out == ("fc.weight", "fc.bias")
    assert set(weights.fresh) == {"head.3.weight", "head.3.bias"}
    assert weights.matched == len(state_dict) - 2
    for name, tensor in network.features.state_dict().items():
        assert torch.equal(tensor, state_dict[name])
    assert "sha256" in weights.used
    assert any("left out: fc.weight, fc.bias" in line for line in weights.lines())
    assert list(weights.as_json())[:2] == ["asked", "used"]


def test_that_one_grey_channel_equals_three_equal_channels(
    state_dict: dict[str, torch.Tensor], tmp_path: Path
):
    path = tmp_path / "resnet18.pth"
    torch.save({"state_dict": {f"module.{k}": v for k, v in state_dict.items()}}, path)
    settings = config(initial_weights=str(path))
    grey, colour = (networks.build(settings, channels, 2, seed=0).eval() for channels in (1, 3))
    assert initial_weights.load(grey, settings).adapted == ("features.conv1.weight",)
    assert initial_weights.load(colour, settings).adapted == ()
    x_B1HW = films("resnet18")
    with torch.no_grad():
        torch.testing.assert_close(
            grey.forward_features(x_B1HW),
            colour.forward_features(x_B1HW.expand(-1, 3, -1, -1)),
            atol=1e-4,
            rtol=1e-4,
        )


def _as_run(network: networks.Network, path: Path, _config: TrainingConfig) -> Path:
    path.mkdir()
    torch.save({"weights": network.state_dict(), "epoch": 1, "kind": "raw"}, path / "best.pt")
    return path


def _as_bundle(network: networks.Network, path: Path, config: TrainingConfig) -> Path:
    export(network.eval(), draft_card(config, {}, network.stride), path)
    return path


@pytest.mark.parametrize("kind", [_as_run, _as_bundle])
def test_that_the_backbone_of_a_run_or_a_bundle_is_loaded(
    kind: Callable[..., Path], tiny_config: TrainingConfig, tmp_path: Path
):
    first = networks.build(tiny_config.network, 1, 1, seed=5)
    path = kind(first, tmp_path / "first", tiny_config)
    settings = dataclasses.replace(tiny_config.network, initial_weights=str(path))
    second = networks.build(settings, 1, 3, seed=6)
    weights = initial_weights.load(second, settings)
    assert weights.used.startswith(kind.__name__.removeprefix("_as_"))
    for name, tensor in second.features.state_dict().items():
        assert torch.equal(tensor, first.features.state_dict()[name])


def test_that_other_shapes_are_listed(state_dict: dict[str, torch.Tensor], tmp_path: Path):
    path = tmp_path / "odd.pth"
    torch.save({**state_dict, "layer1.0.conv1.weight": torch.zeros(8, 64, 3, 3)}, path)
    _, weights = load(config(initial_weights=str(path)))
    assert weights.other_shape == (
        "features.layer1.0.conv1.weight (8, 64, 3, 3) for (64, 64, 3, 3)",
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"conv": torch.zeros(3, 3)}, "Nothing in weights.pth fits"),
        ({"epoch": 3}, "no state dict"),
        (None, "is missing"),
        (b"no weights", "cannot be read"),
    ],
)
def test_that_weights_that_do_not_fit_are_refused(content: object, message: str, tmp_path: Path):
    path = tmp_path / "weights.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(UsageError, match=message):
        load(config(initial_weights=str(path)))


def test_that_imagenet_offline_names_the_two_other_ways(monkeypatch: pytest.MonkeyPatch):
    def offline(*_args: object, **_options: object) -> None:
        raise urllib.error.URLError("Temporary failure in name resolution")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: "/nonexistent-cache")
    monkeypatch.setattr("os.makedirs", lambda *_args, **_options: None)
    with pytest.raises(UsageError, match=r"offline") as caught:
        load(config(initial_weights="imagenet"))
    assert "ResNet18_Weights.IMAGENET1K_V1" in str(caught.value)
    assert "--initial-weights FILE" in caught.value.hint
    assert "--initial-weights none" in caught.value.hint


def test_that_imagenet_weights_are_downloaded_from_torchvision(
    state_dict: dict[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
):
    urls: list[str] = []

    def download(url: str, **options: object) -> dict[str, torch.Tensor]:
        assert options["check_hash"] is True
        urls.append(url)
        return state_dict

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", download)
    _, weights = load(config(initial_weights="imagenet"))
    assert urls == ["https://download.pytorch.org/models/resnet18-f37072fd.pth"]
    assert "torchvision ResNet18_Weights.IMAGENET1K_V1" in weights.used


def test_that_a_download_with_a_wrong_hash_is_refused(monkeypatch: pytest.MonkeyPatch):
    def download_damaged(url: str, **options: object) -> None:
        raise RuntimeError("invalid hash value")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", download_damaged)
    with pytest.raises(UsageError, match=r"check after the download \(invalid hash value\)"):
        load(config(initial_weights="imagenet"))


def test_that_no_part_of_a_frozen_backbone_may_stay_random(
    state_dict: dict[str, torch.Tensor], tmp_path: Path
):
    path = tmp_path / "part.pth"
    torch.save({k: v for k, v in state_dict.items() if not k.startswith("layer2")}, path)
    _, weights = load(config(initial_weights=str(path)))
    assert "features.layer2.0.conv1.weight" in weights.fresh
    with pytest.raises(UsageError, match="would stay random") as caught:
        load(config(initial_weights=str(path), trainable_layers=5))
    assert "features.layer2.0.conv1.weight" in caught.value.why


def test_that_our_own_network_has_no_imagenet_weights():
    with pytest.raises(UsageError, match="no ImageNet weights for residual"):
        load(config("residual", initial_weights="imagenet"))


def test_that_old_names_of_dense_layers_are_known(tmp_path: Path):
    state = torchvision.models.densenet121(weights=None).state_dict()
    old = {
        name.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): tensor
        for name, tensor in state.items()
    }
    torch.save(old, tmp_path / "old.pth")
    _, weights = load(config("densenet121", initial_weights=str(tmp_path / "old.pth")))
    assert weights.left_out == ("classifier.weight", "classifier.bias")


# --- freezing


def test_that_the_last_layers_learn_and_the_frozen_ones_keep_their_statistics():
    settings = config(trainable_layers=5, initial_weights="imagenet")
    network = networks.build(settings, 1, 2, seed=0)
    assert set_training(network, settings, epoch=0) == 5
    layers = layers_of(network)
    assert [layer.training for layer in layers] == [False] * (len(layers) - 5) + [True] * 5
    before = {k: v.clone() for k, v in network.state_dict().items()}
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    network(films("resnet18", count=4)).sum().backward()
    optimizer.step()
    changed = {k for k, v in network.state_dict().items() if not torch.equal(v, before[k])}
    last = layers[-5:]
    learning = {k for k, m in network.named_modules() if any(m is layer for layer in last)}
    assert {name.rpartition(".")[0] for name in changed} <= learning | {"head.3"}
    assert "head.3.weight" in changed
    assert any(name.startswith("features.") for name in changed)


def test_that_layers_are_unfrozen_gradually_until_all_learn():
    settings = config(
        trainable_layers=0, unfreeze_every=2, unfreeze_layers=20, initial_weights="imagenet"
    )
    network = networks.build(settings, 1, 2, seed=0)
    everything = len(layers_of(network))
    learning = [set_training(network, settings, epoch) for epoch in range(8)]
    assert learning == [0, 0, 20, 20, 40, 40, everything, everything]
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert trainable_layers(config(), 3) is None


def test_that_a_run_with_gradual_unfreezing_resumes_to_the_same_weights_without_its_file(
    tiny_config: TrainingConfig,
    tiny_data: Path,
    state_dict: dict[str, torch.Tensor],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    file = tmp_path / "resnet18.pth"
    torch.save(state_dict, file)
    settings = (
        "network.architecture=resnet18", f"network.initial_weights={file}",
        "network.trainable_layers=0", "network.unfreeze_every=1", "network.unfreeze_layers=20",
        "optim.optimizer=adamax", "optim.schedule=plateau", "optim.plateau_patience=0",
        "data.sampling=classes", "optim.epochs=3", "optim.rate=1e-3",
    )  # fmt: skip
    config = with_overrides(tiny_config, settings)
    films = load_films(config, tiny_data, tmp_path / "cache")
    whole, resumed = new_run(tmp_path, "whole"), new_run(tmp_path, "resumed")
    lines: list[str] = []

    def train(run: RunFolder) -> loop.Progress:
        return loop.train(config, films, run, start_processes(config.run), lines.append)

    train(whole)
    assert [line for line in lines if "layers of the backbone learn" in line] == [
        f"  {count} layers of the backbone learn, the others are frozen" for count in (0, 20, 40)
    ]
    draw = loop.TrainingBatches.batch

    def draw_or_die(
        self: loop.TrainingBatches, epoch: int, step: int, *parallel: object
    ) -> loop.Batch:
        if (epoch, step) == (2, 1):
            raise SystemExit
        return draw(self, epoch, step, *parallel)

    monkeypatch.setattr(loop.TrainingBatches, "batch", draw_or_die)
    with pytest.raises(SystemExit):
        train(resumed)
    monkeypatch.undo()
    file.unlink()
    assert train(resumed).epoch == 3
    ends = [torch.load(run.last, weights_only=True) for run in (whole, resumed)]
    assert ends[0]["progress"]["rate_scale"] == ends[1]["progress"]["rate_scale"]
    for name, tensor in ends[0]["network"].items():
        assert torch.equal(tensor, ends[1]["network"][name])


def test_that_a_frozen_backbone_over_random_weights_is_refused(tiny_config: TrainingConfig):
    with pytest.raises(UsageError, match="frozen over random weights"):
        with_overrides(tiny_config, ["network.trainable_layers=0"])
