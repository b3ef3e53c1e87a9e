"""Which layers of the backbone learn in which epoch."""

from __future__ import annotations

from torch import nn

from training.config import NetworkConfig
from training.networks.cut_network import Network


def layers_of(network: Network) -> list[nn.Module]:
    """Return the backbone's layers from input to output: its modules without children."""
    return [module for module in network.features.modules() if not list(module.children())]


def trainable_layers(config: NetworkConfig, epoch: int) -> int | None:
    """Return how many of the last layers learn in this epoch (counted from 0); None for all."""
    if not config.freezes:
        return None
    steps = epoch // config.unfreeze_every if config.unfreeze_every else 0
    return config.trainable_layers + steps * config.unfreeze_layers


def set_training(network: Network, config: NetworkConfig, epoch: int) -> int:
    """Put the network in training mode for an epoch and return how many backbone layers learn.

    Frozen layers stay in eval mode: batch norms that keep updating their running statistics over
    fixed weights would spoil what was learnt. An auxiliary head always learns, like the head.
    """
    network.train()
    layers = layers_of(network)
    count = trainable_layers(config, epoch)
    first = 0 if count is None else max(0, len(layers) - count)
    for i, layer in enumerate(layers):
        layer.train(i >= first)
        for parameter in layer.parameters(recurse=False):
            parameter.requires_grad_(i >= first)
    return len(layers) - first
