"""The processes and devices of a run, managed by Lightning Fabric."""

from __future__ import annotations

import os

import torch
from lightning_fabric import Fabric

from training.config import NetworkConfig, RunConfig
from xrayview.errors import DeviceUnavailable
from xrayview.inference.cores import available_cores

_MAX_LOADER_THREADS = 8


def start_processes(run: RunConfig, network: NetworkConfig | None = None) -> Fabric:
    """Start one process per device: those of `torchrun`, or as many as the config names.

    A network with frozen layers needs DDP to accept parameters without gradients.

    Raises:
        DeviceUnavailable: the config requires CUDA and there is none.
    """
    if run.device == "cuda" and not torch.cuda.is_available():
        raise DeviceUnavailable("No CUDA device is available", hint="Use --set run.device=auto.")
    if run.deterministic:
        # cuBLAS reads it at its first call.
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


def loader_threads(fabric: Fabric) -> int:
    """Return how many threads of this process load batches.

    On a CPU all threads that the network learns on; beside a GPU the cores that are free.
    """
    if fabric.device.type == "cpu":
        return torch.get_num_threads()
    local_processes = int(os.environ.get("LOCAL_WORLD_SIZE", str(fabric.world_size)))
    return max(1, min(_MAX_LOADER_THREADS, available_cores() // local_processes - 1))


def any_process(fabric: Fabric, flag: bool) -> bool:
    """Tell whether `flag` is set in any process: all must leave a loop at the same step."""
    if fabric.world_size == 1:
        return flag
    total = fabric.all_reduce(torch.tensor(float(flag), device=fabric.device), reduce_op="sum")
    return bool(float(torch.as_tensor(total)) > 0)
