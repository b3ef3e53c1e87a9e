"""`extra/gate.npz` of a bundle: the statistics of its training films, read without pickle."""

from __future__ import annotations

import io
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xrayview.domain.model import ModelCard
from xrayview.errors import ModelError
from xrayview.inference.ood_score import TrainingStatistics
from xrayview.inference.runtime import Runtime
from xrayview.io.model.bundle import read_extra

GATE_NAME = "gate.npz"
VERSION = 1
MAX_BYTES = 4 << 20
_ARRAYS: dict[str, str] = {
    "mean_V": "V", "scale_V": "V", "axes_RV": "RV", "variances_R": "R", "levels_Q": "Q",
    "distances_Q": "Q",
}  # fmt: skip
"""Arrays and the letters of their axes; everything else is a scalar."""
_COUNTS = ("grid", "thumbnail", "training_films", "validation_films")
_POSITIVE = ("grid", "thumbnail", "scale_V", "variances_R", "rest_variance", "near")
# What zipfile and numpy raise for a file that is not an archive of arrays.
_DAMAGED = (
    OSError, EOFError, ValueError, TypeError, KeyError, RuntimeError, NotImplementedError,
    MemoryError, SyntaxError, zipfile.BadZipFile,
)  # fmt: skip


def to_npz(statistics: TrainingStatistics) -> bytes:
    """Encode statistics as the bytes of the file."""
    stream = io.BytesIO()
    values = {field.name: getattr(statistics, field.name) for field in fields(statistics)}
    np.savez(stream, version=VERSION, **values)
    return stream.getvalue()


def read_statistics(path: Path) -> TrainingStatistics | None:
    """Read the statistics of a bundle, without loading its network; None where it has none.

    Raises:
        ModelError: the file is damaged, has another version, or is inconsistent.
    """
    content = read_extra(path, GATE_NAME, limit=MAX_BYTES)
    if content is None:
        return None
    try:
        return _checked(_arrays(content))
    except _DAMAGED as error:
        raise _broken(path, str(error) or type(error).__name__) from error


def require_matching_features(
    statistics: TrainingStatistics, runtime: Runtime, card: ModelCard, path: Path
) -> None:
    """Raise ModelError unless the statistics match this network's features."""
    if not runtime.has_features:
        raise _broken(path, "the model has no forward_features")
    spec = card.preprocessing
    features_BDhw = runtime.features(np.zeros((1, spec.channels, *spec.size), np.float32))
    expected = features_BDhw.shape[1] * statistics.grid**2 + statistics.thumbnail**2
    if expected != statistics.mean_V.size:
        why = f"it describes {statistics.mean_V.size} values, the network has {expected}"
        raise _broken(path, why)


def _arrays(content: bytes) -> dict[str, npt.NDArray[Any]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        # A few compressed kilobytes could expand until they fill the memory.
        if any(info.file_size != info.compress_size for info in archive.infolist()):
            raise ValueError("it is compressed; numpy.savez writes uncompressed arrays")
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {name: np.asarray(archive[name]) for name in archive.files}


def _checked(arrays: dict[str, npt.NDArray[Any]]) -> TrainingStatistics:
    version = arrays.pop("version", None)
    if version is None or version.shape or version != VERSION:
        raise ValueError(f"its version is {version}, this program reads version {VERSION}")
    names = {field.name for field in fields(TrainingStatistics)}
    if missing := sorted(names - set(arrays)):
        raise ValueError(f"{missing[0]} is missing")
    sizes: dict[str, int] = {}
    for name in sorted(names):
        _check_array(name, arrays[name], sizes)
    if sizes["V"] < sizes["R"] or not sizes["R"] or not sizes["Q"]:
        raise ValueError("axes_RV has more axes than values, or none")
    for name in ("levels_Q", "distances_Q"):
        if (np.diff(arrays[name]) < 0).any():
            raise ValueError(f"{name} must not decrease")
    if arrays["far"] < arrays["near"]:
        raise ValueError("far must not be less than near")
    values: dict[str, Any] = {
        name: arrays[name].astype(np.float32) if name in _ARRAYS else arrays[name].item()
        for name in names
    }
    return TrainingStatistics(**values)


def _check_array(name: str, array: npt.NDArray[Any], sizes: dict[str, int]) -> None:
    axes = _ARRAYS.get(name, "")
    if array.ndim != len(axes) or not np.issubdtype(array.dtype, np.number):
        raise ValueError(f"{name} has shape {array.shape} and type {array.dtype}")
    if np.iscomplexobj(array) or not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite numbers")
    if name in _COUNTS and not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{name} must be a whole number")
    if name in _POSITIVE and not (array > 0).all():
        raise ValueError(f"{name} must be greater than 0")
    for axis, size in zip(axes, array.shape, strict=True):
        if sizes.setdefault(axis, size) != size:
            raise ValueError(f"{name} has shape {array.shape}, {axis} is {sizes[axis]} elsewhere")


def _broken(path: Path, why: str) -> ModelError:
    return ModelError(
        "The statistics of the training films cannot be used",
        path=path,
        why=f"extra/{GATE_NAME}: {why}",
        hint="Compute them again with `python -m training gate`, or ask the model's authors.",
    )
