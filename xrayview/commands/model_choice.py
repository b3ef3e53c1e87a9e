"""Which model a command runs, and whether the user trusts it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from xrayview.domain.devices import AUTO
from xrayview.domain.runtimes import EXACT
from xrayview.errors import ModelNotTrusted

if TYPE_CHECKING:
    from xrayview.engine.protocol import ModelRef
    from xrayview.services.settings import Settings


def model_folders(settings: Settings) -> tuple[Path, ...]:
    """The user's own folders of model bundles."""
    return tuple(Path(folder) for folder in settings["model_folders"])


def trusted_model(name: str, settings: Settings, options: argparse.Namespace) -> ModelRef:
    """Find a bundle by path or catalogue name, for the device that `options` request.

    Raises:
        ModelError: there is no such bundle.
        ModelNotTrusted: the user has not trusted it.
    """
    from xrayview.services.catalogue import find_model, model_ref, trust_model

    path = find_model(name, model_folders(settings))
    if options.trust_model:
        trust_model(path)
    try:
        return model_ref(
            path,
            getattr(options, "device", AUTO),
            runtime=getattr(options, "runtime", AUTO),
            precision=getattr(options, "precision", EXACT),
        )
    except ModelNotTrusted as error:
        error.hint = f"{error.hint} To run it, add --trust-model."
        raise
