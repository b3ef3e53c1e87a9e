"""Every runtime fulfils one contract, and every broken bundle is refused with a reason."""

from __future__ import annotations

import hashlib
import pickle
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.bundles import BROKEN, Tiny, export, network_for, tiny_card, write_bundle
from xrayview.domain.heat_map_methods import available_methods
from xrayview.domain.model import Finding, ModelCard, PreprocessSpec
from xrayview.errors import ContractBroken, DeviceUnavailable, ExitCode, ModelError
from xrayview.inference.calibration import calibrated_scores
from xrayview.inference.explain import explained_direction
from xrayview.inference.loading import load
from xrayview.inference.runtime import Runtime

PAIR = (Finding("Normal", abnormal=False), Finding("Pneumonia"))
THREE = (Finding("A"), Finding("B"), Finding("C"))

CARDS = {
    "one finding": tiny_card(),
    "a pair of one logit each": tiny_card(findings=PAIR, activation="softmax"),
    "three findings": tiny_card(task="multilabel", findings=THREE),
    "three channels, not square": tiny_card(preprocessing=PreprocessSpec((48, 80), channels=3)),
}


class RuntimeContract:
    """What every runtime must do; a subclass has the fixture `runtime`."""

    @pytest.fixture(params=CARDS)
    def card(self, request: pytest.FixtureRequest) -> ModelCard:
        return CARDS[request.param]

    @pytest.fixture
    def x_BCHW(self, card: ModelCard) -> np.ndarray:
        shape = (3, card.preprocessing.channels, *card.preprocessing.size)
        return np.random.default_rng(5).random(shape, np.float32)

    @pytest.fixture
    def direction_K(self, card: ModelCard) -> np.ndarray:
        return np.eye(len(card.findings), dtype=np.float32)[-1]

    def test_that_there_is_one_row_per_film_and_one_logit_per_finding(
        self, runtime: Runtime, card: ModelCard, x_BCHW: np.ndarray
    ) -> None:
        logits = runtime.forward(x_BCHW)
        assert logits.dtype == np.float32
        assert logits.shape == (3, len(card.findings))
        assert np.isfinite(logits).all()

    def test_that_head_and_features_give_the_whole(
        self, runtime: Runtime, x_BCHW: np.ndarray
    ) -> None:
        if not runtime.has_features:
            pytest.skip("this runtime runs the network as one part")
        features = runtime.features(x_BCHW)
        assert features.ndim == 4
        assert features.dtype == np.float32
        np.testing.assert_allclose(runtime.head(features), runtime.forward(x_BCHW), atol=1e-4)

    def test_that_a_film_has_the_same_logits_beside_any_other_films(
        self, runtime: Runtime, x_BCHW: np.ndarray
    ) -> None:
        single, _ = runtime.each_film(x_BCHW[:1])
        many = np.concatenate([np.random.default_rng(1).random(x_BCHW.shape, np.float32)] * 7)
        many[17] = x_BCHW[0]
        for _ in range(3):
            np.testing.assert_array_equal(runtime.each_film(many)[0][17], single[0])
        np.testing.assert_allclose(runtime.forward(x_BCHW[:1]), single, atol=1e-4)

    def test_that_logits_come_with_the_features_they_are_made_of(
        self, runtime: Runtime, x_BCHW: np.ndarray
    ) -> None:
        if not runtime.has_features:
            pytest.skip("this runtime runs the network as one part")
        logits, features = runtime.each_film(x_BCHW, with_features=True)
        assert features is not None
        np.testing.assert_allclose(features, runtime.features(x_BCHW), atol=1e-4)
        np.testing.assert_allclose(logits, runtime.head(features), atol=1e-4)

    def test_that_the_input_is_not_modified_and_may_be_read_only(
        self, runtime: Runtime, x_BCHW: np.ndarray
    ) -> None:
        before = x_BCHW.copy()
        x_BCHW.flags.writeable = False
        runtime.forward(x_BCHW)
        np.testing.assert_array_equal(x_BCHW, before)

    def test_that_a_mirrored_view_gives_what_its_copy_gives(
        self, runtime: Runtime, x_BCHW: np.ndarray
    ) -> None:
        mirrored = x_BCHW[..., ::-1]
        np.testing.assert_array_equal(runtime.forward(mirrored), runtime.forward(mirrored.copy()))

    def test_that_gradients_match_small_steps(
        self, runtime: Runtime, x_BCHW: np.ndarray, direction_K: np.ndarray
    ) -> None:
        if not runtime.has_gradient:
            pytest.skip("this runtime computes no gradients")
        features = runtime.features(x_BCHW)
        for gradient_of, value_of, array in (
            (runtime.input_gradient, runtime.forward, x_BCHW),
            (runtime.feature_gradient, runtime.head, features),
        ):
            gradient = gradient_of(array, direction_K)
            assert gradient.shape == array.shape
            step = np.float32(0.01) * np.sign(gradient)
            change = ((value_of(array + step) - value_of(array)) @ direction_K).sum()
            assert change == pytest.approx((gradient * step).sum(), rel=0.02, abs=1e-4)

    def test_that_it_offers_the_heat_map_methods_it_can_do_in_order(self, runtime: Runtime) -> None:
        assert runtime.explain_methods == available_methods(
            has_features=runtime.has_features, has_gradient=runtime.has_gradient
        )

    def test_that_it_states_its_hash_device_and_precision(self, runtime: Runtime) -> None:
        assert len(runtime.sha256) == 64
        assert runtime.device == "cpu"
        assert runtime.device_name
        assert runtime.precision == "float32"


