"""A card beside a TorchScript file from elsewhere, from what its user knows of it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.commands.terminal import positive, tell
from xrayview.errors import UsageError

if TYPE_CHECKING:
    from xrayview.domain.model import ModelCard

_DESCRIPTION = "A model from elsewhere; its card was written from what its user said of it."
_LIMITATIONS = (
    "What it was trained on and how well it does is not known here; scores are not calibrated."
)


def add_to(parser: argparse.ArgumentParser) -> None:
    """Options that say what a card would."""
    of_card = parser.add_argument_group(
        "a file without a card", "--finding writes NAME.card.json beside it; none is overwritten"
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
    add("--channels", type=int, choices=(1, 3), default=1, help="default: %(default)s")
    add(
        "--activation",
        choices=("sigmoid", "softmax"),
        default="sigmoid",
        help="what makes scores of its logits (default: %(default)s)",
    )
    add("--mean", type=float, nargs="+", default=[0.0], help="is taken from the greys")
    add("--std", type=float, nargs="+", default=[1.0], help="divides them then")
    add(
        "--value-range",
        type=float,
        nargs=2,
        default=[0.0, 1.0],
        metavar=("LOW", "HIGH"),
        help="of the greys before that (default: 0 1)",
    )
    add("--fit", choices=("letterbox", "stretch", "center_crop"), default="letterbox",
        help="default: %(default)s")  # fmt: skip


def write_sidecar(path: Path, options: argparse.Namespace) -> None:
    """Write the card that the options describe beside a file without one.

    Raises:
        UsageError: a card is there already, or the options say too little.
        ModelError: the options make no valid card; every problem is named.
    """
    from xrayview.io.atomic import replacing
    from xrayview.io.bundle import CARD_NAME, card_from_json, card_to_json, read_extra, sidecar_of

    beside = sidecar_of(path)
    there = CARD_NAME if read_extra(path, CARD_NAME) else beside.name if beside.exists() else ""
    if there:
        raise UsageError(
            "The model has a card already", path=path, why=there, hint="Leave --finding away."
        )
    if not options.size or len(options.size) > 2:
        raise UsageError(
            "The size of the input is missing",
            path=path,
            hint="Add --size 224, or height and width.",
        )
    if unknown := set(options.normal) - set(options.finding):
        raise UsageError("--normal names no --finding", path=path, why=", ".join(sorted(unknown)))
    plain = card_to_json(_card(path, options))
    card_from_json(plain, beside)
    with replacing(beside) as stream:
        stream.write(json.dumps(plain, indent=2, ensure_ascii=False) + "\n")
    tell(f"Written: {beside}")


def _card(path: Path, options: argparse.Namespace) -> ModelCard:
    from xrayview.domain.model import Finding, ModelCard, PreprocessSpec

    findings = tuple(Finding(name, abnormal=name not in options.normal) for name in options.finding)
    several = "multiclass" if options.activation == "softmax" else "multilabel"
    return ModelCard(
        schema=1,
        name=path.stem,
        version="1",
        task="binary" if len(findings) == 1 else several,  # type: ignore[arg-type]
        activation=options.activation,
        findings=findings,
        preprocessing=PreprocessSpec(
            size=(options.size[0], options.size[-1]),
            channels=options.channels,
            fit=options.fit,
            mean=tuple(options.mean),
            std=tuple(options.std),
            value_range=(options.value_range[0], options.value_range[1]),
        ),
        description=_DESCRIPTION,
        limitations=_LIMITATIONS,
    )
