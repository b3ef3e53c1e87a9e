"""A card beside a TorchScript file from elsewhere, from what its user knows of it."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xrayview.commands.terminal import positive
from xrayview.errors import UsageError

if TYPE_CHECKING:
    from xrayview.domain.model import ModelCard
    from xrayview.services.model_import import Scale

NAMES_OF_SCALES = ("plain", "imagenet", "torchxrayvision", "film")
"""The names in `model_import.SCALES`, repeated because that module imports numpy."""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Options that say what a card would."""
    of_card = parser.add_argument_group(
        "a file without a card",
        "--finding writes NAME.card.json beside it; none is overwritten, and with --trust-model "
        "none is written that the network does not keep",
    )
    add = of_card.add_argument
    add("--finding", action="append", default=[], metavar="NAME", help="in order of the outputs")
    add(
        "--normal", action="append", default=[], metavar="NAME", help="a finding that is no illness"
    )
    add(
        "--size",
        type=positive,
        nargs="+",
        metavar="N",
        help="of the input: a side, or height and width",
    )
    add("--channels", type=int, choices=(1, 3), help="default: as the scale has them, else 1")
    add(
        "--activation",
        choices=("sigmoid", "softmax"),
        default="sigmoid",
        help="what makes scores of its logits (default: %(default)s)",
    )
    add(
        "--outputs",
        choices=("logits", "probabilities"),
        default="logits",
        help="what it gives; probabilities are turned back into logits (default: %(default)s)",
    )
    add("--scale", choices=NAMES_OF_SCALES, default="plain",
        help="of the greys that it takes (default: %(default)s, 0 to 1)")  # fmt: skip
    add("--mean", type=float, nargs="+", help="is taken from the greys, in place of the scale's")
    add("--std", type=float, nargs="+", help="divides them then")
    add(
        "--value-range",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="of the greys before that",
    )
    add("--fit", choices=("letterbox", "stretch", "center_crop"), default="letterbox",
        help="default: %(default)s")  # fmt: skip


def card_said(path: Path, options: argparse.Namespace) -> ModelCard:
    """The card that the options describe, for a file without one.

    Raises:
        UsageError: a card is there already, or the options say too little.
        ModelError: the options make no valid card; every problem is named.
    """
    from xrayview.domain.model import Finding
    from xrayview.services.model_import import Answers, card_of, require_no_card

    require_no_card(path)
    if not options.size or len(options.size) > 2:
        raise UsageError(
            "The size of the input is missing",
            path=path,
            hint="Add --size 224, or height and width.",
        )
    if unknown := set(options.normal) - set(options.finding):
        raise UsageError("--normal names no --finding", path=path, why=", ".join(sorted(unknown)))
    scale = _scale(options)
    answers = Answers(
        tuple(Finding(name, abnormal=name not in options.normal) for name in options.finding),
        (options.size[0], options.size[-1]),
        options.channels or scale.channels or 1,
        options.activation,
        options.outputs,
        scale,
        options.fit,
    )
    return card_of(path, answers)


def _scale(options: argparse.Namespace) -> Scale:
    """The named scale, with the figures that are given in place of its own."""
    from xrayview.services.model_import import SCALES

    own: dict[str, Any] = {
        name: tuple(getattr(options, name))
        for name in ("mean", "std", "value_range")
        if getattr(options, name) is not None
    }
    return replace(SCALES[options.scale], **own)
