"""Load a trusted model file on a device, and check it against the contract of its card."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from xrayview.domain.devices import AUTO, DEVICES, Device
from xrayview.domain.model import ModelCard
from xrayview.domain.runtimes import EXACT, TORCH
from xrayview.errors import DeviceUnavailable, ModelError
from xrayview.inference import torchscript
from xrayview.inference.acceleration import accelerated
from xrayview.inference.probe import probe
from xrayview.inference.runtime import Runtime
from xrayview.io.model.bundle import require_trusted


@dataclass(frozen=True)
class RuntimeKind:
    """How one kind of runtime checks its devices and loads a model.

    `require_device` raises DeviceUnavailable. `load` gets the file's path for messages, its bytes,
    its card and the device; it raises ModelError where the file cannot be loaded.
    """

    require_device: Callable[[Device], object]
    load: Callable[[Path, bytes, ModelCard, Device], Runtime]


RUNTIMES: dict[str, RuntimeKind] = {
    "torchscript": RuntimeKind(torchscript.require_device, torchscript.load),
}
"""By the name that the rows of `DEVICES` give."""


def load(
    path: Path,
    card: ModelCard,
    device: str = AUTO,
    *,
    sha256: str | None = None,
    runtime: str = TORCH,
    precision: str = EXACT,
    cache: Path | None = None,
) -> Runtime:
    """Load a trusted model file and check it against the contract of its card.

    The bytes that are hashed are the bytes that are loaded.

    Args:
        path: the model file.
        card: its description.
        device: the id of a device, or `auto`.
        sha256: the hash that the user trusts; None only for a file that this program has written.
        runtime: the id of a runtime; `auto` for the fastest that is installed and takes the network
            and gives its scores, otherwise torch.
        precision: `exact` or `fast`.
        cache: the folder of converted networks; None to convert each time.

    Raises:
        ModelError: the file is missing, has another hash, cannot be loaded, or fails the probe; the
            requested runtime cannot run it, or not within the bound of the precision.
        DeviceUnavailable: the requested device does not work.
    """
    content, digest = _read(path)
    if sha256 is not None:
        require_trusted(digest, sha256, path)
    row = choose_device(device)
    loaded = RUNTIMES[row.runtime].load(path, content, card, row)
    loaded.adapt(card)
    probe(loaded, card, path)
    if not loaded.has_features:
        loaded.split(card)
    loaded.fix_batch(card)
    return accelerated(loaded, card, path, runtime, precision, cache)


def choose_device(device: str) -> Device:
    """The device with this id; for `auto` the last one in the table that works.

    Raises:
        DeviceUnavailable: the requested device does not work.
    """
    if device == AUTO:
        return next(row for row in reversed(DEVICES.values()) if row.in_auto and _works(row))
    row = DEVICES[device]
    RUNTIMES[row.runtime].require_device(row)
    return row


def _works(device: Device) -> bool:
    try:
        RUNTIMES[device.runtime].require_device(device)
    except DeviceUnavailable:
        return False
    return True


def _read(path: Path) -> tuple[bytes, str]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(
            "The model file cannot be read",
            path=path,
            why=error.strerror or str(error),
            hint="Check the path and the permissions of the file.",
        ) from error
    return content, hashlib.sha256(content).hexdigest()
