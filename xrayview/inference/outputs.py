"""Logits from networks that end in an activation and return probabilities.

Temperatures, operating points and heat maps need logits, so probabilities are converted first:
log(p / (1 - p)) after a sigmoid, log(p) after a softmax.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from xrayview.domain.model import Activation, ModelCard
from xrayview.errors import ContractBroken
from xrayview.inference.calibration import MIN_PROBABILITY

_ROUNDING = 1e-4
MIN_PERCENT = 10.0
"""Non-negative outputs of which one is larger may be percentages: sigmoid(10) is 1."""

ToLogits = Callable[[torch.Tensor], torch.Tensor]


def to_logits(card: ModelCard) -> ToLogits:
    """The function from the outputs of this card's network to logits, (B, K) float32.

    It is differentiable, except where probabilities lie within `MIN_PROBABILITY` of 0 or 1.

    Raises:
        ContractBroken: (when called) the outputs should be probabilities and are not.
    """
    if card.outputs == "logits":
        return lambda logits_BK: logits_BK
    return _OF_PROBABILITIES[card.activation]


def _log_odds(probabilities_BK: torch.Tensor) -> torch.Tensor:
    clamped_BK = _clamped(probabilities_BK)
    return (torch.log(clamped_BK) - torch.log1p(-clamped_BK)).float()


def _log(probabilities_BK: torch.Tensor) -> torch.Tensor:
    return torch.log(_clamped(probabilities_BK)).float()


_OF_PROBABILITIES: dict[Activation, ToLogits] = {"sigmoid": _log_odds, "softmax": _log}


def _clamped(probabilities_BK: torch.Tensor) -> torch.Tensor:
    finite = probabilities_BK.detach().nan_to_num(0.0)
    low, high = (float(edge) for edge in torch.aminmax(finite)) if finite.numel() else (0.0, 0.0)
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        percent = low >= -_ROUNDING and MIN_PERCENT < high <= 100 + _ROUNDING
        raise ContractBroken(
            "The model does not match its card",
            why=f"its outputs of {low:.3g} to {high:.3g} are not probabilities",
            hint="If they are percentages (0 to 100), export the network with outputs of 0 to 1; "
            "if they are logits, state that in the card."
            if percent
            else "State in the card that the outputs are logits.",
            field="inference.outputs",
        )
    return probabilities_BK.double().clamp(MIN_PROBABILITY, 1 - MIN_PROBABILITY)
