"""The runtimes that take films through a network, and how exact they are: one row each.

Choices of the command line, settings and messages are made from these rows;
`inference/loading.py` has the code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RuntimeRow:
    """A runtime."""

    id: str
    title: str
    package: str
    """The package that must be installed; empty where it always is."""
    devices: tuple[str, ...]
    """The types of device that it runs on."""
    in_auto: bool = True
    """`auto` may choose it."""


@dataclass(frozen=True)
class Precision:
    """How far scores may be from those of eager float32."""

    id: str
    title: str
    largest_difference: float
    """Between a score on a test film and that of eager float32, 0 to 1; beyond it is refused."""


AUTO = "auto"
TORCH = "torch"
EXACT = "exact"
FAST = "fast"

RUNTIMES: dict[str, RuntimeRow] = {
    row.id: row
    for row in (
        RuntimeRow(TORCH, "PyTorch", "", ("cpu", "cuda")),
        RuntimeRow("openvino", "OpenVINO", "openvino", ("cpu",)),
    )
}
"""By id. `auto` tries them from the last to the first; PyTorch, which always works, comes first."""

RUNTIME_CHOICES: dict[str, str] = {
    AUTO: "Auto",
    **{row.id: row.title for row in RUNTIMES.values()},
}

PRECISIONS: dict[str, Precision] = {
    row.id: row
    for row in (
        Precision(EXACT, "Exact (float32)", 1e-4),
        Precision(FAST, "Fast (16 or 8 bits)", 0.05),
    )
}


def runtime_text(device: str, runtime: str, precision: str) -> str:
    """Where and how a model runs, for people: `cpu, OpenVINO, float32`."""
    title = RUNTIMES[runtime].title if runtime in RUNTIMES else runtime
    return f"{device}, {title}, {precision}"