class TestTorchScript(RuntimeContract):
    @pytest.fixture
    def runtime(self, card: ModelCard, tmp_path: Path) -> Runtime:
        return load(export(network_for(card), tmp_path / "m.pt", card), card, "cpu")


class TestSplitTorchScript(TestTorchScript):
    """A file with only `forward` works like one with all three methods."""

    @pytest.fixture
    def runtime(self, card: ModelCard, tmp_path: Path) -> Runtime:
        path = export(network_for(card), tmp_path / "m.pt", card, methods=("forward",))
        return load(path, card, "cpu")


class TestProbabilities(TestTorchScript):
    """So does one that returns probabilities, where its card states it."""

    @pytest.fixture
    def runtime(self, card: ModelCard, tmp_path: Path) -> Runtime:
        card = replace(card, outputs="probabilities")
        kind = {"sigmoid": BROKEN["sigmoid"][0], "softmax": BROKEN["softmax"][0]}[card.activation]
        return load(export(network_for(card, kind), tmp_path / "m.pt", card), card, "cpu")

    @pytest.fixture
    def direction_K(self, card: ModelCard) -> np.ndarray:
        # The logarithm of a probability is not a logit, but the explained quantity is.
        findings = len(card.findings)
        return explained_direction(card, findings - 1, findings)


class TestOpenVino(TestTorchScript):
    """Scores from OpenVINO, gradients from torch, equal logits."""

    @pytest.fixture
    def runtime(self, card: ModelCard, tmp_path: Path) -> Runtime:
        pytest.importorskip("openvino")
        path = export(network_for(card), tmp_path / "m.pt", card)
        runtime = load(path, card, "cpu", runtime="openvino")
        assert runtime.name == "openvino"
        return runtime


class TestSplitOpenVino(TestOpenVino):
    """A file with only `forward`."""

    @pytest.fixture
    def runtime(self, card: ModelCard, tmp_path: Path) -> Runtime:
        pytest.importorskip("openvino")
        path = export(network_for(card), tmp_path / "m.pt", card, methods=("forward",))
        return load(path, card, "cpu", runtime="openvino")


class TestOpenVinoProbabilities(TestProbabilities):
    @pytest.fixture
    def runtime(self, card: ModelCard, tmp_path: Path) -> Runtime:
        pytest.importorskip("openvino")
        card = replace(card, outputs="probabilities")
        kind = {"sigmoid": BROKEN["sigmoid"][0], "softmax": BROKEN["softmax"][0]}[card.activation]
        path = export(network_for(card, kind), tmp_path / "m.pt", card)
        return load(path, card, "cpu", runtime="openvino")


