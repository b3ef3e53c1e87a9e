"""What published checkpoints have in common: names of their heads and input normalisations.

No torch in here: the command line shows these tables in its help.
"""

from __future__ import annotations

HEADS: dict[str, str] = {
    "densenet121": r"classifier(\.0)?",
    "resnet18": "fc",
    "resnet50": "fc",
    "efficientnet_b0": r"classifier\.1",
}
"""Architecture -> regular expression for the name of its single linear layer."""

INPUTS: dict[str, dict[int, tuple[tuple[float, ...], tuple[float, ...]]]] = {
    "imagenet": {3: ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))},
    "torchxrayvision": {1: ((0.5,), (1 / 2048,))},
    "plain": {1: ((0.0,), (1.0,)), 3: ((0.0,) * 3, (1.0,) * 3)},
}
"""Name -> number of channels -> mean and standard deviation of grey in 0..1.

TorchXRayVision's networks take -1024..1024.
"""
