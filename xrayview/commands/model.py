"""`xrayview model list|show|describe`: the model bundles there are, and what their cards state."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from xrayview.commands import describe
from xrayview.commands.model_choice import model_folders, trusted_model
from xrayview.commands.options import add_trust_option
from xrayview.commands.terminal import load_settings, print_out, print_rows, start_engine
from xrayview.errors import ExitCode

if TYPE_CHECKING:
    from xrayview.domain.model import ModelCard
    from xrayview.engine.protocol import ModelReady

_DESCRIBE_HELP = "print the whole card and the result of the checks, as text or JSON"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their arguments."""
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    actions.add_parser("list", help="list the model bundles").set_defaults(run=_list)
    show = actions.add_parser("show", help="load a model and print its card in short")
    show.add_argument("model", metavar="BUNDLE", help="a file, or a name from `model list`")
    add_trust_option(show)
    show.set_defaults(run=_show)
    describe.add_arguments(actions.add_parser("describe", help=_DESCRIBE_HELP))


def _list(_options: argparse.Namespace) -> int:
    from xrayview.services.catalogue import list_models

    for entry in list_models(model_folders(load_settings())):
        text = f"{entry.card.name} {entry.card.version}" if entry.card else str(entry.error)
        print_out(f"{entry.name}: {text}{' (bundled)' if entry.shipped else ''}")
    return ExitCode.OK


def _show(options: argparse.Namespace) -> int:
    from xrayview.engine.protocol import LoadModel
    from xrayview.io.model.bundle import read_card, sha256_of
    from xrayview.services.catalogue import find_model

    settings = load_settings()
    path = find_model(options.model, model_folders(settings))
    rows = [("File", str(path)), ("SHA-256", sha256_of(path)), *_card_rows(read_card(path))]
    print_rows(rows)
    model = trusted_model(str(path), settings, options)
    with start_engine(settings) as engine:
        print_rows(_ready_rows(engine.submit(LoadModel(model)).result()))
    return ExitCode.OK


def _card_rows(card: ModelCard) -> list[tuple[str, str]]:
    spec = card.preprocessing
    rows = [
        ("Model", f"{card.name} {card.version}"),
        ("Description", card.description),
        ("Intended use", card.intended_use),
        ("Limitations", card.limitations),
        ("Authors", card.authors),
        ("Licence", card.licence),
        ("Task", f"{card.task}, {card.activation}"),
        ("Input", f"{spec.channels} x {spec.size[0]} x {spec.size[1]}, {spec.source}, {spec.fit}"),
    ]
    for finding in card.findings:
        rows.append(("Finding", finding.name))
        rows += [
            ("", f"{point.name}: threshold {point.threshold:.3g}, {point.chosen_by}")
            for point in card.operating_points
            if point.finding == finding.name
        ]
    return rows


def _ready_rows(ready: ModelReady) -> list[tuple[str, str]]:
    note = f" ({ready.features_note})" if ready.features_note else ""
    return [
        ("Contract", f"kept on {ready.device} ({ready.device_name}), {ready.precision}"),
        *(("Adapted", note) for note in ready.notes),
        ("Heat maps", ", ".join(ready.explain_methods) + note),
    ]
