"""`xrayview model describe`: a bundle's card, its training statistics, and its contract checks."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xrayview.commands import card_options
from xrayview.commands.model_choice import model_folders
from xrayview.commands.options import add_trust_option
from xrayview.commands.terminal import (
    load_settings,
    print_err,
    print_out,
    print_rows,
    start_engine,
)
from xrayview.errors import ExitCode, ModelError, ModelNotTrusted

if TYPE_CHECKING:
    from xrayview.domain.model import ModelCard
    from xrayview.inference.ood_score import TrainingStatistics
    from xrayview.services.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `model describe`."""
    parser.add_argument("model", metavar="BUNDLE", help="a file, or a name from `model list`")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_trust_option(parser)
    card_options.add_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Describe a model; one that is not trusted is not run. Returns the exit code."""
    from xrayview.inference.gate_file import read_statistics
    from xrayview.io.model.bundle import card_to_json, read_card, sha256_of, sidecar_of
    from xrayview.services.catalogue import find_model
    from xrayview.services.model_import import with_notes, write_card

    settings = load_settings()
    path = find_model(options.model, model_folders(settings))
    new_card = card_options.card_from_options(path, options) if options.finding else None
    card = new_card or read_card(path)
    statistics = read_statistics(path)
    contract, is_broken, notes = _check_contract(path, new_card, settings, options)
    if new_card is not None:
        card = with_notes(card, notes)
        sidecar = sidecar_of(path)
        print_err(f"Not written: {sidecar}" if is_broken else f"Written: {write_card(path, card)}")
    description = {
        "file": str(path),
        "sha256": sha256_of(path),
        "gate": _gate(statistics),
        "contract": contract,
        "card": card_to_json(card),
    }
    if options.json:
        for line in json.dumps(description, indent=2).split("\n"):
            print_out(line)
    else:
        print_rows(_rows(description))
    return ExitCode.MODEL if is_broken else ExitCode.OK


def _check_contract(
    path: Path, card: ModelCard | None, settings: Settings, options: argparse.Namespace
) -> tuple[str, bool, tuple[str, ...]]:
    """The result of loading the model, whether it breaks its contract, and what is adapted."""
    from xrayview.engine.protocol import LoadModel
    from xrayview.services.catalogue import model_ref, trust_model

    if options.trust_model:
        trust_model(path)
    try:
        model = model_ref(path)
    except ModelNotTrusted:
        return "not tried: this model is not trusted; to run it, add --trust-model", False, ()
    try:
        with start_engine(settings) as engine:
            ready = engine.submit(LoadModel(model, card)).result()
    except ModelError as error:
        return f"broken: {error}", True, ()
    methods = ", ".join(ready.explain_methods)
    device = f"{ready.device} ({ready.device_name}), {ready.precision}"
    note = f" ({ready.features_note})" if ready.features_note else ""
    adapted = f"; adapted: {'; '.join(ready.notes)}" if ready.notes else ""
    return f"kept on {device}{adapted}; heat maps: {methods}{note}", False, ready.notes


def _gate(statistics: TrainingStatistics | None) -> dict[str, Any]:
    if statistics is None:
        return {"checks_likeness": False}
    return {
        "checks_likeness": True,
        "near": statistics.near,
        "far": statistics.far,
        "median": statistics.distance_at(50),
        "training_films": statistics.training_films,
        "validation_films": statistics.validation_films,
    }


def _rows(description: dict[str, Any]) -> Iterator[tuple[str, str]]:
    card = description["card"]
    yield "File", description["file"]
    yield "SHA-256", description["sha256"]
    yield "Model", f"{card['name']} {card['version']}"
    yield "Description", card["description"]
    yield "Intended use", card["intended_use"]
    yield "Films", _scope_text(card["scope"])
    yield "Limitations", card["limitations"]
    yield "Findings", ", ".join(finding["name"] for finding in card["findings"])
    yield "Outputs", _outputs_text(card["inference"]["outputs"])
    for point in card["operating_points"]:
        yield "Point", _point_text(point)
    for split, metrics in card["metrics"].items():
        yield "Measured", f"{split}: {_metrics_text(metrics)}"
    yield "Gate", _gate_text(description["gate"])
    yield "Contract", description["contract"]


def _outputs_text(outputs: str) -> str:
    return "" if outputs == "logits" else f"{outputs}, converted to logits"


def _scope_text(scope: dict[str, Any]) -> str:
    from xrayview.domain.model import Scope
    from xrayview.domain.population import population_text

    stated = population_text(Scope(**{name: tuple(value) for name, value in scope.items()}))
    return stated or "not stated in the card"


def _point_text(point: dict[str, Any]) -> str:
    threshold = f"{point['finding']}, {point['name']}: score >= {point['threshold']:.3f}"
    return f"{threshold}, {point['chosen_by']}"


def _metrics_text(metrics: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {metric['value']:.3f}"
        for name, metric in metrics.items()
        if metric.get("value") is not None
    )


def _gate_text(gate: dict[str, Any]) -> str:
    if not gate["checks_likeness"]:
        return "the distance from the training films is not checked: the model has no statistics"
    return (
        f"caution beyond distance {gate['near']:.2f} from the training films, out of scope beyond "
        f"{gate['far']:.2f}; half of the {gate['validation_films']} validation films lie within "
        f"{gate['median']:.2f} of the {gate['training_films']} training films"
    )
