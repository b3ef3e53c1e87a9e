"""torchvision's architectures, cut before their pooling, with heads of our own."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torchvision
from torch import Tensor, nn

from training.config import NetworkConfig
from training.networks.cut_network import Network


@dataclass(frozen=True)
class Backbone:
    """How a torchvision network is built and where it is cut; a row of BACKBONES."""

    weights: str
    """torchvision's name of the ImageNet weights."""
    trunk: Callable[[nn.Module], OrderedDict[str, nn.Module]]
    """Returns the layers up to the last convolutional map."""
    width: int
    """Channels of that map."""
    stride: int = 32
    """Input pixels per cell of that map."""
    min_side: int = 32
    """Smallest side of the input, in pixels."""


def _resnet_trunk(model: nn.Module) -> OrderedDict[str, nn.Module]:
    return OrderedDict((k, m) for k, m in model.named_children() if k not in {"avgpool", "fc"})


def _features_trunk(model: nn.Module) -> OrderedDict[str, nn.Module]:
    return OrderedDict(model.get_submodule("features").named_children())


def _vgg_trunk(model: nn.Module) -> OrderedDict[str, nn.Module]:
    layers = _features_trunk(model)
    # Without the last max pooling the map has four times the cells, and the head pools anyway.
    layers.popitem()
    return layers


def _densenet_trunk(model: nn.Module) -> OrderedDict[str, nn.Module]:
    layers = _features_trunk(model)
    layers["relu"] = nn.ReLU()  # torchvision applies it as a function
    return layers


def _inception_trunk(model: nn.Module) -> OrderedDict[str, nn.Module]:
    ends = {"AuxLogits", "avgpool", "dropout", "fc"}
    return OrderedDict((k, m) for k, m in model.named_children() if k not in ends)


BACKBONES: dict[str, Backbone] = {
    "resnet18": Backbone("ResNet18_Weights.IMAGENET1K_V1", _resnet_trunk, 512),
    "resnet50": Backbone("ResNet50_Weights.IMAGENET1K_V2", _resnet_trunk, 2048),
    "vgg16": Backbone("VGG16_Weights.IMAGENET1K_V1", _vgg_trunk, 512, stride=16),
    "inception_v3": Backbone(
        "Inception_V3_Weights.IMAGENET1K_V1", _inception_trunk, 2048, min_side=75
    ),
    "efficientnet_b0": Backbone("EfficientNet_B0_Weights.IMAGENET1K_V1", _features_trunk, 1280),
    "densenet121": Backbone("DenseNet121_Weights.IMAGENET1K_V1", _densenet_trunk, 1024),
}


class WithAuxiliary(Network):
    """inception_v3 with its auxiliary head, which takes the map after Mixed_6e.

    Szegedy et al., Rethinking the Inception Architecture, CVPR 2016.
    """

    def __init__(
        self, features: nn.Sequential, head: nn.Module, stride: int, auxiliary: nn.Module
    ) -> None:
        super().__init__(features, head, stride)
        self.auxiliary = auxiliary

    def forward(self, x_BCHW: Tensor) -> Tensor | tuple[Tensor, Tensor]:  # type: ignore[override]
        """Return logits_BK; in training also those of the auxiliary head."""
        if not self.training:
            return super().forward(x_BCHW)
        auxiliary_BK = None
        for name, layer in self.features.named_children():
            x_BCHW = layer(x_BCHW)
            if name == "Mixed_6e":
                auxiliary_BK = self.auxiliary(x_BCHW)
        assert auxiliary_BK is not None
        return self.forward_head(x_BCHW), auxiliary_BK


def from_torchvision(config: NetworkConfig, channels: int, outputs: int) -> Network:
    """Build the architecture with random weights, `channels` inputs and `outputs` logits."""
    backbone = BACKBONES[config.architecture]
    # torchvision's own initialisation of inception_v3 takes minutes.
    options = {"init_weights": False} if config.architecture == "inception_v3" else {}
    model = torchvision.models.get_model(config.architecture, weights=None, **options)
    trunk = nn.Sequential(backbone.trunk(model))
    if channels != 3:
        replace_first_convolution(trunk, channels)
    head = make_head(config, backbone.width, outputs)
    if config.architecture == "inception_v3" and config.auxiliary:
        auxiliary = model.AuxLogits
        auxiliary.fc = nn.Linear(auxiliary.fc.in_features, outputs)
        return WithAuxiliary(trunk, head, backbone.stride, auxiliary)
    return Network(trunk, head, backbone.stride)


def replace_first_convolution(trunk: nn.Module, channels: int) -> None:
    """Replace the first convolution by one for `channels` input channels."""
    name, old = next((n, m) for n, m in trunk.named_modules() if isinstance(m, nn.Conv2d))
    new = nn.Conv2d(
        channels,
        old.out_channels,
        old.kernel_size,  # type: ignore[arg-type]
        old.stride,  # type: ignore[arg-type]
        old.padding,  # type: ignore[arg-type]
        bias=old.bias is not None,
    )
    trunk.set_submodule(name, new)


def make_head(config: NetworkConfig, width: int, outputs: int) -> nn.Sequential:
    """Build global average pooling, optional batch norm, hidden layers with dropout, logits."""
    layers: list[nn.Module] = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    if config.head_norm:
        layers.append(nn.BatchNorm1d(width))
    for hidden in config.head:
        layers += [nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(config.dropout)]
        width = hidden
    if not config.head:
        layers.append(nn.Dropout(config.dropout))
    return nn.Sequential(*layers, nn.Linear(width, outputs))
