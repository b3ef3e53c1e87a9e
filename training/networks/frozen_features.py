"""A frozen backbone's features, computed once: without augmentation no epoch changes them.

Every head begins with a global mean, which the pooled features of a film pass unchanged as a map
of one cell: `forward_head` of them equals `forward` of the film.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from training.config import TrainingConfig
from training.data.batches import FilmSet, evaluation_batches
from training.data.films import Films, Say
from training.disk import require_room
from training.networks.cut_network import Network, state_sha256
from xrayview.preprocessing.pipeline import Preprocessor

PooledND = npt.NDArray[np.float32]

_BATCH_FILMS = 16


def stands_still(config: TrainingConfig) -> bool:
    """The backbone gives the same of a film in every epoch: nothing learns, nothing is drawn."""
    network = config.network
    frozen = network.trainable_layers == 0 and not network.unfreeze_every
    auxiliary = network.architecture == "inception_v3" and network.auxiliary
    return frozen and not auxiliary and config.augment.moves_nothing


def with_features(
    films: Films, split: str, network: Network, preprocessor: Preprocessor, say: Say
) -> FilmSet:
    """The films of a split with their pooled features, from the cache where they are known.

    The cache is keyed by the backbone's weights, the preprocessing and the films' pixels. What
    was computed before a kill is kept; films that lack their features still are computed.
    """
    part = films.part(split)
    path = None
    if films.cache is not None:
        pixels = [films.manifest.rows[place].pixels_sha256 for place in part.places]
        path = films.cache / f"{_key(network, preprocessor, pixels)}.npy"
    pooled_ND = _open(path, len(part), _width(network))
    missing = np.flatnonzero(np.isnan(pooled_ND).any(axis=1))
    for start in range(0, missing.size, _BATCH_FILMS):
        chosen = missing[start : start + _BATCH_FILMS]
        pooled_ND[chosen] = _pooled(network, part.only(chosen), preprocessor)
        done = len(part) - missing.size + start + chosen.size
        if (start // _BATCH_FILMS) % 8 == 7 or done == len(part):
            say(f"  features of {done} of {len(part)} {split} films")
    found = dataclasses.replace(part, pooled_ND=np.array(pooled_ND))
    del pooled_ND  # a mapped file cannot be renamed everywhere
    if path is not None and _partial(path).is_file():
        _partial(path).replace(path)
    return found


def _key(network: Network, preprocessor: Preprocessor, pixels: Sequence[str]) -> str:
    films = hashlib.sha256("".join(pixels).encode()).hexdigest()
    weights = state_sha256(network.features.state_dict())
    return f"features-{weights[:16]}-{preprocessor.preprocessing_id}-{films[:16]}"


def _partial(path: Path) -> Path:
    return path.with_suffix(".npy.partial")


def _open(path: Path | None, films: int, width: int) -> PooledND:
    """The features, NaN where they are not computed yet; written through to the cache."""
    if path is None:
        return np.full((films, width), np.nan, np.float32)
    if path.is_file():
        return np.asarray(np.load(path))
    partial, shape = _partial(path), (films, width)
    if partial.is_file():
        return np.lib.format.open_memmap(partial, mode="r+")
    path.parent.mkdir(parents=True, exist_ok=True)
    require_room(path.parent, 4 * films * width)
    fresh = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float32, shape=shape)
    fresh[:] = np.nan
    return fresh


@torch.no_grad()
def _pooled(network: Network, films: FilmSet, preprocessor: Preprocessor) -> PooledND:
    network.eval()
    device = next(network.parameters()).device
    (batch,) = evaluation_batches(films, preprocessor, len(films))
    x_BCHW = batch.x_BCHW.to(device, memory_format=torch.channels_last)
    pooled_BD11 = functional.adaptive_avg_pool2d(network.forward_features(x_BCHW), 1)
    return np.asarray(pooled_BD11.flatten(1).float().cpu().numpy())


def _width(network: Network) -> int:
    """Channels of the last map, which the head's first layer takes."""
    return int(
        next(m for m in network.head.modules() if isinstance(m, torch.nn.Linear)).in_features
    )
