"""Export of a trained network as a model bundle: traced, checked for parity, with its card."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch

from training.config import TrainingConfig
from training.disk import writing_partial
from training.networks import build as networks
from training.networks.build import Network
from training.networks.cut_network import CutNetwork
from training.runs import RunFolder
from xrayview.domain.model import ModelCard
from xrayview.errors import ModelError, UsageError
from xrayview.inference import loading
from xrayview.inference.runtime import Runtime
from xrayview.io.model.bundle import CARD_NAME, card_to_json, read_card

TOLERANCE = 1e-4
"""Largest allowed difference of exported and eager logits, relative to the largest logit."""
_PROBE_FILMS = (1, 3)


def best_network(config: TrainingConfig, run: RunFolder) -> Network:
    """Return the network with the weights that validation chose, in eval mode on the CPU.

    Raises:
        UsageError: the run has no such weights yet.
    """
    if not run.best.is_file():
        raise UsageError(f"{run.path} has no best.pt", hint="Train it first, or --resume it.")
    network = networks.build(
        config.network,
        config.preprocessing.channels,
        config.target.outputs,
        config.run.seed,
    )
    state = torch.load(run.best, map_location="cpu", weights_only=True)
    network.load_state_dict(state["weights"])
    return network.eval()


def export(
    network: CutNetwork, card: ModelCard, path: Path, extra: Mapping[str, bytes] | None = None
) -> Runtime:
    """Write the bundle, load it as the app does, and check that it equals the network.

    `path` is replaced as a whole. The three methods of the contract are traced in eval mode,
    float32, on the CPU, for any batch size. `extra` has further files beside the card, by name.

    Raises:
        ModelError: the exported network or card differs from the one that went in.
    """
    # Batch 2, so that no dimension of 1 is taken for a constant.
    x_BCHW = torch.zeros(2, card.preprocessing.channels, *card.preprocessing.size)
    with warnings.catch_warnings(), torch.no_grad():
        # TorchScript is deprecated, but it is the bundle's format.
        warnings.simplefilter("ignore")
        methods = {
            "forward": x_BCHW,
            "forward_features": x_BCHW,
            "forward_head": network.forward_features(x_BCHW),
        }
        # Tracing's own check would trace everything again and is weaker than the parity check.
        script = torch.jit.trace_module(  # type: ignore[no-untyped-call]
            network, methods, check_trace=False
        )
        partial = path.with_name(path.name + ".partial")
        text = json.dumps(card_to_json(card), indent=2, ensure_ascii=False)
        save_script(script, partial, {CARD_NAME: text, **(extra or {})})
    loaded = loading.load(partial, read_card(partial), "cpu")
    _require_parity(network, loaded, card, partial)
    partial.replace(path)
    return loaded


def save_script(
    script: torch.jit.ScriptModule, path: Path, extra: Mapping[str, bytes | str]
) -> None:
    """Write a TorchScript file with these files in its `extra/`.

    Raises:
        CannotWrite: the disk is full or fails; the partial file is removed.
    """
    # Torch's own writer aborts the whole process on a full disk.
    stream = io.BytesIO()
    torch.jit.save(script, stream, _extra_files=dict(extra))
    with writing_partial(path):
        path.write_bytes(stream.getbuffer())


def _require_parity(network: CutNetwork, loaded: Runtime, card: ModelCard, path: Path) -> None:
    if card_to_json(read_card(path)) != card_to_json(card):
        raise ModelError("The card in the bundle is not the one that was written", path=path)
    generator = torch.Generator().manual_seed(0)
    for films in _PROBE_FILMS:
        shape = (films, card.preprocessing.channels, *card.preprocessing.size)
        x_BCHW = torch.randn(shape, generator=generator)
        with torch.no_grad():
            eager = network(x_BCHW)
        exported = torch.from_numpy(loaded.forward(x_BCHW.numpy()))
        difference = (eager - exported).abs().max().item()
        if not difference <= TOLERANCE * max(1.0, eager.abs().max().item()):
            raise ModelError(
                "The exported network differs from the trained one",
                path=path,
                why=f"logits differ by {difference:.2g} for {films} films",
                hint="Please report this architecture; the bundle was not written.",
            )
