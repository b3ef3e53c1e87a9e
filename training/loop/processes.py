"""The processes and devices of a run, through Lightning Fabric."""

from __future__ import annotations

import os

import torch
from lightning_fabric import Fabric

from training.config import NetworkConfig, RunConfig
from xrayview.errors import DeviceUnavailable

_MOST_MAKERS = 8


def start_processes(run: RunConfig, network: NetworkConfig | None = None) -> Fabric:
    """One process per device: those that `torchrun` started, else as many as the config says.

    Processes of a network that freezes layers expect gradients to be missing.

    Raises:
        DeviceUnavailable: CUDA was asked for and is not there.
    """
    if run.device == "cuda" and not torch.cuda.is_available():
        raise DeviceUnavailable("There is no CUDA device here", hint="Use --set run.device=auto.")
    if run.deterministic:
        # cuBLAS asks for it before its first call.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
    kind = "cuda" if run.device != "cpu" and torch.cuda.is_available() else "cpu"
    devices = int(os.environ.get("LOCAL_WORLD_SIZE", str(run.devices)))
    nodes = int(os.environ.get("GROUP_WORLD_SIZE", "1"))
    freezes = network is not None and network.freezes
    ddp = "ddp_find_unused_parameters_true" if freezes else "ddp"
    fabric = Fabric(
        accelerator=kind,
        devices=devices,
        num_nodes=nodes,
        precision=run.precision,
        strategy=(ddp if devices * nodes > 1 else "auto"),
    )
    fabric.launch()
    return fabric


def batch_makers(fabric: Fabric) -> int:
    """Threads of this process that make batches: those the network learns on, or beside a GPU
    the cores that it leaves free.
    """
    if fabric.device.type == "cpu":
        return torch.get_num_threads()
    here = int(os.environ.get("LOCAL_WORLD_SIZE", str(fabric.world_size)))
    return max(1, min(_MOST_MAKERS, (os.cpu_count() or 1) // here - 1))


def any_process(fabric: Fabric, answer: bool) -> bool:
    """True when any process says so: all must leave a loop at the same step."""
    if fabric.world_size == 1:
        return answer
    total = fabric.all_reduce(torch.tensor(float(answer), device=fabric.device), reduce_op="sum")
    return bool(float(torch.as_tensor(total)) > 0)
