"""`xrayview model describe`: a bundle in words, its gate and whether it keeps its contract."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xrayview.commands import sidecar
from xrayview.commands.terminal import say, start, start_engine, tell
from xrayview.errors import ExitCode, ModelError, ModelNotTrusted

if TYPE_CHECKING:
    from xrayview.domain.model import ModelCard


def add_to(parser: argparse.ArgumentParser) -> None:
    """Options of `model describe`."""
    parser.add_argument("model", metavar="BUNDLE", help="a file, or a name from `model list`")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--trust-model", action="store_true", help="let it run: it is a program")
    sidecar.add_to(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the card, the hash, the gate and the probe; a model that is not trusted is not run."""
    from xrayview.inference.gate_file import read_statistics
    from xrayview.io.model.bundle import card_to_json, read_card, sha256_of, sidecar_of
    from xrayview.services.catalogue import find_model
    from xrayview.services.model_import import write_card

    settings = start()
    path = find_model(options.model, tuple(Path(f) for f in settings["model_folders"]))
    said = sidecar.card_said(path, options) if options.finding else None
    card = said or read_card(path)
    statistics = read_statistics(path)
    gate: dict[str, Any] = {"checks_likeness": statistics is not None}
    if statistics is not None:
        gate |= {
            "near": statistics.near,
            "far": statistics.far,
            "median": statistics.at_percentile(50),
            "training_films": statistics.training_films,
            "validation_films": statistics.validation_films,
        }
    probe, failed = _probe(path, said, settings, options)
    if said is not None:
        tell(f"Not written: {sidecar_of(path)}" if failed else f"Written: {write_card(path, said)}")
    found = {
        "file": str(path),
        "sha256": sha256_of(path),
        "gate": gate,
        "contract": probe,
        "card": card_to_json(card),
    }
    for line in json.dumps(found, indent=2).split("\n") if options.json else _lines(found):
        say(line)
    return ExitCode.MODEL if failed else ExitCode.OK


def _probe(
    path: Path, card: ModelCard | None, settings: Any, options: argparse.Namespace
) -> tuple[str, bool]:
    from xrayview.engine.protocol import LoadModel
    from xrayview.services.catalogue import model_ref, trust_model

    if options.trust_model:
        trust_model(path)
    try:
        model = model_ref(path)
    except ModelNotTrusted:
        return "not tried: a model is a program, and this one is not trusted (--trust-model)", False
    try:
        with start_engine(settings) as engine:
            ready = engine.submit(LoadModel(model, card)).result()
    except ModelError as error:
        return f"broken: {error}", True
    methods = ", ".join(ready.explain_methods)
    where = f"{ready.device} ({ready.device_name}), {ready.precision}"
    note = f" ({ready.features_note})" if ready.features_note else ""
    return f"kept on {where}; heat maps: {methods}{note}", False


def _lines(found: dict[str, Any]) -> Iterator[str]:
    card = found["card"]
    rows = [
        ("File", found["file"]),
        ("SHA-256", found["sha256"]),
        ("Model", f"{card['name']} {card['version']}"),
        ("What", card["description"]),
        ("Use", card["intended_use"]),
        ("Films", _scope(card["scope"])),
        ("Limits", card["limitations"]),
        ("Findings", ", ".join(finding["name"] for finding in card["findings"])),
        ("Outputs", _outputs(card["inference"]["outputs"])),
        *(("Point", _point(point)) for point in card["operating_points"]),
        *(("Measured", line) for line in _measured(card["metrics"])),
        ("Gate", _gate(found["gate"])),
        ("Contract", found["contract"]),
    ]
    for name, text in rows:
        if text:
            yield f"{name:10} {text}"


def _outputs(outputs: str) -> str:
    return "" if outputs == "logits" else f"{outputs}, turned back into logits"


def _scope(scope: dict[str, Any]) -> str:
    ages = " to ".join(f"{age:g}" for age in scope["age_years"])
    parts = [f"{ages} years" if ages else ""]
    parts += [" or ".join(scope[key]) for key in ("modalities", "body_parts", "view_positions")]
    return ", ".join(part for part in parts if part) or "the card does not say which"


def _point(point: dict[str, Any]) -> str:
    threshold = f"{point['finding']}, {point['name']}: score >= {point['threshold']:.3f}"
    return f"{threshold}, {point['chosen_by']}"


def _measured(metrics: dict[str, Any]) -> Iterator[str]:
    for split, figures in metrics.items():
        told = (
            f"{name} {figure['value']:.3f}"
            for name, figure in figures.items()
            if figure.get("value") is not None
        )
        yield f"{split}: {', '.join(told)}"


def _gate(gate: dict[str, Any]) -> str:
    if not gate["checks_likeness"]:
        return "not checked: the model has no statistics of its training films"
    return (
        f"caution beyond distance {gate['near']:.2f}, out of scope beyond {gate['far']:.2f}; "
        f"half of the {gate['validation_films']} validation films lie within {gate['median']:.2f} "
        f"of the {gate['training_films']} training films"
    )
