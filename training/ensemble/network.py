"""A deep ensemble: the mean of several networks' calibrated logits, with joined feature maps.

Lakshminarayanan, Pritzel, Blundell, NeurIPS 2017. Logits are divided by their network's own
temperature first, so that an overconfident network does not outvote the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from xrayview.errors import UsageError


class Ensemble(nn.Module):
    """Networks whose last maps are joined along the channels and whose logits are averaged.

    A coarser map is repeated to the finest grid and averaged back before its own head, which does
    not change its logits.

    Args:
        members: modules with `forward_features` and `forward_head`, in eval mode.
        temperatures: for each member, one temperature or one per logit.
        shape_CHW: shape of the input of all members.

    Raises:
        UsageError: the members have different numbers of logits, or grids that do not divide.
    """

    temperatures_MK: Tensor

    def __init__(
        self,
        members: Sequence[nn.Module],
        temperatures: Sequence[Sequence[float]],
        shape_CHW: tuple[int, int, int],
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        with torch.no_grad():
            x_BCHW = torch.zeros(1, *shape_CHW)
            maps = [member.forward_features(x_BCHW) for member in members]  # type: ignore[operator]
            outputs = [
                member.forward_head(features_BDhw).shape[1]  # type: ignore[operator]
                for member, features_BDhw in zip(members, maps, strict=True)
            ]
        _require_one_count(outputs)
        self.register_buffer(
            "temperatures_MK", torch.tensor([_spread(t, outputs[0]) for t in temperatures])
        )
        finest = (max(m.shape[2] for m in maps), max(m.shape[3] for m in maps))
        self.widths = [m.shape[1] for m in maps]
        self.repeats = [_repeats(finest, (m.shape[2], m.shape[3])) for m in maps]
        self.stride = round(shape_CHW[1] / finest[0])
        """Input pixels per feature cell."""

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """Return uncalibrated logits_BK, the mean of the members' calibrated logits."""
        return self.forward_head(self.forward_features(x_BCHW))

    def forward_features(self, x_BCHW: Tensor) -> Tensor:
        """Return the members' last maps, joined along the channels, features_BDhw."""
        maps = [
            _repeated(member.forward_features(x_BCHW), repeats)  # type: ignore[operator]
            for member, repeats in zip(self.members, self.repeats, strict=True)
        ]
        return torch.cat(maps, 1)

    def forward_head(self, features_BDhw: Tensor) -> Tensor:
        """Apply each member's head to its own channels; return logits_BK."""
        parts = features_BDhw.split_with_sizes(self.widths, 1)
        logits = [
            member.forward_head(_averaged(part, repeats)) / temperature_K  # type: ignore[operator]
            for member, part, repeats, temperature_K in zip(
                self.members, parts, self.repeats, self.temperatures_MK, strict=True
            )
        ]
        return torch.stack(logits).mean(0)


def _require_one_count(outputs: Sequence[int]) -> None:
    if len(set(outputs)) > 1:
        raise UsageError(
            f"The members have {', '.join(map(str, outputs))} logits",
            hint="Choose members with the same number of logits.",
        )


def _spread(temperature: Sequence[float], outputs: int) -> list[float]:
    """Return one temperature for each logit."""
    if len(temperature) == 1:
        return [*temperature] * outputs
    if len(temperature) == outputs:
        return [*temperature]
    raise UsageError(
        f"A member has {len(temperature)} temperatures for {outputs} logits",
        hint="Calibrate it again: python -m training calibrate.",
    )


def _repeats(finest: tuple[int, int], grid: tuple[int, int]) -> tuple[int, int]:
    if finest[0] % grid[0] or finest[1] % grid[1]:
        raise UsageError(
            f"A feature map of {grid[0]} x {grid[1]} cells does not fit into one of "
            f"{finest[0]} x {finest[1]}",
            hint="Choose members whose strides are multiples of each other.",
        )
    return finest[0] // grid[0], finest[1] // grid[1]


def _repeated(features_BDhw: Tensor, repeats: tuple[int, int]) -> Tensor:
    if repeats == (1, 1):
        return features_BDhw
    return features_BDhw.repeat_interleave(repeats[0], 2).repeat_interleave(repeats[1], 3)


def _averaged(features_BDhw: Tensor, repeats: tuple[int, int]) -> Tensor:
    """Undo `_repeated`."""
    return features_BDhw if repeats == (1, 1) else nn.functional.avg_pool2d(features_BDhw, repeats)
