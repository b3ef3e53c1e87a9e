"""From what a source says of each finding to labels, by the policies of the config."""

from __future__ import annotations

from collections.abc import Mapping

from training.config import CellPolicy, DataConfig
from training.data.layouts.model import State
from training.data.negatives import is_finding, is_negative
from xrayview.domain.finding_names import NO_FINDING, normalise

_OPEN = {State.UNCERTAIN, State.NOT_MENTIONED}
_MEANING: dict[CellPolicy, bool | None] = {"ignore": None, "zeros": False, "ones": True}


def labels_of(
    states: Mapping[str, State], data: DataConfig
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the labels that are present, and those that are left open.

    An open state of a label such as `No Finding` stays open; where it is present, other open
    states mean absent, except that of `Support Devices`.
    """
    negative = [name for name in states if is_negative(name)]
    known = {
        name: _present(name, state, DataConfig() if name in negative else data)
        for name, state in states.items()
    }
    if any(states[name] is State.PRESENT for name in negative):
        open_names = [name for name, state in states.items() if state in _OPEN]
        known |= dict.fromkeys(filter(is_finding, open_names), False)
    present = tuple(name for name, is_there in known.items() if is_there)
    unknown = tuple(name for name, is_there in known.items() if is_there is None)
    if present or unknown:
        return present, unknown
    # `No Finding` is 0 like all other columns: the film has something that has no column.
    return ((), tuple(negative)) if negative else ((NO_FINDING,), ())


def _present(name: str, state: State, data: DataConfig) -> bool | None:
    """Return whether a finding is present; None if that is left open."""
    if state is State.NOT_MENTIONED:
        return _MEANING[data.blank]
    if state is State.UNCERTAIN:
        return _MEANING[_policy(name, data)]
    return state is State.PRESENT


def _policy(name: str, data: DataConfig) -> CellPolicy:
    """Return the policy for an uncertain finding: its own, or that of all."""
    for text in data.uncertain_of:
        finding, _, policy = text.rpartition("=")
        if normalise(finding) == normalise(name):
            return next(choice for choice in _MEANING if choice == policy)
    return data.uncertain
