"""Features of a frozen backbone, computed once: without augmentation they never change.

Every head begins with a global mean, which leaves features that are already averaged (a map of
one cell) unchanged: `forward_head` of them equals `forward` of the film.
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

FeaturesND = npt.NDArray[np.float32]

_BATCH_FILMS = 16


def has_constant_features(config: TrainingConfig) -> bool:
    """Tell whether a film's features are the same in every epoch: frozen and not augmented."""
    network = config.network
    frozen = network.trainable_layers == 0 and not network.unfreeze_every
    auxiliary = network.architecture == "inception_v3" and network.auxiliary
    return frozen and not auxiliary and config.augment.is_identity


def load_features(
    films: Films, split: str, network: Network, preprocessor: Preprocessor, say: Say
) -> FilmSet:
    """Return the films of a split with their averaged features, read from the cache if possible.

    The cache is keyed by the backbone's weights, the preprocessing and the films' pixels. After a
    kill only the missing features are computed.
    """
    part = films.part(split)
    path = None
    if films.cache is not None:
        pixels = [films.manifest.rows[i].pixels_sha256 for i in part.indices]
        path = films.cache / f"{_key(network, preprocessor, pixels)}.npy"
    features_ND = _open(path, len(part), _width(network))
    missing = np.flatnonzero(np.isnan(features_ND).any(axis=1))
    for start in range(0, missing.size, _BATCH_FILMS):
        chosen = missing[start : start + _BATCH_FILMS]
        features_ND[chosen] = _compute(network, part.subset(chosen), preprocessor)
        done = len(part) - missing.size + start + chosen.size
        if (start // _BATCH_FILMS) % 8 == 7 or done == len(part):
            say(f"  features of {done} of {len(part)} {split} films")
    film_set = dataclasses.replace(part, features_ND=np.array(features_ND))
    del features_ND  # a mapped file cannot be renamed everywhere
    if path is not None and _partial(path).is_file():
        _partial(path).replace(path)
    return film_set


def _key(network: Network, preprocessor: Preprocessor, pixels: Sequence[str]) -> str:
    films = hashlib.sha256("".join(pixels).encode()).hexdigest()
    weights = state_sha256(network.features.state_dict())
    return f"features-{weights[:16]}-{preprocessor.preprocessing_id}-{films[:16]}"


def _partial(path: Path) -> Path:
    return path.with_suffix(".npy.partial")


def _open(path: Path | None, films: int, width: int) -> FeaturesND:
    """Open the features, backed by the cache file; NaN where they are not computed yet."""
    if path is None:
        return np.full((films, width), np.nan, np.float32)
    if path.is_file():
        return np.asarray(np.load(path))
    partial, shape = _partial(path), (films, width)
    if partial.is_file():
        return np.lib.format.open_memmap(partial, mode="r+")
    path.parent.mkdir(parents=True, exist_ok=True)
    require_room(path.parent, 4 * films * width)
    features_ND = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float32, shape=shape)
    features_ND[:] = np.nan
    return features_ND


@torch.no_grad()
def _compute(network: Network, films: FilmSet, preprocessor: Preprocessor) -> FeaturesND:
    network.eval()
    device = next(network.parameters()).device
    (batch,) = evaluation_batches(films, preprocessor, len(films))
    x_BCHW = batch.x_BCHW.to(device, memory_format=torch.channels_last)
    averaged_BD11 = functional.adaptive_avg_pool2d(network.forward_features(x_BCHW), 1)
    return np.asarray(averaged_BD11.flatten(1).float().cpu().numpy())


def _width(network: Network) -> int:
    """Return the number of channels of the last map, which the head's first layer takes."""
    return int(
        next(m for m in network.head.modules() if isinstance(m, torch.nn.Linear)).in_features
    )
