"""What a network gives, as logits: those that end in an activation give probabilities.

Temperatures, operating points and heat maps rest on logits, so probabilities are turned back
before anything else sees them: log(p / (1 - p)) of a sigmoid, log(p) of a softmax.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from xrayview.domain.model import Activation, ModelCard
from xrayview.errors import ContractBroken
from xrayview.inference.calibration import MIN_PROBABILITY

_ROUNDING = 1e-4

ToLogits = Callable[[torch.Tensor], torch.Tensor]


def to_logits(card: ModelCard) -> ToLogits:
    """What makes logits, (B, K) float32, of what the network of this card gives.

    It keeps gradients, but for probabilities within `MIN_PROBABILITY` of 0 and 1: they have none.

    Raises:
        ContractBroken: (when called) the card says probabilities, and these are none.
    """
    if card.outputs == "logits":
        return lambda logits_BK: logits_BK
    return _OF_PROBABILITIES[card.activation]


def _log_odds(shares_BK: torch.Tensor) -> torch.Tensor:
    kept_BK = _kept(shares_BK)
    return (torch.log(kept_BK) - torch.log1p(-kept_BK)).float()


def _log(shares_BK: torch.Tensor) -> torch.Tensor:
    return torch.log(_kept(shares_BK)).float()


_OF_PROBABILITIES: dict[Activation, ToLogits] = {"sigmoid": _log_odds, "softmax": _log}


def _kept(shares_BK: torch.Tensor) -> torch.Tensor:
    low, high = (float(edge) for edge in torch.aminmax(shares_BK.detach()))
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise ContractBroken(
            "The model breaks the contract of its card",
            why=f"it gave {low:.3g} to {high:.3g}, which are no probabilities",
            hint="Say in its card that it gives logits.",
            field="inference.outputs",
        )
    return shares_BK.double().clamp(MIN_PROBABILITY, 1 - MIN_PROBABILITY)