class ResNet(nn.Module):
    """torchvision's network split before its pooling."""

    def __init__(self) -> None:
        super().__init__()
        from torchvision.models import resnet18

        self.net = resnet18(weights=None, num_classes=3)

    def forward(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return self.forward_head(self.forward_features(x_BCHW))

    def forward_features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        net = self.net
        stem = net.maxpool(net.relu(net.bn1(net.conv1(x_BCHW))))
        return net.layer4(net.layer3(net.layer2(net.layer1(stem))))

    def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        return self.net.fc(self.net.avgpool(features_BDhw).flatten(1))


def test_that_a_traced_torchvision_network_passes_the_checks(tmp_path: Path) -> None:
    card = tiny_card(
        task="multilabel", findings=THREE, preprocessing=PreprocessSpec((64, 64), channels=3)
    )
    torch.manual_seed(1)
    runtime = load(export(ResNet().eval(), tmp_path / "resnet.pt", card), card, "cpu")
    assert runtime.features(np.zeros((2, 3, 64, 64), np.float32)).shape == (2, 512, 2, 2)


@pytest.mark.parametrize("name", BROKEN)
def test_that_a_broken_bundle_is_refused_with_its_reason(tmp_path: Path, name: str) -> None:
    kind, text = BROKEN[name]
    card = CARDS["three findings"] if name == "softmax" else CARDS["one finding"]
    path = export(network_for(card, kind), tmp_path / "broken.pt", card)
    with pytest.raises(ModelError) as caught:
        load(path, card, "cpu")
    assert text in caught.value.why
    assert caught.value.path == path
    assert caught.value.hint
    assert caught.value.exit_code == ExitCode.MODEL


def test_that_nearly_constant_logits_are_not_mistaken_for_probabilities(tmp_path: Path) -> None:
    class Hardly(Tiny):
        """As after a few training steps from random weights."""

        def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
            return 0.358 + 1e-7 * super().forward_head(features_BDhw)

    card = tiny_card()
    path = export(network_for(card, Hardly), tmp_path / "hardly.pt", card)
    load(path, card, "cpu")


def test_that_a_softmax_of_one_output_is_refused(tmp_path: Path) -> None:
    path = export(network_for(tiny_card(), BROKEN["softmax"][0]), tmp_path / "m.pt", tiny_card())
    with pytest.raises(ContractBroken, match="softmax of one output is always 1"):
        load(path, tiny_card(), "cpu")


def test_that_a_network_that_reacts_only_to_films_is_accepted(tmp_path: Path) -> None:
    class DeafToNoise(Tiny):
        """Its output changes only where a whole half of the film is white."""

        def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
            left = features_BDhw[:, :1, :, :4].amin((2, 3))
            right = features_BDhw[:, 1:, :, 4:].amin((2, 3))
            return ((left * right).sign() - 0.5) * (features_BDhw.amax((1, 2, 3))[:, None] <= 0.5)

    card = tiny_card()
    assert load(export(network_for(card, DeafToNoise), tmp_path / "m.pt", card), card, "cpu")


@pytest.mark.parametrize(
    ("given", "stated", "text", "field"),
    [
        (BROKEN["softmax"][0], "sigmoid", "add up to one", "activation"),
        (BROKEN["sigmoid"][0], "softmax", "do not add up to one", "activation"),
        (Tiny, "sigmoid", "are not probabilities", "inference.outputs"),
    ],
)
def test_that_outputs_that_contradict_the_card_are_refused(
    given: type[Tiny], stated: str, text: str, field: str, tmp_path: Path
) -> None:
    task = {"sigmoid": "multilabel", "softmax": "multiclass"}[stated]
    card = tiny_card(task=task, activation=stated, findings=THREE, outputs="probabilities")
    path = export(network_for(card, given), tmp_path / "m.pt", card)
    with pytest.raises(ContractBroken, match=text) as caught:
        load(path, card, "cpu")
    assert caught.value.field == field
    assert caught.value.path == path


class LogSoftmax(Tiny):
    def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        return super().forward_head(features_BDhw).log_softmax(1)


def test_that_a_log_softmax_passes_as_logits_for_softmax_but_not_for_sigmoid(
    tmp_path: Path,
) -> None:
    card = CARDS["a pair of one logit each"]
    path = export(network_for(card, LogSoftmax), tmp_path / "m.pt", card)
    film = np.full((1, 1, 64, 64), 0.6, np.float32)
    plain = load(export(network_for(card), tmp_path / "plain.pt", card), card, "cpu")
    scores = [
        calibrated_scores(runtime.forward(film), card)
        for runtime in (plain, load(path, card, "cpu"))
    ]
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-6)
    with pytest.raises(ContractBroken, match="log-softmax") as caught:
        load(path, replace(card, task="multilabel", activation="sigmoid"), "cpu")
    assert caught.value.field == "activation"


class LoudSigmoid(Tiny):
    """The probability of a white film is exactly 1; its logit is 100."""

    def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        return (10 * super().forward_head(features_BDhw)).sigmoid()


class LoudComplement(Tiny):
    """The same, with a graph that does not end in the sigmoid."""

    def forward_head(self, features_BDhw: torch.Tensor) -> torch.Tensor:
        return 1 - (-10 * super().forward_head(features_BDhw)).sigmoid()


