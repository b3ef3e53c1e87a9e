"""Which layers of the backbone learn, at which epoch."""

from __future__ import annotations

from torch import nn

from training.config import NetworkConfig
from training.networks.cut_network import Network


def layers_of(network: Network) -> list[nn.Module]:
    """The backbone's layers from input to output: its modules without children."""
    return [module for module in network.features.modules() if not list(module.children())]


def trainable_layers(config: NetworkConfig, epoch: int) -> int | None:
    """How many layers at the end learn in this epoch, counted from 0; None for all."""
    if not config.freezes:
        return None
    steps = epoch // config.unfreeze_every if config.unfreeze_every else 0
    return config.trainable_layers + steps * config.unfreeze_layers


def set_training(network: Network, config: NetworkConfig, epoch: int) -> int:
    """Put the network in training mode for an epoch; says how many backbone layers learn.

    Frozen layers stay in eval mode: running statistics of batch norms that move under weights
    that do not would undo what was learnt. An auxiliary head stands behind frozen layers and
    learns as the head does.
    """
    network.train()
    layers = layers_of(network)
    learning = trainable_layers(config, epoch)
    first = 0 if learning is None else max(0, len(layers) - learning)
    for place, layer in enumerate(layers):
        layer.train(place >= first)
        for parameter in layer.parameters(recurse=False):
            parameter.requires_grad_(place >= first)
    return len(layers) - first
