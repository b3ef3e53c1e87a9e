"""Options that describe a model without a card, from which its card is written."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xrayview.commands.terminal import finite_number, positive_int
from xrayview.domain.input_scales import INPUT_SCALES, InputScale
from xrayview.errors import UsageError

if TYPE_CHECKING:
    from xrayview.domain.model import ModelCard


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    group = parser.add_argument_group(
        "models without a card",
        "With --finding, a card is written to NAME.card.json beside the model. An existing card is "
        "never overwritten. With --trust-model the card is checked against the network first.",
    )
    add = group.add_argument
    add(
        "--finding",
        action="append",
        default=[],
        metavar="NAME",
        help="a finding that the model scores; repeat it in the order of the outputs",
    )
    add(
        "--normal",
        action="append",
        default=[],
        metavar="NAME",
        help="one of the findings that is not abnormal, such as `Normal`",
    )
    add(
        "--size",
        type=positive_int,
        nargs="+",
        metavar="N",
        help="input size in pixels: one side of a square, or height and width",
    )
    add(
        "--channels",
        type=positive_int,
        choices=(1, 3),
        help="input channels (default: those of the scale, otherwise 1)",
    )
    add(
        "--activation",
        choices=("sigmoid", "softmax"),
        default="sigmoid",
        help="how logits become scores (default: %(default)s)",
    )
    add(
        "--outputs",
        choices=("logits", "probabilities"),
        default="logits",
        help="what the network returns; probabilities are converted to logits "
        "(default: %(default)s)",
    )
    add(
        "--scale",
        choices=tuple(INPUT_SCALES),
        default="plain",
        help="scale of the input's grey values; `plain` is 0 to 1 (default: %(default)s)",
    )
    add(
        "--mean",
        type=finite_number,
        nargs="+",
        help="mean to subtract, one value or one per channel (default: that of the scale)",
    )
    add(
        "--std",
        type=finite_number,
        nargs="+",
        help="standard deviation to divide by, likewise (default: that of the scale)",
    )
    add(
        "--value-range",
        type=finite_number,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="grey values before mean and standard deviation apply (default: that of the scale)",
    )
    add(
        "--fit",
        choices=("letterbox", "stretch", "center_crop"),
        default="letterbox",
        help="how a film is fitted to the input size (default: %(default)s)",
    )


def card_from_options(path: Path, options: argparse.Namespace) -> ModelCard:
    """Make the card that the options describe, for a file without one.

    Raises:
        UsageError: the model has a card already, or options are missing.
        ModelError: the options do not make a valid card; `why` names every problem.
    """
    from xrayview.domain.model import Finding
    from xrayview.services.model_import import ModelDescription, make_card, require_no_card

    require_no_card(path)
    if not options.size or len(options.size) > 2:
        raise UsageError(
            "The input size is missing",
            path=path,
            hint="Add --size 224, or height and width as in --size 224 320.",
        )
    if unknown := set(options.normal) - set(options.finding):
        raise UsageError(
            "--normal names something that is not a --finding",
            path=path,
            why=", ".join(sorted(unknown)),
            hint="Name one of the findings.",
        )
    scale = _scale(options)
    description = ModelDescription(
        findings=tuple(
            Finding(name, abnormal=name not in options.normal) for name in options.finding
        ),
        size=(options.size[0], options.size[-1]),
        channels=options.channels or scale.channels or 1,
        activation=options.activation,
        outputs=options.outputs,
        scale=scale,
        fit=options.fit,
    )
    return make_card(path, description)


def _scale(options: argparse.Namespace) -> InputScale:
    """The chosen scale, with the values that were given instead of its own."""
    given: dict[str, Any] = {
        name: tuple(getattr(options, name))
        for name in ("mean", "std", "value_range")
        if getattr(options, name) is not None
    }
    return replace(INPUT_SCALES[options.scale], **given)
