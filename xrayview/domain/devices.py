"""The devices that a model can run on, one row each.

Command line choices, the device menu, settings and messages are made from these rows, and so is
the order in which `auto` tries them. `inference/loading.py` has the runtimes that they name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Device:
    """A device, and the runtime that uses it."""

    id: str
    """Its name on the command line, in the settings and in requests."""
    title: str
    """Its name on screen and in messages."""
    runtime: str = "torchscript"
    """The runtime that loads a model for it."""
    address: str = ""
    """What the runtime calls it, as in `torch.device(address)`."""
    in_auto: bool = True
    """`auto` may choose it."""


AUTO = "auto"
"""Asks for the fastest device that works; only this falls back to another device."""

DEVICES: dict[str, Device] = {
    device.id: device
    for device in (
        Device("cpu", "CPU", address="cpu"),
        Device("cuda", "CUDA", address="cuda"),
    )
}
"""By id. `auto` tries them from the last to the first: the CPU, which always works, comes first."""

DEVICE_CHOICES: dict[str, str] = {
    AUTO: "Auto",
    **{device.id: device.title for device in DEVICES.values()},
}
"""The choices for a request: titles by id, including `auto`."""
