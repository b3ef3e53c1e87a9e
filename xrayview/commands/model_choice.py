"""Which model a command runs, and whether it may: a model is a program."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.domain.devices import AUTO, DEVICE_CHOICES
from xrayview.errors import ModelNotTrusted

if TYPE_CHECKING:
    from xrayview.engine.protocol import ModelRef
    from xrayview.services.settings import Settings

_Arguments = argparse.ArgumentParser | argparse._ArgumentGroup


def add_device_to(parser: _Arguments) -> None:
    """Where the model runs."""
    parser.add_argument(
        "--device",
        choices=tuple(DEVICE_CHOICES),
        default=AUTO,
        help="only `auto` (default) falls back to the CPU",
    )


def add_trust_to(parser: _Arguments) -> None:
    """The user's word for a model that is new."""
    parser.add_argument(
        "--trust-model",
        action="store_true",
        help="let this model run, now and later: a model is a program",
    )


def model_folders(settings: Settings) -> tuple[Path, ...]:
    """Where the user keeps bundles."""
    return tuple(Path(folder) for folder in settings["model_folders"])


def trusted_model(name: str, settings: Settings, options: argparse.Namespace) -> ModelRef:
    """The bundle of a path or a catalogue name, on the device that `options` ask for.

    Raises:
        ModelError: there is none.
        ModelNotTrusted: the user has not said that it may run.
    """
    from xrayview.services.catalogue import find_model, model_ref, trust_model

    path = find_model(name, model_folders(settings))
    if options.trust_model:
        trust_model(path)
    try:
        return model_ref(path, getattr(options, "device", AUTO))
    except ModelNotTrusted as error:
        error.hint = f"{error.hint} Then add --trust-model."
        raise
