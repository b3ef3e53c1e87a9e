"""Cards for TorchScript files that have none, from what the user states about them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from xrayview.domain.input_scales import InputScale
from xrayview.domain.model import Activation, Finding, ModelCard, Outputs, PreprocessSpec, Task
from xrayview.errors import UsageError
from xrayview.inference.calibration import MIN_PROBABILITY
from xrayview.io.atomic import replacing
from xrayview.io.model.bundle import (
    CARD_NAME,
    card_from_json,
    card_to_json,
    read_code,
    read_extra,
    sidecar_of,
)

Fit = Literal["letterbox", "stretch", "center_crop"]

_DESCRIPTION = "An imported model; its card was written from what the user stated about it."
_LIMITATIONS = "Its training data and performance are unknown; its scores are not calibrated."
_FROM_PROBABILITIES = (
    " Its network returns probabilities. Its last activation is left out where the graph shows it; "
    "otherwise probabilities are converted to logits and kept within "
    f"{MIN_PROBABILITY:g} of 0 and 1, beyond which films cannot be told apart and have no heat map."
)


@dataclass(frozen=True)
class ModelDescription:
    """What the user states about a model without a card."""

    findings: tuple[Finding, ...]
    """In the order of the outputs."""
    size: tuple[int, int]
    scale: InputScale
    fit: Fit
    channels: Literal[1, 3] = 1
    activation: Activation = "sigmoid"
    outputs: Outputs = "logits"
    assumed: tuple[str, ...] = ()
    """What was not stated and is assumed, for the limitations of the card."""


@dataclass(frozen=True)
class Proposal:
    """The input of a network that is recognised by its program."""

    title: str
    scale: str
    """A key of `INPUT_SCALES`."""
    fit: Fit | None = None
    """None: it is not recognised."""
    channels: Literal[1, 3] | None = None
    """None: either."""


_FORWARD = re.compile(
    rb"def forward\(\w+: [^,]+,\s+(\w+): tensor[^)]*\) -> [^\n]*\n((?:.*\n?){1,8})"
)
"""The first lines of a method of the network, in lower case, and the name of its input."""


def _divides_input(code: bytes) -> bool:
    """True for a network without a name that brings its own input from -1024..1024 to -1..1."""
    for name, body in _FORWARD.findall(code):
        converted = re.findall(rb"(\w+) = torch\.to\(" + name + rb",", body)
        names = b"|".join((name, *converted))
        number = re.search(rb"torch\.(div|mul)\((?:" + names + rb"), ([\d.e+-]+)[,)]", body)
        if number and float(number[2]) == (1024.0 if number[1] == b"div" else 1 / 1024):
            return True
    return False


_PROPOSALS: tuple[tuple[Callable[[bytes], object], Proposal], ...] = (
    # Its own datasets are cropped to a square and resized; its networks take -1024 to 1024.
    (re.compile(rb"torchxrayvision|op_threshs").search,
     Proposal("TorchXRayVision", "torchxrayvision", "center_crop", 1)),
    (_divides_input, Proposal("a network that divides its input by 1024", "torchxrayvision")),
)  # fmt: skip
"""What recognises a network by its program in lower case, and what it takes."""


def propose(path: Path) -> Proposal | None:
    """The input that the network in a file probably takes; None where it is not recognised.

    Raises:
        ModelError: the file is not a TorchScript archive.
    """
    code = read_code(path).lower()
    return next((proposal for recognises, proposal in _PROPOSALS if recognises(code)), None)


def make_card(path: Path, description: ModelDescription) -> ModelCard:
    """Make the card of a described model, validated as one that is read from a file.

    Raises:
        ModelError: the description does not make a valid card; `why` names every field at fault.
    """
    several: Task = "multiclass" if description.activation == "softmax" else "multilabel"
    scale = description.scale
    notes = _FROM_PROBABILITIES if description.outputs == "probabilities" else ""
    if description.assumed:
        notes += f" Assumed, because it was not stated: {'; '.join(description.assumed)}."
    card = ModelCard(
        schema=1,
        name=path.stem,
        version="1",
        task="binary" if len(description.findings) == 1 else several,
        activation=description.activation,
        findings=description.findings,
        preprocessing=PreprocessSpec(
            size=description.size,
            channels=description.channels,
            fit=description.fit,
            standardize=scale.standardize,
            mean=scale.mean,
            std=scale.std,
            value_range=scale.value_range,
        ),
        description=_DESCRIPTION,
        limitations=_LIMITATIONS + notes,
        outputs=description.outputs,
    )
    return card_from_json(card_to_json(card), sidecar_of(path))


def with_notes(card: ModelCard, notes: Sequence[str]) -> ModelCard:
    """The card with notes on how its network is run among its limitations."""
    if not notes:
        return card
    return replace(card, limitations=f"{card.limitations} To run the network: {'; '.join(notes)}.")


def require_no_card(path: Path) -> None:
    """Raise an error where the model has a card.

    Raises:
        UsageError: it has one, inside or beside it.
        ModelError: the file does not exist, or is not a TorchScript archive.
    """
    sidecar = sidecar_of(path)
    card = CARD_NAME if read_extra(path, CARD_NAME) else sidecar.name if sidecar.exists() else ""
    if card:
        raise UsageError(
            "The model has a card already",
            path=path,
            why=card,
            hint="Use the model as it is, or remove the card to describe it again.",
        )


def write_card(path: Path, card: ModelCard) -> Path:
    """Write the card beside the model as `NAME.card.json`, and return its path.

    Raises:
        UsageError: the model has a card already, or the folder cannot be written to.
    """
    require_no_card(path)
    sidecar = sidecar_of(path)
    try:
        with replacing(sidecar) as stream:
            stream.write(json.dumps(card_to_json(card), indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise UsageError(
            "The card cannot be written",
            path=sidecar,
            why=error.strerror or type(error).__name__,
            hint="Copy the model to a folder that you can write to, and try again.",
        ) from error
    return sidecar
