"""Options that describe a model without a card, from which its card is written."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xrayview.commands.terminal import finite_number, positive_int, print_err
from xrayview.domain.input_scales import INPUT_SCALES, InputScale
from xrayview.errors import UsageError

if TYPE_CHECKING:
    from xrayview.domain.model import ModelCard
    from xrayview.services.model_import import Proposal


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
        help="scale of the input's grey values in training; `plain` is 0 to 1. Without it, the "
        "scale is assumed, and the card says so",
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
        help="how films were fitted to the input size in training. Without it, the fit is "
        "assumed, and the card says so",
    )


def card_from_options(path: Path, options: argparse.Namespace) -> ModelCard:
    """Make the card that the options describe, for a file without one.

    Raises:
        UsageError: the model has a card already, or options are missing.
        ModelError: the options do not make a valid card; `why` names every problem.
    """
    from xrayview.domain.model import Finding
    from xrayview.services.model_import import (
        ModelDescription,
        make_card,
        propose,
        require_no_card,
    )

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
    assumed = _assume(path, options, propose(path))
    scale = _scale(options)
    description = ModelDescription(
        findings=tuple(
            Finding(name, abnormal=name not in options.normal) for name in options.finding
        ),
        size=(options.size[0], options.size[-1]),
        scale=scale,
        fit=options.fit,
        channels=options.channels or scale.channels or 1,
        activation=options.activation,
        outputs=options.outputs,
        assumed=assumed,
    )
    return make_card(path, description)


def _assume(path: Path, options: argparse.Namespace, proposal: Proposal | None) -> tuple[str, ...]:
    """Fill in the scale and the fit where they are not given, and return what was assumed."""
    own_numbers = any(getattr(options, name) is not None for name in ("mean", "std", "value_range"))
    assumed = []
    if options.scale is None:
        options.scale = proposal.scale if proposal and not own_numbers else "plain"
        if not own_numbers:
            assumed.append(f"scale {options.scale} ({INPUT_SCALES[options.scale].title})")
    if options.fit is None:
        options.fit = (proposal.fit if proposal else None) or "letterbox"
        assumed.append(f"fit {options.fit}")
    if proposal:
        print_err(
            f"{path.name} looks like {proposal.title}, which takes --scale {proposal.scale}"
            + (f" --fit {proposal.fit}" if proposal.fit else "")
            + (f" --channels {proposal.channels}" if proposal.channels else "")
        )
    if assumed:
        print_err(
            f"Assumed: {'; '.join(assumed)}. If the network was trained otherwise, its scores are "
            "wrong without an error: state --scale and --fit as in its training."
        )
    return tuple(assumed)


def _scale(options: argparse.Namespace) -> InputScale:
    """The chosen scale, with the values that were given instead of its own."""
    given: dict[str, Any] = {
        name: tuple(getattr(options, name))
        for name in ("mean", "std", "value_range")
        if getattr(options, name) is not None
    }
    return replace(INPUT_SCALES[options.scale], **given)