@pytest.mark.parametrize(("kind", "logit"), [(LoudSigmoid, 100.0), (LoudComplement, 16.118)])
def test_that_a_final_activation_is_left_out_and_other_probabilities_are_clamped(
    kind: type[Tiny], logit: float, tmp_path: Path
) -> None:
    card = tiny_card(outputs="probabilities")
    path = export(network_for(card, kind), tmp_path / "m.pt", card, methods=("forward",))
    runtime = load(path, card, "cpu")
    white, black = np.ones((1, 1, 64, 64), np.float32), np.zeros((1, 1, 64, 64), np.float32)
    assert runtime.forward(white)[0, 0] == pytest.approx(logit, abs=1e-3)
    assert runtime.forward(black)[0, 0] == pytest.approx(-logit, abs=1e-3)
    gradient = runtime.input_gradient(white, np.ones(1, np.float32))
    assert (np.abs(gradient).max() > 0) == (kind is LoudSigmoid)


def test_that_a_network_for_other_channels_is_refused(tmp_path: Path) -> None:
    path = write_bundle(tmp_path / "grey.pt")
    colour = CARDS["three channels, not square"]
    with pytest.raises(ContractBroken, match=r"takes inputs with 1 channel") as caught:
        load(path, colour, "cpu")
    assert caught.value.field == "preprocessing.channels"


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("one logit too many", "findings"),
        ("view(-1, N)", "preprocessing.size"),
        ("another input size", "preprocessing.size"),
        ("sigmoid", "inference.outputs"),
        ("active dropout", ""),
    ],
)
def test_that_a_refusal_names_the_field_of_the_card(tmp_path: Path, name: str, field: str) -> None:
    card = tiny_card()
    path = export(network_for(card, BROKEN[name][0]), tmp_path / "broken.pt", card)
    with pytest.raises(ContractBroken) as caught:
        load(path, card, "cpu")
    assert pickle.loads(pickle.dumps(caught.value)).field == field


def test_that_a_pair_may_have_one_logit_with_sigmoid_but_not_with_softmax(tmp_path: Path) -> None:
    card = tiny_card(findings=PAIR)
    path = export(Tiny(1, 1), tmp_path / "one.pt", card)
    assert load(path, card, "cpu").forward(np.zeros((2, 1, 64, 64), np.float32)).shape == (2, 1)
    with pytest.raises(ModelError, match=r"require \(1, 2\)"):
        load(path, replace(card, activation="softmax"), "cpu")


def test_that_only_the_trusted_bytes_are_loaded(tmp_path: Path) -> None:
    path = write_bundle(tmp_path / "m.pt")
    trusted = hashlib.sha256(path.read_bytes()).hexdigest()
    assert load(path, tiny_card(), "cpu", sha256=trusted).sha256 == trusted
    write_bundle(path, description="another")
    with pytest.raises(ModelError, match="not the one that was trusted") as caught:
        load(path, tiny_card(), "cpu", sha256=trusted)
    assert trusted[:12] in caught.value.why
    assert caught.value.hint


def test_that_a_missing_model_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.pt.*cannot be read"):
        load(tmp_path / "none.pt", tiny_card(), "cpu")


def test_that_a_file_that_is_not_a_model_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "text.pt"
    for content in (b"", b"not a model", write_bundle(tmp_path / "m.pt").read_bytes()[:-200]):
        path.write_bytes(content)
        with pytest.raises(ModelError, match=r"text\.pt.*not a TorchScript model") as caught:
            load(path, tiny_card(), "cpu")
        assert caught.value.hint


def test_that_loading_shows_no_deprecation_warning(tmp_path: Path) -> None:
    path = write_bundle(tmp_path / "m.pt")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(path, tiny_card(), "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_that_a_missing_cuda_device_is_refused_and_auto_uses_the_cpu(tmp_path: Path) -> None:
    path = write_bundle(tmp_path / "m.pt")
    assert load(path, tiny_card(), "auto").device == "cpu"
    with pytest.raises(DeviceUnavailable, match="CUDA") as caught:
        load(path, tiny_card(), "cuda")
    assert caught.value.hint
    assert caught.value.exit_code == ExitCode.DEVICE


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_that_cuda_gives_the_same_logits_as_the_cpu(tmp_path: Path) -> None:
    card: Any = tiny_card(
        task="multilabel", findings=THREE, preprocessing=PreprocessSpec((64, 64), channels=3)
    )
    torch.manual_seed(1)
    path = export(ResNet().eval(), tmp_path / "resnet.pt", card)
    x = np.random.default_rng(2).random((5, 3, 64, 64), np.float32)
    on_cuda = load(path, card, "auto")
    assert on_cuda.device == "cuda:0"
    np.testing.assert_allclose(
        on_cuda.forward(x), load(path, card, "cpu").forward(x), rtol=1e-4, atol=1e-4
    )
