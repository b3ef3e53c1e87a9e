"""TorchScript files from elsewhere: a card from what their user says of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xrayview.domain.model import Activation, Finding, ModelCard, Outputs, PreprocessSpec, Task
from xrayview.errors import UsageError
from xrayview.inference.calibration import LEAST_SHARE
from xrayview.io.atomic import replacing
from xrayview.io.model.bundle import CARD_NAME, card_from_json, card_to_json, read_extra, sidecar_of

_DESCRIPTION = "A model from elsewhere; its card was written from what its user said of it."
_LIMITATIONS = (
    "What it was trained on and how well it does is not known here; scores are not calibrated."
)
_TURNED_BACK = (
    " Its network gives probabilities: its last activation is left out where its graph shows it; "
    f"else they are turned back into logits, kept within {LEAST_SHARE:g} of 0 and 1, beyond which "
    "films cannot be told apart and have no heat map."
)


@dataclass(frozen=True)
class Scale:
    """How greys of 0..1 become what a network was trained on."""

    title: str
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    value_range: tuple[float, float] = (0.0, 1.0)
    standardize: Literal["fixed", "film"] = "fixed"
    channels: Literal[1, 3] | None = None
    """What networks of this scale take; None: either."""


SCALES: dict[str, Scale] = {
    "plain": Scale("0 to 1"),
    "imagenet": Scale(
        "ImageNet: its mean and deviation",
        (0.485, 0.456, 0.406),
        (0.229, 0.224, 0.225),
        channels=3,
    ),
    "torchxrayvision": Scale(
        "TorchXRayVision: -1024 to 1024", value_range=(-1024.0, 1024.0), channels=1
    ),
    "film": Scale("Each film by its own mean and deviation", standardize="film"),
}
"""What networks from elsewhere usually take, by the word of the command line."""


@dataclass(frozen=True)
class Answers:
    """What a file without a card does not say of itself."""

    findings: tuple[Finding, ...]
    """In the order of its outputs."""
    size: tuple[int, int]
    channels: Literal[1, 3] = 1
    activation: Activation = "sigmoid"
    outputs: Outputs = "logits"
    scale: Scale = SCALES["plain"]
    fit: Literal["letterbox", "stretch", "center_crop"] = "letterbox"


def card_of(path: Path, answers: Answers) -> ModelCard:
    """The card that the answers make, checked as one from a file.

    Raises:
        ModelError: they make no valid card; `why` names every problem with its place.
    """
    several: Task = "multiclass" if answers.activation == "softmax" else "multilabel"
    scale = answers.scale
    card = ModelCard(
        schema=1,
        name=path.stem,
        version="1",
        task="binary" if len(answers.findings) == 1 else several,
        activation=answers.activation,
        findings=answers.findings,
        preprocessing=PreprocessSpec(
            size=answers.size,
            channels=answers.channels,
            fit=answers.fit,
            standardize=scale.standardize,
            mean=scale.mean,
            std=scale.std,
            value_range=scale.value_range,
        ),
        description=_DESCRIPTION,
        limitations=_LIMITATIONS + (_TURNED_BACK if answers.outputs == "probabilities" else ""),
        outputs=answers.outputs,
    )
    return card_from_json(card_to_json(card), sidecar_of(path))


def require_no_card(path: Path) -> None:
    """Refuse a file that has a card.

    Raises:
        UsageError: it has one, inside or beside it.
        ModelError: no such file, or no TorchScript archive.
    """
    beside = sidecar_of(path)
    there = CARD_NAME if read_extra(path, CARD_NAME) else beside.name if beside.exists() else ""
    if there:
        raise UsageError(
            "The model has a card already",
            path=path,
            why=there,
            hint="It is used as it is; remove it to describe the model anew.",
        )


def write_card(path: Path, card: ModelCard) -> Path:
    """Write the card beside a file without one, as `NAME.card.json`; returns where.

    Raises:
        UsageError: there is a card already, or the folder cannot be written to.
    """
    require_no_card(path)
    beside = sidecar_of(path)
    try:
        with replacing(beside) as stream:
            stream.write(json.dumps(card_to_json(card), indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise UsageError(
            "The card cannot be written",
            path=beside,
            why=error.strerror or type(error).__name__,
            hint="Copy the model to a folder that you can write to.",
        ) from error
    return beside
